"""What rebooking can be asked to do. A command carries the instant and the new ids it needs."""

from dataclasses import dataclass
from datetime import datetime

from shared.events.notifications import Answer
from shared.events.rebooking import Evidence, Outcome, Placement, Unplaced


@dataclass(frozen=True, slots=True)
class DeclareOutage:
    """These practices have no working system since `started_at`; the end may not be known."""

    outage: str
    name: str
    practices: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    declared_by: str
    now: datetime


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
    """Booking has moved the appointment. `textable`: the patient can be told by text."""

    outage: str
    practice: str
    appointment: str
    move: str
    to_appointment: str
    to_start: datetime
    textable: bool


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
    """The patient answered the text about this move."""

    outage: str
    practice: str
    move: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class NeedCall:
    """A text cannot do it for the patient of this appointment, be it the lost or the new one."""

    outage: str
    practice: str
    appointment: str
    reason: str


RebookingCommand = (
    DeclareOutage
    | TakeUpDisplaced
    | EndOutage
    | ReconcileAppointments
    | StopWaiting
    | ProposePlan
    | ApprovePlan
    | RequestMoves
    | ConfirmMove
    | RefuseMove
    | RecordAnswer
    | NeedCall
)
