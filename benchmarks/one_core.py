"""Runs a command on one core alone, and says what it took of it, and of the memory (Linux)."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from shared.refusals import Unavailable

ROOT = Path(__file__).parents[1]
_MOST_MEMORY = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: the last line it said, its exit code, seconds, and the most memory it ever had, in bytes.

    `phases` says after how many seconds it first spoke of each phase of its work.
    """

    said: Mapping[str, Any]
    code: int
    seconds: float
    processor: float
    peak: int
    phases: Mapping[str, float]


def run_on_one_core(module: str, *arguments: str, environment: Mapping[str, str], exits: Sequence[int] = (0,)) -> Ran:
    """Run a module of ours that speaks in lines of JSON. Raises `Unavailable` if it exits with another code."""
    command, began = [sys.executable, "-m", module, *arguments], time.perf_counter()
    with tempfile.TemporaryFile() as complaints, _started(command, environment, complaints) as process:
        said: dict[str, Any] = {}
        phases, peak = dict[str, float](), 0
        for line in process.stdout or ():
            said, peak = msgspec.json.decode(line), max(peak, most_memory_of(process.pid))
            phases.setdefault(said.get("phase", ""), time.perf_counter() - began)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in exits:
            complaints.seek(0)
            why = complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise Unavailable(f"`{module} {' '.join(arguments)}` failed: {why}", code="command-failed")
    seconds, processor = time.perf_counter() - began, used.ru_utime + used.ru_stime
    return Ran(said, process.returncode, seconds, processor, peak, phases)


def _started(
    command: Sequence[str], environment: Mapping[str, str], complaints: IO[bytes]
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=complaints,
        preexec_fn=partial(on_one_core, 0),
    )


def on_one_core(pid: int) -> None:
    """Keep this process on the first core that it may use: the same for all that are started by one run."""
    os.sched_setaffinity(pid, sorted(os.sched_getaffinity(pid))[:1])


def most_memory_of(pid: int) -> int:
    """The most that was ever resident of it, in bytes; 0 once it has ended.

    Of its program alone: what the system adds up for a child that has ended counts what its parent had, too.
    """
    try:
        found = _MOST_MEMORY.search(Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0
