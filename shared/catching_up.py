"""Brings the tables that are being made again as far as the live ones: in rounds, then with the log held still.

Whoever follows others is folded from the stream, where all events stand in one order, as far as the service itself has
read it. Its own events that are newer, and all those of who follows nobody, come from its database.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.beside import Busy, look_beside
from shared.bulk import Bulk
from shared.lanes import in_lanes
from shared.leaving_out import Unfoldable
from shared.log import lock_head
from shared.poison import reason_of
from shared.rebuilding import Stalled, Tally
from shared.refolding import Refolding
from shared.refusals import Conflict, Unavailable
from shared.relay import Halted
from shared.resuming import Kept, Reach, keep, reach_of, read_kept
from shared.service import Blueprint
from shared.stretches import Place, Stretch, behind, in_the_stream, of_its_own
from shared.wire import Client

T = TypeVar("T")

FEW = 200
"""Events that are folded in a moment, while whoever appends waits."""
WITHIN = 2.0
"""Seconds for which the log is held still at most."""
TRIES, REST = 30, 0.5
"""So often the log is held still before we give up, and so many seconds apart."""


async def at_once() -> None:
    """There is nothing to wait for."""


@dataclass(slots=True)
class Held:
    """Measures how long others wait, until the transaction that they wait for has ended."""

    stalled: Stalled
    _writers_since: float | None = None
    _readers_since: float | None = None

    def writers_wait(self) -> None:
        self._writers_since = time.perf_counter()

    def readers_wait(self) -> None:
        self._readers_since = time.perf_counter()

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        now = time.perf_counter()
        self.stalled.writers = max(self.stalled.writers, now - (self._writers_since or now))
        self.stalled.readers = max(self.stalled.readers, now - (self._readers_since or now))


@dataclass(slots=True)
class CatchingUp:
    """The tables being made: `kept` says how far they have come."""

    blueprint: Blueprint
    engine: AsyncEngine
    client: Client
    tally: Tally
    kept: Kept
    stalled: Stalled = field(default_factory=Stalled)
    bulk: Bulk = field(default_factory=Bulk)

    async def run(self) -> None:
        """Fold until few events are left."""
        await self._make(self.kept.keys, {})
        while await self._round() > FEW:
            pass

    async def make_indexes(self) -> None:
        """All that are still put off. Raises `Unfoldable` if the rows break one."""
        await self._make(self.kept.keys, self.kept.put_off)

    async def _make(self, keys: Mapping[str, str], put_off: Mapping[str, Sequence[str]]) -> None:
        """Run these statements, each table's in one transaction, which says so."""
        one_at_a_time = asyncio.Lock()

        async def make(table: str) -> None:
            key = [keys[table]] if table in keys else []
            async with self.engine.connect() as connection:
                await look_beside(connection)
                for statement in [*key, *put_off.get(table, ())]:
                    await connection.exec_driver_sql(statement)
                async with one_at_a_time:
                    made = replace(self.kept, keys=_all_but(table, self.kept.keys))
                    if put_off:
                        made = replace(made, put_off=_all_but(table, made.put_off))
                    await keep(connection, made)
                    await connection.commit()
                    self.kept = made

        try:
            await in_lanes(partial(make, table) for table in {**put_off, **keys})
        except IntegrityError as fault:
            raise Unfoldable(
                f"the rows that the log of {self.blueprint.name} makes break a guard of their table: "
                f"{reason_of(fault)}. Install the version that folded them, or mend the fold",
                code="unfoldable",
            ) from None

    async def hold_still(
        self, then: Callable[[AsyncConnection, Held], Awaitable[T]], first: Callable[[], Awaitable[None]] = at_once
    ) -> T:
        """Do it while nobody appends and these tables are where the live ones are, in a transaction that is committed.

        Either may raise `Busy`, then `first` is called again later: it waits while nobody else has to.
        """
        for _ in range(TRIES):
            held = Held(self.stalled)
            try:
                await first()
                await self.run()
                with held:
                    async with self.engine.begin() as connection:
                        await lock_head(connection)
                        held.writers_wait()
                        async with asyncio.timeout(WITHIN):
                            await self._round(connection)
                        return await then(connection, held)
            except (Busy, TimeoutError):
                await asyncio.sleep(REST)
        raise Unavailable(
            f"{self.blueprint.name} has no quiet moment: something reads its tables, or holds up the broker, for "
            "longer than appointments can wait. What was folded stays: the same command goes on from there",
            code="no-quiet-moment",
        )

    async def _round(self, locked: AsyncConnection | None = None) -> int:
        """How many events were folded until the tables were where the live ones are now."""
        before = self.tally.done
        reach = await self._look(locked)
        if reach.checkpoint.sequence and reach.checkpoint.stream_created != self.kept.place.stream_created:
            raise Conflict("meanwhile the stream was made again: begin again", code="stream-made-again")
        self.kept = replace(self.kept, without=sorted(reach.without))
        if self.blueprint.follows:
            await self._fold_followed(reach)
        self._expect(reach.head - self.kept.place.reached(self.blueprint.name))
        await self._fold(of_its_own(self.blueprint, self.engine, self.kept.place, reach.head))
        return self.tally.done - before

    async def _look(self, locked: AsyncConnection | None) -> Reach:
        """How far the live tables have come, and these: a round that was broken off may have committed some."""
        async with self.engine.connect() as connection:
            self.kept = await read_kept(connection) or self.kept
            return await reach_of(locked or connection, self.kept.without)

    async def _fold_followed(self, reach: Reach) -> None:
        """As far as the service itself has read the stream, which has others' events and its own in their order."""
        until = reach.checkpoint.sequence
        self._expect(until - self.kept.place.sequence)
        await self._fold(in_the_stream(self.blueprint, self.client, self.kept.place, until))
        limits = {service: reach.checkpoint.followed.get(service, 0) for service in self.blueprint.follows}
        if self._is_behind(limits):
            # In a stream made again, what the live tables were folded from may stand behind what was read of this one.
            await self._fold(behind(self.client, self.kept.place, limits))
        if self._is_behind(limits):
            raise Halted(
                f"the stream lacks events of others that {self.blueprint.name} has folded. Nothing is built on it: "
                "`daybook log verify` says what is lost, and what to do"
            )

    def _is_behind(self, limits: Mapping[str, int]) -> bool:
        return any(self.kept.place.reached(service) < limit for service, limit in limits.items())

    async def _fold(self, stretch: Stretch) -> None:
        refolding = Refolding(
            self.blueprint, self.engine, self.kept.without, look_beside, self._keep, self.tally, self.bulk
        )
        self.kept = replace(self.kept, place=await refolding.fold(self.kept.place, stretch))

    async def _keep(self, connection: AsyncConnection, place: Place) -> None:
        await keep(connection, replace(self.kept, place=place))

    def _expect(self, more: int) -> None:
        """So many are to come, at least."""
        self.tally.of = max(self.tally.of, self.tally.done + more)


def _all_but(table: str, of_each: Mapping[str, T]) -> dict[str, T]:
    return {each: found for each, found in of_each.items() if each != table}
