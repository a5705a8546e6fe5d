"""How far a service has folded the stream, committed with what was folded; and whether the stream is still that one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import ARRAY, Text, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import checkpoint, driver
from shared.events.envelope import decode
from shared.relay import Halted
from shared.stream import message_at
from shared.wire import Client


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the stream has been folded: the sequence, the event that stands there, and the positions per service."""

    stream_created: str
    sequence: int
    event_id: str
    followed: Mapping[str, int]


async def read_checkpoint(connection: AsyncConnection) -> Checkpoint:
    """How far this database has followed the stream."""
    row = (await connection.execute(select(checkpoint))).one()
    return Checkpoint(row.stream_created, row.sequence, row.event_id, row.followed)


async def name_sources(connection: AsyncConnection, sources: Collection[str]) -> None:
    """The checkpoint says whom we follow, so that a stream made again is taken up before the first event of each."""
    followed = literal(dict.fromkeys(sources, 0), JSONB).concat(checkpoint.c.followed)
    unnamed = ~checkpoint.c.followed.has_all(literal([*sources], ARRAY(Text)))
    await connection.execute(update(checkpoint).where(unnamed).values(followed=followed))


async def save_checkpoint(connection: AsyncConnection, place: Checkpoint) -> bool:
    """Commits with the rows that were folded up to there. Returns whether events of some streams wait.

    Asked here, in a statement that begins when the lock is held: the one that waits for the lock sees what was before.
    """
    followed = msgspec.json.encode(dict(place.followed)).decode()
    values = place.stream_created, place.sequence, place.event_id, followed
    return bool(await (await driver(connection)).fetchval(_SAVE, *values))


async def require_same_stream(client: Client, place: Checkpoint, created: str, last_sequence: int) -> None:
    """Raises `Halted` if the stream is another one than was followed so far, or has lost its end."""
    if place.sequence == 0:
        return
    if last_sequence < place.sequence:
        raise Halted(
            f"the stream ends at sequence {last_sequence}, but {place.sequence} was followed before: it was cut off or "
            "restored from an older copy. Nothing is built on it: run `daybook log republish`"
        )
    found = await message_at(client, place.sequence)
    if place.stream_created != created or found is None or decode(found.data or b"").id != place.event_id:
        raise Halted(
            f"the stream is not the one that was followed up to sequence {place.sequence}: it was made again or "
            "altered. Nothing is built on it: run `daybook log republish`"
        )


_SAVE = """
    UPDATE checkpoint SET stream_created = $1, sequence = $2, event_id = $3, followed = $4
    RETURNING EXISTS (SELECT FROM parked WHERE skipped_by = '')
"""
