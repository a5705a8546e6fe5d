"""Given what happened, when something is asked, then what follows; and the people and days the tests speak of."""

from datetime import UTC, datetime, timedelta

from services.rebooking.commands import Finding, RebookingCommand
from services.rebooking.decider import rebooking
from shared.events.rebooking import (
    AppointmentReconciled,
    CallNeeded,
    Evidence,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OfferUnanswered,
    OutageDeclared,
    Outcome,
    Placement,
    PlanApproved,
    PlanProposed,
    RebookingEvent,
    Unplaced,
    Via,
    Wish,
)
from shared.ids import derived_id
from tests.deciding import Given

NOW = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
FRIDAY = datetime(2024, 7, 19, 7, 0, tzinfo=UTC)
TUESDAY = datetime(2024, 7, 23, 9, 0, tzinfo=UTC)
THURSDAY = datetime(2024, 7, 25, 13, 0, tzinfo=UTC)
ANSWER_BY = NOW + timedelta(hours=20)
MOVE = derived_id("move", "outage", "plan-a", "lost")
FRESH_MOVE = derived_id("move", "outage", "plan-b", "lost")


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


def placement(appointment: str = "lost", *, standing: str = "", to_start: datetime = TUESDAY) -> Placement:
    return Placement(
        appointment=appointment,
        patient="patient",
        from_session="tuesday" if standing else "friday",
        to_session="thursday" if standing else "tuesday",
        to_slot=f"slot of {appointment}",
        to_start=to_start,
        minutes=10,
        priority=2,
        standing=standing,
    )


def left(standing: str = "") -> Unplaced:
    return Unplaced(appointment="lost", patient="patient", priority=2, reason="No slot", standing=standing)


def proposed(
    plan: str = "plan-a",
    *appointments: str,
    placements: tuple[Placement, ...] = (),
    unplaced: tuple[Unplaced, ...] = (),
    follow_up: bool = False,
) -> PlanProposed:
    usual = () if placements or unplaced else tuple(placement(each) for each in appointments or ("lost",))
    return PlanProposed(
        outage="outage",
        practice="A1",
        plan=plan,
        part=f"part of {plan}",
        read_position=7,
        expires_at=NOW + timedelta(hours=4),
        placements=placements or usual,
        unplaced=unplaced,
        follow_up=follow_up,
    )


def approved(plan: str = "plan-a") -> PlanApproved:
    return PlanApproved(outage="outage", practice="A1", plan=plan, part=f"part of {plan}", approved_by="Ann")


PLACE = placement()
FRESH = placement(standing="new", to_start=THURSDAY)
"""Another day and the other half of it, in place of the new appointment."""
"""Another day and the other half of it, in place of the new appointment."""


def requested(move: str = MOVE, place: Placement = PLACE) -> MoveRequested:
    return MoveRequested(
        outage="outage",
        practice="A1",
        move=move,
        appointment="lost",
        patient="patient",
        from_session=place.from_session,
        to_session=place.to_session,
        to_slot=place.to_slot,
        to_start=place.to_start,
        standing=place.standing,
        to_practice=place.to_practice,
    )


def confirmed(
    move: str = MOVE,
    to_appointment: str = "new",
    to_start: datetime = TUESDAY,
    answer_by: datetime | None = ANSWER_BY,
) -> MoveConfirmed:
    return MoveConfirmed(
        outage="outage",
        practice="A1",
        move=move,
        appointment="lost",
        patient="patient",
        to_appointment=to_appointment,
        to_start=to_start,
        answer_by=answer_by,
    )


def refused(move: str = MOVE, standing: str = "") -> MoveRefused:
    return MoveRefused(
        outage="outage",
        practice="A1",
        move=move,
        appointment="lost",
        patient="patient",
        reason="Taken",
        standing=standing,
    )


def kept(via: Via = "text") -> OfferKept:
    return OfferKept(outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient", via=via)


def declined(wish: Wish = "another-time", via: Via = "text", move: str = MOVE) -> OfferDeclined:
    return OfferDeclined(
        outage="outage", practice="A1", move=move, appointment="lost", patient="patient", wish=wish, via=via
    )


def unanswered() -> OfferUnanswered:
    return OfferUnanswered(outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient")


def call(reason: str = "Why not") -> CallNeeded:
    return CallNeeded(outage="outage", practice="A1", appointment="lost", patient="patient", reason=reason)


MOVED = (declared(), reconciled(), proposed(), approved(), requested(), confirmed())
"""The whole way of one appointment up to its new place."""

FRESH_PLAN = (proposed("plan-b", placements=(FRESH,)), approved("plan-b"))
MOVED_AGAIN = (
    *MOVED,
    declined(),
    *FRESH_PLAN,
    requested(FRESH_MOVE, FRESH),
    confirmed(FRESH_MOVE, "newer", THURSDAY),
)
"""The same, on to a fresh offer, because the first did not suit."""
