"""What rebooking publishes: outages, and the recovery of each practice from each outage.

A session that a practice withdraws while patients have it is recovered from like an outage, and goes by the same name
here: the withdrawal's id is the outage's.

Streams: `outage/<id>` (the outage itself) and `recovery/<outage>/<ods>` (one practice's way back: who was seen, the
plan, the moves, the answers, the calls).
"""

from typing import ClassVar, Literal

from msgspec import Struct

from shared.events.base import COUNTY, Event, Instant

Kind = Literal["outage", "withdrawal"]
"""What took the appointments: systems that were down, or a practice that withdrew a session patients were booked in."""

Outcome = Literal["attended", "missed", "cancelled", "triage", "displaced", "rescheduled"]
"""What became of a lost appointment. `triage`: same-day demand, for a clinician, not to rebook. `rescheduled`: given
another time otherwise than by this recovery, as when the patient rang up first."""

Evidence = Literal["paper", "operator", "rule", "withdrawn", "diary"]
"""How an outcome is known: written down on the day, said by an operator, by the rule for all the rest, because the
session was `withdrawn`, or because the `diary` has shown since that the appointment is over."""

Wish = Literal["another-time", "cancel"]


class Placement(Struct, frozen=True, kw_only=True, gc=False):
    """An appointment and the slot proposed for it."""

    appointment: str
    patient: str
    from_session: str
    to_session: str
    to_slot: str
    to_start: Instant
    minutes: int
    priority: int


class Unplaced(Struct, frozen=True, kw_only=True, gc=False):
    """An appointment the plan found no slot for, and why, in words."""

    appointment: str
    patient: str
    priority: int
    reason: str


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

    With `kind` withdrawal: this practice withdrew a session at `started_at`, which is its `ended_at` too. Nobody's
    systems are down, so nothing is frozen; who is displaced follows, patient by patient.
    """

    name: str
    practices: tuple[str, ...]
    started_at: Instant
    ended_at: Instant | None = None
    declared_by: str = ""
    kind: Kind = "outage"


class OutageEnded(OutageEvent, frozen=True):
    """The systems are back; what was to happen before `ended_at` is lost until reconciled."""

    practices: tuple[str, ...]
    ended_at: Instant


class AppointmentReconciled(RecoveryEvent, frozen=True):
    """What became of one appointment of the outage."""

    appointment: str
    patient: str
    outcome: Outcome
    evidence: Evidence


class PlanProposed(RecoveryEvent, frozen=True):
    """A plan for one practice, computed from the diary as it was at `read_position` of booking's log.

    `plan` is the hash of the whole outage's plan, `part` the hash of this practice's share of it.
    """

    plan: str
    part: str
    read_position: int
    expires_at: Instant
    placements: tuple[Placement, ...]
    unplaced: tuple[Unplaced, ...]


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
    """Booking is asked to move the appointment into the slot."""

    move: str
    appointment: str
    patient: str
    from_session: str
    to_session: str
    to_slot: str
    to_start: Instant


class MoveConfirmed(RecoveryEvent, frozen=True):
    """Booking moved it: `to_appointment` stands."""

    move: str
    appointment: str
    patient: str
    to_appointment: str
    to_start: Instant


class MoveRefused(RecoveryEvent, frozen=True):
    """Booking could not move it, for the reason given; the patient still waits."""

    move: str
    appointment: str
    patient: str
    reason: str


class OfferKept(RecoveryEvent, frozen=True):
    """The patient said the new time suits."""

    move: str
    appointment: str
    patient: str


class OfferDeclined(RecoveryEvent, frozen=True):
    """The patient said the new time does not suit. It never costs them their priority."""

    move: str
    appointment: str
    patient: str
    wish: Wish


class CallNeeded(RecoveryEvent, frozen=True):
    """A person has to telephone this patient, and why."""

    appointment: str
    patient: str
    reason: str


class CallMade(RecoveryEvent, frozen=True):
    """Somebody telephoned, and what came of it."""

    appointment: str
    patient: str
    outcome: str
    made_by: str


RebookingEvent = (
    OutageDeclared
    | OutageEnded
    | AppointmentReconciled
    | PlanProposed
    | PlanApproved
    | PlanExpired
    | MoveRequested
    | MoveConfirmed
    | MoveRefused
    | OfferKept
    | OfferDeclined
    | CallNeeded
    | CallMade
)
