"""Makes a service's tables again from the log beside the live ones, proves them equal, and swaps them in.

The service goes on working. Whoever appends waits while the last few events are folded, once for the proof and once for
the swap; whoever reads, for the moment of the swap alone. Nothing is reacted to. Interrupted, it goes on where it was.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.beside import drop, prepare, require_free, shut, swap, wait_for_earlier_readers
from shared.catching_up import CatchingUp, Held
from shared.checkpoint import require_same_stream
from shared.clock import Clock
from shared.compare import BESIDE, TableResult, compare
from shared.rebuilding import Progress, Result, Tally, alone
from shared.restore import is_empty, restore_empty
from shared.resuming import Begun, begin, reach_of, require_no_older
from shared.service import Blueprint
from shared.snapshots import take
from shared.walking import copied_of, info_of
from shared.wire import Client

RELAYED_WITHIN = 5.0
"""Seconds that a snapshot waits until all that is in it stands in the stream too."""

Stage = Literal["indexes", "proof", "snapshot", "swap"]
"""What comes after the folding."""

Hear = Callable[[Begun | Stage], None]
"""Is told where a rebuild begins, and what comes after the folding."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Where they are kept, and the clock that says when they were taken."""

    folder: Path
    clock: Clock


def _deaf(_told: Begun | Stage) -> None:
    """Nobody wants to know."""


async def rebuild(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    *,
    verify_only: bool,
    tell: Progress,
    whole: bool = False,
    snapshots: Snapshots | None = None,
    hear: Hear = _deaf,
) -> Result:
    """Make the tables again, compare them with the live ones, and swap them in (unless `verify_only`).

    With `snapshots` it begins from the newest that fits, unless from before the first event (`whole`), and leaves one.
    On an empty database this is a restore, unless `verify_only`. Raises `Conflict` if another rebuild of this service
    is going on, and `Halted` if the stream is not the one that was followed.
    """
    async with alone(blueprint.name, engine):
        if not verify_only:
            if await is_empty(engine):
                return await restore_empty(blueprint, engine, client, tell)
            async with engine.connect() as connection:
                await require_free(connection, blueprint.tables)
        begun, making = await _begun(blueprint, engine, client, whole, snapshots, tell)
        hear(begun)
        tables = await _make(making, snapshots, hear)
        if not verify_only:
            hear("swap")
            await making.hold_still(partial(_swap, making), partial(_quiet, engine))
        async with engine.begin() as connection:
            await drop(connection)
    tally, swapped = making.tally, not verify_only
    return Result(
        tally.done,
        tally.seconds,
        tables,
        began_from=begun.origin,
        folded=tally.folded,
        swapped=swapped,
        stalled=making.stalled,
    )


async def _begun(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    whole: bool,
    snapshots: Snapshots | None,
    tell: Progress,
) -> tuple[Begun, CatchingUp]:
    started = time.perf_counter()
    # The service works on: what is to be the lesser of two is asked before the greater.
    copied = await copied_of(blueprint.name, client)
    async with engine.connect() as connection:
        reach = await reach_of(connection)
    info = await info_of(client)
    require_no_older(blueprint.name, copied, reach.head)
    await require_same_stream(client, reach.checkpoint, str(info.created), info.state.last_seq)
    folder = None if snapshots is None or whole else snapshots.folder
    begun = await begin(blueprint, engine, client, info, reach, whole=whole, snapshots=folder)
    tally = Tally(info.state.last_seq if blueprint.follows else reach.head, tell, began=begun.passed, started=started)
    return begun, CatchingUp(blueprint, engine, client, tally, begun.kept)


async def _make(making: CatchingUp, snapshots: Snapshots | None, hear: Hear) -> Mapping[str, TableResult]:
    """Fold all there is, then compare both as they were at one moment, while the service works on."""
    if making.tally.is_nearly_done:
        hear("indexes")
        await making.make_indexes()
    await making.run()
    hear("indexes")
    await making.make_indexes()
    hear("proof")
    async with making.engine.connect() as seen:
        await seen.execution_options(isolation_level="REPEATABLE READ")
        # What a transaction sees is settled by its first query: here, while both are at the same place.
        await making.hold_still(lambda *_: seen.execute(select(literal(True))))
        tables = await compare(seen, making.blueprint.tables)
        if snapshots is not None and making.tally.has_news and await _is_relayed(making):
            hear("snapshot")
            await _take(seen, making, snapshots, tables)
        return tables


async def _is_relayed(making: CatchingUp) -> bool:
    """Whether the stream has all of our own events that were folded: what only a lost database knew is not kept."""
    name = making.blueprint.name
    try:
        async with asyncio.timeout(RELAYED_WITHIN):
            while True:
                if await copied_of(name, making.client) >= making.kept.place.reached(name):
                    return True
                await asyncio.sleep(0.1)
    except TimeoutError:
        return False


async def _take(
    seen: AsyncConnection, making: CatchingUp, snapshots: Snapshots, tables: Mapping[str, TableResult]
) -> None:
    """A disk that is full must not keep the tables from being mended."""
    kept = making.kept
    try:
        await take(
            seen,
            making.blueprint,
            snapshots.folder,
            kept.place,
            kept.without,
            schema=BESIDE,
            counted=tables,
            taken_at=snapshots.clock.now(),
        )
    except OSError as fault:
        _log.warning("no snapshot was kept", service=making.blueprint.name, reason=fault.strerror)


async def _quiet(engine: AsyncEngine) -> None:
    """Wait for long readers, such as a backup, before anybody waits for us. Raises `Busy`."""
    async with engine.connect() as connection:
        await wait_for_earlier_readers(connection)


async def _swap(making: CatchingUp, connection: AsyncConnection, held: Held) -> None:
    """With the log held still. Raises `Busy`."""
    await wait_for_earlier_readers(connection)
    await prepare(connection, making.blueprint.tables)
    held.readers_wait()
    await shut(connection, making.blueprint.tables)
    await swap(connection, making.blueprint.tables)
