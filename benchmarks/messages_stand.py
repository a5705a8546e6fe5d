"""Notifications and the sandbox with messages that wait to be sent: planned first, and then both started."""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from benchmarks.stand import settings_of
from services.notifications.app import BLUEPRINT, Settings
from services.notifications.commands import PlanMessage, Subject
from services.notifications.wording import Text
from services.operator.broker import make_streams
from services.operator.child import Child, ChildPlan
from services.operator.databases import ensure_database
from services.operator.machine import Machine
from services.operator.settings import OperatorSettings
from shared.clock import clock_starting_at
from shared.events.notifications import MessageKind
from shared.service import Running, open_service

MORNING = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
"""All lanes are open."""

KINDS: Sequence[MessageKind] = ("moved",) * 8 + ("reminder-1", "reminder-3")
_TOGETHER = 500
_WORDS = "Harbour Surgery: Sam, your appointment is now Tue 23 July 9:10am. Reply 1 keep, 2 another time, 3 cancel"


@dataclass(frozen=True, slots=True)
class Sending:
    """Both at work. `sandbox` is its address, `database` that of notifications."""

    sandbox: str
    database: "asyncpg.Connection[asyncpg.Record]"

    async def figures(self) -> Mapping[str, Any]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.sandbox}/sandbox/figures") as answer:
            found: Mapping[str, Any] = await answer.json()
            return found


@asynccontextmanager
async def sending(
    home: Path, messages: int, notifications: Mapping[str, str], knobs: Mapping[str, float]
) -> AsyncIterator[Sending]:
    """So many messages wait; then the sandbox is started and its knobs are turned, and then the sender starts."""
    settings = settings_of(
        home, {"DAYBOOK_NOW": MORNING.isoformat(), "NOTIFICATIONS_REMINDERS": "false", **notifications}
    )
    machine = Machine(settings, clock_starting_at(MORNING))
    settings.home.logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:

        async def start(plan: ChildPlan) -> None:
            child = Child(plan, settings.home.logs, _complain)
            await child.start()
            stack.push_async_callback(child.stop)

        for plan in machine.servers():
            await start(plan)
        await make_streams(settings)
        await ensure_database(settings, "notifications")
        await machine.run("notifications", "migrate")
        await _plan(settings, machine, messages)
        programs = {plan.name: plan for plan in machine.programs()}
        await start(programs["sandbox"])
        await _turn(programs["sandbox"].address, knobs)
        await start(programs["notifications"])
        database = await asyncpg.connect(settings.database_url("notifications"))
        stack.push_async_callback(database.close)
        yield Sending(programs["sandbox"].address, database)


async def _turn(sandbox: str, knobs: Mapping[str, float]) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{sandbox}/sandbox/knobs", json=dict(knobs)) as done:
        done.raise_for_status()


async def _plan(settings: OperatorSettings, machine: Machine, messages: int) -> None:
    given = Settings.from_environment(machine.environment())
    async with open_service(BLUEPRINT, given) as running:
        start = running.clock.now() + timedelta(days=3)
        await _book(settings, messages, start)
        for first in range(0, messages, _TOGETHER):
            numbers = range(first, min(first + _TOGETHER, messages))
            await running.executor.execute_together(await _plans(running, numbers, start))


async def _book(settings: OperatorSettings, messages: int, start: datetime) -> None:
    """As if booking had told of so many appointments."""
    columns = ("id", "practice", "patient", "sealed", "start", "status", "home", "move", "outage", "booked_at")
    rows = [(f"a-{n}", "P1", f"p-{n}", "", start, "booked", "", "", "", start) for n in range(messages)]
    connection = await asyncpg.connect(settings.database_url("notifications"))
    try:
        await connection.copy_records_to_table("appointments", records=rows, columns=columns)
    finally:
        await connection.close()


async def _plans(running: Running, numbers: Sequence[int], start: datetime) -> list[PlanMessage]:
    keys = await running.keys.ensure({f"p-{number}" for number in numbers})
    return [
        PlanMessage(
            message=f"m-{number}",
            about=Subject("P1", f"p-{number}", f"a-{number}", "", ""),
            kind=KINDS[number % len(KINDS)],
            number=f"n-{number}",
            sealed=keys[f"p-{number}"].seal(Text(f"+4476980{number:05}", _WORDS)),
            segments=1,
            appointment_start=start,
        )
        for number in numbers
    ]


def _complain(what: str) -> None:
    print(what, file=sys.stderr)  # noqa: T201
