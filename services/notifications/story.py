"""The story of an appointment as notifications' log has it: every text about it, and every answer."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.conversations import message_stream, number_stream
from services.notifications.tables import appointments, calls, messages
from services.notifications.telling import words
from shared.events.envelope import Recorded
from shared.events.notifications import NumberEvent, PairSuppressed, ReplyResolved, ReplyUnmatched
from shared.log import read_streams
from shared.story import Story, told


async def read_story(connection: AsyncConnection, appointment: str) -> Story:
    """The story; of an appointment that nobody was texted about, an empty one."""
    # PostgreSQL would not even look for a NUL character.
    asked = appointment.replace("\0", " ")
    patient = await connection.scalar(select(appointments.c.patient).where(appointments.c.id == asked))
    # There is an index of the patients' messages, and none of the appointments'.
    theirs = [messages.c.patient == patient] if patient else []
    wanted = select(messages.c.id, messages.c.number, messages.c.patient).where(
        messages.c.appointment == asked, *theirs
    )
    found = (await connection.execute(wanted)).all()
    raised = await connection.execute(select(calls.c.message).where(calls.c.appointment == asked))
    ids = {row.id for row in found} | {row.message for row in raised if row.message}
    streams = [message_stream(id) for id in ids] + [number_stream(row.number) for row in found if row.number]
    events = await read_streams(connection, dict.fromkeys(streams, 0))
    patients, replies = {row.patient for row in found}, _replies(events, ids)
    kept = [each for each in events if _is_about(each, ids, patients, replies)]
    return Story([asked] if kept else [], [told(each, words(each.event)) for each in kept])


def _replies(events: Sequence[Recorded], messages: set[str]) -> set[str]:
    """The replies that nobody could place, and that may answer one of these."""
    return {
        each.event.reply
        for each in events
        if isinstance(each.event, ReplyUnmatched) and not messages.isdisjoint(each.event.candidates)
    }


def _is_about(recorded: Recorded, messages: set[str], patients: set[str], replies: set[str]) -> bool:
    """A number can be a family's: what is another's stays out."""
    match recorded.event:
        case ReplyUnmatched(reply=reply) | ReplyResolved(reply=reply):
            return reply in replies
        case PairSuppressed(patient=patient):
            return patient in patients
        case NumberEvent():
            return True
        case event:
            return event.message in messages
