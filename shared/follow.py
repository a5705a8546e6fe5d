"""Follows the stream: folds what other services recorded, and reacts to it, each event once and in order.

The rows, the reactions' own events and the checkpoint commit together. A repeat is dropped; a gap stops the follower.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.broker import Broker
from shared.checkpoint import Checkpoint, name_sources, read_checkpoint, require_same_stream, save_checkpoint
from shared.consequences import Consequences
from shared.events.envelope import (
    SERVICES,
    Envelope,
    Recorded,
    UnreadableEvent,
    envelope_of,
    opened,
    positions_to_text,
    types_of,
)
from shared.log import lock_head
from shared.poison import SEARCH_AGAIN_AFTER, Apart, TooManyWait, is_poison, parked_keys, place_of, reason_of
from shared.reading import Stored, reading
from shared.relay import PASSING, RETRY_AFTER, Halted, Relay
from shared.seal import MasterKeyChanged
from shared.stream import STREAM
from shared.taking import Taking
from shared.wire import Client

FOLDED_TOGETHER, RECORDED_TOGETHER = 2000, 800
"""Events folded in one transaction, and events that are expected to come of them: enough to be fast, and to fill one
batch of the relay; few enough not to hold up a booking for long."""

LASTING = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError, asyncpg.SyntaxOrAccessError)
"""What the engine says of statements, not of itself: the same rows would be refused again."""

RETRY_AFTER_HALT = 2.0
"""Somebody may have mended it meanwhile."""

_log = structlog.get_logger(__name__)


class _SomeWait(Exception):
    """Another process of this service has parked events meanwhile."""


class _Arrived(NamedTuple):
    """An event in its place in the stream. `recorded` is there if it concerns us."""

    sequence: int
    envelope: Envelope
    recorded: Recorded | None


class Follow:
    """The follower of one service. `followed` is the newest position folded, per service."""

    def __init__(
        self,
        *,
        service: str,
        engine: AsyncEngine,
        broker: Broker,
        relay: Relay,
        taking: Taking,
    ) -> None:
        self._service = service
        self._engine = engine
        self._broker = broker
        self._relay = relay
        self._wanted = frozenset(kind for event in taking.wants for kind in types_of(event))
        self._sources = {*taking.follows, *(event.service for event in taking.wants)}
        self.taking = taking
        self._parked = False
        """Whether events of some streams wait, as far as this follower has seen."""
        self._search_from = 0.0
        """Before then, events that cannot be folded are not looked for."""
        self._created = ""
        self.followed: Mapping[str, int] = dict.fromkeys(self._sources, 0)
        self.sequence = 0
        self.halted = ""
        self._alarmed = ""
        self._consequences = Consequences()

    async def run(self) -> None:
        """Follow until cancelled, through every outage of either engine."""
        while self._sources:
            try:
                await self._session()
            except Exception as fault:
                await asyncio.sleep(self._pause_after(fault))

    def _pause_after(self, fault: Exception) -> float:
        """Seconds until the next session. A fault that will not pass by itself halts the service, with an alarm."""
        if isinstance(fault, PASSING) and not isinstance(fault, LASTING):
            _log.info("follower waits", service=self._service, fault=type(fault).__name__)
            return RETRY_AFTER
        known = isinstance(fault, (Halted, UnreadableEvent, MasterKeyChanged))
        self.halted = str(fault) if known else f"an event could not be folded ({type(fault).__name__}): see the log"
        if self.halted != self._alarmed:
            _log.error("follower halted", service=self._service, reason=self.halted, exc_info=None if known else fault)
        self._alarmed = self.halted
        return RETRY_AFTER_HALT

    async def _session(self) -> None:
        async with self._engine.connect() as connection:
            self.followed = {**self.followed, **(await read_checkpoint(connection)).followed}
        client = await self._broker.client()
        await self._relay.agreed.wait()
        place = await self._place(client)
        self.followed, self.sequence, self.halted = place.followed, place.sequence, ""
        # Whoever follows all takes all: matching each message against several filters is most of the broker's work.
        subjects = [f"daybook.{source}.>" for source in sorted(self._sources)] if self._sources < SERVICES else ()
        async with reading(client, place.sequence + 1, subjects=subjects) as batches:
            async for batch in batches:
                for together in self._in_transactions(batch):
                    await self._take(together)

    async def _place(self, client: Client) -> Checkpoint:
        """Where to go on, once the stream is known to be the one that was followed so far."""
        async with self._engine.begin() as connection:
            await name_sources(connection, self._sources)
            place = await read_checkpoint(connection)
            self._parked = bool(await parked_keys(connection))
        info = await client.jetstream().stream_info(STREAM)
        self._created = str(info.created)
        await require_same_stream(client, place, self._created, info.state.last_seq)
        return place

    def _in_transactions(self, batch: Sequence[Stored]) -> Iterator[list[_Arrived]]:
        """The events, opened before anybody has to wait for us, in parts for one transaction each."""
        together: list[_Arrived] = []
        expected = 0.0
        for stored in batch:
            arrived = self._opened(stored)
            together.append(arrived)
            if arrived.envelope.type in self._wanted:
                expected += self._consequences.expected(arrived.envelope.type)
            if len(together) == FOLDED_TOGETHER or expected >= RECORDED_TOGETHER:
                yield together
                together, expected = [], 0.0
        if together:
            yield together

    async def _take(self, arrived: Sequence[_Arrived]) -> None:
        """In one transaction. What cannot be folded is found and parked in a second one, which takes the rest."""
        if not self._parked:
            try:
                return await self._take_together(arrived)
            except _SomeWait:
                _log.info("events wait that another process has parked", service=self._service)
            except Exception as fault:
                if not is_poison(fault):
                    raise
                # Not the fault itself, whose text may quote a row.
                why, where = reason_of(fault), place_of(fault)
                _log.error("an event could not be folded", service=self._service, reason=why, where=where)
        return await self._take_apart(arrived)

    async def _take_together(self, arrived: Sequence[_Arrived]) -> None:
        async with self._engine.begin() as connection:
            head = await lock_head(connection)
            fresh, before, followed = self._fresh(arrived, head.followed)
            taken = await self.taking.take(connection, head, fresh, before)
            if await self._save(connection, arrived[-1], followed):
                raise _SomeWait
        taken.remember()
        self._consequences.learn(taken.wanted, taken.recorded)
        self.followed, self.sequence = followed, arrived[-1].sequence

    async def _take_apart(self, arrived: Sequence[_Arrived]) -> None:
        async with self._engine.begin() as connection:
            head = await lock_head(connection)
            fresh, before, followed = self._fresh(arrived, head.followed, each_place=True)
            keys = await parked_keys(connection)
            sequences = {each.envelope.id: each.sequence for each in arrived}
            search = asyncio.get_running_loop().time() >= self._search_from
            apart = Apart(self._service, connection, self.taking, head, keys, before, sequences, search)
            await self._search(apart, fresh)
            await self._save(connection, arrived[-1], followed)
        for taken in apart.taken:
            taken.remember()
        self._consequences.learn(*apart.came_of())
        self._parked = bool(apart.keys)
        self.followed, self.sequence = followed, arrived[-1].sequence

    async def _search(self, apart: Apart, fresh: Sequence[Recorded]) -> None:
        try:
            await apart.take(fresh)
        except TooManyWait:
            if apart.search:
                self._search_from = asyncio.get_running_loop().time() + SEARCH_AGAIN_AFTER
            raise

    async def _save(self, connection: AsyncConnection, last: _Arrived, followed: Mapping[str, int]) -> bool:
        return await save_checkpoint(connection, Checkpoint(self._created, last.sequence, last.envelope.id, followed))

    def _opened(self, stored: Stored) -> _Arrived:
        """What we neither fold nor react to stays closed: all that counts is that it comes in its turn."""
        envelope = envelope_of(stored.body)
        ours = envelope.service in self.taking.follows or envelope.type in self._wanted
        return _Arrived(stored.sequence, envelope, opened(envelope, stored.body) if ours else None)

    def _fresh(
        self, arrived: Sequence[_Arrived], followed: Mapping[str, int], *, each_place: bool = False
    ) -> tuple[list[Recorded], dict[str, str], dict[str, int]]:
        """The events not seen before; the positions before each wanted one, or each; and those after them all."""
        fresh: list[Recorded] = []
        before: dict[str, str] = {}
        positions = dict.fromkeys(self._sources, 0) | dict(followed)
        for each in arrived:
            if not is_next(each.envelope, each.sequence, positions):
                continue
            if each.recorded is not None:
                fresh.append(each.recorded)
                if each_place or each.envelope.type in self._wanted:
                    before[each.envelope.id] = positions_to_text(positions)
            positions[each.envelope.service] = each.envelope.position
        return fresh, before, positions


def is_next(envelope: Envelope, sequence: int, positions: Mapping[str, int]) -> bool:
    """Whether this event follows on; False for a repeat. Raises `Halted` if one is missing between."""
    service, position = envelope.service, envelope.position
    last = positions.get(service, 0)
    if position > last + 1:
        raise Halted(
            f"events {last + 1} to {position - 1} of {service} are missing from the stream before sequence {sequence}: "
            "the stream has lost events. `daybook log verify` compares both copies"
        )
    return position == last + 1
