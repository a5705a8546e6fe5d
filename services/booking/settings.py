"""Booking's settings: `BOOKING_…`, or else `DAYBOOK_…`."""

from typing import ClassVar

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """All that booking can be told from outside."""

    service: ClassVar[str] = "booking"
