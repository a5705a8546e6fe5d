"""What all events have in common: they are frozen, they know their stream, and they know their practice."""

import re
from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

COUNTY = "county"
"""The practice written on an event that belongs to no single practice."""

Instant = Annotated[datetime, Meta(tz=True)]
"""A moment with an offset; written in UTC."""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Something that happened, in the past tense. `service` recorded it, as the newest fact of its `stream`.

    `revision` is counted up when its meaning changes; what was stored before is then listed in `upcasting.RETIRED`.
    """

    service: ClassVar[str]
    revision: ClassVar[int] = 1

    @property
    def stream(self) -> str:
        """The id of the stream this event belongs to: the boundary within which its order is decided."""
        raise TypeError(f"{type(self).__name__} names no stream")

    @property
    def at_practice(self) -> str:
        """The ODS code of the practice this event belongs to, or `COUNTY`."""
        return str(getattr(self, "practice", COUNTY))


def event_name(event: type[Event]) -> str:
    """`AppointmentBooked` is `appointment-booked`: the last part of its subject."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", event.__name__).lower()


def event_type(event: type[Event]) -> str:
    """The CloudEvents type: `uk.daybook.booking.appointment-booked.v1`."""
    return f"uk.daybook.{event.service}.{event_name(event)}.v{event.revision}"
