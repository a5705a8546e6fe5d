"""A county's recovery from its lost day: all planned, moved, and their messages planned; a greedy planner beside it.

What is measured begins with the request for a plan and ends when the last message is planned.
"""

import asyncio
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import spread, table
from benchmarks.lost_day import lost_day_of
from benchmarks.planners import Compared, compare_planners, tell_planners
from benchmarks.recovery_stand import MEASURED, Running, copied, running, set_up
from benchmarks.report import Report
from benchmarks.stand import Length

LONGEST = 15.0
"""The promise: seconds from asking for a plan until the last message is planned, for a whole county."""

ROUNDS = 3
"""At the most: each takes half a minute and more, most of it to start and to stop."""

STAGES = ("plan", "approval", "moves", "messages")
"""Each from the end of the one before: moves end when rebooking has confirmed the last one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How long a stage took, and what each process used of the processors meanwhile, in seconds."""

    seconds: float
    processors: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recovery:
    """One round."""

    placed: int
    stages: Mapping[str, Stage]
    planners: Compared
    faults: Sequence[str]

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages.values())


class _Clock:
    """Notes what passes between one mark and the next."""

    def __init__(self, here: Running) -> None:
        self._here = here
        self._last = time.monotonic(), here.processor_seconds()
        self.stages: dict[str, Stage] = {}

    def mark(self, stage: str) -> None:
        """The stage ends here."""
        (before, used), self._last = self._last, (time.monotonic(), self._here.processor_seconds())
        now, using = self._last
        self.stages[stage] = Stage(now - before, {name: using[name] - used[name] for name in MEASURED})


async def recover(county: Path, copy: Path, length: Length, report: Report) -> list[Recovery]:
    """So many times the recovery of the county that is at home there, each of a copy as it stood on the Monday after.

    Every process of it has just been started, and remembers nothing.
    """
    await set_up(county, lost_day_of(length.displaced), report)
    found = []
    for number in range(min(length.rounds, ROUNDS)):
        await asyncio.to_thread(copied, county, copy)
        try:
            async with running(copy) as here:
                found.append(await _round(here))
        finally:
            await asyncio.to_thread(shutil.rmtree, copy)
        stages = ", ".join(f"{name} {stage.seconds:.1f} s" for name, stage in found[-1].stages.items())
        report.says(f"Round {number + 1}: {found[-1].placed:,} in {found[-1].seconds:.1f} s ({stages})")
    return found


async def _round(here: Running) -> Recovery:
    await here.at_rest()
    (outage,) = [each["outage"] for each in await here.ask("rebooking", "GET", "/v1/outages")]
    planners = await compare_planners(here, outage)
    booked = await here.recorded("booking")
    clock = _Clock(here)
    plan = await here.ask("rebooking", "POST", f"/v1/outages/{outage}/plan")
    clock.mark("plan")
    approval = {"hash": plan["hash"], "approved_by": "benchmark"}
    await here.ask("rebooking", "POST", f"/v1/outages/{outage}/approval", json=approval)
    clock.mark("approval")
    # A move is two events of booking: the new appointment, and the old one that gave way.
    moved = booked + 2 * plan["placed"]
    await here.reached("rebooking", "booking", moved)
    clock.mark("moves")
    await here.reached("notifications", "booking", moved)
    clock.mark("messages")
    return Recovery(plan["placed"], clock.stages, planners, await _faults(here, outage, plan["placed"]))


async def _faults(here: Running, outage: str, placed: int) -> list[str]:
    await here.at_rest()
    progress = await here.ask("rebooking", "GET", f"/v1/outages/{outage}/progress")
    campaign = await here.ask("notifications", "GET", f"/v1/outages/{outage}/messages")
    told = campaign["planned"] + campaign["calls"]
    textable = await here.databases["booking"].fetchval(_TEXTABLE)
    faults = []
    if progress["moved"] != placed:
        faults.append(f"{placed:,} were placed, {progress['moved']:,} were moved")
    if told != textable:
        faults.append(f"{textable:,} who can be texted were moved, {told:,} of them have a message or a call")
    return faults


_TEXTABLE = "SELECT count(*) FROM appointments WHERE move <> '' AND textable"


def tell(found: Sequence[Recovery], length: Length, report: Report) -> None:
    """The figures, for people."""
    rows = [(name, *_row([each.stages[name] for each in found])) for name in STAGES]
    whole = [_whole(each) for each in found]
    report.writes(table(("recovery", "seconds", *MEASURED), [*rows, ("all", *_row(whole))]))
    tell_planners([each.planners for each in found], report)
    slowest = median(each.seconds for each in found)
    report.writes(
        f"{length.displaced:,} displaced, {found[0].placed:,} of them moved. Promised for a county of 34,000: under "
        f"{LONGEST:g} s: {'kept' if kept(found) else 'NOT kept'} ({slowest:.1f} s)."
    )
    for fault in (fault for each in found for fault in each.faults):
        report.writes(f"WRONG: {fault}")


def kept(found: Sequence[Recovery]) -> bool:
    """Whether the promise was kept."""
    return median(each.seconds for each in found) <= LONGEST


def _row(stages: Sequence[Stage]) -> list[str]:
    processors = [spread([stage.processors[name] for stage in stages], 1) for name in MEASURED]
    return [spread([stage.seconds for stage in stages], 1), *processors]


def _whole(recovery: Recovery) -> Stage:
    stages = recovery.stages.values()
    return Stage(recovery.seconds, {name: sum(stage.processors[name] for stage in stages) for name in MEASURED})
