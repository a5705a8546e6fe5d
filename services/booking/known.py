"""Reads what booking holds of the practices and days that a file is about."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.commands import Sheet
from services.booking.pages import Known, Span
from services.booking.states import slot_end
from services.booking.tables import appointments, occupancy, practices, sessions, slots
from shared.events.booking import Slot


async def known_diary(
    connection: AsyncConnection, of: Collection[str], start: datetime, end: datetime, now: datetime
) -> Known:
    """These practices' diaries in the stretch of time: sessions, slots, and who has or had them.

    A hold counts as long as it lasts.
    """
    known = select(practices.c.practice).where(practices.c.practice.in_(of))
    registered = frozenset((await connection.execute(known)).scalars())
    spans = await _spans(connection, registered, start, end)
    slots_then = and_(slots.c.practice.in_(registered), slots.c.start >= start, slots.c.start < end)
    pages: dict[str, dict[str, Slot]] = {}
    withdrawn: set[str] = set()
    for row in await connection.execute(select(slots).where(slots_then)):
        if row.withdrawn:
            withdrawn.add(row.slot)
        else:
            pages.setdefault(row.session, {})[row.slot] = _slot(row)
    taken = await connection.execute(
        select(occupancy.c.slot, occupancy.c.appointment)
        .join(slots, slots.c.slot == occupancy.c.slot)
        .where(slots_then, or_(occupancy.c.until.is_(None), occupancy.c.until > now))
    )
    stands = await connection.execute(
        select(appointments.c.appointment, appointments.c.status).where(
            appointments.c.practice.in_(registered), appointments.c.start >= start, appointments.c.start < end
        )
    )
    return Known(registered, spans, pages, dict(taken.all()), dict(stands.all()), withdrawn)


def _slot(row: Row[Any]) -> Slot:
    return Slot(
        id=row.slot,
        start=row.start,
        minutes=row.minutes,
        channel=row.channel,
        service_type=row.service_type,
        kept_for=row.kept_for,
    )


async def elsewhere(connection: AsyncConnection, sheet: Sheet) -> Span | None:
    """Another session that the sheet's clinician has at that time and practice."""
    start, end = sheet.slots[0].start, max(map(slot_end, sheet.slots))
    spans = await _spans(connection, [sheet.practice], start, end)
    others = (span for span in spans if span.clinician == sheet.clinician and span.session != sheet.session)
    return next(others, None)


async def _spans(connection: AsyncConnection, of: Collection[str], start: datetime, end: datetime) -> list[Span]:
    """A session without slots, all withdrawn, is in nobody's way."""
    found = await connection.execute(
        select(sessions).where(
            sessions.c.practice.in_(of),
            sessions.c.start < end,
            sessions.c.end > start,
            sessions.c.start < sessions.c.end,
        )
    )
    return [Span(row.session, row.name, row.practice, row.clinician, row.start, row.end) for row in found]
