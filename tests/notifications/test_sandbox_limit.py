"""Notify's token bucket and Twilio's signature and keywords, without a server."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from services.notifications.sandbox.door import Door
from services.notifications.sandbox.limit import Bucket
from services.notifications.sandbox.opt_out import keyword
from services.notifications.sandbox.twilio_callbacks import signature

SECOND = 10**9


def refused(bucket: Bucket, times: list[int]) -> int:
    """How many of the requests at these times it turns away."""
    turned_away = 0
    for now in times:
        left = bucket.take(now)
        turned_away += left is None
        bucket = left or bucket
    return turned_away


def evenly(count: int, a_second: int, start: int = 0) -> list[int]:
    return [start + number * SECOND // a_second for number in range(count)]


@pytest.mark.parametrize("a_second", [45, 50])
def test_a_steady_pace_up_to_fifty_a_second_is_never_refused(a_second: int) -> None:
    assert refused(Bucket.full(3000, 0), evenly(34_000, a_second)) == 0


def test_a_burst_of_a_thousand_is_taken_and_then_fifty_a_second() -> None:
    bucket = Bucket.full(3000, 0)
    assert refused(bucket, [0] * 1000) == 0
    assert refused(bucket, [0] * 1001) == 1
    assert refused(bucket, [0] * 1000 + evenly(3000, 50, start=SECOND // 50)) == 0
    assert refused(bucket, [0] * 1000 + evenly(6000, 100, start=SECOND // 100)) == 3000


def test_three_thousand_at_once_is_two_thousand_too_many() -> None:
    assert refused(Bucket.full(3000, 0), [0] * 3000) == 2000


def test_it_fills_up_to_its_burst_and_no_further() -> None:
    emptied = Bucket.full(3000, 0)
    assert refused(emptied, [0] * 1000 + [3600 * SECOND] * 1001) == 1


@pytest.mark.parametrize(("per_minute", "burst"), [(1, 2), (3, 2), (4, 3), (60, 21), (2997, 1000), (3000, 1000)])
def test_the_burst_is_a_third_of_a_minute_and_one_and_at_most_a_thousand(per_minute: int, burst: int) -> None:
    assert refused(Bucket.full(per_minute, 0), [0] * 2000) == 2000 - burst


def test_speed_makes_the_minute_shorter_and_another_rate_starts_full() -> None:
    now = 0
    door = Door(lambda: now)
    door.turn({"per_minute": 60, "speed": 40})
    assert [door.too_many(0) for _ in range(22)] == [*[None] * 21, "limit"]
    now = SECOND // 40
    assert [door.too_many(0) for _ in range(2)] == [None, "limit"]
    door.turn({"fail": 1})
    assert door.too_many(0) == "limit"
    door.turn({"per_minute": 600})
    assert (door.too_many(0), door.limited) == (None, 3)


def test_a_day_is_full_when_so_many_were_accepted() -> None:
    door = Door(lambda: 0)
    door.turn({"per_day": 2})
    assert [door.too_many(today) for today in (0, 1, 2, 3)] == [None, None, "day", "day"]


@settings(max_examples=60, deadline=None)
@given(fields=st.dictionaries(st.text("AbCd09", min_size=1, max_size=4), st.text(max_size=12)))
def test_we_sign_as_twilios_own_package_does(fields: dict[str, Any]) -> None:
    url = "https://texts.example.org/v1/twilio/status/m.1?by=Sam%20%26%20co"
    assert RequestValidator("a token").compute_signature(url, fields) == signature("a token", url, fields)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("STOP", "STOP"),
        (" cancel\n", "STOP"),
        ("OptOut", "STOP"),
        ("revoke", "STOP"),
        ("yes", "START"),
        ("Info", "HELP"),
    ]
    + [(text, None) for text in ("", "STOP PLEASE", "CANCEL 7834", "1", "no", "STOP.")],
)
def test_only_a_single_word_is_a_keyword(text: str, kind: str | None) -> None:
    assert keyword(text) == kind
