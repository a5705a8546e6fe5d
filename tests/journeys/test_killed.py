"""Any process may be killed in the middle of a recovery, twice: it ends as the plan said, with nothing sent twice."""

import os
import signal

import pytest

from tests.journeys.recovery import District, approve, fill, finished, plan, require_all_went_to_plan, texts
from tests.journeys.running import Daybook, until


@pytest.mark.parametrize("victim", ["booking", "rebooking", "notifications", "sandbox", "nats", "postgres"])
def test_a_recovery_ends_the_same_whatever_is_killed(daybook: Daybook, district: District, victim: str) -> None:
    fill(daybook, district)
    recovery = plan(daybook, district)
    before, pid = position(daybook), daybook.pids()[victim]

    approve(daybook, recovery)
    until("the first move is made", lambda: position(daybook) > before)
    pid = killed(daybook, victim, pid)
    daybook.at_rest()
    until("the first text is sent", lambda: texts(daybook, recovery)["accepted"] > 0)
    killed(daybook, victim, pid)

    finished(daybook, recovery)
    require_all_went_to_plan(daybook, recovery)


def position(daybook: Daybook) -> int:
    """How many events booking has recorded."""
    return int(daybook.ask("booking", "GET", "/v1/status")["position"])


def killed(daybook: Daybook, victim: str, pid: int) -> int:
    """Kill it, and return the pid of the process that took its place."""
    os.kill(pid, signal.SIGKILL)
    until(f"{victim} is started again", lambda: daybook.pids().get(victim, pid) != pid)
    return daybook.pids()[victim]
