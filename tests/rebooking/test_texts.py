"""What rebooking makes of texts that belong to no recovery, and of those that nothing is heard of."""

from collections.abc import Sequence

from sqlalchemy import select

from services.rebooking.commands import RequestCancellation
from services.rebooking.diary import project_notifications
from services.rebooking.reactions import SILENT
from services.rebooking.tables import calls
from shared.database import events
from shared.events.envelope import decode
from shared.events.notifications import (
    Answer,
    CallRaised,
    MessageKind,
    MessagePlanned,
    MessageSilent,
    ReplyReceived,
)
from shared.events.rebooking import CancellationRequested
from tests.harness import County
from tests.house.examples import in_the_log
from tests.rebooking.deciding import given
from tests.rebooking.neighbours import WEDNESDAY
from tests.rebooking.test_reactions import Practice, moved_to, practice

requested = CancellationRequested(appointment="reminded", practice="A1")


def planned(kind: MessageKind, move: str, outage: str = "outage") -> MessagePlanned:
    return MessagePlanned(
        message=f"{kind} of {move}",
        practice="A1",
        kind=kind,
        patient="patient",
        appointment=moved_to(move),
        move=move,
        outage=outage,
        number="number",
        sealed="",
        segments=1,
        appointment_start=WEDNESDAY,
    )


def answered(answer: Answer, reply: str) -> ReplyReceived:
    """To a reminder of an appointment that no recovery is about."""
    return ReplyReceived(
        message="reminder",
        practice="A1",
        reply=reply,
        patient="patient",
        appointment="reminded",
        move="",
        outage="",
        answer=answer,
        sealed="",
    )


def silent(message: str) -> MessageSilent:
    return MessageSilent(message=message, practice="A1", attempt=1, provider="notify")


async def recorded(here: Practice) -> Sequence[str]:
    """The kinds of the events of rebooking."""
    async with here.rebooking.engine.connect() as connection:
        bodies = await connection.scalars(select(events.c.body).order_by(events.c.position))
    return [type(decode(body).event).__name__ for body in bodies]


def test_booking_is_asked_to_cancel_once() -> None:
    asks = RequestCancellation("reminded", "A1")
    given().when(asks).then(requested).when(asks).nothing_happens()
    given(requested).when(asks).nothing_happens()


def test_only_the_notice_of_a_move_tells_a_patient_of_it() -> None:
    kinds: Sequence[MessageKind] = ("moved", "reminder-3", "reminder-1", "kept", "asked", "cancelled")
    telling = [kind for kind in kinds if project_notifications(in_the_log(planned(kind, "move")))]
    assert telling == ["moved"]


async def test_of_answers_to_reminders_outside_a_recovery_only_a_cancellation_is_acted_on(county: County) -> None:
    async with practice(county) as here:
        before = await recorded(here)
        others: Sequence[Answer] = ("keep", "another-time", "stop", "start", "wrong-number", "unclear")
        await here.hears(here.notifications, *(answered(answer, answer) for answer in others))
        raised = CallRaised(
            message="reminder", practice="A1", patient="patient", appointment="reminded", outage="", reason="STOP"
        )
        await here.hears(here.notifications, raised)
        assert await recorded(here) == before
        await here.hears(here.notifications, answered("cancel", "first"), answered("cancel", "second"))
        assert await recorded(here) == [*before, "CancellationRequested"]


async def test_whose_notice_nothing_is_heard_of_is_telephoned_but_not_for_a_reminder(county: County) -> None:
    async with practice(county) as here:
        move = await here.moves("wednesday")
        notice, reminder = planned("moved", move), planned("reminder-1", move)
        await here.hears(here.notifications, notice, reminder, silent(reminder.message))
        assert not await here.row(calls, appointment="lost")
        await here.hears(here.notifications, silent(notice.message))
        assert (await here.row(calls, appointment="lost"))["reason"] == SILENT
