"""Twilio's words for how far a message has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from services.notifications.sandbox.journal import Status
from services.notifications.sandbox.phones import Message

API_VERSION = "2010-04-01"


@dataclass(frozen=True, slots=True)
class State:
    """A status, and for a failure its code and what it means."""

    status: str
    code: int | None = None
    meaning: str | None = None


ENDS: Mapping[Status, State] = {
    "delivered": State("delivered"),
    "temporary-failure": State("undelivered", 30003, "Unreachable destination handset"),
    "permanent-failure": State("undelivered", 30005, "Unknown destination handset"),
    "technical-failure": State("failed", 30008, "Unknown error"),
}


def state_of(message: Message) -> State:
    """What Twilio says when it is asked."""
    return ENDS[message.settled.status] if message.settled else State("sent")


def rfc_2822(instant: datetime) -> str:
    """`Mon, 22 Jul 2024 08:00:00 +0000`, as the API writes its times."""
    return format_datetime(instant.replace(microsecond=0))
