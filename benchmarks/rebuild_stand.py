"""A county's whole history, lived through once by `daybook demo` and kept; and the two servers started on it, alone."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import eventsourcing_log as peer
from benchmarks.report import Report
from benchmarks.stand import ROOT, migrated, processor_seconds_of, settings_of
from services.booking.app import BLUEPRINT as booking
from services.notifications.app import BLUEPRINT as notifications
from services.operator.broker import make_streams
from services.operator.child import Child, ChildPlan
from services.operator.databases import ensure_database
from services.operator.demo_home import REPORT
from services.operator.machine import Machine
from services.rebooking.app import BLUEPRINT as rebooking
from shared.broker import connect
from shared.clock import Clock
from shared.events.envelope import decode
from shared.refusals import Unavailable
from shared.service import Blueprint
from shared.walking import copied_of, info_of, stored_between
from shared.wire import Client

BLUEPRINTS: Mapping[str, Blueprint] = {each.name: each for each in (booking, rebooking, notifications)}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the commands are told of the servers; `peer` is the URL of the library's database, `pids` the servers'."""

    environment: Mapping[str, str] = field(repr=False)
    peer: str = field(repr=False)
    pids: Mapping[str, int]

    @property
    def peer_environment(self) -> Mapping[str, str]:
        return {**self.environment, peer.DATABASE_URL: self.peer}

    def processor_seconds(self) -> Mapping[str, float]:
        """What each server has used of the processors so far."""
        return {name: processor_seconds_of(pid) for name, pid in self.pids.items()}


def folded_by(service: str) -> Sequence[str]:
    """Whose events the tables of this service are made of."""
    return service, *BLUEPRINTS[service].follows


async def make_history(home: Path, appointments: int, report: Report) -> None:
    """All that the demo makes, its processes stopped again; done before, nothing is done."""
    if (home / REPORT).exists():
        return
    report.says(f"Living through the lost day of {appointments:,} appointments: `daybook demo`, once …")
    settings = settings_of(home, {})
    command = [sys.executable, "-m", "services.operator", "demo", "--appointments", str(appointments)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env=dict(settings.given), stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise Unavailable(f"the demo failed; its logs are in {settings.home.logs}", code="demo-failed")


@asynccontextmanager
async def standing(home: Path) -> AsyncIterator[Standing]:
    """PostgreSQL and NATS on what this home holds, or on nothing yet, until the block ends. No service runs."""
    settings = settings_of(home, {})
    async with AsyncExitStack() as stack:
        stack.enter_context(settings.home.locked())
        machine = Machine(settings, Clock())
        yield await started(machine, await asyncio.to_thread(machine.servers), stack)


async def started(machine: Machine, servers: Sequence[ChildPlan], stack: AsyncExitStack) -> Standing:
    """Have these servers up, with streams and migrated databases, until the stack is closed."""
    settings = machine.settings
    children = {plan.name: Child(plan, settings.home.logs, complain) for plan in servers}
    for child in children.values():
        await child.start()
        stack.push_async_callback(child.stop)
    await make_streams(settings)
    for service, blueprint in BLUEPRINTS.items():
        await ensure_database(settings, service)
        await migrated(settings.database_url(service), blueprint)
    await ensure_database(settings, "peer")
    pids = {name: child.pid or 0 for name, child in children.items()}
    return Standing(machine.environment(), settings.database_url("peer"), pids)


async def fill_peer(here: Standing, report: Report) -> Sequence[str]:
    """The same events into the library's logs, in both of its ways, unless they are there; what is wrong with them."""
    client = await connect(here.environment["OPERATOR_NATS_URL"], "operator")
    try:
        return [fault for way in peer.WAYS for fault in await _fill(here, client, way, report)]
    finally:
        await client.close()


async def _fill(here: Standing, client: Client, way: str, report: Report) -> Sequence[str]:
    with peer.logs(here.peer, way) as logs:
        recorded = {service: await copied_of(service, client) for service in logs}
        if recorded == {service: log.length for service, log in logs.items()}:
            return ()
        report.says(f"Writing the same events with the `eventsourcing` library ({way}) …")
        for log in logs.values():
            log.clear()
        ours = {service: peer.Ids() for service in logs}
        async for batch in stored_between(client, 1, (await info_of(client)).state.last_seq):
            events = [decode(stored.body) for stored in batch]
            for service, log in logs.items():
                theirs = [each for each in events if each.service == service]
                # In a thread, or the broker would think that nobody is there any more.
                await asyncio.to_thread(log.write, theirs)
                ours[service].add(each.id for each in theirs)
        return [
            f"the library's log of {service} ({way}) does not hold the events of the stream"
            for service, log in logs.items()
            if log.ids() != ours[service].digest()
        ]


def complain(what: str) -> None:
    """What a server has to say unasked."""
    print(what, file=sys.stderr)  # noqa: T201
