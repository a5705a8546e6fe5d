"""What memory a service takes to follow a log, and to be rebuilt from it, the longer the log and the state the same."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import table
from benchmarks.memory_stand import FOLLOWER, LongRun, long_run
from benchmarks.one_core import run_on_one_core
from benchmarks.report import Report

USUAL = (1_000_000, 10_000_000)
FLAT = 1.1
"""The promise: with ten times the log, no more than so many times the memory."""

_MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Grown:
    """At one length of the log: seconds, and the most memory that each process ever had, in bytes."""

    events: int
    made: float
    followed: int
    following: float
    follower: int
    rebuilding: float
    rebuilder: int
    equal: bool


async def measure(home: Path, lengths: Sequence[int], report: Report) -> list[Grown]:
    """Let the log grow to each length, and look at both."""
    found: list[Grown] = []
    async with long_run(home) as run:
        for events in sorted(lengths):
            found.append(await _measure(run, events))
            report.says(_words(found[-1]))
    return found


def _words(grown: Grown) -> str:
    return (
        f"{grown.events:,} events, made in {grown.made:.0f} s, {grown.followed:,} of them followed in "
        f"{grown.following:.0f} s; all rebuilt in {grown.rebuilding:.0f} s"
    )


async def _measure(run: LongRun, events: int) -> Grown:
    before, began = run.events, time.perf_counter()
    await run.reach(events)
    made = time.perf_counter()
    follower = await run.follow()
    followed = time.perf_counter()
    rebuilt = run_on_one_core(
        f"services.{FOLLOWER}", "rebuild", "--whole", "--verify", environment=run.here.environment, exits=(0, 1)
    )
    return Grown(
        events=events,
        made=made - began,
        followed=events - before,
        following=followed - made,
        follower=follower,
        rebuilding=rebuilt.said["seconds"],
        rebuilder=rebuilt.peak,
        equal=rebuilt.said["equal"],
    )


def tell(found: Sequence[Grown], report: Report) -> None:
    """The figures, for people."""
    report.writes(table(_HEADER, [_row(each) for each in found]))
    if len(found) > 1:
        report.writes(_compared(found[0], found[-1], "kept" if kept(found) else "NOT kept"))
    for fault in faults(found):
        report.writes(f"WRONG: {fault}")


def _compared(least: Grown, most: Grown, verdict: str) -> str:
    return (
        f"{FOLLOWER}, {least.events:,} to {most.events:,} events that come to the same state: following takes "
        f"{most.follower / least.follower:.2f} times the memory, a rebuild {most.rebuilder / least.rebuilder:.2f} "
        f"times. Promised: flat, that is at most {FLAT:g} times: {verdict}."
    )


def kept(found: Sequence[Grown]) -> bool:
    """Whether the memory stayed the same."""
    least, most = found[0], found[-1]
    return most.follower <= FLAT * least.follower and most.rebuilder <= FLAT * least.rebuilder


def faults(found: Sequence[Grown]) -> list[str]:
    """What went wrong, whatever the figures."""
    return [f"after {each.events:,} events the rebuilt tables were not equal" for each in found if not each.equal]


_HEADER = ("events in the log", "following, events/s", "most memory, MB", "rebuild, events/s", "most memory, MB ")


def _row(grown: Grown) -> Sequence[str]:
    return (
        f"{grown.events:,}",
        f"{grown.followed / grown.following:,.0f}",
        f"{grown.follower / _MEGA:,.0f}",
        f"{grown.events / grown.rebuilding:,.0f}",
        f"{grown.rebuilder / _MEGA:,.0f}",
    )
