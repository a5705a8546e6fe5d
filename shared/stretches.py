"""The stretches of the log that tables are made of again, wherever those are read: the stream, or a database."""

from collections.abc import AsyncGenerator, Mapping, Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.events.envelope import Recorded, decode, envelope_of
from shared.log import read_after
from shared.relay import Halted
from shared.service import Blueprint
from shared.stream import message_at
from shared.walking import info_of, stored_of, unbroken
from shared.wire import Client

AT_ONCE = 2000
"""Of a service's own events, read from its database together."""


class Place(Struct, frozen=True, kw_only=True):
    """How far tables have come that are being made again.

    `sequence` and `event_id` are where the stream was read to; `positions` the newest of each service that was folded,
    and `own_id` the event of its own that is. They can be further than the stream was read.
    """

    stream_created: str
    sequence: int
    event_id: str
    positions: Mapping[str, int]
    own_id: str

    def reached(self, service: str) -> int:
        """The position of the newest event of that service that was folded, 0 if none was."""
        return self.positions.get(service, 0)


class Read(Struct, frozen=True, kw_only=True):
    """Events that were read one after another; to read them, so many of the log were `passed`, others' included.

    In the stream they end at `sequence`, with `event_id`; of what was read elsewhere, both say nothing.
    """

    events: Sequence[Recorded]
    passed: int
    sequence: int = 0
    event_id: str = ""


Stretch = AsyncGenerator[Read, None]


def passed_until(blueprint: Blueprint, place: Place) -> int:
    """How many events of the log have been read to come there: of the stream, or by who follows nobody of its own."""
    return place.sequence if blueprint.follows else place.reached(blueprint.name)


def folded_in(blueprint: Blueprint) -> frozenset[str]:
    """The services of whose events its tables are made."""
    return frozenset({blueprint.name, *blueprint.follows})


async def in_the_stream(blueprint: Blueprint, client: Client, place: Place, until: int) -> Stretch:
    """What the stream holds after this place, up to a sequence: of those whose events these tables are made of."""
    reached = place.sequence
    if reached >= until:
        return
    async for stored in stored_of(client, folded_in(blueprint), reached + 1, until):
        if stored:
            events, end = [decode(each.body) for each in stored], stored[-1].sequence
            yield Read(events=events, passed=end - reached, sequence=end, event_id=events[-1].id)
            reached = end
    # Whatever stands between the last of these events and there is none of ours.
    if reached < until and (last := await message_at(client, until)):
        event_id = envelope_of(last.data or b"").id
        yield Read(events=(), passed=until - reached, sequence=until, event_id=event_id)


async def behind(client: Client, place: Place, limits: Mapping[str, int]) -> Stretch:
    """What is not folded yet of others, each up to its limit, and stands in a stream made again behind this place."""
    info = await info_of(client)
    async for stored in unbroken(client, place.sequence + 1, info.state.last_seq):
        recorded = [decode(each.body) for each in stored]
        events = [
            each for each in recorded if place.reached(each.service) < each.position <= limits.get(each.service, 0)
        ]
        if events:
            yield Read(events=events, passed=len(events))


async def of_its_own(blueprint: Blueprint, engine: AsyncEngine, place: Place, head: int) -> Stretch:
    """The service's own events after this place, up to a position, as its database has them.

    Raises `Halted` if they end before.
    """
    position = place.reached(blueprint.name)
    while position < head:
        async with engine.connect() as connection:
            events = await read_after(connection, position, min(AT_ONCE, head - position))
        if not events:
            raise Halted(
                f"the database of {blueprint.name} has lost its events after {position}: nothing is built on it. "
                f"`daybook log restore {blueprint.name} --set-aside` makes another from the stream"
            )
        position = events[-1].position
        yield Read(events=events, passed=len(events))
