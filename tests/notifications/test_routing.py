"""Which provider a message goes to, on a clock that stands still unless it is told."""

from collections import Counter
from collections.abc import Sequence

from services.notifications.gateways import Provider
from services.notifications.routing import Policy, Routes

POLICY = Policy(
    window=60, troubles=3, step=10, step_every=10, return_every=300, breaks_after=5, first_probe=1, probe_every=30
)
BOTH: Sequence[Provider] = ("notify", "twilio")


def routes(*providers: Provider, **other: float) -> Routes:
    return Routes.to(providers or BOTH, POLICY)


def troubled(before: Routes, *at: float, provider: Provider = "notify") -> Routes:
    for now in at:
        before = before.after_trouble(provider, "unreachable", now)
    return before


def shares(of: Routes, now: float) -> Counter[Provider | None]:
    return Counter(of.choose(f"message-{number}", 1, "", now) for number in range(2000))


def test_at_rest_everything_goes_to_the_preferred_provider() -> None:
    assert shares(routes(), 1000) == {"notify": 2000}
    assert shares(routes("twilio", "notify"), 1000) == {"twilio": 2000}


def test_now_and_then_a_failure_moves_nothing() -> None:
    assert troubled(routes(), 1000, 1040, 1080, 1120).points_at(1120) == 100


def test_repeated_trouble_moves_ten_points_at_a_time_to_the_second() -> None:
    once = troubled(routes(), 1000, 1001, 1002)
    assert once.points_at(1002) == 90
    assert troubled(once, 1003).points_at(1003) == 90, "at most one step in ten seconds"
    twice = troubled(once.after_answer("notify"), 1013)
    assert twice.points_at(1013) == 80
    found = shares(twice, 1013)
    assert 0.16 < found["twilio"] / 2000 < 0.24


def test_ten_points_return_every_five_minutes_without_trouble() -> None:
    moved = troubled(troubled(routes(), 1000, 1001, 1002).after_answer("notify"), 1013)
    assert [moved.points_at(1013 + seconds) for seconds in (299, 300, 599, 600, 9999)] == [80, 90, 90, 100, 100]


def test_trouble_at_the_second_moves_points_back() -> None:
    moved = troubled(troubled(routes(), 1000, 1001, 1002).after_answer("notify"), 1013)
    assert troubled(moved, 1030, 1031, 1032, provider="twilio").points_at(1032) == 90


def test_after_failures_in_a_row_nothing_goes_there_but_a_probe_now_and_then() -> None:
    broken = troubled(routes(), *[1000.0] * 5)
    assert shares(broken, 1000.5) == {"twilio": 2000}
    assert broken.admit("notify", 1000.5) is None
    probed = broken.admit("notify", 1001)
    assert probed is not None
    assert probed.admit("notify", 1001) is None, "one at a time"


def test_a_probe_that_fails_makes_the_next_one_wait_longer_up_to_half_a_minute() -> None:
    broken, now, waits = troubled(routes("notify"), *[1000.0] * 5), 1001.0, []
    for _ in range(7):
        admitted = broken.admit("notify", now)
        assert admitted is not None
        broken = troubled(admitted, now)
        waits.append(broken.healths["notify"].opens_at(now) - now)
        now += waits[-1]
    assert waits == [2, 4, 8, 16, 30, 30, 30]


def test_those_still_on_their_way_when_it_was_closed_make_it_no_worse() -> None:
    broken = troubled(routes("notify"), *[1000.0] * 100)
    assert broken.healths["notify"].opens_at(1000) == 1001


def test_an_answer_opens_it_again() -> None:
    broken = troubled(routes("notify"), *[1000.0] * 5)
    assert broken.after_answer("notify").choose("message", 1, "", 1000) == "notify"


def test_with_one_provider_messages_wait_while_it_is_closed() -> None:
    broken = troubled(routes("notify"), *[1000.0] * 5)
    assert broken.choose("message", 1, "", 1000.5) is None
    assert broken.choose("message", 1, "", 1001) == "notify"
    assert broken.points_at(1000) == 100


def test_a_provider_that_is_full_for_the_day_is_closed_until_midnight_and_the_other_takes_over() -> None:
    full = routes().closed("notify", 5000, "The limit for the day is reached")
    assert shares(full, 4999) == {"twilio": 2000}
    assert full.admit("notify", 4999) is None
    assert shares(full, 5000) == {"notify": 2000}


def test_a_number_is_written_to_from_where_it_was_written_to_before_unless_that_is_closed() -> None:
    assert routes().choose("message", 1, "twilio", 1000) == "twilio"
    closed = routes().closed("twilio", 5000, "full")
    assert closed.choose("message", 1, "twilio", 1000) == "notify"
    assert routes("notify").choose("message", 1, "twilio", 1000) == "notify", "we have it no longer"


def test_the_same_attempt_always_goes_the_same_way() -> None:
    moved = troubled(routes(), 1000, 1001, 1002)
    assert [moved.choose(f"m-{n}", 1, "", 1002) for n in range(50)] == [
        moved.choose(f"m-{n}", 1, "", 1002) for n in range(50)
    ]
    assert len({moved.choose("m", attempt, "", 1002) for attempt in range(100)}) == 2
