"""Any process may be killed in the middle of a recovery, twice: it ends as the plan said, with nothing sent twice."""

import os
import signal

import pytest

from tests.journeys.recovery import (
    District,
    approve,
    fill,
    finished,
    plan,
    require_all_went_to_plan,
    texts,
)
from tests.journeys.running import Daybook, until


@pytest.mark.parametrize("victim", ["booking", "rebooking", "notifications", "sandbox", "nats", "postgres"])
def test_a_recovery_ends_the_same_whatever_is_killed(daybook: Daybook, district: District, victim: str) -> None:
    fill(daybook, district)
    recovery = plan(daybook, district)

    first = daybook.pids()[victim]
    approve(daybook, recovery)
    os.kill(first, signal.SIGKILL)
    until(f"{victim} is up again", lambda: daybook.pids().get(victim, first) != first)
    daybook.at_rest()
    second = daybook.pids()[victim]
    until("some texts are sent", lambda: texts(daybook, recovery)["accepted"] > 0)
    os.kill(second, signal.SIGKILL)
    until(f"{victim} is up again", lambda: daybook.pids().get(victim, second) != second)

    finished(daybook, recovery)
    require_all_went_to_plan(daybook, recovery)
