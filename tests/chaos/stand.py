"""A small county on one machine, with the broker behind a proxy and on a disk of its own, ready to be hurt."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.operator import control
from services.operator.control import ChildView
from services.operator.home import Home
from services.operator.machine import Machine
from services.operator.settings import HOST, NATS_PORT, SERVICES
from shared.clock import clock_starting_at
from shared.refusals import Unavailable
from tests.chaos.crossing import Crossing, crossing
from tests.chaos.disk import Disk, disk_at
from tests.chaos.schedule import TARGETS
from tests.journeys.running import Daybook, daybook_up, free_port_base, is_alive

CROSSING_PORT = 45
"""Counted from the port base; nothing else of the machine is so far from it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What a run is about."""

    daybook: Daybook
    way: Crossing
    disk: Disk

    async def children(self) -> Mapping[str, ChildView]:
        """Every process as the supervisor knows it."""
        return {child.name: child for child in await self._control("show")}

    async def pid(self, name: str) -> int | None:
        """Its process, if it lives."""
        return (await self.children())[name].pid

    async def stop(self, name: str) -> None:
        await self._control("stop", name)

    async def start(self, name: str) -> None:
        """Raises `Unavailable` if it cannot be started now."""
        await self._control("start", name)

    async def signal(self, name: str, number: signal.Signals) -> None:
        """To the process and all that it has started itself: PostgreSQL has one for each connection."""
        pid = await self.pid(name)
        for each in (pid, *children_of(pid)) if pid else ():
            if is_alive(each):
                os.kill(each, number)

    async def rebuilding(self, service: str) -> asyncio.subprocess.Process:
        """The service's own command that makes its tables again, just begun."""
        machine = Machine(self.daybook.settings, clock_starting_at(self.daybook.settings.now))
        return await asyncio.create_subprocess_exec(
            *machine.command(service, "rebuild"),
            env=await asyncio.to_thread(machine.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def heal(self) -> None:
        """Nothing is wrong any more, and everything runs."""
        self.way.cut_off(None)
        for target in TARGETS:
            await self.signal(target, signal.SIGCONT)
        for name, child in (await self.children()).items():
            while child.state == "stopped":
                try:
                    await self.start(name)
                    break
                except Unavailable:
                    await asyncio.sleep(0.2)

    async def _control(self, do: Literal["show", "stop", "start"], child: str = "") -> tuple[ChildView, ...]:
        running = self.daybook.settings.home.running()
        if running is None:
            raise RuntimeError(f"`daybook up` has ended: {self.daybook.log.read_text()[-2000:]}")
        return await control.ask(running.control, control.Request(do=do, child=child))


@asynccontextmanager
async def stand_at(home: Path) -> AsyncIterator[Stand]:
    """The stand in this home, everything up, until the block ends; then all of it has stopped."""
    disk = await asyncio.to_thread(disk_at, home / "nats")
    try:
        base = free_port_base(home)
        passwords = Home(home).secrets().nats_passwords
        async with crossing(base + NATS_PORT, base + CROSSING_PORT) as way:
            told = {
                f"{service.upper()}_NATS_URL": f"nats://{service}:{passwords[service]}@{HOST}:{way.port}"
                for service in SERVICES
            }
            # Who is moved again and again has more texts than any number may have in an hour, and nobody waits so long.
            told["NOTIFICATIONS_HOURLY_TO_ONE"] = "100"
            up = daybook_up(home, DAYBOOK_PORT_BASE=str(base), **told)
            daybook = await asyncio.to_thread(up.__enter__)
            stand = Stand(daybook, way, disk)
            try:
                yield stand
            finally:
                await stand.heal()
                await asyncio.to_thread(up.__exit__, None, None, None)
    finally:
        disk.remove()


def children_of(pid: int) -> list[int]:
    """The processes that this one has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(stat.parent.name))
    return found
