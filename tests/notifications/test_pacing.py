"""How fast and at what hours messages go out."""

import asyncio

import pytest

from services.notifications.pacing import Pace, decent_hour
from shared.clock import parse_instant


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2024-07-22T08:00", "2024-07-22T08:00"),
        ("2024-07-22T19:59", "2024-07-22T19:59"),
        ("2024-07-22T20:00", "2024-07-23T08:00"),
        ("2024-07-22T07:59", "2024-07-22T08:00"),
        ("2024-07-20T03:00", "2024-07-20T08:00"),
        ("2024-10-26T21:00", "2024-10-27T08:00"),
        ("2024-03-30T23:30", "2024-03-31T08:00"),
    ],
)
def test_no_notice_arrives_at_night_by_londons_clock(now: str, then: str) -> None:
    assert decent_hour(parse_instant(now)) == parse_instant(then)


async def test_turns_come_evenly_without_a_burst() -> None:
    clock = asyncio.get_running_loop()
    pace, begun = Pace(200), clock.time()
    for _ in range(21):
        await pace.turn()
    assert clock.time() - begun >= 20 / 200


async def test_a_pause_holds_everybody_up() -> None:
    clock = asyncio.get_running_loop()
    pace, begun = Pace(1_000_000), clock.time()
    assert pace.pause(0.05)
    assert not pace.pause(0.01)
    await asyncio.gather(*(pace.turn() for _ in range(5)))
    assert clock.time() - begun >= 0.05
