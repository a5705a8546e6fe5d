"""Events as they stand in both copies of the log: CloudEvents 1.0 in structured JSON, the same bytes in each."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

import msgspec
from msgspec import Struct

from shared.events.base import Event, event_name, event_type
from shared.events.booking import BookingEvent
from shared.events.notifications import NotificationsEvent
from shared.events.rebooking import RebookingEvent

EVENTS: Mapping[str, type[Event]] = MappingProxyType(
    {event_type(event): event for union in (BookingEvent, RebookingEvent, NotificationsEvent) for event in get_args(union)}
)
"""Every event type ever published, by its CloudEvents type."""


class Recorded(Struct, frozen=True, kw_only=True, gc=False):
    """An event in its place in the log.

    `position` counts the events of its service without a gap, `version` those of its stream, both from 1.
    `followed` is how far, per other service, the recording service had reacted when it decided.
    """

    position: int
    version: int
    id: str
    service: str
    stream: str
    practice: str
    recorded_at: datetime
    occurred_at: datetime
    causation_id: str
    correlation_id: str
    followed: Mapping[str, int]
    event: Any
    body: bytes

    @property
    def type(self) -> str:
        return event_type(type(self.event))

    @property
    def subject(self) -> str:
        """The NATS subject the event is published on: `daybook.booking.G82002.appointment-booked`."""
        return f"daybook.{self.service}.{self.practice}.{event_name(type(self.event))}"
