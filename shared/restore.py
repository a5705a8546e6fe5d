"""Makes a lost database again from the stream: the keys, the log itself, and every table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from shared.compare import digests
from shared.database import events
from shared.events.envelope import Recorded, decode, positions_from_text
from shared.leaving_out import left_out_in_stream, loudly
from shared.log import Appended, head_position, insert_events, lock_head, move_head
from shared.parking import parked_among
from shared.reading import Stored, stored_keys
from shared.rebuilding import Progress, Result, Tally, alone, take_stock
from shared.refusals import Conflict
from shared.rows import apply
from shared.seal import keep_copied_keys
from shared.service import Blueprint
from shared.stream import STREAM, last_of
from shared.walking import unbroken
from shared.wire import Client


async def restore(blueprint: Blueprint, engine: AsyncEngine, client: Client, *, tell: Progress) -> Result:
    """Make the log and the tables of an empty database again from the stream.

    Raises `Conflict` if the database is not empty, or a rebuild of this service is going on.
    """
    async with alone(blueprint.name, engine):
        if not await is_empty(engine):
            raise Conflict(f"the database of {blueprint.name} is not empty: nothing was restored", code="not-empty")
        return await restore_empty(blueprint, engine, client, tell)


async def is_empty(engine: AsyncEngine) -> bool:
    """Whether this database has recorded nothing and followed nothing."""
    async with engine.connect() as connection:
        return await head_position(connection) == 0 and (await read_checkpoint(connection)).sequence == 0


async def restore_empty(blueprint: Blueprint, engine: AsyncEngine, client: Client, tell: Progress) -> Result:
    """The log and the tables, from nothing.

    Others' events are folded as far as this service had reacted to them when it recorded its newest event. The
    follower goes on from there, so that what was not reacted to yet is reacted to now, and the rest is not.
    """
    async for wrapped in stored_keys(client, blueprint.name):
        await keep_copied_keys(engine, wrapped)
    info = await client.jetstream().stream_info(STREAM)
    last = await last_of(client, f"daybook.{blueprint.name}.>")
    reacted = positions_from_text(decode(last.data or b"").followed) if last else {}
    without = await left_out_in_stream(client, blueprint.name)
    tally = Tally(info.state.messages, tell)
    place = Checkpoint(str(info.created), 0, "", dict.fromkeys(blueprint.sources, 0) | dict(reacted))
    pending = False
    if info.state.last_seq:
        async for batch in unbroken(client, 1, info.state.last_seq):
            recorded = [decode(stored.body) for stored in batch]
            if not pending:
                place, pending = _place_after(batch, recorded, place, blueprint.sources, reacted)
            async with loudly(blueprint, engine, recorded, reacted, without):
                await _restore_batch(blueprint, engine, recorded, reacted, place, without)
            tally.add(len(batch))
    async with engine.begin() as connection:
        await take_stock(connection, [events, *blueprint.tables])
        tables = await digests(connection, blueprint.tables)
    return Result(tally.done, tally.seconds, tables, restored=True)


def _place_after(
    batch: Sequence[Stored],
    events: Sequence[Recorded],
    place: Checkpoint,
    sources: Collection[str],
    reacted: Mapping[str, int],
) -> tuple[Checkpoint, bool]:
    """The checkpoint moved to just before the first event that was not reacted to, and whether there was one.

    What comes after it and was reacted to (a stream made again may have another order) is then dropped as a repeat.
    """
    for stored, recorded in zip(batch, events, strict=True):
        if recorded.service in sources and recorded.position > reacted.get(recorded.service, 0):
            return place, True
        place = replace(place, sequence=stored.sequence, event_id=recorded.id)
    return place, False


async def _restore_batch(
    blueprint: Blueprint,
    engine: AsyncEngine,
    batch: Sequence[Recorded],
    reacted: Mapping[str, int],
    place: Checkpoint,
    without: Collection[str],
) -> None:
    own = [recorded for recorded in batch if recorded.service == blueprint.name]
    async with engine.begin() as connection:
        await lock_head(connection)
        if own:
            await insert_events(connection, [Appended(recorded, recorded.position) for recorded in own])
            await move_head(connection, own[-1].position)
        limits = {**reacted, blueprint.name: own[-1].position if own else 0}
        await apply(connection, blueprint.changes(batch, limits, without))
        await apply(connection, parked_among(own))
        await save_checkpoint(connection, place)
