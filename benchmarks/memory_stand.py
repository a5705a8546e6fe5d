"""A stream of millions of events of booking, and the two servers that keep it; made quickly: none is worth a sync."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import asyncpg

from benchmarks.long_history import history
from benchmarks.one_core import most_memory_of
from benchmarks.rebuild_stand import Standing, complain, started
from benchmarks.stand import settings_of
from services.operator.child import Child, ChildPlan
from services.operator.embedded import NATS_CONFIGURATION
from services.operator.machine import Machine
from shared.broker import connect
from shared.clock import Clock
from shared.events.envelope import Recorded
from shared.stream import Message, publish

FOLLOWER = "rebooking"
"""Follows booking, and changes its own rows with almost every event."""
AT_ONCE = 1000
LOOK_EVERY = 0.5

_SYNCED, _UNSYNCED = "sync_interval: always", 'sync_interval: "5m"'


@dataclass(slots=True)
class LongRun:
    """The servers, and the history so far. It only grows."""

    here: Standing
    machine: Machine
    events: int = 0
    _history: Iterator[Recorded] = field(default_factory=history)

    async def reach(self, events: int) -> None:
        """Let the stream hold so many events."""
        client = await connect(self.machine.settings.broker_url("booking"), "booking")
        try:
            while batch := list(islice(self._history, min(AT_ONCE, events - self.events))):
                await publish(client, [Message(each.subject, each.id, each.body) for each in batch])
                self.events += len(batch)
        finally:
            await client.close()

    async def follow(self) -> int:
        """Let the service follow to the end of it; the most memory that it ever had."""
        plan = next(plan for plan in self.machine.programs() if plan.name == FOLLOWER)
        service = Child(plan, self.machine.settings.home.logs, complain)
        await service.start()
        try:
            return await self._watch(service)
        finally:
            await service.stop()

    async def _watch(self, service: Child) -> int:
        database = await asyncpg.connect(self.machine.settings.database_url(FOLLOWER))
        most = 0
        try:
            while await database.fetchval(_FOLLOWED) < self.events:
                most = max(most, most_memory_of(service.pid or 0))
                await asyncio.sleep(LOOK_EVERY)
        finally:
            await database.close()
        return most


_FOLLOWED = "SELECT coalesce((followed ->> 'booking')::bigint, 0) FROM checkpoint"


@asynccontextmanager
async def long_run(home: Path) -> AsyncIterator[LongRun]:
    """Both servers at work on nothing yet, until the block ends."""
    machine = Machine(settings_of(home, {}), Clock())
    async with AsyncExitStack() as stack:
        stack.enter_context(machine.settings.home.locked())
        servers = [_without_syncs(home, plan) for plan in await asyncio.to_thread(machine.servers)]
        yield LongRun(await started(machine, servers, stack), machine)


def _without_syncs(home: Path, plan: ChildPlan) -> ChildPlan:
    if plan.name != "nats":
        return plan
    configuration = home / "nats.conf"
    configuration.write_text(NATS_CONFIGURATION.read_text().replace(_SYNCED, _UNSYNCED))
    return replace(plan, command=[each.replace(str(NATS_CONFIGURATION), str(configuration)) for each in plan.command])
