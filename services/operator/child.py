"""A process that is kept running: started, watched, started again when it dies, and stopped when told."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.operator.control import ChildView, State
from shared.refusals import Unavailable

_FIRST_DELAY, _LONGEST_DELAY, _STEADY = 0.2, 10.0, 20.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """How to run one process.

    `environment`, the whole of it, is asked for at every start; `ready` returns once the process answers.
    """

    name: str
    address: str
    command: Sequence[str]
    environment: Callable[[], Mapping[str, str]]
    ready: Callable[[float], Awaitable[None]]
    stop_signal: signal.Signals = signal.SIGTERM


class Child:
    """One process of the running system. `tell` hears a sentence when something happens that nobody asked for."""

    def __init__(self, plan: ChildPlan, logs: Path, tell: Callable[[str], None]) -> None:
        self.plan = plan
        self.log = logs / f"{plan.name}.log"
        self.state: State = "stopped"
        self.restarts = 0
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self, *, within: float = 60.0) -> None:
        """Return when it answers. Raises `Unavailable`, with the end of its log, if it dies or stays silent."""
        if self._keeper is not None:
            return
        process = await self._spawn()
        try:
            await self._until_ready(process, within)
        except BaseException:
            await self._end(process, grace=1)
            raise
        self._keeper = asyncio.create_task(self._keep(process), name=f"keep {self.plan.name}")

    async def stop(self, *, grace: float = 15.0) -> None:
        """Ask it to end; after the grace, make it."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._process is not None:
            await self._end(self._process, grace)

    def view(self) -> ChildView:
        """It as it stands, for people."""
        return ChildView(
            name=self.plan.name,
            state=self.state,
            address=self.plan.address,
            pid=self.pid,
            restarts=self.restarts,
            log=str(self.log),
        )

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        delay = _FIRST_DELAY
        while True:
            since = time.monotonic()
            code = await process.wait()
            if time.monotonic() - since > _STEADY:
                delay = _FIRST_DELAY
            self.state = "died"
            self.restarts += 1
            self._tell(f"{self.plan.name} {_ending(code)}; starting it again in {delay:g} s (log: {self.log})")
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)
            process = await self._spawn()
            with suppress(Unavailable):
                await self._until_ready(process, float("inf"))
                self._tell(f"{self.plan.name} is up again, pid {process.pid}")

    async def _spawn(self) -> asyncio.subprocess.Process:
        self.state = "starting"
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.plan.command,
                env=self.plan.environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dying_with_parent(self.plan.stop_signal),
            )
        return self._process

    async def _until_ready(self, process: asyncio.subprocess.Process, within: float) -> None:
        ready = asyncio.ensure_future(self.plan.ready(within))
        dead = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({ready, dead}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise Unavailable(
                    f"{self.plan.name} {_ending(dead.result())} at its start: {last_words(self.log)}",
                    code="died-at-start",
                )
            ready.result()
            self.state = "up"
        finally:
            for waiting in (ready, dead):
                waiting.cancel()
            await asyncio.gather(ready, dead, return_exceptions=True)

    async def _end(self, process: asyncio.subprocess.Process, grace: float) -> None:
        if process.returncode is None:
            process.send_signal(self.plan.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), grace)
            except TimeoutError:
                self._tell(f"{self.plan.name} did not stop within {grace:g} s and was killed")
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        self._process = None
        self.state = "stopped"


def dying_with_parent(signal_at_death: signal.Signals) -> Callable[[], None] | None:
    """What a child runs before its program, so that it ends when the supervisor does, however that ends (Linux)."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(signal_at_death))
        if os.getppid() != parent:
            os._exit(1)

    return tie


def last_words(log: Path) -> str:
    """The last line of a log that says anything."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return f"“{lines[-1]}” (log: {log})" if lines else f"it wrote nothing (log: {log})"


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
