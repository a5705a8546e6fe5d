"""Our planner and a greedy one, on the same diary: how long each takes, and how long patients then have to wait."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from benchmarks.figures import table
from benchmarks.peers import greedy
from benchmarks.recovery_stand import Running
from benchmarks.report import Report
from services.rebooking.demand import Diary, read_diary
from services.rebooking.planning import make_plan
from services.rebooking.rules import Rules
from shared.clock import clock_starting_at
from shared.database import open_engine

Waits = Iterable[tuple[str, datetime]]
"""Whose appointment (its id) starts when, now."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a planner came to: how many it placed, how long the last of them waits, and all of them together."""

    seconds: float
    placed: int
    longest: timedelta
    together: timedelta


@dataclass(frozen=True, slots=True)
class Compared:
    """Both on one diary, and how long it took to read that."""

    reading: float
    ours: Planned
    greedy: Planned


async def compare_planners(here: Running, outage: str) -> Compared:
    """Both planners on the diary as it stands, in this process; the services have nothing to do meanwhile."""
    rules, now = Rules(), clock_starting_at(here.supervisor.settings.now).now()
    engine = open_engine(here.supervisor.settings.database_url("rebooking"))
    began = time.monotonic()
    async with engine.connect() as connection:
        diary = await read_diary(connection, outage, rules, now)
    reading = time.monotonic() - began
    await engine.dispose()
    ours = _timed(diary, lambda: _ours(rules, outage, diary, now))
    return Compared(reading, ours, _timed(diary, lambda: _greedy(rules, diary)))


def _ours(rules: Rules, outage: str, diary: Diary, now: datetime) -> Waits:
    plan = make_plan(rules, outage, diary.patients(), diary.slots(), read_position=diary.read_position, now=now)
    return [(placed.appointment, placed.to_start) for part in plan.parts for placed in part.placements]


def _greedy(rules: Rules, diary: Diary) -> Waits:
    placed = greedy.plan(rules, diary.patients(), diary.slots())
    return [(patient.appointment, slot.start) for patient, slot in placed]


def _timed(diary: Diary, plan: Callable[[], Waits]) -> Planned:
    began = time.monotonic()
    placed = plan()
    seconds = time.monotonic() - began
    lost = {row.appointment: row.start for row in diary.waiting}
    waits = [start - lost[appointment] for appointment, start in placed]
    return Planned(seconds, len(waits), max(waits, default=timedelta()), sum(waits, timedelta()))


def tell_planners(found: Sequence[Compared], report: Report) -> None:
    """The figures, for people."""
    rows = [
        ("Daybook, exact", *_row([each.ours for each in found])),
        ("greedy", *_row([each.greedy for each in found])),
    ]
    report.writes(table(("plan alone", "seconds", "placed", "longest wait, days", "waits together, days"), rows))
    report.writes(f"Reading the diary took {median(each.reading for each in found):.1f} s.")


def _row(planned: Sequence[Planned]) -> tuple[str, ...]:
    any_of_them, day = planned[0], timedelta(days=1)
    return (
        f"{median(each.seconds for each in planned):.1f}",
        f"{any_of_them.placed:,}",
        f"{any_of_them.longest / day:.1f}",
        f"{any_of_them.together / day:,.0f}",
    )
