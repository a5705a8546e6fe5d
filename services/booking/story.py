"""The story of an appointment as booking's log has it: itself, and those it was moved or rescheduled from and to."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.tables import appointments, practices
from services.booking.telling import words
from shared.database import among
from shared.events.envelope import Recorded
from shared.log import read_streams
from shared.story import Story, told

MOST_IN_A_ROW = 100
"""Appointments, each of which took the place of the one before: many more than any patient is moved."""


async def read_story(connection: AsyncConnection, appointment: str) -> Story:
    """The story; of an appointment that was never here, an empty one."""
    row = await _row_of(connection, appointment)
    sessions = {appointment: row} if row else {}
    fresh = set(sessions)
    while fresh and len(sessions) < MOST_IN_A_ROW:
        found = await _beside(connection, fresh)
        fresh = found.keys() - sessions.keys()
        sessions |= found
    streams = dict.fromkeys((f"session/{session}" for session in sessions.values()), 0)
    events = [each for each in await read_streams(connection, streams) if _is_about(each, sessions.keys())]
    names = {row.practice: row.name for row in await connection.execute(select(practices.c.practice, practices.c.name))}
    order = dict.fromkeys(each.event.appointment for each in events)
    return Story(list(order), [told(each, words(each.event, names)) for each in events])


async def _row_of(connection: AsyncConnection, appointment: str) -> str | None:
    # PostgreSQL would not even look for a NUL character.
    asked = select(appointments.c.session).where(appointments.c.appointment == appointment.replace("\0", " "))
    session: str | None = await connection.scalar(asked)
    return session


async def _beside(connection: AsyncConnection, known: set[str]) -> dict[str, str]:
    """The appointments that these took the place of, and those that took theirs, with their sessions."""
    links = select(appointments.c.replaces, appointments.c.replaced_by).where(among(appointments.c.appointment, known))
    named = {id for row in await connection.execute(links) for id in row if id}
    if not named:
        return {}
    found = await connection.execute(
        select(appointments.c.appointment, appointments.c.session).where(among(appointments.c.appointment, named))
    )
    return {row.appointment: row.session for row in found}


def _is_about(recorded: Recorded, wanted: Collection[str]) -> bool:
    return getattr(recorded.event, "appointment", "") in wanted
