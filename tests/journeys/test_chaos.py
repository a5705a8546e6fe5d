"""A short run of the crash suite: seconds of work, and everything that `make chaos` asks of the log afterwards."""

from pathlib import Path

from tests.chaos.cycle import Size, run
from tests.chaos.report import story
from tests.chaos.schedule import schedule_of

SEED, SECONDS, EVERY = 17, 7.0, 1.75
SMALL = Size(practices=2, appointments=60, again=("booking",))


async def test_a_short_run_of_chaos_breaks_no_promise(tmp_path: Path) -> None:
    ran = await run(schedule_of(SEED, SECONDS, EVERY), tmp_path / "home", print, SMALL)

    assert not ran.violations, story(ran)
    assert ran.faults.total() == len(ran.schedule.faults)
    assert ran.history.outcomes()["done"] > 5, ran.history.outcomes()
