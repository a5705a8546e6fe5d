"""Brings the tables that are being made again as far as the live ones: in rounds, then with the log held still.

Others' events come from the stream, as far as the service itself has folded them; its own from the stream as well, and
what is newer from the database.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.beside import Busy, look_beside
from shared.bulk import Bulk
from shared.compare import BESIDE
from shared.events.envelope import Recorded, decode
from shared.leaving_out import Unfoldable, loudly
from shared.log import lock_head, read_after
from shared.poison import reason_of
from shared.project import coalesce
from shared.rebuilding import Stalled, Tally, take_stock
from shared.refolding import Place, refold
from shared.refusals import Conflict, Unavailable
from shared.relay import Halted
from shared.resuming import Kept, Reach, keep, reach_of, read_kept
from shared.service import Blueprint
from shared.walking import info_of, unbroken
from shared.wire import Client

T = TypeVar("T")

FEW = 200
"""Events that are folded in a moment, while whoever appends waits."""
AT_ONCE = 10_000
"""Of our own events, read from the database and folded together."""
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
    """The tables being made: `kept` says how far they have come, `last` how far the stream reached at first."""

    blueprint: Blueprint
    engine: AsyncEngine
    client: Client
    tally: Tally
    kept: Kept
    last: int
    stalled: Stalled = field(default_factory=Stalled)
    bulk: Bulk = field(default_factory=Bulk)

    async def run(self) -> None:
        """Fold until few events are left."""
        while await self._round() > FEW:
            pass

    async def make_indexes(self) -> None:
        """Those that were put off while many rows came. Raises `Unfoldable` if the rows break one."""
        while self.kept.put_off:
            statement, *later = self.kept.put_off
            made = replace(self.kept, put_off=later)
            try:
                async with self.engine.begin() as connection:
                    await look_beside(connection)
                    await connection.exec_driver_sql(statement)
                    await keep(connection, made)
            except IntegrityError as fault:
                raise Unfoldable(
                    f"the rows that the log of {self.blueprint.name} makes break a guard of their table: "
                    f"{reason_of(fault)}. Install the version that folded them, or mend the fold",
                    code="unfoldable",
                ) from None
            self.kept = made
        async with self.engine.begin() as connection:
            await take_stock(connection, self.blueprint.tables, BESIDE)

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
        await self._fold_stream(reach.checkpoint.sequence if self.blueprint.follows else self.last)
        await self._fold_moved(reach)
        await self._fold_own(reach.head)
        return self.tally.done - before

    async def _look(self, locked: AsyncConnection | None) -> Reach:
        """How far the live tables have come, and these: a round that was broken off may have committed some."""
        async with self.engine.connect() as connection:
            self.kept = await read_kept(connection) or self.kept
            return await reach_of(locked or connection, self.kept.without)

    async def _fold_stream(self, until: int) -> None:
        self._expect(until - self.kept.place.sequence)
        place = await refold(
            self.blueprint,
            self.engine,
            self.client,
            self.kept.place,
            until,
            self.kept.without,
            look=look_beside,
            keep=self._keep,
            tally=self.tally,
        )
        self.kept = replace(self.kept, place=place)

    async def _fold_moved(self, reach: Reach) -> None:
        """In a stream made again, what the live tables were folded from may stand behind what was read of this one."""
        limits = {service: reach.checkpoint.followed.get(service, 0) for service in self.blueprint.follows}
        if not self._is_behind(limits):
            return
        info = await info_of(self.client)
        async for batch in unbroken(self.client, self.kept.place.sequence + 1, info.state.last_seq):
            recorded = [decode(stored.body) for stored in batch]
            await self._fold(
                [r for r in recorded if self._position(r.service) < r.position <= limits.get(r.service, 0)]
            )
        if not self._is_behind(limits):
            return
        raise Halted(
            f"the stream lacks events of others that {self.blueprint.name} has folded. Nothing is built on it: "
            "`daybook log verify` says what is lost, and what to do"
        )

    def _is_behind(self, limits: Mapping[str, int]) -> bool:
        return any(self._position(service) < limit for service, limit in limits.items())

    async def _fold_own(self, head: int) -> None:
        """What the stream has told of us is in the database too, and what is newer, only there."""
        own = self._position(self.blueprint.name)
        self._expect(head - own)
        while own < head:
            async with self.engine.connect() as connection:
                fresh = await read_after(connection, own, min(AT_ONCE, head - own))
            await self._fold(fresh)
            own = fresh[-1].position

    async def _fold(self, fresh: Sequence[Recorded]) -> None:
        """These in one transaction, which says so."""
        if not fresh:
            return
        reached = {**self.kept.place.positions, **{recorded.service: recorded.position for recorded in fresh}}
        place = replace(self.kept.place, positions=reached)
        async with (
            loudly(self.blueprint, self.engine, fresh, reached, self.kept.without, look_beside),
            self.engine.begin() as connection,
        ):
            await look_beside(connection)
            await self.bulk.store(connection, coalesce(self.blueprint.changes(fresh, reached, self.kept.without)))
            await self._keep(connection, place)
        self.kept = replace(self.kept, place=place)
        self.tally.add(len(fresh))

    async def _keep(self, connection: AsyncConnection, place: Place) -> None:
        await keep(connection, replace(self.kept, place=place))

    def _position(self, service: str) -> int:
        return self.kept.place.positions.get(service, 0)

    def _expect(self, more: int) -> None:
        """So many are to come, at least."""
        self.tally.of = max(self.tally.of, self.tally.done + more)
