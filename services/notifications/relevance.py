"""Whether a message still has something to tell when its turn comes, which may be a night after it was planned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifications.reminders import is_overtaken
from shared.events.notifications import MessageKind

CHANGED = "The appointment was changed before the text could be sent"
BEGUN = "The appointment had begun before the text could be sent"
TOO_LATE = "There was too little time left before the appointment"

_REMINDS_AT_LEAST = timedelta(hours=2)
_BOOKED = frozenset({"booked"})

_TRUE_OF: Mapping[MessageKind, frozenset[str]] = {
    # Who missed it may have missed it for want of the message.
    "moved": frozenset({"booked", "missed"}),
    "reminder-3": _BOOKED,
    "reminder-1": _BOOKED,
    "kept": _BOOKED,
    "asked": _BOOKED,
    "cancelled": frozenset({"cancelled"}),
}


@dataclass(frozen=True, slots=True)
class Moot:
    """It is not sent, and why. `outdated`: nobody need be told in another way."""

    reason: str
    outdated: bool = True


def moot(kind: MessageKind, status: str, start: datetime, now: datetime) -> Moot | None:
    """Why this message about an appointment of this status and start is not to be sent now; None if it is."""
    if status not in _TRUE_OF[kind]:
        return Moot(CHANGED)
    if start <= now:
        return Moot(BEGUN, outdated=kind != "moved")
    if kind == "reminder-1" and start - now < _REMINDS_AT_LEAST:
        return Moot(TOO_LATE)
    if kind == "reminder-3" and is_overtaken(start, now):
        return Moot(TOO_LATE)
    return None
