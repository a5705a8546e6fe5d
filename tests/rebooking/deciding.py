"""Given what happened, when something is asked, then what follows; and the people and days the tests speak of."""

from datetime import UTC, datetime, timedelta

from services.rebooking.commands import Finding, RebookingCommand
from services.rebooking.decider import rebooking
from shared.events.rebooking import (
    AppointmentReconciled,
    Evidence,
    MoveConfirmed,
    MoveRequested,
    OutageDeclared,
    Outcome,
    Placement,
    PlanApproved,
    PlanProposed,
    RebookingEvent,
)
from shared.ids import derived_id
from tests.deciding import Given

NOW = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
FRIDAY = datetime(2024, 7, 19, 7, 0, tzinfo=UTC)
TUESDAY = datetime(2024, 7, 23, 9, 0, tzinfo=UTC)
MOVE = derived_id("move", "outage", "plan-a", "lost")


def given(*past: RebookingEvent) -> Given[RebookingCommand, RebookingEvent]:
    return Given(rebooking, past)


def declared(ended_at: datetime | None = None) -> OutageDeclared:
    return OutageDeclared(outage="outage", name="Friday", practices=("A1",), started_at=FRIDAY, ended_at=ended_at)


def reconciled(
    outcome: Outcome = "displaced", evidence: Evidence = "rule", appointment: str = "lost"
) -> AppointmentReconciled:
    return AppointmentReconciled(
        outage="outage",
        practice="A1",
        appointment=appointment,
        patient="patient",
        outcome=outcome,
        evidence=evidence,
    )


def finding(outcome: Outcome, evidence: Evidence = "paper", appointment: str = "lost") -> Finding:
    return Finding(appointment, "patient", outcome, evidence)


def placement(appointment: str = "lost") -> Placement:
    return Placement(
        appointment=appointment,
        patient="patient",
        from_session="friday",
        to_session="tuesday",
        to_slot=f"slot of {appointment}",
        to_start=TUESDAY,
        minutes=10,
        priority=0,
    )


def proposed(plan: str = "plan-a", *appointments: str) -> PlanProposed:
    return PlanProposed(
        outage="outage",
        practice="A1",
        plan=plan,
        part=f"part of {plan}",
        read_position=7,
        expires_at=NOW + timedelta(hours=4),
        placements=tuple(placement(appointment) for appointment in appointments or ("lost",)),
        unplaced=(),
    )


def approved(plan: str = "plan-a") -> PlanApproved:
    return PlanApproved(outage="outage", practice="A1", plan=plan, part=f"part of {plan}", approved_by="Ann")


def requested(move: str = MOVE) -> MoveRequested:
    return MoveRequested(
        outage="outage",
        practice="A1",
        move=move,
        appointment="lost",
        patient="patient",
        from_session="friday",
        to_session="tuesday",
        to_slot="slot of lost",
        to_start=TUESDAY,
    )


def confirmed(move: str = MOVE) -> MoveConfirmed:
    return MoveConfirmed(
        outage="outage",
        practice="A1",
        move=move,
        appointment="lost",
        patient="patient",
        to_appointment="new",
        to_start=TUESDAY,
    )


MOVED = (declared(), reconciled(), proposed(), approved(), requested(), confirmed())
"""The whole way of one appointment up to its new place."""
