"""Booking's settings: `BOOKING_…`, or else `DAYBOOK_…`."""

from typing import ClassVar

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """All that booking can be told from outside."""

    service: ClassVar[str] = "booking"

    hold_minutes: int = Field(default=10, ge=1, le=30)
    """How long slots are held for somebody who is about to book them."""
