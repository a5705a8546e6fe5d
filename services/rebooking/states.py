"""What rebooking remembers in order to decide: the outage itself, and each practice's way back from it."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from services.rebooking.cases import Case, CaseFact, Offered, Requested, case_after
from shared.events.booking import Inflow
from shared.events.rebooking import (
    AppointmentReconciled,
    CallClaimed,
    CallMade,
    CallNeeded,
    CancellationRequested,
    Constraints,
    ConstraintsNoted,
    FollowUpSet,
    InflowChanged,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OfferUnanswered,
    OutageDeclared,
    OutageEnded,
    Placement,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
)

OutageFact = OutageDeclared | InflowChanged | FollowUpSet | OutageEnded
"""The events of the outage itself."""

PlanFact = PlanProposed | PlanApproved | PlanExpired
CallFact = CallNeeded | CallClaimed | CallMade

RecoveryFact = CaseFact | ConstraintsNoted | PlanFact | CallFact
"""The events of a practice's way back."""

CALL_AGAIN: frozenset[str] = frozenset({"no-answer", "left-message", "wrong-number"})
"""What may come of a call so that somebody has to try again, be it at another number."""


class Nothing(Struct, frozen=True, gc=False):
    """A stream that has not begun."""


class OpenOutage(Struct, frozen=True, gc=False):
    """Declared, its end unknown. Meanwhile it keeps these out."""

    practices: tuple[str, ...]
    started_at: datetime
    keeps_out: tuple[Inflow, ...]
    automatic: bool = False


class EndedOutage(Struct, frozen=True, gc=False):
    """Its end is known."""

    practices: tuple[str, ...]
    ended_at: datetime
    automatic: bool = False


class Withdrawal(Struct, frozen=True, gc=False):
    """A session that its practice withdrew: no outage, but recovered from like one."""

    practice: str
    automatic: bool = False


OutageState = Nothing | OpenOutage | EndedOutage | Withdrawal


class NoPlan(Struct, frozen=True, gc=False):
    """Nothing has been proposed, or nothing that still counts."""


class Proposed(Struct, frozen=True, gc=False):
    """A plan lies before the operator."""

    plan: str
    part: str
    expires_at: datetime
    placements: tuple[Placement, ...]


class Approved(Struct, frozen=True, gc=False):
    """The plan has been approved; its moves are about to be requested."""

    plan: str
    part: str
    placements: tuple[Placement, ...]


class CarriedOut(Struct, frozen=True, gc=False):
    """The plan has been approved and booking has been asked for its moves."""

    plan: str
    part: str


Plan = NoPlan | Proposed | Approved | CarriedOut


class Call(Struct, frozen=True, gc=False):
    """Somebody has to telephone; until then it is `claimed_by`'s, if anybody's."""

    claimed_by: str = ""
    until: datetime | None = None

    def is_claimed(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


class Recovery(Struct, frozen=True, gc=False):
    """One practice's way back. `cases` are by lost appointment; `known_as` finds it by move or by later appointment."""

    cases: Mapping[str, Case] = field(default_factory=dict)
    known_as: Mapping[str, str] = field(default_factory=dict)
    constraints: Mapping[str, Constraints] = field(default_factory=dict)
    plan: Plan = NoPlan()
    calls: Mapping[str, Call] = field(default_factory=dict)

    def case(self, name: str) -> tuple[str, Case] | None:
        """The lost appointment with its case, found by its own id, or that of a move or of an appointment after it."""
        appointment = self.known_as.get(name, name)
        found = self.cases.get(appointment)
        return None if found is None else (appointment, found)


def names_now(case: Case) -> tuple[str, ...]:
    """By which ids, beside the lost appointment's, the case goes at present; earlier moves are behind it."""
    match case:
        case Requested(move=move, stands=stands):
            return (move, *(names_now(stands) if stands else ()))
        case _ if isinstance(case, Offered):
            return (case.offer.move, case.offer.appointment)
        case _:
            return ()


class CancellationAsked(Struct, frozen=True, gc=False):
    """Booking has been asked to cancel an appointment that no recovery is about."""


State = OutageState | Recovery | CancellationAsked


def evolve(state: State, event: RebookingEvent) -> State:
    """The state after the event."""
    match event:
        case OutageDeclared() | InflowChanged() | FollowUpSet() | OutageEnded():
            return _evolve_outage(state, event)
        case CancellationRequested():
            return CancellationAsked()
        case _:
            return _evolve_recovery(state if isinstance(state, Recovery) else Recovery(), event)


def _evolve_outage(state: State, event: OutageFact) -> State:
    match event, state:
        case OutageDeclared(kind="withdrawal", practices=(practice, *_)), _:
            return Withdrawal(practice)
        case OutageDeclared(practices=practices, ended_at=None), _:
            return OpenOutage(practices, event.started_at, event.keeps_out)
        case OutageDeclared(practices=practices, ended_at=ended_at), _ if ended_at is not None:
            return EndedOutage(practices, ended_at)
        case InflowChanged(keeps_out=keeps_out), OpenOutage():
            return replace(state, keeps_out=keeps_out)
        case FollowUpSet(automatic=automatic), OpenOutage() | EndedOutage() | Withdrawal():
            return replace(state, automatic=automatic)
        case OutageEnded(practices=practices, ended_at=ended_at), _:
            automatic = isinstance(state, OpenOutage) and state.automatic
            return EndedOutage(practices, ended_at, automatic)
        case _:
            return state


def _evolve_recovery(recovery: Recovery, event: RecoveryFact) -> Recovery:
    match event:
        case PlanProposed() | PlanApproved() | PlanExpired():
            return replace(recovery, plan=_plan_after(recovery.plan, event))
        case CallNeeded() | CallClaimed() | CallMade():
            return replace(recovery, calls=_calls_after(recovery.calls, event))
        case ConstraintsNoted(appointment=appointment, constraints=constraints):
            noted = {**recovery.constraints, appointment: constraints}
            return replace(recovery, constraints=noted, plan=_without(recovery.plan, appointment))
        case MoveRequested(appointment=appointment, move=move):
            known_as = {**recovery.known_as, move: appointment}
            plan = _plan_after(recovery.plan, event)
            return replace(_with_case(recovery, event), plan=plan, known_as=known_as)
        case MoveConfirmed(appointment=appointment, to_appointment=moved_to):
            return replace(_with_case(recovery, event), known_as={**recovery.known_as, moved_to: appointment})
        case AppointmentReconciled() | MoveRefused() | OfferKept() | OfferDeclined() | OfferUnanswered():
            return _with_case(recovery, event)


def _with_case(recovery: Recovery, event: CaseFact) -> Recovery:
    after = case_after(recovery.cases.get(event.appointment), event)
    return recovery if after is None else replace(recovery, cases={**recovery.cases, event.appointment: after})


def _plan_after(before: Plan, event: PlanFact | MoveRequested) -> Plan:
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


def _without(plan: Plan, appointment: str) -> Plan:
    """What was noted of a patient after the plan was made may speak against their place in it: the next plan knows."""
    match plan:
        case Proposed(placements=placements) | Approved(placements=placements):
            return replace(plan, placements=tuple(each for each in placements if each.appointment != appointment))
        case _:
            return plan


def _calls_after(before: Mapping[str, Call], event: CallFact) -> Mapping[str, Call]:
    match event:
        case CallNeeded(appointment=appointment):
            return {**before, appointment: Call()}
        case CallClaimed(appointment=appointment, claimed_by=claimed_by, until=until):
            return {**before, appointment: Call(claimed_by, until)}
        case CallMade(appointment=appointment, outcome=outcome) if outcome in CALL_AGAIN:
            return {**before, appointment: Call()}
        case CallMade(appointment=made):
            return {appointment: call for appointment, call in before.items() if appointment != made}
