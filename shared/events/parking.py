"""What each service records of events that it could not fold or react to: parked, tried again, left out for good.

Stream: `parked/<service>/<event>`: the service that could not, and the id of the event, whoever published that.
"""

from typing import ClassVar

from shared.events.base import Event

EVERY = "every"
"""In the place of a service's name in a type, since every service records these of itself."""


class _OfParked(Event, frozen=True):
    """The service `at` could not fold the event with the id `event`."""

    service: ClassVar[str] = EVERY
    at: str
    event: str

    @property
    def stream(self) -> str:
        return f"parked/{self.at}/{self.event}"


class EventParked(_OfParked, frozen=True):
    """It waits, and so will all that follow it in its stream. `source` published it, on `subject`, at `position`.

    `reason` says why, without a word out of the event itself. `sequence` is where it stood in the stream.
    """

    source: str
    of_stream: str
    position: int
    sequence: int
    subject: str
    reason: str


class EventRetried(_OfParked, frozen=True):
    """It has been folded and reacted to after all."""

    retried_by: str


class EventSkipped(_OfParked, frozen=True):
    """It is left out for good, here and in every rebuild: somebody has looked at it, and answers for that."""

    skipped_by: str
    reason: str


ParkingEvent = EventParked | EventRetried | EventSkipped

OF_EACH_ITSELF: frozenset[type[Event]] = frozenset({EventParked, EventRetried, EventSkipped})
"""What concerns nobody but the service that recorded it, and no table of its own either: nobody's fold is given it."""
