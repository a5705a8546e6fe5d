"""Instants are UTC, walls show London time, and the two odd hours of the year are never guessed."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import clock_starting_at, in_london, london_date, parse_instant
from shared.refusals import Refusal


def test_a_time_without_offset_is_what_the_clock_in_the_surgery_shows() -> None:
    assert parse_instant("2024-07-19T09:10") == datetime(2024, 7, 19, 8, 10, tzinfo=UTC)
    assert parse_instant("2024-12-19T09:10") == datetime(2024, 12, 19, 9, 10, tzinfo=UTC)


def test_a_time_with_offset_is_taken_at_its_word() -> None:
    assert parse_instant("2024-10-27T01:30:00+01:00") == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert parse_instant("2024-10-27T01:30:00+00:00") == datetime(2024, 10, 27, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2024-10-27T01:30", "happens twice"),
        ("2024-03-31T01:30", "does not exist"),
        ("tomorrow", "is not a date and time"),
        ("2024-02-30T09:00", "is not a date and time"),
        ("0001-01-01T00:00+14:00", "is not a date and time"),
    ],
)
def test_a_time_that_means_nothing_or_two_things_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        parse_instant(text)


def test_a_pretended_clock_goes_on_from_where_it_is_set() -> None:
    start = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)

    clock = clock_starting_at(start)

    assert timedelta() <= clock.now() - start < timedelta(seconds=5)


def test_late_evening_in_summer_is_still_that_day_in_london() -> None:
    instant = datetime(2024, 7, 19, 23, 30, tzinfo=UTC)

    assert in_london(instant).hour == 0
    assert str(london_date(instant)) == "2024-07-20"
