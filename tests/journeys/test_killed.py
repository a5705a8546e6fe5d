"""Any two may be killed in the middle of a recovery, twice: it ends as the plan said, with nothing sent twice."""

import os
import signal
from collections.abc import Sequence

import pytest

from tests.journeys.recovery import District, approve, fill, finished, plan, require_all_went_to_plan, texts
from tests.journeys.running import Daybook, until

PAIRS = [("booking", "notifications"), ("rebooking", "sandbox"), ("nats", "postgres")]
"""Whoever they talk to most is left alive, and goes on talking to them."""


@pytest.mark.parametrize("victims", PAIRS, ids=" and ".join)
def test_a_recovery_ends_the_same_whatever_is_killed(
    daybook: Daybook, district: District, victims: tuple[str, str]
) -> None:
    fill(daybook, district)
    recovery = plan(daybook, district)
    before = position(daybook)

    approve(daybook, recovery)
    until("the first move is made", lambda: position(daybook) > before)
    kill(daybook, victims)
    daybook.at_rest()
    until("the first text is sent", lambda: texts(daybook, recovery)["accepted"] > 0)
    kill(daybook, victims)

    finished(daybook, recovery)
    require_all_went_to_plan(daybook, recovery)


def position(daybook: Daybook) -> int:
    """How many events booking has recorded."""
    return int(daybook.ask("booking", "GET", "/v1/status")["position"])


def kill(daybook: Daybook, victims: Sequence[str]) -> None:
    """All of them in one moment. Return when others have taken their places."""
    pids = daybook.pids()
    for victim in victims:
        os.kill(pids[victim], signal.SIGKILL)
    until(
        f"{victims} are started again",
        lambda: all(daybook.pids().get(each) not in (None, pids[each]) for each in victims),
    )
