"""A county after its lost day, set up once and copied for each round, and all of Daybook running on the copy."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.lost_day import CAME_BACK, MONDAY, WENT_DOWN, LostDay
from benchmarks.report import Report
from benchmarks.stand import processor_seconds_of, settings_of
from services.booking.app import BLUEPRINT as booking
from services.notifications.app import BLUEPRINT as notifications
from services.operator.asking import ask
from services.operator.county import practices_csv
from services.operator.imports import CSV
from services.operator.settings import SERVICES
from services.operator.supervisor import Supervisor
from services.rebooking.app import BLUEPRINT as rebooking

MEASURED = (*SERVICES, "postgres", "nats")
LOOK_EVERY = 0.05

_SET_UP = "set-up"
_AT_ONCE = 3


_SOURCES = {each.name: each.sources for each in (booking, rebooking, notifications)}


@dataclass(frozen=True, slots=True)
class Running:
    """All of Daybook at work, with a connection to each service's database to look at."""

    supervisor: Supervisor
    databases: Mapping[str, "asyncpg.Connection[asyncpg.Record]"]

    async def ask(self, service: str, method: str, path: str, **what: Any) -> Any:
        """What the service answers."""
        return await asyncio.to_thread(ask, self.supervisor.settings, service, method, path, **what)

    async def recorded(self, service: str) -> int:
        """How many events the service has recorded."""
        return int(await self.databases[service].fetchval("SELECT position FROM log_head"))

    async def followed(self, service: str, source: str) -> int:
        """How many events of the source this service has folded and answered."""
        found = await self.databases[service].fetchval("SELECT followed ->> $1 FROM checkpoint", source)
        return int(found or 0)

    async def reached(self, service: str, source: str, position: int) -> None:
        """Return once the service has folded and answered the source's events up to this position."""
        while await self.followed(service, source) < position:  # noqa: ASYNC110 (it is another process that follows)
            await asyncio.sleep(LOOK_EVERY)

    async def at_rest(self) -> None:
        """Return once every service has taken all that it follows, and nothing has come meanwhile."""
        before: dict[str, int] = {}
        while before != (now := {service: await self.recorded(service) for service in SERVICES}):
            before = now
            for service, sources in _SOURCES.items():
                for source in sources:
                    await self.reached(service, source, before[source])

    def processor_seconds(self) -> dict[str, float]:
        """What each process has used of the processors so far."""
        children = {child.name: child.pid or 0 for child in self.supervisor.children()}
        return {name: processor_seconds_of(children[name]) for name in MEASURED}


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[Running]:
    """Daybook at work in this home, on the Monday after, until the block ends."""
    async with AsyncExitStack() as stack:
        supervisor = await stack.enter_async_context(
            Supervisor(settings_of(home, {"DAYBOOK_NOW": MONDAY, "DAYBOOK_CONTINUITY_AT": "never"}), _complain)
        )
        databases = {}
        for service in SERVICES:
            databases[service] = await asyncpg.connect(supervisor.settings.database_url(service))
            stack.push_async_callback(databases[service].close)
        yield Running(supervisor, databases)


async def set_up(home: Path, day: LostDay, report: Report) -> None:
    """Diaries imported, outage over, everyone displaced, and everything stopped again; done before, nothing is done."""
    if (home / _SET_UP).exists():
        return
    async with running(home) as here:
        report.says(f"Importing the diaries of {len(day.practices)} practices …")
        await here.ask("booking", "POST", "/v1/practices", content=practices_csv(day.practices), headers=CSV)
        await _import(here, day.diaries())
        await here.at_rest()
        report.says("Losing the day …")
        await _lose(here)
        await here.at_rest()
        for database in here.databases.values():
            await _tidy(database)
    (home / _SET_UP).touch()


async def _import(here: Running, diaries: Iterator[str]) -> None:
    async def desk() -> None:
        for diary in diaries:
            await here.ask("booking", "POST", "/v1/diary", content=diary.encode(), headers=CSV)

    await asyncio.gather(*(desk() for _ in range(_AT_ONCE)))


async def _lose(here: Running) -> None:
    outage = {"name": "The lost day", "practices": "all", "started_at": WENT_DOWN, "ended_at": CAME_BACK}
    declared = await here.ask("rebooking", "POST", "/v1/outages", json=outage)
    await here.ask(
        "rebooking",
        "POST",
        f"/v1/outages/{declared['outage']}/reconciliation",
        content=b"practice,start,nhs_number,outcome\n",
        headers=CSV,
        params={"rest": "displaced"},
    )


async def _tidy(database: "asyncpg.Connection[asyncpg.Record]") -> None:
    """What autovacuum does within a minute, where there is anything to do: a table still empty it leaves alone."""
    filled = await database.fetch("SELECT relname FROM pg_stat_user_tables WHERE n_live_tup > 0")
    for row in filled:
        await database.execute(f'VACUUM ANALYZE "{row["relname"]}"')


def copied(home: Path, to: Path) -> Path:
    """The same county once more, with the owners of its files: PostgreSQL minds them.

    Written out to the disk here, since else the system does so half a minute later, and every commit waits for it.
    """
    subprocess.run(["cp", "-a", str(home), str(to)], check=True)
    os.sync()
    return to


def _complain(what: str) -> None:
    print(what, file=sys.stderr)  # noqa: T201
