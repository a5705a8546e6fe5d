"""What rebooking publishes: outages, and the recovery of each practice from each outage.

A session that a practice withdraws while patients have it is recovered from like an outage, and goes by the same name
here: the withdrawal's id is the outage's.

Streams: `outage/<id>` (the outage itself) and `recovery/<outage>/<ods>` (one practice's way back: who was seen, the
plan, the moves, the answers, the calls).
"""

from datetime import date
from typing import ClassVar, Literal

from msgspec import Struct

from shared.events.base import COUNTY, Event, Instant
from shared.events.booking import ALL_INFLOW, Channel, Inflow

Kind = Literal["outage", "withdrawal"]
"""What took the appointments: systems that were down, or a practice that withdrew a session patients were booked in."""

Outcome = Literal["attended", "missed", "cancelled", "elsewhere", "triage", "displaced", "rescheduled"]
"""What became of a lost appointment. `elsewhere`: the patient was seen by somebody else, as at a hospital. `triage`:
same-day demand, for a clinician, not to rebook. `rescheduled`: given another time otherwise than by this recovery, as
when the patient rang up first."""

Evidence = Literal["paper", "operator", "rule", "withdrawn", "diary"]
"""How an outcome is known: written down on the day, said by an operator, by the rule for all the rest, because the
session was `withdrawn`, or because the `diary` has shown since that the appointment is over."""

Wish = Literal["another-time", "cancel"]

Via = Literal["text", "telephone"]
"""How a patient answered."""

HalfOfDay = Literal["morning", "afternoon"]
"""A morning ends at 13:00, London time."""

CallOutcome = Literal["keeps", "another-time", "cancels", "settled", "no-answer", "left-message", "wrong-number"]
"""What came of a telephone call. `settled`: the caller has arranged it otherwise, as by booking another time at once.
After `no-answer`, `left-message` and `wrong-number` somebody tries again; after the others nobody need."""


class Constraints(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """When and how a patient can be seen at all. Days are London's; `weekdays` are 1 (Monday) to 7; empty: any."""

    not_before: date | None = None
    not_after: date | None = None
    weekdays: tuple[int, ...] = ()
    half_of_day: HalfOfDay | None = None
    channels: tuple[Channel, ...] = ()
    clinician: str = ""


class Placement(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A lost appointment and the slot proposed for it.

    `standing` is the appointment that is to give way, where it is not the lost one: the patient has a new time and
    asked for another. `from_session` is the session of the one that gives way. `to_practice` is set if the slot is
    another practice's, which shares its capacity.
    """

    appointment: str
    patient: str
    from_session: str
    to_session: str
    to_slot: str
    to_start: Instant
    minutes: int
    priority: int
    standing: str = ""
    to_practice: str = ""


class Unplaced(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An appointment the plan found no slot for, and why, in words. `standing`: as in `Placement`; it stays."""

    appointment: str
    patient: str
    priority: int
    reason: str
    standing: str = ""


class OutageEvent(Event, frozen=True):
    """An event of `outage/<id>`."""

    service: ClassVar[str] = "rebooking"
    outage: str

    @property
    def stream(self) -> str:
        return f"outage/{self.outage}"

    @property
    def at_practice(self) -> str:
        return COUNTY


class RecoveryEvent(Event, frozen=True):
    """An event of `recovery/<outage>/<ods>`."""

    service: ClassVar[str] = "rebooking"
    outage: str
    practice: str

    @property
    def stream(self) -> str:
        return f"recovery/{self.outage}/{self.practice}"


class OutageDeclared(OutageEvent, frozen=True):
    """These practices have had no working system from `started_at`. The end may not be known yet.

    Until then they take no new bookings from those whom `keeps_out` names.

    With `kind` withdrawal: this practice withdrew a session at `started_at`, which is its `ended_at` too. Nobody's
    systems are down, so nothing is frozen; who is displaced follows, patient by patient.
    """

    name: str
    practices: tuple[str, ...]
    started_at: Instant
    ended_at: Instant | None = None
    declared_by: str = ""
    kind: Kind = "outage"
    keeps_out: tuple[Inflow, ...] = ALL_INFLOW


class InflowChanged(OutageEvent, frozen=True):
    """From now on the practices of the outage take no new bookings from these, and from everybody else again."""

    practices: tuple[str, ...]
    keeps_out: tuple[Inflow, ...]
    said_by: str = ""


class FollowUpSet(OutageEvent, frozen=True):
    """Whether capacity that appears later is given to those who still wait without asking the operator again."""

    automatic: bool
    said_by: str = ""


class OutageEnded(OutageEvent, frozen=True):
    """The systems are back; what was to happen before `ended_at` is lost until reconciled."""

    practices: tuple[str, ...]
    ended_at: Instant


class AppointmentReconciled(RecoveryEvent, frozen=True):
    """What became of one appointment of the outage. `typed_by` is who wrote it down here."""

    appointment: str
    patient: str
    outcome: Outcome
    evidence: Evidence
    typed_by: str = ""


class ConstraintsNoted(RecoveryEvent, frozen=True):
    """When and how this patient can be seen; replaces what was noted before."""

    appointment: str
    patient: str
    constraints: Constraints
    noted_by: str = ""


class PlanProposed(RecoveryEvent, frozen=True):
    """A plan for one practice, computed from the diary as it was at `read_position` of booking's log.

    `plan` is the hash of the whole outage's plan, `part` the hash of this practice's share of it. `follow_up`: made
    because capacity appeared, or a place was lost, after an earlier plan had been carried out.
    """

    plan: str
    part: str
    read_position: int
    expires_at: Instant
    placements: tuple[Placement, ...]
    unplaced: tuple[Unplaced, ...]
    follow_up: bool = False


class PlanApproved(RecoveryEvent, frozen=True):
    """A person said yes to this practice's part of the plan."""

    plan: str
    part: str
    approved_by: str


class PlanExpired(RecoveryEvent, frozen=True):
    """The plan was not approved in time, or a newer one took its place."""

    plan: str
    part: str
    reason: str


class MoveRequested(RecoveryEvent, frozen=True):
    """Booking is asked to move the appointment into the slot. `standing`, `to_practice`: as in `Placement`."""

    move: str
    appointment: str
    patient: str
    from_session: str
    to_session: str
    to_slot: str
    to_start: Instant
    standing: str = ""
    to_practice: str = ""


class MoveConfirmed(RecoveryEvent, frozen=True):
    """Booking moved it: `to_appointment` stands. If no answer comes by `answer_by`, it goes on standing."""

    move: str
    appointment: str
    patient: str
    to_appointment: str
    to_start: Instant
    answer_by: Instant | None = None


class MoveRefused(RecoveryEvent, frozen=True):
    """Booking could not move it, for the reason given; the patient still waits, or keeps the `standing` appointment."""

    move: str
    appointment: str
    patient: str
    reason: str
    standing: str = ""


class OfferKept(RecoveryEvent, frozen=True):
    """The patient said the new time suits."""

    move: str
    appointment: str
    patient: str
    via: Via = "text"


class OfferDeclined(RecoveryEvent, frozen=True):
    """The patient said the new time does not suit. It never costs them their priority."""

    move: str
    appointment: str
    patient: str
    wish: Wish
    via: Via = "text"


class OfferUnanswered(RecoveryEvent, frozen=True):
    """No answer came in time. The new appointment stands; an answer that comes before it begins still counts."""

    move: str
    appointment: str
    patient: str


class CallNeeded(RecoveryEvent, frozen=True):
    """A person has to telephone this patient, and why."""

    appointment: str
    patient: str
    reason: str


class CallClaimed(RecoveryEvent, frozen=True):
    """Somebody is about to telephone; until then, or `until`, nobody else should."""

    appointment: str
    patient: str
    claimed_by: str
    until: Instant


class CallMade(RecoveryEvent, frozen=True):
    """Somebody telephoned. `outcome` is a `CallOutcome`; `note` is sealed as `shared.seal.Details` are."""

    appointment: str
    patient: str
    outcome: str
    made_by: str
    note: str = ""


class CancellationRequested(Event, frozen=True):
    """A patient answered a reminder, outside any recovery: booking is asked to cancel the appointment."""

    service: ClassVar[str] = "rebooking"
    appointment: str
    practice: str

    @property
    def stream(self) -> str:
        return f"cancellation/{self.appointment}"


RebookingEvent = (
    OutageDeclared
    | InflowChanged
    | FollowUpSet
    | OutageEnded
    | AppointmentReconciled
    | ConstraintsNoted
    | PlanProposed
    | PlanApproved
    | PlanExpired
    | MoveRequested
    | MoveConfirmed
    | MoveRefused
    | OfferKept
    | OfferDeclined
    | OfferUnanswered
    | CallNeeded
    | CallClaimed
    | CallMade
    | CancellationRequested
)
