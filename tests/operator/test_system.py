"""`daybook up` is told to stop: by Ctrl-C, and by whatever runs it as a service."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from services.operator import system
from services.operator.settings import OperatorSettings, operator_settings
from tests.waiting import DEADLINE


class NothingToRun:
    """A supervisor without processes, that notes what is done to it."""

    def __init__(self, settings: OperatorSettings, tell: Callable[[str], None]) -> None:
        self.done: list[str] = []
        made.append(self)

    async def start(self) -> None:
        self.done.append("start")
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), told[0])

    async def stop(self) -> None:
        self.done.append("stop")

    def children(self) -> tuple[()]:
        return ()


made: list[NothingToRun] = []
told: list[signal.Signals] = []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_stops_everything_whichever_signal_it_gets(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "Supervisor", NothingToRun)
    told[:], made[:] = [number], []
    try:
        async with asyncio.timeout(DEADLINE):
            await system._up(operator_settings({"DAYBOOK_HOME": str(tmp_path)}))
    finally:
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(each)
    assert [supervisor.done for supervisor in made] == [["start", "stop"]]
