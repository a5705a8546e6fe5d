"""`daybook rebuild` beside the service's own command: interrupted with it, and never mistaken about how it ended."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.operator.machine import Machine
from services.operator.rebuild import Interrupted, fold
from services.operator.settings import operator_settings
from shared.clock import Clock
from shared.refusals import Refusal
from tests.waiting import DEADLINE

FOLDING = '{"phase": "fold", "done": 5, "of": 9, "rate": 5}'


@dataclass(frozen=True, slots=True)
class Scripted(Machine):
    """Its commands are what a test says."""

    script: str = ""

    def command(self, service: str, *arguments: str) -> list[str]:
        return [sys.executable, "-c", self.script]


def scripted(home: Path, script: str) -> Scripted:
    return Scripted(operator_settings({"DAYBOOK_HOME": str(home)}), Clock(), script)


async def test_interrupted_it_interrupts_the_command_once_and_waits_for_its_end(tmp_path: Path) -> None:
    begun, ended = tmp_path / "begun", tmp_path / "ended"
    script = f"""
import pathlib, signal
try:
    print('{FOLDING}', flush=True)
    pathlib.Path({str(begun)!r}).touch()
    signal.pause()
except KeyboardInterrupt:
    pathlib.Path({str(ended)!r}).touch()
"""
    work = asyncio.create_task(fold(scripted(tmp_path, script), "booking", "rebuild"))
    async with asyncio.timeout(DEADLINE):
        while not begun.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    work.cancel()

    with pytest.raises(asyncio.CancelledError):
        await work
    assert ended.exists()


async def test_a_command_that_somebody_else_interrupted_is_no_failure(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        await fold(scripted(tmp_path, "raise SystemExit(130)"), "booking", "rebuild")


async def test_a_command_that_fails_half_way_is_not_taken_for_one_that_found_a_difference(tmp_path: Path) -> None:
    script = f"print('{FOLDING}'); raise RuntimeError('the sky fell')"

    with pytest.raises(Refusal, match="booking was not rebuilt: RuntimeError: the sky fell"):
        await fold(scripted(tmp_path, script), "booking", "rebuild")
