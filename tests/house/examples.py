"""Example events made from the types alone, so that a new event type is tested the moment it is published."""

import types
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from shared.events.base import Event
from shared.events.envelope import EVENTS, Recorded
from shared.events.parking import EVERY

NOW = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)


def all_recorded() -> Iterator[Recorded]:
    """Every published event type, with every choice that its fields allow."""
    for event_type in EVENTS.values():
        for event in examples(event_type):
            yield in_the_log(event)


def in_the_log(event: Event) -> Recorded:
    """The event in some place in the log; booking's, if every service records it."""
    return Recorded(
        position=7,
        version=1,
        id="event-7",
        service="booking" if event.service == EVERY else event.service,
        stream=event.stream,
        practice=event.at_practice,
        recorded_at=NOW,
        occurred_at=NOW,
        event=event,
    )


def examples(struct: type[Struct]) -> Iterator[Any]:
    """As many of the struct as it takes to see each value of each field once."""
    fields = get_type_hints(struct, include_extras=True)
    choices = {name: _values(fields[name]) for name in struct.__struct_fields__}
    for turn in range(max(map(len, choices.values()))):
        yield struct(**{name: values[turn % len(values)] for name, values in choices.items()})


def sparest() -> Iterator[Event]:
    """Every published event type as it was first stored: nothing said but what it must say."""
    for event in EVENTS.values():
        fields = get_type_hints(event, include_extras=True)
        needed = [field.name for field in msgspec.structs.fields(event) if field.required]
        yield event(**{name: _values(fields[name])[0] for name in needed})


def _values(kind: Any) -> Sequence[Any]:
    plain: dict[Any, list[Any]] = {
        str: ["some text"],
        int: [1],
        bool: [True, False],
        datetime: [NOW],
        date: [NOW.date()],
        types.NoneType: [None],
    }
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in plain:
        return plain[kind]
    if origin is Annotated:
        return _values(arguments[0])
    if origin is Literal:
        return arguments
    if origin in (Union, types.UnionType):
        return [value for option in arguments for value in _values(option)]
    if origin is tuple:
        return [(value,) for value in _values(arguments[0])]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return list(examples(kind))
    raise TypeError(f"no example of {kind!r} is known here: add one")
