"""Does to the stand what the schedule says, and undoes it."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from shared.refusals import Unavailable
from tests.chaos.evidence import Violation
from tests.chaos.schedule import (
    BreakOffRebuild,
    CutOff,
    Fault,
    FillDisk,
    Freeze,
    Kill,
    Rebuild,
    Restart,
    Schedule,
    Service,
    in_words,
    kind_of,
)
from tests.chaos.stand import Stand

AGAIN, WITHIN = 0.2, 60.0
"""Seconds between tries to do what cannot be done just now, since its victim is down already; and how long it tries."""


@dataclass(slots=True)
class Nemesis:
    """`done` counts the faults that were done, by kind; `found` is what a rebuild in the middle of it all found."""

    stand: Stand
    tell: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)
    found: list[Violation] = field(default_factory=list)

    async def run(self, schedule: Schedule) -> None:
        """The whole schedule; returns when the last fault is over."""
        began = monotonic()

        async def one(at: float, fault: Fault) -> None:
            await asyncio.sleep(at)
            self.tell(f"{monotonic() - began:5.1f} s  {in_words(fault)}")
            refused = await self._do(fault)
            self.done[f"{kind_of(fault)}: refused" if refused else kind_of(fault)] += 1

        await asyncio.gather(*(one(planned.at, planned.fault) for planned in schedule.faults))

    async def _do(self, fault: Fault) -> bool:
        """Whether it was refused, because something that it needs was away."""
        match fault:
            case Rebuild(service):
                return await self._rebuild(service, WITHIN)
            case BreakOffRebuild(service, seconds):
                await self._rebuild(service, seconds)
            case Kill(target):
                os.kill(await self._pid(target), signal.SIGKILL)
            case Freeze(target, seconds):
                await self._pid(target)
                await self.stand.signal(target, signal.SIGSTOP)
                await asyncio.sleep(seconds)
                await self.stand.signal(target, signal.SIGCONT)
            case Restart(target, seconds):
                await self.stand.stop(target)
                await asyncio.sleep(seconds)
                await self._start(target)
            case FillDisk(seconds):
                await self._fill_disk(seconds)
            case CutOff(how, seconds):
                self.stand.way.cut_off(how)
                await asyncio.sleep(seconds)
                if self.stand.way.how == how:
                    self.stand.way.cut_off(None)
        return False

    async def _rebuild(self, service: Service, seconds: float) -> bool:
        """Begun, and killed if it has not ended by then. That it finds a difference is what must never happen."""
        rebuilding = await self.stand.rebuilding(service)
        try:
            said, _ = await asyncio.wait_for(rebuilding.communicate(), seconds)
        except TimeoutError:
            rebuilding.kill()
            await rebuilding.communicate()
            return False
        if rebuilding.returncode == 1:
            self.found.append(Violation(f"{service}: rebuilt is not equal to live", said.decode()))
        return rebuilding.returncode != 0

    async def _fill_disk(self, seconds: float) -> None:
        """Room alone is not enough: what could not write goes on refusing until it is started again."""
        self.stand.disk.fill(await self._pid("nats"))
        await asyncio.sleep(seconds)
        self.stand.disk.free(await self.stand.pid("nats") or os.getpid())
        await self.stand.stop("nats")
        await self._start("nats")

    async def _pid(self, name: str) -> int:
        """Its process, as soon as there is one."""
        deadline = monotonic() + WITHIN
        while (pid := await self.stand.pid(name)) is None:
            if monotonic() > deadline:
                raise Unavailable(f"{name} was not started again within {WITHIN:g} s", code="not-started-again")
            await asyncio.sleep(AGAIN)
        return pid

    async def _start(self, name: str) -> None:
        deadline = monotonic() + WITHIN
        while True:
            try:
                return await self.stand.start(name)
            except Unavailable:
                if monotonic() > deadline:
                    raise
                await asyncio.sleep(AGAIN)
