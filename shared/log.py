"""The log in PostgreSQL: gapless positions, appended under one lock, in the transaction that folds the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import checkpoint, columns_of, driver, events, log_head
from shared.events.envelope import Recorded, decode

CHANNEL = "daybook_log"
"""NOTIFYed by every commit that appends; the relay LISTENs."""

COPIED_FROM = 100
"""So many events are copied into the table as a block: two round trips more, but a good third less work for each."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends, and how far others' events have been followed, seen under the appending lock."""

    position: int
    followed: Mapping[str, int]


class Appended(Struct, frozen=True, gc=False):
    """An event about to be written, and the position at which its command's events end."""

    recorded: Recorded
    command_end: int


async def lock_head(connection: AsyncConnection) -> Head:
    """Take the appending lock, held until the transaction ends, and say where the log stands."""
    found = (await connection.execute(_LOCK)).one_or_none()
    if found is None:
        raise RuntimeError("the log has no head: this database was never migrated")
    return Head(found.position, found.followed)


async def head_position(connection: AsyncConnection) -> int:
    """The position of the newest event, 0 for an empty log; takes no lock."""
    return await connection.scalar(select(log_head.c.position)) or 0


async def append(connection: AsyncConnection, appended: Sequence[Appended]) -> None:
    """Write the events and move the head. The caller holds the lock and has given them their positions."""
    if not appended:
        return
    end = appended[-1].recorded.position
    if len(appended) < COPIED_FROM:
        await (await driver(connection)).execute(_APPEND, *columns_of(_rows(appended), 9), end, CHANNEL)
    else:
        await insert_events(connection, appended)
        await (await driver(connection)).execute(_MOVE_HEAD, end, CHANNEL)


async def move_head(connection: AsyncConnection, position: int) -> None:
    """Say that the log ends here."""
    await connection.execute(update(log_head).values(position=position))


async def insert_events(connection: AsyncConnection, appended: Sequence[Appended]) -> None:
    """The rows alone, as a restore from the stream needs them."""
    await (await driver(connection)).copy_records_to_table("events", columns=_COLUMNS, records=_rows(appended))


def _rows(appended: Sequence[Appended]) -> list[tuple[Any, ...]]:
    return [
        (r.position, r.id, r.stream, r.version, r.type, r.practice, r.recorded_at, a.command_end, r.body)
        for a in appended
        for r in (a.recorded,)
    ]


async def read_streams(connection: AsyncConnection, known: Mapping[str, int]) -> list[Recorded]:
    """The events of each stream after the version already known of it (0 for all), in order."""
    found = await (await driver(connection)).fetch(_READ_STREAMS, list(known), list(known.values()))
    return [decode(row["body"]) for row in found]


async def read_after(connection: AsyncConnection, position: int, limit: int) -> list[Recorded]:
    """The next events after this position, in order."""
    found = await connection.execute(
        select(events.c.body).where(events.c.position > position).order_by(events.c.position).limit(limit)
    )
    return [decode(body) for body in found.scalars()]


_LOCK = (
    select(log_head.c.position, checkpoint.c.followed)
    .join(checkpoint, log_head.c.only == checkpoint.c.only)
    .with_for_update()
)
"""Both rows, since whoever has waited for the lock sees only those as they are now that are locked."""

_COLUMNS = ("position", "id", "stream", "version", "type", "practice", "recorded_at", "command_end", "body")

_APPEND = """
    WITH written AS (
        INSERT INTO events (position, id, stream, version, type, practice, recorded_at, command_end, body)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[],
                             $7::timestamptz[], $8::bigint[], $9::bytea[])
    ), moved AS (UPDATE log_head SET position = $10)
    SELECT pg_notify($11, '')
"""
"""All of an append in one round trip, since everybody waits for whoever holds the lock."""

_MOVE_HEAD = "WITH moved AS (UPDATE log_head SET position = $1) SELECT pg_notify($2, '')"

_READ_STREAMS = """
    SELECT events.body
    FROM unnest($1::text[], $2::int[]) AS known (stream, version)
    JOIN events ON events.stream = known.stream AND events.version > known.version
    ORDER BY events.position
"""
