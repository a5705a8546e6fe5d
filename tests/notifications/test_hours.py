"""At what hours messages may arrive, by London's clock."""

import pytest

from services.notifications.hours import next_opening, open_lanes, opens
from services.notifications.relevance import moot
from shared.clock import parse_instant
from shared.events.notifications import MessageKind


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2024-07-22T08:00", "2024-07-22T08:00"),
        ("2024-07-22T19:59", "2024-07-22T19:59"),
        ("2024-07-22T20:00", "2024-07-23T08:00"),
        ("2024-07-22T07:59", "2024-07-22T08:00"),
        ("2024-07-20T03:00", "2024-07-20T08:00"),
        ("2024-12-25T07:00", "2024-12-25T08:00"),
        ("2024-10-26T21:00", "2024-10-27T08:00"),
        ("2024-03-30T23:30", "2024-03-31T08:00"),
    ],
)
def test_no_notice_arrives_at_night(now: str, then: str) -> None:
    assert opens("moved", parse_instant(now)) == parse_instant(then)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2024-07-22T17:59", "2024-07-22T17:59"),
        ("2024-07-22T18:00", "2024-07-23T08:00"),
        ("2024-07-19T18:00", "2024-07-22T08:00"),
        ("2024-07-20T10:00", "2024-07-22T08:00"),
        ("2024-08-26T10:00", "2024-08-27T08:00"),
        ("2024-03-28T18:00", "2024-04-02T08:00"),
        ("2024-12-24T18:00", "2024-12-27T08:00"),
        ("2024-10-25T19:00", "2024-10-28T08:00"),
    ],
)
@pytest.mark.parametrize("kind", ["reminder-3", "reminder-1"])
def test_a_reminder_arrives_on_a_working_day_of_england(kind: MessageKind, now: str, then: str) -> None:
    assert opens(kind, parse_instant(now)) == parse_instant(then)


@pytest.mark.parametrize("kind", ["kept", "asked", "cancelled"])
def test_what_answers_a_patient_arrives_at_any_hour(kind: MessageKind) -> None:
    midnight = parse_instant("2024-12-25T00:00")
    assert opens(kind, midnight) == midnight


@pytest.mark.parametrize(
    ("now", "lanes", "opening"),
    [
        ("2024-07-22T09:00", [0, 1, 2, 3], None),
        ("2024-07-22T18:30", [0, 1], "2024-07-23T08:00"),
        ("2024-07-20T22:00", [0], "2024-07-21T08:00"),
        ("2024-07-21T09:00", [0, 1], "2024-07-22T08:00"),
    ],
)
def test_lanes_open_and_close_each_at_its_hours(now: str, lanes: list[int], opening: str | None) -> None:
    instant = parse_instant(now)
    assert open_lanes(instant) == lanes
    assert next_opening(instant) == (parse_instant(opening) if opening else None)


@pytest.mark.parametrize("hour", ["2024-10-27T00:30", "2024-10-27T01:30+01:00", "2024-10-27T01:30+00:00"])
def test_on_the_night_with_an_hour_twice_a_day_still_begins_at_eight(hour: str) -> None:
    assert opens("moved", parse_instant(hour)) == parse_instant("2024-10-27T08:00+00:00")


NOON = "2024-07-22T12:00"


@pytest.mark.parametrize(
    ("kind", "status", "start", "outdated"),
    [
        ("moved", "booked", "2024-07-22T12:01", None),
        ("moved", "missed", "2024-07-22T12:01", None),
        ("moved", "cancelled", "2024-07-23T09:00", True),
        ("moved", "moved", "2024-07-23T09:00", True),
        ("moved", "booked", "2024-07-22T12:00", False),
        ("reminder-3", "booked", "2024-07-24T00:00", None),
        ("reminder-3", "booked", "2024-07-23T23:59", True),
        ("reminder-3", "missed", "2024-07-23T09:00", True),
        ("reminder-1", "booked", "2024-07-22T14:00", None),
        ("reminder-1", "booked", "2024-07-22T13:59", True),
        ("reminder-1", "booked", "2024-07-22T11:00", True),
        ("kept", "booked", "2024-07-23T09:00", None),
        ("kept", "displaced", "2024-07-23T09:00", True),
        ("asked", "booked", "2024-07-23T09:00", None),
        ("asked", "moved", "2024-07-23T09:00", True),
        ("cancelled", "cancelled", "2024-07-23T09:00", None),
        ("cancelled", "booked", "2024-07-23T09:00", True),
        ("cancelled", "cancelled", "2024-07-22T11:00", True),
    ],
)
def test_a_message_goes_out_only_while_it_is_true(
    kind: MessageKind, status: str, start: str, outdated: bool | None
) -> None:
    """Only who was moved and not told before it began has to be told in another way."""
    found = moot(kind, status, parse_instant(start), parse_instant(NOON))
    assert (found.outdated if found else None) == outdated
