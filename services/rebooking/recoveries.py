"""The rules of a practice's way back, up to the moves: reconcile, propose, approve, request."""

from collections.abc import Sequence

from services.rebooking.commands import (
    ApprovePlan,
    Finding,
    ProposePlan,
    ReconcileAppointments,
    RefuseMove,
    RequestMoves,
    StopWaiting,
    TakeUpDisplaced,
)
from services.rebooking.states import (
    Approved,
    CarriedOut,
    Case,
    Declined,
    Kept,
    Moved,
    Proposed,
    Recovery,
    Requested,
    Settled,
    Waiting,
)
from shared.events.rebooking import (
    AppointmentReconciled,
    MoveRequested,
    Outcome,
    Placement,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
    Unplaced,
)
from shared.ids import derived_id
from shared.refusals import Conflict


def reconcile(recovery: Recovery, command: ReconcileAppointments) -> Sequence[RebookingEvent]:
    return [
        AppointmentReconciled(
            outage=command.outage,
            practice=command.practice,
            appointment=finding.appointment,
            patient=finding.patient,
            outcome=finding.outcome,
            evidence=finding.evidence,
        )
        for finding in command.findings
        if _is_news(recovery.cases.get(finding.appointment), finding)
    ]


def _is_news(case: Case | None, finding: Finding) -> bool:
    """The rule speaks only where nobody has; what somebody wrote or said corrects it, until it is acted on."""
    match case:
        case None:
            return True
        case _ if finding.evidence == "rule":
            return False
        case Settled(outcome=outcome) if outcome == finding.outcome:
            return False
        case Waiting() | Requested() | Moved() | Kept() | Declined() if finding.outcome == "displaced":
            return False
        case Settled(evidence="rule") | Waiting(evidence="rule"):
            return True
        case _:
            raise Conflict(
                "The outcome of this appointment is already known to be another, or it has been moved",
                code="contradicts",
                where="outcome",
            )


def take_up(recovery: Recovery, command: TakeUpDisplaced) -> Sequence[RebookingEvent]:
    """Whoever has been taken up once is not taken up again, however far they have come since."""
    if command.appointment in recovery.cases:
        return []
    return [
        AppointmentReconciled(
            outage=command.outage,
            practice=command.practice,
            appointment=command.appointment,
            patient=command.patient,
            outcome="displaced",
            evidence="withdrawn",
        )
    ]


def stop_waiting(recovery: Recovery, command: StopWaiting) -> Sequence[RebookingEvent]:
    """Only for who waits: a move that was asked for is answered by booking first, and a moved patient waits no more."""
    match recovery.cases.get(command.appointment):
        case Waiting(patient=patient):
            return [over(command, patient, command.outcome)]
        case _:
            return []


def over(command: StopWaiting | RefuseMove, patient: str, outcome: Outcome) -> AppointmentReconciled:
    """What the diary has shown since of an appointment that was displaced."""
    return AppointmentReconciled(
        outage=command.outage,
        practice=command.practice,
        appointment=command.appointment,
        patient=patient,
        outcome=outcome,
        evidence="diary",
    )


def propose(recovery: Recovery, command: ProposePlan) -> Sequence[RebookingEvent]:
    if isinstance(recovery.plan, Approved) and any(_waits(recovery, each) for each in recovery.plan.placements):
        raise Conflict(
            f"An approved plan of {command.practice} is just being carried out: propose again when it is done",
            code="plan-under-way",
            where=command.practice,
        )
    named: tuple[Placement | Unplaced, ...] = (*command.placements, *command.unplaced)
    if any(not _waits(recovery, each) for each in named):
        raise Conflict(
            f"While this plan was made, some patients of {command.practice} stopped waiting: propose again",
            code="stale-plan",
            where=command.practice,
        )
    proposed = PlanProposed(
        outage=command.outage,
        practice=command.practice,
        plan=command.plan,
        part=command.part,
        read_position=command.read_position,
        expires_at=command.expires_at,
        placements=command.placements,
        unplaced=command.unplaced,
    )
    match recovery.plan:
        case Proposed(plan=former, part=part) if former != command.plan:
            return [_superseded(command, former, part), proposed]
        case _:
            return [proposed]


def _superseded(command: ProposePlan, plan: str, part: str) -> PlanExpired:
    return PlanExpired(
        outage=command.outage, practice=command.practice, plan=plan, part=part, reason="A newer plan took its place"
    )


def approve(recovery: Recovery, command: ApprovePlan) -> Sequence[RebookingEvent]:
    match recovery.plan:
        case Proposed(plan=command.plan, part=command.part, expires_at=expires_at):
            if expires_at <= command.now:
                raise Conflict(
                    "This plan has expired, since the diary goes on changing: propose a new one",
                    code="plan-expired",
                    where="hash",
                )
            return [
                PlanApproved(
                    outage=command.outage,
                    practice=command.practice,
                    plan=command.plan,
                    part=command.part,
                    approved_by=command.approved_by,
                )
            ]
        case Approved(plan=command.plan, part=command.part) | CarriedOut(plan=command.plan, part=command.part):
            raise Conflict("This plan has been approved already", code="already-approved", where="hash")
        case _:
            raise Conflict(
                f"A newer plan has taken the place of this one at {command.practice}", code="stale-plan", where="hash"
            )


def request_moves(recovery: Recovery, command: RequestMoves) -> Sequence[RebookingEvent]:
    if not isinstance(recovery.plan, Approved) or recovery.plan.plan != command.plan:
        return []
    return [
        MoveRequested(
            outage=command.outage,
            practice=command.practice,
            move=derived_id("move", command.outage, command.plan, placement.appointment),
            appointment=placement.appointment,
            patient=placement.patient,
            from_session=placement.from_session,
            to_session=placement.to_session,
            to_slot=placement.to_slot,
            to_start=placement.to_start,
        )
        for placement in recovery.plan.placements
        if _waits(recovery, placement)
    ]


def _waits(recovery: Recovery, named: Placement | Unplaced) -> bool:
    return isinstance(recovery.cases.get(named.appointment), Waiting)
