"""The published language: every event is in its union, frozen, explained, placed, and readable for ever."""

from collections.abc import Iterable
from inspect import getmembers, isclass
from types import ModuleType
from typing import Any, get_args

import msgspec
import pytest

from shared.events import booking, notifications, rebooking
from shared.events.base import Event
from shared.events.envelope import EVENTS, decode, with_body
from tests.house.event_schemas import Schema, broken_promises, published, recorded
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
    assert recorded() == published(), "record them: .venv/bin/python -m tests.house.event_schemas"


def _event(required: Iterable[str] = (), **properties: Any) -> dict[str, Schema]:
    return {"noted.v1": {"type": "object", "properties": properties, "required": list(required)}}


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("after", "complaint"),
    [
        ({}, "noted.v1 is gone"),
        (_event(["a"], a=NUMBER), "noted.v1.a was string"),
        (_event(["b"], b=TEXT), "noted.v1.a is gone"),
        (_event(["a", "b"], a=TEXT, b=TEXT), "noted.v1.b is required"),
    ],
)
def test_a_change_that_would_misread_stored_events_is_named(after: dict[str, Schema], complaint: str) -> None:
    assert any(sentence.startswith(complaint) for sentence in broken_promises(_event(["a"], a=TEXT), after))


def test_a_choice_may_be_added_and_never_taken_away() -> None:
    few, more = _event(a={"enum": ["yes"]}), _event(a={"enum": ["yes", "no"]})
    assert not list(broken_promises(few, more))
    assert "no longer allows no" in next(broken_promises(more, few))


def test_a_field_with_a_default_may_be_added() -> None:
    assert not list(broken_promises(_event(["a"], a=TEXT), _event(["a"], a=TEXT, b={"type": "string", "default": ""})))


def test_an_unknown_field_is_ignored_so_that_an_older_version_can_follow() -> None:
    written = with_body(in_the_log(next(examples(booking.PracticeRegistered))))
    newer = msgspec.json.decode(written.body)
    newer["data"]["added_later"] = "something"
    assert decode(msgspec.json.encode(newer)).event == written.event
