"""A report counts what happened, names what never did, and tells the whole story of a run that failed."""

from collections import Counter

from tests.chaos.cycle import Run
from tests.chaos.evidence import Violation
from tests.chaos.history import OUTCOMES, Command, History
from tests.chaos.report import ASKED, line, never_happened, story, table
from tests.chaos.schedule import kinds, schedule_of


def a_run() -> Run:
    """One in which every kind of fault and every outcome was seen."""
    done = [Command("client", kind, "", 0, outcome="done") for kind in ASKED]
    history = History([*done, *(Command("client", "book", "", 0, outcome=outcome) for outcome in OUTCOMES)])
    return Run(schedule_of(7, 10, 5), history, Counter(dict.fromkeys(kinds(), 1)), events=12, converged=2.5)


def test_what_never_happened_is_named() -> None:
    run = a_run()
    assert never_happened([run]) == []
    del run.faults["fill disk"]
    run.history.commands.pop()
    del run.history.commands[0:2]
    assert never_happened([run]) == ["fill disk", "unknown", "hold"]


def test_a_rebuild_that_was_refused_is_no_rebuild() -> None:
    run = a_run()
    run.faults = Counter({"rebuild booking: refused" if kind == "rebuild booking" else kind: 1 for kind in kinds()})
    assert never_happened([run]) == ["rebuild booking"]


def test_each_run_has_a_row_and_faults_are_counted_over_all() -> None:
    lines = table([a_run(), a_run()]).splitlines()
    assert lines[2] == lines[3] == "| 7 | 18 | 1 | 1 | 1 | 0 | 30 | 12 | 2.5 s | clean |"
    assert lines[5].startswith("Faults: kill postgres 2, ")


def test_a_failing_run_tells_its_seed_its_schedule_and_what_was_broken_first() -> None:
    run = a_run()
    run.violations = [Violation("A slot is held twice", f"slot {number}") for number in range(7)]
    told = story(run)
    assert told.startswith("seed 7, 10 s:\n  at ")
    assert "\n\nA slot is held twice: slot 0\n" in told
    assert told.endswith("… and 2 more")
    assert line(run).endswith("7 VIOLATIONS")
