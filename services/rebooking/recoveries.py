"""The rules of who is in a recovery: what became of each lost appointment, and what is known of its patient."""

from collections.abc import Sequence

from services.rebooking.cases import (
    Case,
    Declined,
    Kept,
    Moved,
    Requested,
    Settled,
    Unanswered,
    Waiting,
    seeks,
)
from services.rebooking.commands import (
    Finding,
    NoteConstraints,
    ReconcileAppointments,
    RecordCall,
    RefuseMove,
    StopWaiting,
    TakeUpDisplaced,
)
from services.rebooking.states import Recovery
from shared.events.rebooking import AppointmentReconciled, Constraints, ConstraintsNoted, Outcome, RebookingEvent
from shared.refusals import Conflict, NotFound, Refusal

_WEEKDAYS = frozenset(range(1, 8))


def reconcile(recovery: Recovery, command: ReconcileAppointments) -> Sequence[RebookingEvent]:
    return [
        AppointmentReconciled(
            outage=command.outage,
            practice=command.practice,
            appointment=finding.appointment,
            patient=finding.patient,
            outcome=finding.outcome,
            evidence=finding.evidence,
            typed_by=command.typed_by,
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
        case Waiting() | Requested() | Moved() | Kept() | Unanswered() | Declined() if finding.outcome == "displaced":
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
    """Only for who seeks a place: in the lost appointment's stead, or in that of the new one, which is over as well.

    A move that was asked for is answered by booking first. What becomes of a new appointment that suits is everyday
    life, and the recovery's no more.
    """
    found = recovery.case(command.appointment)
    if found is None:
        return []
    lost, case = found
    if not seeks(case, "" if command.appointment == lost else command.appointment):
        return []
    return [over(command, lost, case.patient, command.outcome)]


def over(
    command: StopWaiting | RefuseMove | RecordCall, appointment: str, patient: str, outcome: Outcome
) -> AppointmentReconciled:
    """What the diary has shown since, or somebody was told on the telephone, of an appointment that was displaced."""
    told = isinstance(command, RecordCall)
    return AppointmentReconciled(
        outage=command.outage,
        practice=command.practice,
        appointment=appointment,
        patient=patient,
        outcome=outcome,
        evidence="operator" if told else "diary",
        typed_by=command.made_by if isinstance(command, RecordCall) else "",
    )


def note_constraints(recovery: Recovery, command: NoteConstraints) -> Sequence[RebookingEvent]:
    _require_possible(command.constraints)
    match recovery.cases.get(command.appointment):
        case None:
            raise NotFound("This appointment is not in the recovery", code="unknown-appointment", where="appointment")
        case Settled(outcome=outcome):
            raise Conflict(
                f"Nothing is looked for in place of this appointment any more: it is {outcome}",
                code="not-displaced",
                where="appointment",
            )
        case _ if recovery.constraints.get(command.appointment) == command.constraints:
            return []
        case case:
            return [
                ConstraintsNoted(
                    outage=command.outage,
                    practice=command.practice,
                    appointment=command.appointment,
                    patient=case.patient,
                    constraints=command.constraints,
                    noted_by=command.noted_by,
                )
            ]


def _require_possible(constraints: Constraints) -> None:
    first, last = constraints.not_before, constraints.not_after
    if first is not None and last is not None and last < first:
        raise Refusal(
            f"There is no day from {first:%-d %B %Y} until {last:%-d %B %Y}", code="bad-constraints", where="not_after"
        )
    if wrong := sorted(set(constraints.weekdays) - _WEEKDAYS):
        raise Refusal(f"{wrong[0]} is no weekday: they are 1 (Monday) to 7", code="bad-constraints", where="weekdays")
