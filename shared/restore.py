"""Makes a lost database again from the stream: the keys, the log itself, and every table."""

import sys
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bulk import Batch, Behind, Bulk
from shared.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from shared.compare import digests
from shared.database import events
from shared.events.envelope import Recorded, decode, positions_from_text
from shared.leaving_out import left_out_in_stream, loudly
from shared.log import Appended, head_position, insert_events, lock_head, move_head
from shared.parking import parked_among
from shared.poison import is_poison
from shared.project import Change
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
    restoring = _Restoring(blueprint, engine, reacted, without, Tally(info.state.messages, tell))
    if info.state.last_seq:
        place = Checkpoint(str(info.created), 0, "", dict.fromkeys(blueprint.sources, 0) | dict(reacted))
        await restoring.run(client, info.state.last_seq, place)
    tally = restoring.tally
    async with engine.begin() as connection:
        await take_stock(connection, [events, *blueprint.tables])
        tables = await digests(connection, blueprint.tables)
    return Result(tally.done, tally.seconds, tables, restored=True, folded=tally.folded)


@dataclass(slots=True)
class _Restoring:
    """The work itself; `reacted` says how far others' events are to be folded."""

    blueprint: Blueprint
    engine: AsyncEngine
    reacted: Mapping[str, int]
    without: Collection[str]
    tally: Tally
    bulk: Bulk = field(default_factory=Bulk)

    async def run(self, client: Client, until: int, place: Checkpoint) -> None:
        """All of the stream. While one batch is stored, the next is folded."""
        batch, pending = Batch(), False
        async with Behind() as behind:
            async for pulled in unbroken(client, 1, until):
                recorded = [decode(stored.body) for stored in pulled]
                if not pending:
                    place, pending = _place_after(pulled, recorded, place, self.blueprint.sources, self.reacted)
                batch.fold(recorded, self._changes(recorded))
                if batch.is_full:
                    await behind.begin(self._store(batch, place))
                    batch = Batch()
            await behind.begin(self._store(batch, place))

    def _changes(self, events: Iterable[Recorded]) -> Iterable[Change]:
        limits = {**self.reacted, self.blueprint.name: sys.maxsize}
        return self.blueprint.changes(events, limits, self.without)

    async def _store(self, batch: Batch, place: Checkpoint) -> None:
        async with loudly(self.blueprint, self.engine, batch.events, self.reacted, self.without):
            if batch.fault is not None:
                raise batch.fault
            try:
                await self._write(batch, place, lambda connection: self.bulk.store(connection, batch.tables))
            except Exception as fault:
                if not is_poison(fault):
                    raise
                # What a guard lets pass one after the other, it may refuse when it comes all at once.
                await self._write(batch, place, lambda connection: self._fold_singly(connection, batch.events))
        self.tally.add(len(batch.events))

    async def _fold_singly(self, connection: AsyncConnection, events: Sequence[Recorded]) -> None:
        for recorded in events:
            await apply(connection, self._changes([recorded]))

    async def _write(self, batch: Batch, place: Checkpoint, fold: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        own = [recorded for recorded in batch.events if recorded.service == self.blueprint.name]
        async with self.engine.begin() as connection:
            await lock_head(connection)
            if own:
                await insert_events(connection, [Appended(recorded, recorded.position) for recorded in own])
                await move_head(connection, own[-1].position)
            await fold(connection)
            await apply(connection, parked_among(own))
            await save_checkpoint(connection, place)


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
    reached = 0
    for recorded in events:
        if recorded.service in sources and recorded.position > reacted.get(recorded.service, 0):
            break
        reached += 1
    if reached:
        place = replace(place, sequence=batch[reached - 1].sequence, event_id=events[reached - 1].id)
    return place, reached < len(events)
