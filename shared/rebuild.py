"""Makes a service's tables again from the stream beside the live ones, to prove them, and mends those that differ.

The service goes on working meanwhile. At the end, holding the appending lock, the last few events are folded and the
tables compared. Tables that are equal stay as they are; if one differs, its rows are replaced. Nothing is reacted to.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.checkpoint import Checkpoint, read_checkpoint, require_same_stream
from shared.compare import BESIDE, LIVE, compare
from shared.events.envelope import Recorded, decode
from shared.leaving_out import left_out, loudly, still_left_out
from shared.log import head_position, lock_head, read_after
from shared.reading import reading
from shared.rebuilding import Progress, Result, Tally, alone, take_stock
from shared.restore import is_empty, restore_empty
from shared.rows import apply
from shared.service import Blueprint
from shared.stream import STREAM
from shared.walking import unbroken
from shared.wire import Client


async def rebuild(
    blueprint: Blueprint, engine: AsyncEngine, client: Client, *, verify_only: bool, tell: Progress
) -> Result:
    """Prove the live tables against the log, and mend them if they differ (unless `verify_only`).

    On an empty database this is a restore. Raises `Conflict` if another rebuild of this service is going on, and
    `Halted` if the stream is not the one that was followed.
    """
    async with alone(blueprint.name, engine):
        if await is_empty(engine):
            return await restore_empty(blueprint, engine, client, tell)
        return await _prove(blueprint, engine, client, verify_only=verify_only, tell=tell)


async def _prove(
    blueprint: Blueprint, engine: AsyncEngine, client: Client, *, verify_only: bool, tell: Progress
) -> Result:
    async with engine.connect() as connection:
        head, place = await head_position(connection), await read_checkpoint(connection)
        without = await left_out(connection)
    info = await client.jetstream().stream_info(STREAM)
    await require_same_stream(client, place, str(info.created), info.state.last_seq)
    tally = Tally(info.state.messages, tell)
    await _make_tables_beside(blueprint, engine)
    try:
        limits = {**place.followed, blueprint.name: head}
        own = await _fold_stream(blueprint, engine, client, 1, info.state.last_seq, limits, without, tally)
        async with engine.begin() as connection:
            await _fold_the_rest(blueprint, connection, client, place, own, without, tally)
            tables = await compare(connection, blueprint.tables)
            if not verify_only:
                await _mend(connection, [table for table in blueprint.tables if not tables[table.name].equal])
    finally:
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))
    return Result(tally.done, tally.seconds, tables)


async def _make_tables_beside(blueprint: Blueprint, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))
        await connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
        for table in blueprint.tables:
            await connection.execute(
                text(f"CREATE TABLE {BESIDE}.{table.name} (LIKE {LIVE}.{table.name} INCLUDING ALL)")
            )


async def _fold_stream(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    first: int,
    last: int,
    limits: Mapping[str, int],
    without: Collection[str],
    tally: Tally,
) -> int:
    """Fold what the stream holds up to the limits; returns the newest of our own positions among it."""
    own = 0
    async for batch in unbroken(client, first, last):
        recorded = [decode(stored.body) for stored in batch]
        async with loudly(blueprint, engine, recorded, limits, without, _look_beside), engine.begin() as connection:
            await _look_beside(connection)
            await apply(connection, blueprint.changes(recorded, limits, without))
        own = max([own, *(r.position for r in recorded if r.service == blueprint.name)])
        tally.add(len(batch))
    return min(own, limits[blueprint.name])


async def _fold_the_rest(
    blueprint: Blueprint,
    connection: AsyncConnection,
    client: Client,
    before: Checkpoint,
    own: int,
    without: Collection[str],
    tally: Tally,
) -> None:
    """What came in meanwhile, with the log held still: our own events from the database, others' from the stream."""
    head = await lock_head(connection)
    now = await read_checkpoint(connection)
    without = await still_left_out(connection, without)
    await _look_beside(connection)
    while own < head.position:
        fresh = await read_after(connection, own, 2000)
        await apply(connection, blueprint.changes(fresh, {blueprint.name: head.position}))
        own = fresh[-1].position
        tally.add(len(fresh))
    if now.sequence > before.sequence:
        async with reading(client, before.sequence + 1, until=now.sequence) as batches:
            async for batch in batches:
                others = [r for r in (decode(s.body) for s in batch) if _is_fresh(r, blueprint.name, before)]
                await apply(connection, blueprint.changes(others, now.followed, without))
                tally.add(len(others))


def _is_fresh(recorded: Recorded, own: str, before: Checkpoint) -> bool:
    """Whether another service's event was not yet followed then: a stream made again may repeat some that were."""
    return recorded.service != own and recorded.position > before.followed.get(recorded.service, 0)


async def _look_beside(connection: AsyncConnection) -> None:
    """Until the transaction ends, a table's name means the one being rebuilt, and the log's tables stay in sight."""
    await connection.execute(text(f"SET LOCAL search_path TO {BESIDE}, {LIVE}"))


async def _mend(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    for table in tables:
        await connection.execute(text(f"DELETE FROM {LIVE}.{table.name}"))
        await connection.execute(text(f"INSERT INTO {LIVE}.{table.name} SELECT * FROM {BESIDE}.{table.name}"))
    await take_stock(connection, tables)
