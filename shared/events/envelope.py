"""Events as they stand in both copies of the log: CloudEvents 1.0 in structured JSON, the same bytes in each."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, reduce
from operator import or_
from types import MappingProxyType
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct

from shared.events.base import Event, event_type
from shared.events.booking import BookingEvent
from shared.events.notifications import NotificationsEvent
from shared.events.parking import ParkingEvent
from shared.events.rebooking import RebookingEvent
from shared.events.upcasting import RETIRED, Retired, ancestors, brought_up_to_date

_OF_ONE = tuple(event for union in (BookingEvent, RebookingEvent, NotificationsEvent) for event in get_args(union))
_CLASSES = (*_OF_ONE, *get_args(ParkingEvent))

EVENTS: Mapping[str, type[Event]] = MappingProxyType({event_type(event): event for event in _CLASSES})
"""Every event type that is written, by its CloudEvents type. Those that were written once are in `RETIRED`."""

SERVICES = frozenset(event.service for event in _OF_ONE)
"""Whoever publishes events."""

_TYPES = {event: kind for kind, event in EVENTS.items()}
_DECODERS = {kind: msgspec.json.Decoder(event) for kind, event in EVENTS.items()}


class UnreadableEvent(ValueError):
    """These bytes are not an event that this version of Daybook knows."""


class Recorded(Struct, frozen=True, kw_only=True, gc=False):
    """An event in its place in the log.

    `position` counts the events of its service without a gap, `version` those of its stream, both from 1.
    `followed` says how far, per service, the recording service had reacted to the log when it decided this, in the
    words of `positions_to_text`. `stored_as` is the type it was written under, if that is retired.
    """

    position: int
    version: int
    id: str
    service: str
    stream: str
    practice: str
    recorded_at: datetime
    occurred_at: datetime
    event: Any
    causation_id: str = ""
    correlation_id: str = ""
    followed: str = ""
    body: bytes = b""
    stored_as: str = ""

    @property
    def type(self) -> str:
        """The CloudEvents type, as both copies have it: `uk.daybook.booking.appointment-booked.v1`."""
        return self.stored_as or _TYPES[type(self.event)]

    @property
    def subject(self) -> str:
        """The NATS subject the event is published on: `daybook.booking.G82002.appointment-booked`."""
        return f"daybook.{self.service}.{self.practice}.{self.type.split('.')[3]}"


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A CloudEvent whose `data` nobody has looked into yet."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    position: int
    version: int
    practice: str
    occurredat: datetime
    data: Raw
    specversion: str
    datacontenttype: str
    causationid: str = ""
    correlationid: str = ""
    followed: str = ""

    @property
    def service(self) -> str:
        """Which service recorded it."""
        return _service_of(self.source)


@cache
def _service_of(source: str) -> str:
    return source.rpartition("/")[2]


_ENVELOPE = msgspec.json.Decoder(Envelope)


def encoded(event: Event) -> bytes:
    """The event alone, as it stands in its envelope."""
    return msgspec.json.encode(event)


def with_body(recorded: Recorded, data: bytes = b"") -> Recorded:
    """The same event with `body`, the bytes that both copies of the log keep. `data` is the event, if it is encoded."""
    body = msgspec.json.encode(
        Envelope(
            specversion="1.0",
            id=recorded.id,
            source=f"/daybook/{recorded.service}",
            type=recorded.type,
            subject=recorded.stream,
            time=recorded.recorded_at,
            datacontenttype="application/json",
            position=recorded.position,
            version=recorded.version,
            practice=recorded.practice,
            occurredat=recorded.occurred_at,
            causationid=recorded.causation_id,
            correlationid=recorded.correlation_id,
            followed=recorded.followed,
            data=Raw(data or encoded(recorded.event)),
        )
    )
    return msgspec.structs.replace(recorded, body=body)


def types_of(event: type[Event], retired: Mapping[str, Retired] = RETIRED) -> tuple[str, ...]:
    """Every type under which events of this class stand in the log."""
    kind = event_type(event)
    return kind, *ancestors(kind, retired)


def envelope_of(body: bytes, retired: Mapping[str, Retired] = RETIRED) -> Envelope:
    """The envelope around the event that these bytes record. Raises `UnreadableEvent`."""
    try:
        envelope = _ENVELOPE.decode(body)
    except msgspec.MsgspecError as malformed:
        raise UnreadableEvent(f"not a Daybook event: {malformed}") from malformed
    if envelope.type not in EVENTS and envelope.type not in retired:
        raise UnreadableEvent(f"event type '{envelope.type}' is not known here: is this version older than the log?")
    return envelope


def opened(envelope: Envelope, body: bytes, retired: Mapping[str, Retired] = RETIRED) -> Recorded:
    """The event in this envelope, which these bytes record. Raises `UnreadableEvent`."""
    if envelope.type in retired:
        kind, data = brought_up_to_date(envelope.type, envelope.data, retired)
        today = opened(msgspec.structs.replace(envelope, type=kind, data=data), body, {})
        return msgspec.structs.replace(today, stored_as=envelope.type)
    try:
        event = _DECODERS[envelope.type].decode(envelope.data)
    except msgspec.MsgspecError as malformed:
        raise UnreadableEvent(f"not a Daybook event: {malformed}") from malformed
    return _recorded(envelope, event, body)


def _recorded(envelope: Any, event: Any, body: bytes) -> Recorded:
    return Recorded(
        position=envelope.position,
        version=envelope.version,
        id=envelope.id,
        service=_service_of(envelope.source),
        stream=envelope.subject,
        practice=envelope.practice,
        recorded_at=envelope.time,
        occurred_at=envelope.occurredat,
        event=event,
        causation_id=envelope.causationid,
        correlation_id=envelope.correlationid,
        followed=envelope.followed,
        body=body,
    )


def decode(body: bytes, retired: Mapping[str, Retired] = RETIRED) -> Recorded:
    """The event that these bytes record. Raises `UnreadableEvent`."""
    if retired is RETIRED:
        try:
            whole = _whole().decode(body)
            return _recorded(whole, whole.data, body)
        except msgspec.MsgspecError:
            pass  # It is of a retired type, or at fault: the long way finds out which, and says so.
    return opened(envelope_of(body, retired), body, retired)


@cache
def _whole() -> msgspec.json.Decoder[Any]:
    """Reads an envelope and what is in it at once: the `type` says which event that must be."""
    around = [field for field in msgspec.structs.fields(Envelope) if field.name not in ("type", "data")]
    others = [(f.name, f.type) if f.required else (f.name, f.type, f.default) for f in around]
    kinds = [
        msgspec.defstruct(
            event.__name__, [*others, ("data", event)], tag_field="type", tag=kind, kw_only=True, frozen=True, gc=False
        )
        for kind, event in EVENTS.items()
    ]
    return msgspec.json.Decoder(reduce(or_, kinds))


def positions_to_text(positions: Mapping[str, int]) -> str:
    """`booking:12 rebooking:7`, since an extension of a CloudEvent must be a plain value."""
    return " ".join(sorted([f"{service}:{position}" for service, position in positions.items() if position]))


def positions_from_text(text: str) -> Mapping[str, int]:
    """The reverse of `positions_to_text`."""
    return {service: int(position) for service, _, position in (pair.partition(":") for pair in text.split())}
