"""Folds a stretch of the log into tables that nobody else writes, in batches, each committed with how far it came.

Each service's positions must follow upon another without a gap; what was folded already (a stream made again may repeat
it) is passed over.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bulk import Batch, Behind, Bulk
from shared.events.envelope import Recorded
from shared.leaving_out import loudly
from shared.rebuilding import Tally
from shared.relay import Halted
from shared.service import Blueprint
from shared.stretches import Place, Read, Stretch, folded_in

Look = Callable[[AsyncConnection], Awaitable[None]]
"""Makes a connection see, until its transaction ends, the tables that are being made."""

Keep = Callable[[AsyncConnection, Place], Awaitable[None]]
"""Writes down how far it came, in the transaction that folded it."""


class Folding:
    """Folds events, in memory. `batch` is what has not been cut off yet, and leads to `place`."""

    def __init__(self, blueprint: Blueprint, without: Collection[str], place: Place) -> None:
        self._blueprint = blueprint
        self._without = without
        self._positions = {service: place.reached(service) for service in folded_in(blueprint)}
        self._own_id = place.own_id
        self._passed = 0
        self.place = place
        self.batch = Batch()

    def take(self, read: Read) -> None:
        """Fold these. Raises `Halted` at a gap."""
        fresh = self._fresh(read.events)
        self.batch.fold(fresh, self._blueprint.changes(fresh, self._positions, self._without))
        self._passed += read.passed
        self.place = replace(
            self.place,
            sequence=read.sequence or self.place.sequence,
            event_id=read.event_id or self.place.event_id,
            positions=dict(self._positions),
            own_id=self._own_id,
        )

    def _fresh(self, events: Sequence[Recorded]) -> list[Recorded]:
        """Those that were not folded yet, in order."""
        fresh = []
        for recorded in events:
            due = self._positions[recorded.service] + 1
            if recorded.position == due:
                self._positions[recorded.service] = due
                fresh.append(recorded)
            elif recorded.position > due:
                raise Halted(
                    f"event {due} of {recorded.service} is missing from the log before {recorded.position}: nothing is "
                    "built on it. `daybook log verify` says what is lost, and what to do"
                )
        self._own_id = next((each.id for each in reversed(fresh) if each.service == self._blueprint.name), self._own_id)
        return fresh

    def cut(self) -> tuple[Batch, Place, int]:
        """The batch so far, the place that it leads to, and how many events were passed on the way; another begins."""
        cut = self.batch, self.place, self._passed
        self.batch, self._passed = Batch(), 0
        return cut


@dataclass(frozen=True, slots=True)
class Refolding:
    """The tables that are being made: `look` finds them, `keep` writes down how far they have come, and `without` what
    is left out of them."""

    blueprint: Blueprint
    engine: AsyncEngine
    without: Collection[str]
    look: Look
    keep: Keep
    tally: Tally
    _bulk: Bulk = field(default_factory=Bulk)

    async def fold(self, place: Place, stretch: Stretch) -> Place:
        """Fold what comes after `place`; returns the place reached.

        Raises `Halted` if an event is missing there, and `Unfoldable` if one cannot be folded.
        """
        folding = Folding(self.blueprint, self.without, place)
        async with aclosing(stretch), Behind() as behind:
            async for read in stretch:
                folding.take(read)
                if folding.batch.is_full:
                    await behind.begin(self._store(*folding.cut()))
            if folding.place is not place:
                await behind.begin(self._store(*folding.cut()))
        return folding.place

    async def _store(self, batch: Batch, place: Place, passed: int) -> None:
        async with loudly(self.blueprint, self.engine, batch.events, place.positions, self.without, self.look):
            if batch.fault is not None:
                raise batch.fault
            async with self.engine.begin() as connection:
                await self.look(connection)
                await self._bulk.store(connection, batch.tables)
                await self.keep(connection, place)
        self.tally.add(passed)
