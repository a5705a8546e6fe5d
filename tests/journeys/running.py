"""A running Daybook as an operator has it: `daybook up` in a process of its own, spoken to over HTTP and by command."""

import asyncio
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import msgspec

from services.operator import control
from services.operator.app import main
from services.operator.asking import ask
from services.operator.control import ChildView
from services.operator.machine import Machine
from services.operator.settings import SERVICES, OperatorSettings, operator_settings
from shared.clock import Clock
from shared.refusals import Conflict, Refusal
from tests.waiting import DEADLINE

ROOT = Path(__file__).parents[2]
MONDAY = "2024-07-22T08:30:00+01:00"


def until(what: str, holds: Callable[[], bool], *, within: float = 2 * DEADLINE) -> None:
    """Return soon after it holds; fail after the deadline. To ask costs time too, so the pauses grow."""
    began = time.monotonic()
    while not holds():
        waited = time.monotonic() - began
        assert waited < within, f"not within {within:g} s: {what}"
        time.sleep(min(0.05 + waited / 20, 0.5))


@dataclass(frozen=True, slots=True)
class Done:
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(slots=True)
class Daybook:
    """One running system. `environment` is what every command of it is given, `up` the process of `daybook up`."""

    settings: OperatorSettings
    environment: Mapping[str, str]
    log: Path
    up: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """`daybook up` in a process of its own; returns when everything answers."""
        command = [sys.executable, "-m", "services.operator", "up"]
        with self.log.open("ab") as log:
            self.up = subprocess.Popen(
                command, env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        until(
            "`daybook up` is up",
            lambda: self.settings.home.running() is not None or self.up.poll() is not None,
        )
        assert self.up.poll() is None, self.log.read_text()

    def stop(self) -> None:
        """Ctrl-C: it stops cleanly, and leaves no process behind."""
        pids = self.pids()
        self.up.send_signal(signal.SIGINT)
        assert self.up.wait(DEADLINE) == 0
        assert not [pid for pid in pids.values() if is_alive(pid)]

    def ask(self, service: str, method: str, path: str, **what: Any) -> Any:
        """What the service answers. Raises `Refusal` if it says no."""
        return ask(self.settings, service, method, path, **what)

    def command(self, *words: str, **told: str) -> Done:
        """Run a `daybook` command to its end, in this process; `told` is more of its environment."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            patch.dict(os.environ, {**self.environment, **told}, clear=True),
            patch.object(sys, "argv", ["daybook", *words]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    def process(self, *words: str) -> Done:
        """The same in a process of its own."""
        command = [sys.executable, "-m", "services.operator", *words]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=2 * DEADLINE, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def token(self, *words: str) -> str:
        """What `daybook token` prints."""
        done = self.command("token", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def facts(self, *words: str) -> Any:
        """What a command that goes well prints with `--json`."""
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout)

    def pids(self) -> dict[str, int]:
        """Every process that lives, by name."""
        return {each.name: each.pid for each in self.control("show") if each.pid is not None}

    def control(self, do: Literal["show", "stop", "start"], child: str = "") -> tuple[ChildView, ...]:
        """Have the supervisor do something, and see all processes as they are afterwards."""
        running = self.settings.home.running()
        assert running is not None
        return asyncio.run(control.ask(running.control, control.Request(do=do, child=child)))

    def at_rest(self, *, within: float = 2 * DEADLINE) -> None:
        """Return when every service answers, and every log is in the stream and folded by all who follow it."""
        until("every service at rest", self._is_at_rest, within=within)

    def _is_at_rest(self) -> bool:
        try:
            statuses = [self.ask(service, "GET", "/v1/status") for service in SERVICES]
        except Refusal:
            return False
        assert not any(each["halted"] for each in statuses), statuses
        positions = {each["service"]: each["position"] for each in statuses}
        return all(
            each["relayed"] == each["position"]
            and all(reached == positions[source] for source, reached in each["followed"].items())
            for each in statuses
        )


@contextmanager
def daybook_up(home: Path, **told: str) -> Iterator[Daybook]:
    """`daybook up` in this home, until the block ends; then it has stopped cleanly and left no process behind.

    `told` is more of its environment.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")},
        "DAYBOOK_HOME": str(home),
        "DAYBOOK_PORT_BASE": str(free_port_base(home)),
        "DAYBOOK_NOW": MONDAY,
        "DAYBOOK_CONTINUITY_AT": "never",
        "REBOOKING_FOLLOW_UP_SECONDS": "1",
        "NOTIFICATIONS_RATE": "50",
        "NOTIFICATIONS_REMINDERS": "false",
        "NOTIFICATIONS_GATEWAY_TIMEOUT": "2",
        "NOTIFICATIONS_SETTLE": "2.5",
        "NOTIFICATIONS_LOOK_EVERY": "0.2",
        "COLUMNS": "200",
        **told,
    }
    daybook = Daybook(operator_settings(environment), environment, home.parent / f"{home.name}.log")
    try:
        yield daybook
    finally:
        if daybook.up.poll() is None:
            daybook.stop()


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and only waits to be noticed does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z" not in stat.read_text()


def free_port_base(home: Path) -> int:
    """Below the ports that outgoing connections take by themselves."""
    while True:
        base = random.randrange(10_000, 32_000, 50)
        settings = operator_settings({"DAYBOOK_HOME": str(home), "DAYBOOK_PORT_BASE": str(base)})
        try:
            Machine(settings, Clock()).refuse_ports_in_use()
        except Conflict:
            continue
        return base
