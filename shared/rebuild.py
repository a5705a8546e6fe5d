"""Makes a service's tables again from the stream: beside the live ones to prove them, or from nothing to restore them.

`rebuild` folds into tables beside the live ones while the service goes on working, then, holding the appending lock,
folds the last few events and compares. Tables that are equal stay as they are; if one differs, its rows are replaced.
`restore` starts from an empty database and makes the log itself again too. Neither reacts to anything.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from nats.aio.client import Client
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.events.envelope import Recorded, decode
from shared.follow import Checkpoint, read_checkpoint, require_same_stream, save_checkpoint
from shared.log import Appended, head_position, insert_events, lock_head, move_head, read_after
from shared.project import Change, Projection
from shared.refusals import Conflict
from shared.rows import apply
from shared.seal import keep_copied_keys
from shared.service import Blueprint
from shared.stream import STREAM, Stored, last_of, reading, stored_keys

BESIDE = "rebuilding"
"""The schema in which tables are made again."""

ONE_AT_A_TIME = 0x0DA1B00D
DIFFERENCES_SHOWN = 20

Progress = Callable[[int, int, float], None]
"""Called with events folded, events in all, and events a second."""


@dataclass(frozen=True, slots=True)
class TableResult:
    """A table's rows and digest; what the live table has and the rebuilt has not, and the reverse."""

    rows: int
    digest: str
    equal: bool = True
    differences: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a rebuild came to."""

    events: int
    seconds: float
    tables: Mapping[str, TableResult]
    restored: bool = False

    @property
    def equal(self) -> bool:
        """Whether every live table was what the log makes it."""
        return all(table.equal for table in self.tables.values())


@dataclass(slots=True)
class _Tally:
    """How far a rebuild has come."""

    of: int
    tell: Progress
    done: int = 0
    started: float = field(default_factory=time.perf_counter)

    def add(self, count: int) -> None:
        self.done += count
        self.tell(self.done, max(self.of, self.done), self.done / max(self.seconds, 1e-6))

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started


async def rebuild(
    blueprint: Blueprint, engine: AsyncEngine, client: Client, *, verify_only: bool, tell: Progress
) -> Result:
    """Prove the live tables against the log, and mend them if they differ (unless `verify_only`).

    On an empty database this is a restore. Raises `Conflict` if another rebuild of this service is going on, and
    `Halted` if the stream is not the one that was followed.
    """
    async with _alone(blueprint, engine):
        if await _is_empty(engine):
            return await _restore(blueprint, engine, client, tell)
        return await _prove(blueprint, engine, client, verify_only=verify_only, tell=tell)


async def restore(blueprint: Blueprint, engine: AsyncEngine, client: Client, *, tell: Progress) -> Result:
    """Make the log and the tables of an empty database again from the stream.

    Raises `Conflict` if the database is not empty, or a rebuild of this service is going on.
    """
    async with _alone(blueprint, engine):
        if not await _is_empty(engine):
            raise Conflict(f"the database of {blueprint.name} is not empty: nothing was restored", code="not-empty")
        return await _restore(blueprint, engine, client, tell)


@asynccontextmanager
async def _alone(blueprint: Blueprint, engine: AsyncEngine) -> AsyncIterator[None]:
    async with engine.connect() as guard:
        if not await guard.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ONE_AT_A_TIME}):
            raise Conflict(f"{blueprint.name} is being rebuilt already", code="rebuild-running")
        try:
            yield
        finally:
            await guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})


async def _is_empty(engine: AsyncEngine) -> bool:
    async with engine.connect() as connection:
        return await head_position(connection) == 0 and (await read_checkpoint(connection)).sequence == 0


async def _restore(blueprint: Blueprint, engine: AsyncEngine, client: Client, tell: Progress) -> Result:
    """The log and the tables, from nothing.

    Others' events are folded as far as this service had reacted to them when it recorded its newest event. The
    follower goes on from there, so that what was not reacted to yet is reacted to now, and the rest is not.
    """
    async for wrapped in stored_keys(client, blueprint.name):
        await keep_copied_keys(engine, wrapped)
    info = await client.jetstream().stream_info(STREAM)
    last = await last_of(client, f"daybook.{blueprint.name}.>")
    reacted = decode(last.data or b"").followed if last else {}
    tally = _Tally(info.state.messages, tell)
    place = Checkpoint(str(info.created), 0, "", {})
    pending = False
    if info.state.last_seq:
        async with reading(client, 1, until=info.state.last_seq) as batches:
            async for batch in batches:
                if not pending:
                    place, pending = _place_after(batch, place, _sources(blueprint), reacted)
                await _restore_batch(blueprint, engine, [decode(stored.body) for stored in batch], reacted, place)
                tally.add(len(batch))
    return Result(tally.done, tally.seconds, await _digests(engine, blueprint), restored=True)


def _place_after(
    batch: Sequence[Stored], place: Checkpoint, sources: Iterable[str], reacted: Mapping[str, int]
) -> tuple[Checkpoint, bool]:
    """The checkpoint moved to just before the first event that was not reacted to, and whether there was one."""
    followed = dict(place.followed)
    for stored in batch:
        recorded = decode(stored.body)
        if recorded.service in sources:
            if recorded.position > reacted.get(recorded.service, 0):
                return place, True
            followed[recorded.service] = recorded.position
        place = Checkpoint(place.stream_created, stored.sequence, recorded.id, dict(followed))
    return place, False


async def _restore_batch(
    blueprint: Blueprint, engine: AsyncEngine, batch: Sequence[Recorded], reacted: Mapping[str, int], place: Checkpoint
) -> None:
    own = [recorded for recorded in batch if recorded.service == blueprint.name]
    async with engine.begin() as connection:
        await lock_head(connection)
        if own:
            await insert_events(connection, [Appended(recorded, recorded.position) for recorded in own])
            await move_head(connection, own[-1].position)
        await apply(connection, _changes(blueprint, batch, {**reacted, blueprint.name: own[-1].position if own else 0}))
        await save_checkpoint(connection, place)


async def _prove(
    blueprint: Blueprint, engine: AsyncEngine, client: Client, *, verify_only: bool, tell: Progress
) -> Result:
    async with engine.connect() as connection:
        head, place = await head_position(connection), await read_checkpoint(connection)
    info = await client.jetstream().stream_info(STREAM)
    await require_same_stream(client, place, str(info.created), info.state.last_seq)
    tally = _Tally(info.state.messages, tell)
    await _make_tables_beside(blueprint, engine)
    try:
        limits = {**place.followed, blueprint.name: head}
        own = await _fold_stream(blueprint, engine, client, 1, info.state.last_seq, limits, tally)
        async with engine.begin() as connection:
            await _fold_the_rest(blueprint, connection, client, place, own, tally)
            tables = await _compare(blueprint, connection)
            if not verify_only:
                await _mend(connection, [table for table in _tables(blueprint) if not tables[table.name].equal])
    finally:
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))
    return Result(tally.done, tally.seconds, tables)


async def _make_tables_beside(blueprint: Blueprint, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))
        await connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
        for table in _tables(blueprint):
            await connection.execute(
                text(f"CREATE TABLE {BESIDE}.{table.name} (LIKE public.{table.name} INCLUDING ALL)")
            )


async def _fold_stream(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    first: int,
    last: int,
    limits: Mapping[str, int],
    tally: _Tally,
) -> int:
    """Fold what the stream holds up to the limits; returns the newest of our own positions among it."""
    own = 0
    async with reading(client, first, until=last) as batches:
        async for batch in batches:
            recorded = [decode(stored.body) for stored in batch]
            async with engine.begin() as connection:
                await _look_beside(connection)
                await apply(connection, _changes(blueprint, recorded, limits))
            own = max([own, *(r.position for r in recorded if r.service == blueprint.name)])
            tally.add(len(batch))
    return min(own, limits[blueprint.name])


async def _fold_the_rest(
    blueprint: Blueprint, connection: AsyncConnection, client: Client, before: Checkpoint, own: int, tally: _Tally
) -> None:
    """What came in meanwhile, with the log held still: our own events from the database, others' from the stream."""
    head = await lock_head(connection)
    now = await read_checkpoint(connection)
    await _look_beside(connection)
    while own < head.position:
        fresh = await read_after(connection, own, 2000)
        await apply(connection, _changes(blueprint, fresh, {blueprint.name: head.position}))
        own = fresh[-1].position
        tally.add(len(fresh))
    if now.sequence > before.sequence:
        async with reading(client, before.sequence + 1, until=now.sequence) as batches:
            async for batch in batches:
                others = [r for r in (decode(s.body) for s in batch) if r.service != blueprint.name]
                await apply(connection, _changes(blueprint, others, now.followed))
                tally.add(len(others))


async def _look_beside(connection: AsyncConnection) -> None:
    """Until the transaction ends, a table's name means the one being rebuilt, and the log's tables stay in sight."""
    await connection.execute(text(f"SET LOCAL search_path TO {BESIDE}, public"))


def _changes(blueprint: Blueprint, batch: Iterable[Recorded], limits: Mapping[str, int]) -> Iterable[Change]:
    """What these events change, up to and including the limit of each service."""
    folds: dict[str, Projection] = {**blueprint.follows, blueprint.name: blueprint.project}
    for recorded in batch:
        if recorded.service in folds and recorded.position <= limits.get(recorded.service, 0):
            yield from folds[recorded.service](recorded)


def _sources(blueprint: Blueprint) -> set[str]:
    return {*blueprint.follows, *(event.service for event in blueprint.wants)}


def _tables(blueprint: Blueprint) -> Sequence[Table]:
    return blueprint.metadata.sorted_tables


async def _digests(engine: AsyncEngine, blueprint: Blueprint) -> dict[str, TableResult]:
    async with engine.begin() as connection:
        return {table.name: await _digest(connection, table, "public") for table in _tables(blueprint)}


async def _digest(connection: AsyncConnection, table: Table, schema: str) -> TableResult:
    """The number of rows, and a digest that does not depend on their order."""
    await connection.execute(text("SET LOCAL TimeZone TO 'UTC'"))
    rows, total = (
        await connection.execute(
            text(
                f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text "
                f"FROM {schema}.{table.name} AS t"
            )
        )
    ).one()
    return TableResult(rows, f"{rows}:{int(total) % 2**64:016x}")


async def _compare(blueprint: Blueprint, connection: AsyncConnection) -> dict[str, TableResult]:
    results = {}
    for table in _tables(blueprint):
        live, made = await _digest(connection, table, "public"), await _digest(connection, table, BESIDE)
        equal = live.digest == made.digest
        differences = () if equal else await _differences(connection, table)
        results[table.name] = TableResult(made.rows, made.digest, equal, differences)
    return results


async def _differences(connection: AsyncConnection, table: Table) -> Sequence[str]:
    live, made = f"public.{table.name}", f"{BESIDE}.{table.name}"
    rows = await connection.execute(
        text(
            f"(SELECT 'live only: ' || t::text FROM (SELECT * FROM {live} EXCEPT SELECT * FROM {made}) AS t"
            f" ORDER BY 1 LIMIT {DIFFERENCES_SHOWN}) UNION ALL "
            f"(SELECT 'log only: ' || t::text FROM (SELECT * FROM {made} EXCEPT SELECT * FROM {live}) AS t"
            f" ORDER BY 1 LIMIT {DIFFERENCES_SHOWN})"
        )
    )
    return list(rows.scalars())


async def _mend(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    for table in tables:
        await connection.execute(text(f"DELETE FROM public.{table.name}"))
        await connection.execute(text(f"INSERT INTO public.{table.name} SELECT * FROM {BESIDE}.{table.name}"))
