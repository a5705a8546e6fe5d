"""A process that is kept running: what a person or an accident may do to it, and what becomes of it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.operator.child import Child, ChildPlan
from services.operator.waiting import wait_until_it_answers
from shared.refusals import Unavailable
from tests.waiting import DEADLINE

GRATEFUL = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + GRATEFUL
HOPELESS = "print('the cat sat on the disk'); raise SystemExit(3)"


def killed(child: Child) -> None:
    """`kill -9`, as any accident might."""
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)


class NotYet(Exception):
    """The file is not there."""


def require(path: Path) -> None:
    if not path.exists():
        raise NotYet(path)


def appears(path: Path) -> Callable[[float], Awaitable[None]]:
    async def attempt() -> None:
        require(path)

    async def wait(within: float) -> None:
        await wait_until_it_answers("the child", attempt, (NotYet,), within)

    return wait


def plan(program: str, sign: Path) -> ChildPlan:
    command = [sys.executable, "-c", program, str(sign)]
    return ChildPlan("child", "nowhere", command, lambda: os.environ, appears(sign))


@asynccontextmanager
async def child_of(program: str, directory: Path) -> AsyncIterator[tuple[Child, "asyncio.Queue[str]"]]:
    told: asyncio.Queue[str] = asyncio.Queue()
    child = Child(plan(program, directory / "sign"), directory, told.put_nowait)
    try:
        yield child, told
    finally:
        await child.stop()


async def test_it_is_up_when_it_answers_and_stopped_when_told(tmp_path: Path) -> None:
    async with child_of(GRATEFUL, tmp_path) as (child, told):
        assert child.view().state == "stopped"
        await child.start(within=DEADLINE)
        assert child.view().state == "up"
        pid = child.pid
        assert pid is not None
        await child.stop()
        assert (child.state, child.pid, told.empty()) == ("stopped", None, True)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_one_that_dies_is_started_again_and_somebody_is_told(tmp_path: Path) -> None:
    async with child_of(GRATEFUL, tmp_path) as (child, told):
        await child.start(within=DEADLINE)
        first = child.pid
        killed(child)
        assert "was killed by SIGKILL" in await asyncio.wait_for(told.get(), DEADLINE)
        assert "is up again" in await asyncio.wait_for(told.get(), DEADLINE)
        assert child.pid not in (None, first)
        assert (child.state, child.restarts) == ("up", 1)


async def test_one_that_dies_at_its_start_is_refused_with_its_last_words(tmp_path: Path) -> None:
    async with child_of(HOPELESS, tmp_path) as (child, _):
        with pytest.raises(Unavailable, match=r"exit code 3 at its start: “the cat sat on the disk”"):
            await child.start(within=DEADLINE)
        assert child.state == "stopped"


async def test_one_that_never_answers_is_refused_after_the_deadline(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GRATEFUL, str(tmp_path / "sign")]
    silent = ChildPlan("child", "nowhere", command, lambda: os.environ, appears(tmp_path / "never"))
    child = Child(silent, tmp_path, lambda _: None)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
        await child.start(within=0.3)
    assert (child.state, child.pid) == ("stopped", None)


async def test_one_that_ignores_the_signal_is_killed_after_a_grace(tmp_path: Path) -> None:
    async with child_of(STUBBORN, tmp_path) as (child, told):
        await child.start(within=DEADLINE)
        await child.stop(grace=0.2)
        assert child.pid is None
        assert "did not stop within 0.2 s and was killed" in told.get_nowait()


async def test_stopping_one_that_waits_to_be_started_again_leaves_it_stopped(tmp_path: Path) -> None:
    async with child_of(GRATEFUL, tmp_path) as (child, told):
        await child.start(within=DEADLINE)
        killed(child)
        await asyncio.wait_for(told.get(), DEADLINE)
        await child.stop()
        assert (child.state, child.pid) == ("stopped", None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
async def test_it_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    parent = f"""
import asyncio, os, pathlib
from services.operator.child import Child, ChildPlan
from tests.operator.test_child import GRATEFUL, plan
async def main():
    child = Child(plan(GRATEFUL, pathlib.Path({str(tmp_path / "sign")!r})), pathlib.Path({str(tmp_path)!r}), print)
    await child.start(within={DEADLINE})
    print(child.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    orphan = int(await asyncio.wait_for(process.stdout.readline(), DEADLINE))
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await wait_until_it_answers("its end", lambda: _gone(orphan), (NotYet,), DEADLINE)


async def _gone(pid: int) -> None:
    if _is_alive(pid):
        raise NotYet(pid)


def _is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z" not in stat.read_text()
