"""A service in parts and at work: what it is made of, and what it holds while it runs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import MetaData, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.broker import Broker
from shared.clock import Clock, clock_starting_at
from shared.database import open_engine
from shared.decider import Decider
from shared.events.base import Event
from shared.events.envelope import Recorded
from shared.events.parking import OF_EACH_ITSELF
from shared.execute import Executor
from shared.follow import Follow
from shared.migrate import require_migrated
from shared.parking import and_parked, with_parking
from shared.project import Change, Projection
from shared.relay import Relay
from shared.seal import Keys
from shared.settings import ServiceSettings
from shared.taking import Reaction, Taking

_log = structlog.get_logger(__name__)

FIRST_LOOK = 3.0
"""Seconds a starting service waits for the broker, to learn whether the copies of its log agree before it answers."""

__all__ = ["Blueprint", "React", "Reaction", "Running", "open_service"]

React = Callable[["Running", AsyncConnection, Sequence[Recorded]], Awaitable[Sequence[Reaction]]]
"""What a service does about events, in the transaction that folded them: it may read its tables and unseal, and
returns commands. They must never be refused (the decider answers with an event), and repeating them must do nothing."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What a service is made of.

    `project` folds its own events; `follows` names the services it follows, each with the fold of their events;
    `wants` are the event types `react` is called with, its own included if listed.
    """

    name: str
    metadata: MetaData
    migrations: Path
    decider: Decider[Any, Any, Any]
    project: Projection
    follows: Mapping[str, Projection]
    react: React
    wants: frozenset[type[Event]]

    @property
    def tables(self) -> Sequence[Table]:
        """Its tables, without the log's own."""
        return self.metadata.sorted_tables

    @property
    def sources(self) -> frozenset[str]:
        """The services whose events it takes from the stream, to fold them or to react to them."""
        return frozenset({*self.follows, *(event.service for event in self.wants)})

    def changes(
        self, batch: Iterable[Recorded], limits: Mapping[str, int], left_out: Collection[str] = ()
    ) -> Iterable[Change]:
        """What these events change in its tables, up to and including the limit of each service.

        `left_out` are ids of others' events that were never folded here, since they wait or were skipped.
        """
        folds = {**self.follows, self.name: self.project}
        for recorded in batch:
            if type(recorded.event) in OF_EACH_ITSELF or (recorded.id in left_out and recorded.service != self.name):
                continue
            if recorded.service in folds and recorded.position <= limits.get(recorded.service, 0):
                yield from folds[recorded.service](recorded)


@dataclass(frozen=True, slots=True)
class Running:
    """A service at work, and what its edges need."""

    blueprint: Blueprint
    settings: ServiceSettings
    engine: AsyncEngine
    clock: Clock
    keys: Keys
    broker: Broker
    executor: Executor[Any, Any, Any]
    relay: Relay
    follow: Follow


@asynccontextmanager
async def open_service(
    blueprint: Blueprint,
    settings: ServiceSettings,
    *,
    background: Sequence[Callable[[Running], Awaitable[None]]] = (),
) -> AsyncIterator[Running]:
    """The service with its relay, its follower and its background work going, until the block ends.

    Raises `Refusal` if its database has not been migrated.
    """
    async with AsyncExitStack() as stack:
        engine = open_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        await require_migrated(engine, blueprint.name, blueprint.migrations)
        running = _assemble(blueprint, settings, engine)
        work = [running.broker.run(), running.relay.run(), running.follow.run(), *(job(running) for job in background)]
        stack.push_async_callback(_end, [_begin(job, running.relay) for job in work])
        await _look_first(running)
        yield running


def _assemble(blueprint: Blueprint, settings: ServiceSettings, engine: AsyncEngine) -> Running:
    clock = clock_starting_at(settings.start_instant())
    broker = Broker(settings.nats_url, blueprint.name)
    relay = Relay(service=blueprint.name, database_url=settings.database_url, broker=broker)
    executor: Executor[Any, Any, Any] = Executor(
        service=blueprint.name,
        engine=engine,
        decider=with_parking(blueprint.decider),
        project=and_parked(blueprint.project),
        clock=clock,
        copies=relay,
        relay_wait=settings.relay_wait,
    )

    async def react(connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
        return await blueprint.react(running, connection, events)

    follow = Follow(
        service=blueprint.name,
        engine=engine,
        broker=broker,
        relay=relay,
        taking=Taking(executor, blueprint.follows, blueprint.wants, react),
    )
    keys = Keys(settings.master_key.get_secret_value(), engine, broker)
    running = Running(blueprint, settings, engine, clock, keys, broker, executor, relay, follow)
    return running


async def _look_first(running: Running) -> None:
    """An empty or older database must not be written to; without a broker nobody can know, and booking goes on."""
    try:
        async with asyncio.timeout(FIRST_LOOK):
            await running.relay.looked.wait()
    except TimeoutError:
        return


def _begin(job: Awaitable[None], relay: Relay) -> "asyncio.Future[None]":
    """Work that goes on until the service ends. Should a fault end it before, the service halts, and says why."""

    def ended(work: "asyncio.Future[None]") -> None:
        if not work.cancelled() and (fault := work.exception()) is not None:
            _log.critical("background work ended", exc_info=fault)
            relay.halted = f"work that must go on has ended: {fault}"
            relay.looked.set()

    work = asyncio.ensure_future(job)
    work.add_done_callback(ended)
    return work


async def _end(work: Sequence["asyncio.Future[None]"]) -> None:
    """In reverse order, so that nobody is left who still needs the broker when its connection closes.

    Asked again until it ends: before Python 3.12 `asyncio.wait_for`, which the NATS client uses, can lose a
    cancellation that arrives together with the answer it waits for.
    """
    for job in reversed(work):
        while not job.done():
            job.cancel()
            await asyncio.wait([job], timeout=0.5)
