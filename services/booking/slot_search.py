"""Finding slots: which of the diary's slots are free in a stretch of time, for whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.rows import SlotRow, SlotStatus
from services.booking.tables import frozen, occupancy, sessions, slots
from shared.events.booking import KeptFor


@dataclass(frozen=True, slots=True)
class SlotSearch:
    """Slots wholly inside `start` to `end`. Empty `practice` or `session`: any. `usable` is `keeping.usable_before`."""

    start: datetime
    end: datetime
    statuses: Sequence[SlotStatus]
    usable: Mapping[KeptFor, datetime]
    practice: str = ""
    session: str = ""
    count: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SlotsFound:
    """One page of the slots found, and how many there are on all pages."""

    total: int
    rows: Sequence[SlotRow]


_TAKEN = exists().where(occupancy.c.slot == slots.c.slot)
_FROZEN = exists().where(frozen.c.practice == slots.c.practice)
_STATUS = case((_TAKEN, "busy"), (_FROZEN, "busy-unavailable"), else_="free")
_COLUMNS = (*slots.columns, _STATUS.label("status"))


async def find_slots(connection: AsyncConnection, search: SlotSearch) -> SlotsFound:
    """The slots that match, by start."""
    matches = _matches(search)
    total = await connection.scalar(select(func.count()).select_from(slots).where(matches))
    found = await connection.execute(
        select(*_COLUMNS).where(matches).order_by(slots.c.start, slots.c.slot).limit(search.count).offset(search.offset)
    )
    return SlotsFound(total or 0, [_row(row) for row in found.mappings()])


async def slot_row(connection: AsyncConnection, slot: str) -> SlotRow | None:
    """One slot."""
    found = await connection.execute(select(*_COLUMNS).where(slots.c.slot == slot))
    row = found.mappings().one_or_none()
    return None if row is None else _row(row)


def _row(row: Mapping[Any, Any]) -> SlotRow:
    return SlotRow(**row)


def _matches(search: SlotSearch) -> ColumnElement[bool]:
    wanted = [slots.c.start >= search.start, slots.c.end <= search.end, _usable(search.usable), _has_status(search)]
    if search.practice:
        wanted.append(slots.c.practice == search.practice)
    if search.session:
        # Naming the practice as well lets its index find the slots.
        practice = select(sessions.c.practice).where(sessions.c.session == search.session).scalar_subquery()
        wanted += [slots.c.practice == practice, slots.c.session == search.session]
    return and_(*wanted)


def _usable(limits: Mapping[KeptFor, datetime]) -> ColumnElement[bool]:
    return or_(*(and_(slots.c.kept_for == kept_for, slots.c.start < limit) for kept_for, limit in limits.items()))


def _has_status(search: SlotSearch) -> ColumnElement[bool]:
    conditions: Mapping[SlotStatus, ColumnElement[bool]] = {
        "free": and_(~_TAKEN, ~_FROZEN),
        "busy": _TAKEN,
        "busy-unavailable": and_(~_TAKEN, _FROZEN),
    }
    return or_(*(conditions[status] for status in search.statuses))
