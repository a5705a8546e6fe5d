"""What rebooking remembers in order to decide: the outage itself, and each practice's way back from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.events.rebooking import (
    AppointmentReconciled,
    CallMade,
    CallNeeded,
    Evidence,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OutageDeclared,
    OutageEnded,
    Outcome,
    Placement,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
    Wish,
)

CaseFact = AppointmentReconciled | MoveRequested | MoveConfirmed | MoveRefused | OfferKept | OfferDeclined
"""The events that change one patient's case."""

RecoveryFact = CaseFact | PlanProposed | PlanApproved | PlanExpired | CallNeeded | CallMade
"""The events of a practice's way back."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The appointment needs no rebooking: the patient came, did not come, cancelled, or goes to triage."""

    patient: str
    outcome: Outcome
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Waiting:
    """Displaced, and without a place so far."""

    patient: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Requested:
    """Booking has been asked for this move and has not answered."""

    patient: str
    evidence: Evidence
    move: str


@dataclass(frozen=True, slots=True)
class Moved:
    """Moved; the patient has not answered."""

    patient: str
    move: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Moved, and it suits."""

    patient: str
    move: str


@dataclass(frozen=True, slots=True)
class Declined:
    """Moved, and it does not suit."""

    patient: str
    move: str
    wish: Wish


Case = Settled | Waiting | Requested | Moved | Kept | Declined


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Nothing has been proposed, or nothing that still counts."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A plan lies before the operator."""

    plan: str
    part: str
    expires_at: datetime
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class Approved:
    """The plan has been approved; its moves are about to be requested."""

    plan: str
    part: str
    placements: tuple[Placement, ...]


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """The plan has been approved and booking has been asked for its moves."""

    plan: str
    part: str


Plan = NoPlan | Proposed | Approved | CarriedOut


@dataclass(frozen=True, slots=True)
class Nothing:
    """A stream that has not begun."""


@dataclass(frozen=True, slots=True)
class OpenOutage:
    """Declared, its end unknown."""

    practices: tuple[str, ...]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class EndedOutage:
    """Its end is known."""

    practices: tuple[str, ...]
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A session that its practice withdrew: no outage, but recovered from like one."""

    practice: str


@dataclass(frozen=True, slots=True)
class Recovery:
    """One practice's way back. `cases` are by lost appointment; `known_as` finds it by move or by new appointment."""

    cases: Mapping[str, Case] = field(default_factory=dict)
    known_as: Mapping[str, str] = field(default_factory=dict)
    plan: Plan = NoPlan()
    to_call: frozenset[str] = frozenset()

    def case(self, name: str) -> tuple[str, Case] | None:
        """The lost appointment with its case, found by its own id, its move's, or that of the appointment after it."""
        appointment = self.known_as.get(name, name)
        found = self.cases.get(appointment)
        return None if found is None else (appointment, found)

    def after(self, event: CaseFact) -> "Recovery":
        """The same, with the case that the event is about as the event leaves it."""
        before = self.cases.get(event.appointment)
        evidence = before.evidence if isinstance(before, Waiting | Requested) else "rule"
        return replace(self, cases={**self.cases, event.appointment: _case_after(event, evidence)})


State = Nothing | OpenOutage | EndedOutage | Withdrawal | Recovery


def evolve(state: State, event: RebookingEvent) -> State:
    """The state after the event."""
    match event:
        case OutageDeclared(kind="withdrawal", practices=(practice, *_)):
            return Withdrawal(practice)
        case OutageDeclared(practices=practices, started_at=started_at, ended_at=ended_at):
            return OpenOutage(practices, started_at) if ended_at is None else EndedOutage(practices, ended_at)
        case OutageEnded(practices=practices, ended_at=ended_at):
            return EndedOutage(practices, ended_at)
        case _:
            return _evolve_recovery(state if isinstance(state, Recovery) else Recovery(), event)


def _evolve_recovery(recovery: Recovery, event: RecoveryFact) -> Recovery:
    match event:
        case PlanProposed() | PlanApproved() | PlanExpired():
            return replace(recovery, plan=_plan_after(recovery.plan, event))
        case CallNeeded(appointment=appointment):
            return replace(recovery, to_call=recovery.to_call | {appointment})
        case CallMade(appointment=appointment):
            return replace(recovery, to_call=recovery.to_call - {appointment})
        case MoveRequested(appointment=appointment, move=move):
            known_as = {**recovery.known_as, move: appointment}
            return replace(recovery.after(event), plan=_plan_after(recovery.plan, event), known_as=known_as)
        case MoveConfirmed(appointment=appointment, to_appointment=moved_to):
            return replace(recovery.after(event), known_as={**recovery.known_as, moved_to: appointment})
        case AppointmentReconciled() | MoveRefused() | OfferKept() | OfferDeclined():
            return recovery.after(event)


def _plan_after(before: Plan, event: PlanProposed | PlanApproved | PlanExpired | MoveRequested) -> Plan:
    match event, before:
        case PlanProposed(plan=plan, part=part, expires_at=expires_at, placements=placements), _:
            return Proposed(plan, part, expires_at, placements)
        case PlanApproved(plan=plan, part=part), Proposed(placements=placements):
            return Approved(plan, part, placements)
        case MoveRequested(), Approved(plan=plan, part=part):
            return CarriedOut(plan, part)
        case PlanExpired(), _:
            return NoPlan()
        case _:
            return before


def _case_after(event: CaseFact, evidence: Evidence) -> Case:
    """What the event makes of the case, whatever it was; `evidence` is how it was known to be displaced."""
    patient = event.patient
    match event:
        case AppointmentReconciled(outcome="displaced"):
            return Waiting(patient, event.evidence)
        case AppointmentReconciled(outcome=outcome):
            return Settled(patient, outcome, event.evidence)
        case MoveRequested(move=move):
            return Requested(patient, evidence, move)
        case MoveRefused():
            return Waiting(patient, evidence)
        case MoveConfirmed(move=move):
            return Moved(patient, move)
        case OfferKept(move=move):
            return Kept(patient, move)
        case OfferDeclined(move=move, wish=wish):
            return Declined(patient, move, wish)
