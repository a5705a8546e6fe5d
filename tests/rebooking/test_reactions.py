"""What rebooking makes of what its neighbours say: of moves, texts and the diary's news, on real engines."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from services.rebooking.app import BLUEPRINT, Settings
from services.rebooking.commands import (
    ApprovePlan,
    DeclareOutage,
    Finding,
    ProposePlan,
    RebookingCommand,
    ReconcileAppointments,
)
from services.rebooking.tables import calls, messages, moves, recoveries
from shared.events.base import Event
from shared.events.booking import ALL_INFLOW, AppointmentCancelled
from shared.events.notifications import Answer, Failure, MessageAccepted, MessageFailed, MessagePlanned, ReplyReceived
from shared.events.rebooking import Placement
from shared.execute import Order
from shared.ids import derived_id
from shared.service import Running
from tests.harness import County
from tests.rebooking.neighbours import (
    BOOKING,
    FRIDAY,
    MONDAY,
    NOTIFICATIONS,
    WEDNESDAY,
    BookingSettings,
    NotificationsSettings,
    Say,
    booked,
    published,
    registered,
    slot,
)

LATER = WEDNESDAY + timedelta(days=6, hours=6)
SLOTS = {"friday": FRIDAY, "wednesday": WEDNESDAY, "later": LATER, "taken": WEDNESDAY}
"""One slot in each session, which is called like it."""


@dataclass(frozen=True, slots=True)
class Practice:
    """Rebooking at work between its neighbours, with one patient of A1 displaced from Friday."""

    county: County
    rebooking: Running
    booking: Running
    notifications: Running

    async def asks(self, *commands: RebookingCommand) -> None:
        await self.rebooking.executor.execute_together(commands)
        await self.county.caught_up()

    async def hears(self, neighbour: Running, *events: Event) -> None:
        await neighbour.executor.execute(Say(events))
        await self.county.caught_up()

    async def moves(self, to: str, *, plan: str = "plan", standing: str = "", leaving: str = "friday") -> str:
        """Have the patient moved into this session's slot; the id of the move."""
        place = Placement(
            appointment="lost",
            patient="patient",
            from_session=leaving,
            to_session=to,
            to_slot=to,
            to_start=SLOTS[to],
            minutes=10,
            priority=0,
            standing=standing,
        )
        expires_at = MONDAY + timedelta(days=1)
        await self.asks(
            ProposePlan("outage", "A1", plan, plan, 0, expires_at, (place,), ()),
            ApprovePlan("outage", "A1", plan, plan, "Ann", MONDAY),
        )
        return derived_id("move", "outage", plan, "lost")

    async def answers(self, move: str, answer: Answer, at: datetime | None = None) -> None:
        reply = ReplyReceived(
            message=f"message of {move}",
            practice="A1",
            reply=f"{answer} to {move}",
            patient="patient",
            appointment=moved_to(move),
            move=move,
            outage="outage",
            answer=answer,
            sealed="",
        )
        await self.notifications.executor.execute(Order(Say([reply]), occurred_at=at))
        await self.county.caught_up()

    async def row(self, table: Any, **key: Any) -> Mapping[str, Any]:
        """The one row with this key; empty if there is none."""
        async with self.rebooking.engine.connect() as connection:
            found = await connection.execute(select(table).filter_by(**key))
            return dict(found.mappings().one_or_none() or {})

    async def patient(self, *columns: str) -> list[Any]:
        row = await self.row(recoveries, appointment="lost")
        return [row[column] for column in columns]


def moved_to(move: str) -> str:
    return derived_id("appointment", move)


@asynccontextmanager
async def practice(county: County) -> AsyncIterator[Practice]:
    county.clock_at(MONDAY)
    async with (
        county.service(BOOKING, BookingSettings) as booking,
        county.service(NOTIFICATIONS, NotificationsSettings) as notifications,
        county.service(BLUEPRINT, Settings) as rebooking,
    ):
        here = Practice(county, rebooking, booking, notifications)
        sessions = [published(name, slot(name, start)) for name, start in SLOTS.items()]
        await here.hears(
            booking, *registered("A1"), *sessions, booked("lost", "friday", "friday", FRIDAY, "patient", sealed="who")
        )
        await here.asks(
            DeclareOutage("outage", "Friday", ("A1",), FRIDAY, MONDAY - timedelta(hours=9), "Ann", ALL_INFLOW, MONDAY),
            ReconcileAppointments("outage", "A1", (Finding("lost", "patient", "displaced", "paper"),), "Bea"),
        )
        yield here


async def test_whoever_asks_for_another_time_has_declined_until_they_are_moved_on(county: County) -> None:
    async with practice(county) as here:
        assert await here.patient("state", "typed_by") == ["displaced", "Bea"]
        first = await here.moves("wednesday")
        assert await here.patient("state", "wish", "standing") == ["moved", "", moved_to(first)]
        await here.answers(first, "another-time")
        assert await here.patient("state", "wish", "standing") == ["declined", "another-time", moved_to(first)]
        refused = await here.moves("taken", plan="none", standing=moved_to(first), leaving="wednesday")
        assert (await here.row(moves, move=refused))["state"] == "refused"
        assert await here.patient("state", "wish", "standing") == ["declined", "another-time", moved_to(first)]
        second = await here.moves("later", plan="fresh", standing=moved_to(first), leaving="wednesday")
        assert await here.patient("state", "wish", "standing") == ["moved", "", moved_to(second)]
        assert await here.row(moves, move=first, answer="another-time", answer_by=WEDNESDAY)
        three_days = (await here.row(moves, move=second))["answer_by"] - MONDAY
        assert timedelta(hours=72) <= three_days < timedelta(hours=73)
        await here.answers(second, "keep")
        assert await here.patient("outcome", "state", "standing") == ["displaced", "kept", moved_to(second)]
        assert not await here.row(calls, appointment="lost")


async def test_whose_new_time_is_cancelled_while_they_ask_for_another_asks_no_more(county: County) -> None:
    async with practice(county) as here:
        move = await here.moves("wednesday")
        cancelled = AppointmentCancelled(
            session="wednesday", practice="A1", appointment=moved_to(move), cancelled_by="patient", reason="pat"
        )
        await here.answers(move, "another-time")
        await here.hears(here.booking, cancelled)
        assert await here.patient("outcome", "evidence", "state") == ["cancelled", "diary", "cancelled"]


async def test_an_answer_after_the_appointment_changes_nothing_but_a_person_asks(county: County) -> None:
    async with practice(county) as here:
        await here.answers(await here.moves("wednesday"), "cancel", at=WEDNESDAY)
        assert await here.patient("state") == ["moved"]
        call = await here.row(calls, appointment="lost")
        assert call["reason"] == "Answered after the new appointment had begun: ask what is meant"


async def test_a_text_that_was_outdated_needs_no_call_and_one_that_failed_does(county: County) -> None:
    async with practice(county) as here:
        move = await here.moves("wednesday")
        planned = MessagePlanned(
            message="message",
            practice="A1",
            kind="moved",
            patient="patient",
            appointment=moved_to(move),
            move=move,
            outage="outage",
            number="number",
            sealed="",
            segments=1,
            appointment_start=WEDNESDAY,
        )
        taken = MessageAccepted(
            message="message", practice="A1", attempt=1, provider="p", reference="r", provider_id="1"
        )
        await here.hears(here.notifications, planned, failed("outdated"))
        assert not await here.row(calls, appointment="lost")
        assert (await here.row(messages, message="message"))["told_at"] is None
        await here.hears(here.notifications, taken, failed("temporary"))
        call = await here.row(calls, appointment="lost")
        assert call["reason"] == "The text did not arrive: the telephone was off or out of reach"
        assert (await here.row(messages, message="message"))["told_at"] is not None


def failed(failure: Failure) -> MessageFailed:
    return MessageFailed(message="message", practice="A1", failure=failure, detail="")
