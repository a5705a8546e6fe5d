"""Folds a stretch of the stream into tables that nobody else writes, in batches, each committed with how far it came.

Of the stream only the services are read whose events these tables are made of. Each one's positions must follow upon
another without a gap; what was folded already (a stream made again may repeat it) is passed over.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.bulk import Batch, Behind, Bulk
from shared.events.envelope import Recorded, decode, envelope_of
from shared.leaving_out import loudly
from shared.reading import Stored
from shared.rebuilding import Tally
from shared.relay import Halted
from shared.service import Blueprint
from shared.stream import message_at
from shared.walking import stored_of
from shared.wire import Client

Look = Callable[[AsyncConnection], Awaitable[None]]
"""Makes a connection see, until its transaction ends, the tables that are being made."""


class Place(Struct, frozen=True, kw_only=True):
    """How far tables have come that are being made again.

    `sequence` and `event_id` are where the stream was read to; `positions` the newest of each service that was folded.
    Our own may be further than the stream was read, since they can be taken from the database as well.
    """

    stream_created: str
    sequence: int
    event_id: str
    positions: Mapping[str, int]


Keep = Callable[[AsyncConnection, Place], Awaitable[None]]
"""Writes down how far it came, in the transaction that folded it."""


async def refold(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    place: Place,
    until: int,
    without: Collection[str],
    *,
    look: Look,
    keep: Keep,
    tally: Tally,
) -> Place:
    """Fold what the stream holds after `place`, up to sequence `until`; returns the place reached.

    Raises `Halted` if an event is missing there, and `Unfoldable` if one cannot be folded.
    """
    if place.sequence >= until:
        return place
    folding = Folding(blueprint, without, place)
    storing = _Storing(blueprint, engine, without, look, keep, tally, Bulk(), place.sequence)
    async with Behind() as behind:
        async for pulled in stored_of(client, folded_in(blueprint), place.sequence + 1, until):
            folding.take(pulled)
            if folding.batch.is_full:
                await behind.begin(storing.store(*folding.cut()))
        await folding.end_at(client, until)
        await behind.begin(storing.store(*folding.cut()))
    return folding.place


def folded_in(blueprint: Blueprint) -> frozenset[str]:
    """The services of whose events its tables are made."""
    return frozenset({blueprint.name, *blueprint.follows})


class Folding:
    """Folds events, in memory. `batch` is what has not been cut off yet, and leads to `place`."""

    def __init__(self, blueprint: Blueprint, without: Collection[str], place: Place) -> None:
        self._blueprint = blueprint
        self._without = without
        self._positions = {service: place.positions.get(service, 0) for service in folded_in(blueprint)}
        self.place = place
        self.batch = Batch()

    def take(self, pulled: Sequence[Stored]) -> None:
        """Fold these. Raises `Halted` at a gap."""
        if not pulled:
            return
        recorded = [decode(stored.body) for stored in pulled]
        fresh = self._fresh(pulled, recorded)
        self.batch.fold(fresh, self._blueprint.changes(fresh, self._positions, self._without))
        self._reach(pulled[-1].sequence, recorded[-1].id)

    def _fresh(self, pulled: Sequence[Stored], events: Sequence[Recorded]) -> list[Recorded]:
        """Those that were not folded yet, in order."""
        fresh = []
        for stored, recorded in zip(pulled, events, strict=True):
            due = self._positions[recorded.service] + 1
            if recorded.position == due:
                self._positions[recorded.service] = due
                fresh.append(recorded)
            elif recorded.position > due:
                raise Halted(
                    f"event {due} of {recorded.service} is missing from the stream before sequence {stored.sequence}: "
                    "nothing is built on it. `daybook log verify` says what is lost, and what to do"
                )
        return fresh

    async def end_at(self, client: Client, until: int) -> None:
        """Whatever stands between the last of these events and there is none of ours."""
        if self.place.sequence < until and (last := await message_at(client, until)):
            self._reach(until, envelope_of(last.data or b"").id)

    def _reach(self, sequence: int, event_id: str) -> None:
        self.place = replace(self.place, sequence=sequence, event_id=event_id, positions=dict(self._positions))

    def cut(self) -> tuple[Batch, Place]:
        """The batch so far, and the place that it leads to; another begins."""
        batch, self.batch = self.batch, Batch()
        return batch, self.place


@dataclass(slots=True)
class _Storing:
    """Stores batches, one after the other. `told` is the sequence that the tally has been told of."""

    blueprint: Blueprint
    engine: AsyncEngine
    without: Collection[str]
    look: Look
    keep: Keep
    tally: Tally
    bulk: Bulk
    told: int

    async def store(self, batch: Batch, place: Place) -> None:
        async with loudly(self.blueprint, self.engine, batch.events, place.positions, self.without, self.look):
            if batch.fault is not None:
                raise batch.fault
            async with self.engine.begin() as connection:
                await self.look(connection)
                await self.bulk.store(connection, batch.tables)
                await self.keep(connection, place)
        self.tally.add(place.sequence - self.told)
        self.told = place.sequence
