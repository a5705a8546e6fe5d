"""The count of the lost day, from logs with things in them that must not be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.operator.demo_count import Recovered, count_booked, count_recovered, count_told
from services.operator.demo_report import Replies
from shared.events.base import Event
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMoved,
    Patient,
    PracticeRegistered,
    SessionPublished,
    Slot,
)
from shared.events.notifications import MessageAccepted, MessagePlanned, ReplyReceived
from shared.events.rebooking import (
    AppointmentReconciled,
    CallNeeded,
    MoveConfirmed,
    MoveRefused,
    OfferDeclined,
    OfferKept,
    Placement,
    PlanApproved,
    PlanProposed,
    Unplaced,
)
from tests.harness import Servers
from tests.operator.logbook import logbook

FRIDAY = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
MONDAY = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
REGISTERED = PracticeRegistered(practice="G1", name="One")


def page(session: str, **kept: Any) -> SessionPublished:
    """A session with two slots, `<session>-1` for anyone and `<session>-2` as `kept`."""
    slots = (
        Slot(id=f"{session}-1", start=FRIDAY, minutes=10),
        Slot(id=f"{session}-2", start=FRIDAY + timedelta(minutes=10), minutes=10, **kept),
    )
    return SessionPublished(
        session=session, practice="G1", name="", clinician="Dr A", clinician_role="GP", location="", slots=slots
    )


def booked(appointment: str, slot: str, start: datetime = FRIDAY, move: str = "") -> AppointmentBooked:
    return AppointmentBooked(
        session=slot[:-2], practice="G1", appointment=appointment, slots=(slot,), start=start, minutes=10,
        patient=Patient(id="p", sealed=""), details="", textable=True, booked_at=start, move=move,
    )  # fmt: skip


def moved(appointment: str, to_slot: str, *, textable: bool = True) -> AppointmentMoved:
    return AppointmentMoved(
        session="s", practice="G1", appointment=appointment, start=FRIDAY, patient="p", move=f"m-{appointment}",
        outage="o", to_appointment=f"n-{appointment}", to_session=to_slot[:-2], to_slots=(to_slot,), to_start=MONDAY,
        to_minutes=10, textable=textable,
    )  # fmt: skip


def cancelled(appointment: str, by: Any = "patient") -> AppointmentCancelled:
    return AppointmentCancelled(session="s", practice="G1", appointment=appointment, cancelled_by=by, reason="pat")


async def test_the_lost_day_is_counted_without_other_days_and_without_moves(servers: Servers) -> None:
    log = [
        REGISTERED,
        REGISTERED,
        page("s"),
        page("t"),
        booked("a", "s-1"),
        booked("b", "s-2"),
        booked("c", "t-1", MONDAY),
        booked("n-a", "t-2", MONDAY, move="m-a"),
        moved("a", "t-2"),
        moved("b", "t-1", textable=False),
        cancelled("n-a"),
        cancelled("c", by="practice"),
    ]
    async with logbook(servers, log) as connection:
        counted = await count_booked(connection)
    assert (counted.practices, counted.appointments, counted.moves, counted.textable_moves) == (1, 2, 2, 1)
    assert counted.cancelled_by_patients == 1


@pytest.mark.parametrize(
    ("log", "slots"),
    [
        ([booked("a", "s-1"), cancelled("a"), booked("b", "s-1")], 0),
        ([booked("a", "s-1"), moved("a", "t-1"), booked("b", "s-1")], 0),
        ([booked("a", "s-1"), booked("b", "s-2")], 0),
        ([booked("a", "s-1"), booked("b", "s-1")], 1),
        ([booked("a", "s-1"), booked("b", "s-1"), cancelled("a")], 1),
        ([booked("a", "s-1"), booked("b", "s-1"), cancelled("b"), booked("c", "s-1")], 1),
    ],
)
async def test_a_slot_that_two_held_at_any_moment_is_booked_twice(
    servers: Servers, log: list[Event], slots: int
) -> None:
    async with logbook(servers, [page("s"), page("t"), *log]) as connection:
        assert (await count_booked(connection)).double_booked == slots


async def test_moves_into_kept_slots_are_counted(servers: Servers) -> None:
    pages = [page("s"), page("t", kept_for="nhs-111"), page("u", kept_for="same-day")]
    moves = [moved("a", "t-2"), moved("b", "u-2"), moved("c", "t-1")]
    async with logbook(servers, [*pages, *moves]) as connection:
        assert (await count_booked(connection)).ring_fenced_used == 2


async def test_a_recovery_is_counted_by_its_newest_outcomes_and_its_approved_plan(servers: Servers) -> None:
    log = [
        reconciled("a", "displaced"),
        reconciled("b", "displaced"),
        reconciled("c", "displaced"),
        reconciled("d", "triage"),
        reconciled("e", "displaced"),
        reconciled("e", "attended"),
        reconciled("f", "cancelled"),
        proposed("old", ["a"], ["b", "c"]),
        proposed("new", ["a", "b"], ["c"]),
        PlanApproved(outage="o", practice="G1", plan="new", part="p", approved_by="me"),
        MoveConfirmed(
            outage="o", practice="G1", move="1", appointment="a", patient="p", to_appointment="n", to_start=MONDAY
        ),
        MoveConfirmed(
            outage="o", practice="G1", move="4", appointment="a", patient="p", to_appointment="n2", to_start=MONDAY
        ),
        MoveRefused(outage="o", practice="G1", move="2", appointment="b", patient="p", reason="taken"),
        OfferKept(outage="o", practice="G1", move="1", appointment="a", patient="p"),
        OfferDeclined(outage="o", practice="G1", move="3", appointment="x", patient="p", wish="cancel"),
        OfferDeclined(outage="o", practice="G1", move="4", appointment="a", patient="p", wish="another-time"),
        CallNeeded(outage="o", practice="G1", appointment="a", patient="p", reason="no other time"),
        CallNeeded(outage="o", practice="G1", appointment="b", patient="p", reason="no mobile"),
    ]
    async with logbook(servers, log) as connection:
        assert await count_recovered(connection, "o") == Recovered(
            seen_on_paper=1, cancelled=1, triage=1, displaced=3, planned=2, moved=1, moves=2,
            unplaced=2, answers=Replies(keep=1, another_time=1, cancel=1), another_time_to_call=1,
        )  # fmt: skip
        assert (await count_recovered(connection, "another")).displaced == 0


async def test_two_messages_for_one_move_and_two_acceptances_of_one_message_are_doubled(servers: Servers) -> None:
    log = [planned("1", "m-a"), accepted("1"), planned("2", "m-b"), accepted("2"), accepted("2"), planned("3", "m-b")]
    async with logbook(servers, [*log, answered("1", "keep"), answered("2", "cancel")]) as connection:
        told = await count_told(connection)
    assert (told.planned, told.accepted, told.doubled) == (3, 2, 2)
    assert told.replies == Replies(keep=1, another_time=0, cancel=1)


def reconciled(appointment: str, outcome: Any) -> AppointmentReconciled:
    return AppointmentReconciled(
        outage="o", practice="G1", appointment=appointment, patient="p", outcome=outcome, evidence="rule"
    )


def proposed(plan: str, placed: list[str], left: list[str]) -> PlanProposed:
    return PlanProposed(
        outage="o",
        practice="G1",
        plan=plan,
        part="p",
        read_position=1,
        expires_at=MONDAY,
        placements=tuple(
            Placement(
                appointment=each, patient="p", from_session="s", to_session="t", to_slot="t-1", to_start=MONDAY,
                minutes=10, priority=0,
            )
            for each in placed
        ),
        unplaced=tuple(Unplaced(appointment=each, patient="p", priority=0, reason="full") for each in left),
    )  # fmt: skip


def planned(message: str, move: str) -> MessagePlanned:
    return MessagePlanned(
        message=message, practice="G1", kind="moved", patient="p", appointment="n", move=move, outage="o", number="n",
        sealed="", segments=1, appointment_start=MONDAY,
    )  # fmt: skip


def accepted(message: str) -> MessageAccepted:
    return MessageAccepted(
        message=message, practice="G1", attempt=1, provider="notify", reference=f"{message}.1", provider_id="x"
    )


def answered(message: str, answer: Any) -> ReplyReceived:
    return ReplyReceived(
        message=message, practice="G1", reply=f"r{message}", patient="p", appointment="n", move="m", outage="o",
        answer=answer, sealed="",
    )  # fmt: skip
