"""The county's events as users of the `eventsourcing` library write them: its domain events, with the same fields.

Twice: as its frozen dataclasses, encoded by its own mapper and `JSONTranscoder` with the transcodings that it asks its
users for; and as msgspec structs with a mapper of one's own, as the library's examples show for whoever is in a hurry.
"""

from collections.abc import Iterator, Mapping
from dataclasses import make_dataclass
from datetime import date, datetime
from functools import cache
from types import ModuleType, new_class
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from eventsourcing.domain import DomainEvent, DomainEventProtocol
from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Mapper,
    StoredEvent,
    Transcoding,
    UUIDAsHex,
)
from eventsourcing.utils import get_topic, resolve_topic
from msgspec import Struct

from shared.events import booking, notifications, rebooking
from shared.events.base import Event
from shared.events.envelope import EVENTS, Recorded

AMONG_THEM = (booking, rebooking, notifications)
"""Where the values stand that events are made of."""


class CountyEvent(DomainEvent):
    """What ours have in their envelopes. The originator is the stream; the timestamp says when it was recorded."""

    event_id: str
    practice_code: str
    occurred_at: datetime
    causation_id: str
    correlation_id: str
    followed: str


class ValueAsDict(Transcoding):
    """A value that events hold, by the names of its fields."""

    def __init__(self, kind: type) -> None:
        self.type = kind
        self.name = kind.__name__

    def encode(self, obj: Any) -> Any:
        return dict(vars(obj))

    def decode(self, data: Any) -> Any:
        return self.type(**data)


class DateAsISO(Transcoding):
    """A day."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class StructMapper(Mapper[UUID]):
    """Decodes straight into structs; everything stands in the state, the originator too."""

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        topic, state = get_topic(type(domain_event)), msgspec.json.encode(domain_event)
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, topic, state)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        decoded: DomainEventProtocol[UUID] = msgspec.json.decode(
            stored_event.state, type=resolve_topic(stored_event.topic)
        )
        return decoded


def json_mapper() -> Mapper[UUID]:
    """The library's own, with all that it asks its users to register."""
    transcoder = JSONTranscoder()
    for transcoding in (UUIDAsHex(), DecimalAsStr(), DatetimeAsISO(), DateAsISO()):
        transcoder.register(transcoding)
    for value in _values().values():
        transcoder.register(ValueAsDict(value))
    for event in EVENTS.values():
        get_topic(_domain_event(event))
    return Mapper(transcoder)


def struct_mapper() -> Mapper[UUID]:
    """The one that is faster."""
    for event in EVENTS.values():
        get_topic(_struct(event))
    return StructMapper(JSONTranscoder())


def as_domain_event(recorded: Recorded) -> DomainEventProtocol[UUID]:
    """Ours, as a dataclass of the library."""
    fields = {name: _value(value) for name, value in _fields(recorded.event)}
    found: DomainEventProtocol[UUID] = _domain_event(_kind(recorded))(**_envelope(recorded), **fields)
    return found


def as_struct(recorded: Recorded) -> DomainEventProtocol[UUID]:
    """Ours, as a struct that the library takes for a domain event."""
    found: DomainEventProtocol[UUID] = _struct(_kind(recorded))(**_envelope(recorded), **dict(_fields(recorded.event)))
    return found


def _kind(recorded: Recorded) -> type[Event]:
    kind: type[Event] = type(recorded.event)
    return kind


def _envelope(recorded: Recorded) -> dict[str, Any]:
    return {
        "originator_id": uuid5(NAMESPACE_URL, recorded.stream),
        "originator_version": recorded.version,
        "timestamp": recorded.recorded_at,
        "event_id": recorded.id,
        "practice_code": recorded.practice,
        "occurred_at": recorded.occurred_at,
        "causation_id": recorded.causation_id,
        "correlation_id": recorded.correlation_id,
        "followed": recorded.followed,
    }


def _fields(struct: Struct) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(struct, name)) for name in struct.__struct_fields__)


def _value(value: Any) -> Any:
    if isinstance(value, Struct):
        return _values()[type(value)](**{name: _value(held) for name, held in _fields(value)})
    return [_value(each) for each in value] if isinstance(value, tuple) else value


@cache
def _values() -> Mapping[type[Struct], type]:
    """A dataclass for each value that events hold."""
    found = {value for module in AMONG_THEM for value in _values_of(module)}
    return {value: make_dataclass(value.__name__, value.__struct_fields__, frozen=True) for value in found}


def _values_of(module: ModuleType) -> Iterator[type[Struct]]:
    for each in vars(module).values():
        if isinstance(each, type) and issubclass(each, Struct) and each is not Struct and not issubclass(each, Event):
            yield each


@cache
def _domain_event(event: type[Event]) -> Any:
    annotations = {field.name: field.type for field in msgspec.structs.fields(event)}
    body = {"__module__": __name__, "__annotations__": annotations}
    return new_class(event.__name__, (CountyEvent,), exec_body=lambda namespace: namespace.update(body))


@cache
def _struct(event: type[Event]) -> Any:
    envelope = [
        ("originator_id", UUID),
        ("originator_version", int),
        ("timestamp", datetime),
        *CountyEvent.__annotations__.items(),
    ]
    name = f"{event.__name__}Struct"
    return msgspec.defstruct(name, envelope, bases=(event,), module=__name__, frozen=True, kw_only=True, gc=False)
