"""The stand on which both apps are measured: one PostgreSQL, one NATS server, Daybook's booking and the peer.

Each is a process of its own, started as `daybook up` starts them and with its settings: PostgreSQL syncs every commit,
and NATS every write.
"""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from benchmarks.load import Outcome, Plan
from services.booking.app import BLUEPRINT as booking
from services.operator.broker import make_streams
from services.operator.child import Child, ChildPlan
from services.operator.databases import ensure_database
from services.operator.embedded import HOST
from services.operator.issuing import Holder, issuer_of
from services.operator.machine import Machine
from services.operator.settings import OperatorSettings, operator_settings
from services.operator.waiting import wait_for_http
from shared.access import scope_words
from shared.clock import Clock
from shared.database import open_engine
from shared.migrate import migrate
from shared.refusals import Conflict, Unavailable
from shared.service import Blueprint
from shared.settings import PORTS

ROOT = Path(__file__).parents[1]
PEER_PORT = 5
"""Counted from the port base, like `shared.settings.PORTS`."""

_CALLER = Holder(
    client="benchmark",
    scope=f"{scope_words(['Slot', 'Schedule'], 'rs')} {scope_words(['Appointment'], 'cruds')}",
    organisation="OOH01",
    organisation_type="urgent-care",
)
"""Somebody else's system, who sees and books what is open to it: that is more to find out than what is one's own."""

_NO_LIMIT = {"BOOKING_REQUESTS_PER_SECOND": "1000000", "BOOKING_REQUESTS_BURST": "1000000"}
"""One client makes the whole county's load here, so what one client may do in a second must not be what is measured."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long to measure, with how many clients, on how many slots. Times are in seconds."""

    rounds: int = 5
    seconds: float = 6.0
    warm_up: float = 2.0
    clients: int = 64
    slots: int = 150_000
    displaced: int = 34_000
    """How many appointments are lost, and to be recovered."""


QUICK = Length(rounds=1, seconds=0.8, warm_up=0.4, clients=4, slots=2_000, displaced=200)
"""Only to see that it works: its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class App:
    """One of the two, as it runs."""

    name: str
    port: int
    process: Child
    database_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stand:
    """What runs, and how to reach it."""

    settings: OperatorSettings
    daybook: App
    peer: App
    servers: Mapping[str, Child]

    def token(self) -> str:
        """The caller's token, good for a day; both apps take it."""
        return issuer_of(self.settings.home, self.settings.given).issue(_CALLER, Clock().now(), timedelta(days=1))

    def processor_seconds(self) -> dict[str, float]:
        """What each process, with its children, has used of the processors so far (Linux)."""
        children = {**self.servers, "booking": self.daybook.process, "peer": self.peer.process}
        return {name: processor_seconds_of(child.pid or 0) for name, child in children.items()}

    async def tidy(self) -> None:
        """Statistics and visibility as in a database that has been at work for a while, and nothing left to write."""
        for app in (self.daybook, self.peer):
            async with connected(app) as connection:
                await connection.execute("VACUUM ANALYZE")
        async with connected(self.peer) as connection:
            await connection.execute("CHECKPOINT")


@asynccontextmanager
async def connected(app: App) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the app's database."""
    connection = await asyncpg.connect(app.database_url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def standing(home: Path) -> AsyncIterator[Stand]:
    """The stand, its databases migrated and empty, until the block ends."""
    settings = settings_of(home, _NO_LIMIT)
    machine = Machine(settings, Clock())
    async with AsyncExitStack() as stack:

        async def started(plans: Sequence[ChildPlan]) -> dict[str, Child]:
            children = {plan.name: Child(plan, settings.home.logs, _complain) for plan in plans}
            for child in children.values():
                await child.start()
                stack.push_async_callback(child.stop)
            return children

        settings.home.logs.mkdir(parents=True, exist_ok=True)
        servers = await started(await asyncio.to_thread(machine.servers))
        await make_streams(settings)
        for name in ("booking", "peer"):
            await ensure_database(settings, name)
        await migrated(settings.database_url("booking"), booking)
        plans = [plan for plan in machine.programs() if plan.name == "booking"]
        apps = await started([*plans, _peer(settings, machine)])
        yield Stand(
            settings,
            App("Daybook", settings.port_base + PORTS["booking"], apps["booking"], settings.database_url("booking")),
            App("peer", settings.port_base + PEER_PORT, apps["peer"], settings.database_url("peer")),
            servers,
        )


async def migrated(url: str, blueprint: Blueprint) -> None:
    """The service's database has the shape that this version needs."""
    engine = open_engine(url)
    try:
        await migrate(engine, blueprint.migrations)
    finally:
        await engine.dispose()


async def load(app: App, plan: Plan) -> Outcome:
    """Have the plan carried out by a process of its own, whose outcome this is."""
    command, sent = [sys.executable, "-m", "benchmarks.load"], msgspec.msgpack.encode(plan)
    # In a thread: on Python 3.11 the pipes of asyncio's own subprocesses can lose the end of a long answer.
    done = await asyncio.to_thread(subprocess.run, command, input=sent, stdout=subprocess.PIPE, cwd=ROOT, check=False)
    if done.returncode:
        raise Unavailable(f"the load on {app.name} failed; see above", code="load-failed")
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


def on_two_cores() -> None:
    """Keep this process, and all it starts, on two of the machine's cores (Linux)."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def settings_of(home: Path, more: Mapping[str, str]) -> OperatorSettings:
    """Nothing of the caller's own Daybook is used: neither its home nor its servers."""
    ours = ("DAYBOOK_", "BOOKING_", "REBOOKING_", "NOTIFICATIONS_", "OPERATOR_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    while True:
        base = random.randrange(10_000, 32_000, 50)
        given = {"DAYBOOK_HOME": str(home), "DAYBOOK_PORT_BASE": str(base), "PYTHONPATH": str(ROOT), **more}
        settings = operator_settings(environment | given)
        try:
            Machine(settings, Clock()).refuse_ports_in_use()
        except Conflict:
            continue
        return settings


def _peer(settings: OperatorSettings, machine: Machine) -> ChildPlan:
    port = settings.port_base + PEER_PORT
    address = f"http://{HOST}:{port}"

    def environment() -> Mapping[str, str]:
        ours = machine.environment()
        url = settings.database_url("peer").replace("postgresql://", "postgresql+asyncpg://")
        return ours | {"PEER_DATABASE_URL": url, "PEER_PORT": str(port), "PEER_TOKEN_KEYS": ours["DAYBOOK_TOKEN_KEYS"]}

    async def ready(within: float) -> None:
        await wait_for_http(f"{address}/livez", within=within)

    command = [sys.executable, "-m", "benchmarks.peers.crud"]
    return ChildPlan("peer", address, command, environment, ready)


def _complain(what: str) -> None:
    print(what, file=sys.stderr)  # noqa: T201


def processor_seconds_of(pid: int) -> float:
    """What the process, with its children, has used of the processors so far (Linux)."""
    ticks = os.sysconf("SC_CLK_TCK")
    return sum(_ticks(each) for each in (pid, *_children(pid))) / ticks


def _children(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, path.read_text().split())


def _ticks(pid: int) -> int:
    """The user's and the system's time, and that of children which have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15]))
