"""What rebooking can be asked to do. A command carries the instant and the new ids it needs."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.booking import Inflow
from shared.events.notifications import Answer
from shared.events.rebooking import CallOutcome, Constraints, Evidence, Outcome, Placement, Unplaced


@dataclass(frozen=True, slots=True)
class DeclareOutage:
    """These practices have no working system since `started_at`; the end may not be known."""

    outage: str
    name: str
    practices: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    declared_by: str
    keeps_out: tuple[Inflow, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class ChangeInflow:
    """While the outage lasts, its practices take no new bookings from these."""

    outage: str
    keeps_out: tuple[Inflow, ...]
    said_by: str


@dataclass(frozen=True, slots=True)
class SetFollowUp:
    """Say whether capacity that appears later is given away without asking again."""

    outage: str
    automatic: bool
    said_by: str


@dataclass(frozen=True, slots=True)
class TakeUpDisplaced:
    """A session was withdrawn at `withdrawn_at`, and this patient with it: find them another time.

    `outage` is the withdrawal's id, `name` what people will know it by.
    """

    outage: str
    practice: str
    name: str
    withdrawn_at: datetime
    appointment: str
    patient: str


@dataclass(frozen=True, slots=True)
class EndOutage:
    """The systems are back."""

    outage: str
    ended_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one appointment, and how that is known."""

    appointment: str
    patient: str
    outcome: Outcome
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ReconcileAppointments:
    """Write down what became of these appointments of one practice."""

    outage: str
    practice: str
    findings: tuple[Finding, ...]
    typed_by: str = ""


@dataclass(frozen=True, slots=True)
class NoteConstraints:
    """Write down when and how the patient of this lost appointment can be seen."""

    outage: str
    practice: str
    appointment: str
    constraints: Constraints
    noted_by: str


@dataclass(frozen=True, slots=True)
class StopWaiting:
    """The diary shows that the appointment is over, with this outcome: nobody waits for another time any more."""

    outage: str
    practice: str
    appointment: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ProposePlan:
    """Lay one practice's part of a plan before the operator, in place of any that was not approved."""

    outage: str
    practice: str
    plan: str
    part: str
    read_position: int
    expires_at: datetime
    placements: tuple[Placement, ...]
    unplaced: tuple[Unplaced, ...]
    follow_up: bool = False


@dataclass(frozen=True, slots=True)
class ExpirePlan:
    """The plan of this practice was not approved in time."""

    outage: str
    practice: str
    plan: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ApprovePlan:
    """Say yes to exactly this part of exactly this plan."""

    outage: str
    practice: str
    plan: str
    part: str
    approved_by: str
    now: datetime


@dataclass(frozen=True, slots=True)
class RequestMoves:
    """Ask booking for every move of the approved plan that has not been asked for."""

    outage: str
    practice: str
    plan: str


@dataclass(frozen=True, slots=True)
class ConfirmMove:
    """Booking has moved the appointment, be it the lost one or one after it.

    `textable`: the patient can be told by text. An answer is waited for until `answer_by`.
    """

    outage: str
    practice: str
    appointment: str
    move: str
    to_appointment: str
    to_start: datetime
    textable: bool
    answer_by: datetime


@dataclass(frozen=True, slots=True)
class RefuseMove:
    """Booking could not move the appointment. `over`: what became of it, if the diary shows that it is over."""

    outage: str
    practice: str
    appointment: str
    move: str
    reason: str
    over: Outcome | None = None


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """The patient answered the text about this move, at that instant.

    Whoever asks for another time gets up to `fresh_offers` of them; after that a person calls.
    """

    outage: str
    practice: str
    move: str
    answer: Answer
    answered_at: datetime
    fresh_offers: int


@dataclass(frozen=True, slots=True)
class LapseOffer:
    """By now no answer about this move has come."""

    outage: str
    practice: str
    move: str
    now: datetime


@dataclass(frozen=True, slots=True)
class NeedCall:
    """A text cannot do it for the patient of this appointment, be it the lost or the new one."""

    outage: str
    practice: str
    appointment: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClaimCall:
    """`claimed_by` is about to telephone the patient of this lost appointment; the claim lasts until `until`."""

    outage: str
    practice: str
    appointment: str
    claimed_by: str
    now: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RecordCall:
    """What came of telephoning the patient of this lost appointment. `note` is sealed, or empty.

    Whoever asks for another time gets up to `fresh_offers` of them, just as by text.
    """

    outage: str
    practice: str
    appointment: str
    outcome: CallOutcome
    made_by: str
    note: str
    now: datetime
    fresh_offers: int


@dataclass(frozen=True, slots=True)
class RequestCancellation:
    """The patient of this appointment, which no recovery is about, wants it cancelled."""

    appointment: str
    practice: str


RebookingCommand = (
    DeclareOutage
    | ChangeInflow
    | SetFollowUp
    | TakeUpDisplaced
    | EndOutage
    | ReconcileAppointments
    | NoteConstraints
    | StopWaiting
    | ProposePlan
    | ExpirePlan
    | ApprovePlan
    | RequestMoves
    | ConfirmMove
    | RefuseMove
    | RecordAnswer
    | LapseOffer
    | NeedCall
    | ClaimCall
    | RecordCall
    | RequestCancellation
)
