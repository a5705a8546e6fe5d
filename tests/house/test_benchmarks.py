"""The benchmarks work: both apps start, do the same work, and lose nothing. Their figures are for a quiet machine.

The recovery is left out, since to set its county up takes longer than a test may; tests of journeys go the same way.
"""

import asyncio
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

from benchmarks.lost_day import LOST_DAY, lost_day_of
from benchmarks.peers import greedy
from services.booking.diary import read_diary
from shared.clock import london_date
from tests.rebooking.planning_people import ALL_FREE, LOST, TUESDAY, patient, placed, plan, slot

ROOT = Path(__file__).parents[2]


async def test_the_benchmarks_measure_both_apps_and_find_nothing_wrong(tmp_path: Path) -> None:
    report = tmp_path / "report.md"

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "apps", "--quick", "--report", str(report)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    tables = report.read_text()
    assert "times as fast as the peer" in tables
    assert "Daybook: one practice, 16 clients at once" in tables


def test_the_lost_day_has_as_many_appointments_as_asked_for_and_none_that_is_for_triage() -> None:
    readings = [read_diary(text, made_up=True) for text in lost_day_of(400).diaries()]

    assert not [fault for reading in readings for fault in reading.faults]
    rows = [row for reading in readings for row in reading.rows]
    booked = [row for row in rows if row.status == "booked"]
    assert (len(booked), {london_date(row.start) for row in booked}) == (400, {LOST_DAY})
    assert all(row.booked_at is not None and london_date(row.booked_at) < LOST_DAY for row in booked)
    assert Counter(row.status for row in rows)["free"] > 2 * len(booked)


def test_the_greedy_planner_obeys_the_rules_but_never_looks_back() -> None:
    people = [patient("short", start=LOST - timedelta(hours=1)), patient("long", minutes=20)]
    free = [
        slot("long-enough", minutes=20),
        slot("short-one", TUESDAY + timedelta(hours=1)),
        slot("far", practice="B2"),
    ]

    greedily = {each.appointment: given.slot for each, given in greedy.plan(ALL_FREE, people, free)}

    assert greedily == {"short": "long-enough"}
    assert placed(plan(people, free)) == {"short": "short-one", "long": "long-enough"}
