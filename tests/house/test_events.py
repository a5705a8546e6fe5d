"""The published language: every event is in its union, frozen, explained, placed, and readable for ever."""

from collections.abc import Iterable
from inspect import getmembers, isclass
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest

from shared.events import booking, notifications, parking, rebooking
from shared.events.base import Event
from shared.events.envelope import EVENTS, decode, with_body
from shared.events.upcasting import RETIRED, Retired
from tests.house.event_schemas import Schema, broken_promises, lost_ways, published, recorded
from tests.house.examples import examples, in_the_log

UNIONS: dict[ModuleType, Any] = {
    booking: booking.BookingEvent,
    rebooking: rebooking.RebookingEvent,
    notifications: notifications.NotificationsEvent,
}
ALL = sorted(EVENTS.values(), key=lambda event: event.__name__)


def _concrete(module: ModuleType) -> set[type[Event]]:
    """The events defined there; one that others inherit from only says what they share."""
    classes = {cls for _, cls in getmembers(module, isclass) if issubclass(cls, Event) and cls is not Event}
    return {cls for cls in classes if not any(cls in other.__mro__[1:] for other in classes)}


@pytest.mark.parametrize("module", list(UNIONS), ids=lambda module: module.__name__)
def test_every_event_is_in_the_union_of_its_service(module: ModuleType) -> None:
    assert set(get_args(UNIONS[module])) == _concrete(module)
    assert {event.service for event in _concrete(module)} == {module.__name__.rpartition(".")[2]}


def test_what_every_service_records_is_in_one_union() -> None:
    assert set(get_args(parking.ParkingEvent)) == _concrete(parking)
    assert {event.service for event in _concrete(parking)} == {parking.EVERY}


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.__name__)
def test_an_event_is_frozen_and_says_what_happened(event: type[Event]) -> None:
    assert event.__struct_config__.frozen
    assert "__doc__" in vars(event)
    assert event.__doc__


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.__name__)
def test_an_event_knows_its_stream_and_survives_being_written_down(event: type[Event]) -> None:
    for example in examples(event):
        written = with_body(in_the_log(example))
        assert "/" in written.stream
        assert decode(written.body) == written


def test_two_event_types_never_share_a_subject() -> None:
    kinds = [(event.service, kind.split(".")[3]) for kind, event in EVENTS.items()]
    assert len(set(kinds)) == len(kinds)


def test_stored_events_can_still_be_read() -> None:
    assert not list(broken_promises(recorded(), published()))


def test_the_shapes_of_today_are_recorded() -> None:
    shapes = {kind: shape for kind, shape in recorded().items() if kind not in RETIRED}
    assert shapes == published(), "record them: .venv/bin/python -m tests.house.event_schemas"


def test_every_retired_type_was_published_and_leads_to_one_that_is_written() -> None:
    assert set(RETIRED) <= set(recorded())
    assert list(lost_ways(RETIRED, EVENTS)) == []


@pytest.mark.parametrize(
    ("ways", "complaint"),
    [
        ({"noted.v1": "noted.v2", "noted.v2": "noted.v3"}, ""),
        ({"noted.v1": "noted.v4"}, "noted.v1 becomes noted.v4, which nobody knows"),
        ({"noted.v1": "noted.v2", "noted.v2": "noted.v1"}, "noted.v1 becomes noted.v1 in a circle"),
        ({"noted.v3": "noted.v3"}, "noted.v3 is retired, and written all the same: what is new needs another name"),
    ],
)
def test_a_retired_type_that_leads_nowhere_is_named(ways: dict[str, str], complaint: str) -> None:
    retired = {kind: Retired(becomes, dict) for kind, becomes in ways.items()}
    assert next(lost_ways(retired, {"noted.v3": object}), "") == complaint


def _event(required: Iterable[str] = (), **properties: Any) -> dict[str, Schema]:
    return {"noted.v1": {"type": "object", "properties": properties, "required": list(required)}}


TEXT, NUMBER, NOTHING = {"type": "string"}, {"type": "integer"}, {"type": "null"}
DAY, MOMENT = {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("after", "complaint"),
    [
        ({}, "noted.v1 is gone"),
        (_event(["a"], a=NUMBER), "noted.v1.a was string"),
        (_event(["b"], b=TEXT), "noted.v1.b is required"),
        (_event([], b={**TEXT, "default": ""}), "noted.v1.a is gone"),
        (_event(["a", "b"], a=TEXT, b=TEXT), "noted.v1.b is required"),
        (_event(["a"], a={**TEXT, "maxLength": 9}), "noted.v1.a had maxLength None, and has now 9"),
        (_event(["a"], a={"enum": ["yes", "no"]}), "noted.v1.a was string"),
    ],
)
def test_a_change_that_would_misread_stored_events_is_named(after: dict[str, Schema], complaint: str) -> None:
    assert next(broken_promises(_event(["a"], a=TEXT), after, {})).startswith(complaint)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        (MOMENT, DAY, "noted.v1.a had format date-time, and has now date"),
        ({**TEXT, "default": ""}, {**TEXT, "default": "none"}, "noted.v1.a meant  where it is left out"),
        ({**TEXT, "default": ""}, TEXT, "noted.v1.a meant  where it is left out"),
        ({"anyOf": [TEXT, NOTHING], "default": None}, {"anyOf": [TEXT, NOTHING]}, "noted.v1.a meant None where"),
        ({"anyOf": [TEXT, NOTHING]}, TEXT, "noted.v1.a was None, and is now string"),
        ({"anyOf": [TEXT, NOTHING]}, {"anyOf": [TEXT, NUMBER]}, "noted.v1.a no longer allows null"),
        ({"anyOf": [MOMENT, NOTHING]}, {"anyOf": [DAY, NOTHING]}, "noted.v1.a had format date-time"),
        ({"anyOf": [{"enum": ["am", "pm"]}, NOTHING]}, {"anyOf": [{"enum": ["am"]}, NOTHING]}, "noted.v1.a no longer"),
        ({"items": TEXT}, {"items": NUMBER}, "noted.v1.a[] was string, and is now integer"),
        ({"items": {"enum": ["am", "pm"]}}, {"items": {"enum": ["am"]}}, "noted.v1.a[] no longer allows pm"),
        ({"prefixItems": [TEXT]}, {"prefixItems": [TEXT, NUMBER]}, "noted.v1.a[] was None, and is now integer"),
        (
            {"anyOf": [_event(["b"], b=TEXT)["noted.v1"], NOTHING]},
            {"anyOf": [_event(["b"], b=NUMBER)["noted.v1"], NOTHING]},
            "noted.v1.a.b was string, and is now integer",
        ),
        (_event([], b=TEXT)["noted.v1"], _event(["b"], b=TEXT)["noted.v1"], "noted.v1.a.b is required"),
    ],
)
def test_a_field_that_would_be_read_otherwise_is_named(before: Schema, after: Schema, complaint: str) -> None:
    assert next(broken_promises(_event(a=before), _event(a=after), {})).startswith(complaint)


def test_a_type_may_go_that_is_retired_with_an_upcaster() -> None:
    assert not list(broken_promises(_event(a=TEXT), {}, {"noted.v1": Retired("noted.v2", dict)}))


def test_a_choice_may_be_added_and_never_taken_away() -> None:
    few, more = _event(a={"enum": ["yes"]}), _event(a={"enum": ["yes", "no"]})
    assert not list(broken_promises(few, more))
    assert "no longer allows no" in next(broken_promises(more, few))


def test_a_field_may_become_one_of_more_kinds() -> None:
    few, more = _event(a={"anyOf": [MOMENT, NOTHING]}), _event(a={"anyOf": [NOTHING, DAY, MOMENT]})
    assert not list(broken_promises(few, more))


def test_a_field_with_a_default_may_be_added() -> None:
    assert not list(broken_promises(_event(["a"], a=TEXT), _event(["a"], a=TEXT, b={"type": "string", "default": ""})))


def test_an_unknown_field_is_ignored_so_that_an_older_version_can_follow() -> None:
    written = with_body(in_the_log(next(examples(booking.PracticeRegistered))))
    newer = msgspec.json.decode(written.body)
    newer["data"]["added_later"] = "something"
    assert decode(msgspec.json.encode(newer)).event == written.event
