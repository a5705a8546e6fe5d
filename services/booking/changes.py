"""The change feed: what happened at a practice after any place in the log, for systems that were away themselves.

It is read from the log in PostgreSQL by position, so it needs no broker and no index of its own: each look goes over a
bounded stretch, and moves on over what is other practices'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.cursors import BEGINNING, Cursor, cursor_at
from shared.database import reader
from shared.events.booking import AppointmentMoved, BookingEvent, PracticeEvent
from shared.events.envelope import Recorded, decode, types_of
from shared.refusals import Conflict
from shared.service import Running

SCANNED = 20_000
"""So many positions of the log are looked at for one page, whoever they belong to."""

TOLD = frozenset(
    {
        "appointment", "booked_at", "booked_by", "cancelled_by", "clinician", "clinician_role", "held_at", "held_by",
        "keeps_out", "location", "minutes", "move", "name", "nhs111_slots_per_day", "opening", "outage", "postcode",
        "practice", "priority", "reason", "replaced_by", "replaces", "session", "session_end", "session_name",
        "session_start", "slots", "start", "telephone", "textable", "to_appointment", "to_minutes", "to_practice",
        "to_session", "to_slots", "to_start", "town", "until", "withdrawal",
    }
)  # fmt: skip
"""The fields of events that are given out. What is sealed, who the patient is, and what callers wrote of their own, has
to be read where it belongs: in the resource."""


@dataclass(frozen=True, slots=True)
class Change:
    """One event. `resource` is what to read again (`Appointment/…`, `Schedule/…`); null: the practice as a whole.

    `time` is when it was recorded, `occurred_at` when it happened.
    """

    cursor: str
    id: str
    type: str
    time: datetime
    occurred_at: datetime
    practice: str
    resource: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes, in order; there can be none in a page. `next` is what to go on after, `more` whether at once."""

    changes: Sequence[Change]
    next: str
    more: bool


def change_of(recorded: Recorded) -> Change:
    """The event as the feed tells it."""
    return Change(
        cursor=str(cursor_at(recorded.position, recorded.id)),
        id=recorded.id,
        type=recorded.type,
        time=recorded.recorded_at,
        occurred_at=recorded.occurred_at,
        practice=recorded.practice,
        resource=resource_of(recorded.event),
        data={name: value for name, value in msgspec.to_builtins(recorded.event).items() if name in TOLD},
    )


def resource_of(event: BookingEvent) -> str | None:
    """What the event changes, as FHIR names it: a hold is an Appointment too, and a session a Schedule."""
    if isinstance(event, PracticeEvent):
        return None
    appointment = getattr(event, "appointment", "")
    return f"Appointment/{appointment}" if appointment else f"Schedule/{event.session}"


async def read_page(
    service: Running, connection: AsyncConnection, practice: str, after: Cursor, limit: int, scanned: int = SCANNED
) -> Page:
    """The changes after this cursor, at this practice or, if none is named, at all.

    Raises `Conflict` for a cursor of another log, and `Unavailable` while the two copies of this one contradict.
    """
    await _require_ours(connection, after)
    end = await told_until(service, connection)
    last = min(after.position + scanned, end)
    rows = await (await reader(connection)).fetch(_CHANGES, after.position, last, practice, limit, _MOVED)
    changes = [change_of(decode(row["body"])) for row in rows]
    if len(rows) == limit:
        last = rows[-1]["position"]
        return Page(changes, changes[-1].cursor, last < end)
    if last <= after.position:
        return Page([], str(after), False)
    return Page(changes, str(await cursor_of(connection, last)), last < end)


async def told_until(service: Running, connection: AsyncConnection) -> int:
    """The position up to which changes are given out.

    While the broker is up, only what the stream has as well, so that what was told cannot be lost with this database;
    without it what is committed here, as with every answer that booking gives then.
    """
    service.relay.check()
    row = await (await reader(connection)).fetchrow(_HEAD)
    if row is None:
        return 0
    head, copied = int(row["position"]), int(row["copied"])
    if service.relay.lost or not service.broker.is_up:
        return head
    return min(head, max(copied, service.relay.position))


async def cursor_of(connection: AsyncConnection, position: int) -> Cursor:
    """The cursor after the event at this position."""
    return cursor_at(position, await _id_at(connection, position) or "") if position else BEGINNING


async def cursor_before(connection: AsyncConnection, instant: datetime, end: int) -> Cursor:
    """The cursor after all that was recorded before this instant: found by halving, since the log is in that order."""
    low, high = 0, end
    fetch = await reader(connection)
    while low < high:
        middle = (low + high + 1) // 2
        recorded_at = await fetch.fetchval("SELECT recorded_at FROM events WHERE position = $1", middle)
        low, high = (middle, high) if recorded_at < instant else (low, middle - 1)
    return await cursor_of(connection, low)


async def _require_ours(connection: AsyncConnection, cursor: Cursor) -> None:
    if cursor.position == 0:
        return
    found = await _id_at(connection, cursor.position)
    if found is None:
        raise Conflict(
            "This log ends before the cursor: the cursor is another county's, or this database was restored from an "
            "older copy. Ask the operator which; then read your diary again and go on with after=now",
            code="cursor-beyond-head",
            where="after",
        )
    if not cursor.fits(found):
        raise Conflict(
            "The cursor is of another log than this one: another county's, or that of a database that has been "
            "replaced. Read your diary again and go on with after=now, or from an instant with since=…",
            code="foreign-cursor",
            where="after",
        )


async def _id_at(connection: AsyncConnection, position: int) -> str | None:
    found: str | None = await (await reader(connection)).fetchval("SELECT id FROM events WHERE position = $1", position)
    return found


_MOVED = types_of(AppointmentMoved)

_HEAD = "SELECT h.position, r.position AS copied FROM log_head AS h, relayed AS r"

_CHANGES = """
    SELECT position, body FROM events AS e
    WHERE position > $1 AND position <= $2
      AND ($3 = '' OR practice = $3 OR (
        type = ANY($5)
        AND EXISTS (SELECT FROM sessions AS s WHERE s.session = substr(e.stream, 9) AND s.practice = $3)))
    ORDER BY position LIMIT $4
"""
"""A move is recorded as that of the practice which asked for it. Where the slot that it frees is another's, that one
has to hear of it, too."""
