"""When patients are reminded: three days and one day ahead, at ten on a working day, once a day at most."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from services.notifications.hours import is_working_day
from shared.clock import LONDON, london_date
from shared.ids import derived_id

ReminderKind = Literal["reminder-3", "reminder-1"]

AT = time(10)
LEAST = timedelta(hours=2)
"""So long before the appointment a reminder is still of use."""
SETTLED = timedelta(hours=24)
"""An appointment that was made, or moved, less than so long before its reminder is due needs none."""

_LOOK_AHEAD = 12
"""Days: three, and more than England was ever closed for at a stretch."""


@dataclass(frozen=True, slots=True)
class Round:
    """All the appointments of one day in London, whose patients are reminded from the same instant on."""

    kind: ReminderKind
    day: date
    due: datetime

    @property
    def begins(self) -> datetime:
        """The first instant of the day."""
        return _midnight(self.day)

    @property
    def ends(self) -> datetime:
        """The first instant of the next day."""
        return _midnight(self.day + timedelta(days=1))

    @property
    def booked_by(self) -> datetime:
        """By when an appointment must have been made for a reminder to be of use."""
        return self.due - SETTLED


def reminder_of(kind: ReminderKind, appointment: str, start: datetime) -> str:
    """The reminder of this appointment: derived, so that however often its time is seen to have come, there is one."""
    return derived_id("message", kind, appointment, start.isoformat())


def rounds(now: datetime, after: datetime | None = None) -> Iterator[Round]:
    """The rounds whose time has come, after that instant if one is given, and has not gone by.

    The one three days ahead has gone by on the day of the other, so no patient gets both on one day; and the other,
    when the appointment is too near.
    """
    today = london_date(now)
    for ahead in range(_LOOK_AHEAD + 1):
        day = today + timedelta(days=ahead)
        first, last = due_at(day, 3), due_at(day, 1)
        if _is_between(after, last, now):
            yield Round("reminder-1", day, last)
        if _is_between(after, first, now) and today < london_date(last):
            yield Round("reminder-3", day, first)


def is_overtaken(start: datetime, now: datetime) -> bool:
    """Whether the reminder three days before this start would come on the day of the other, or after it."""
    return london_date(now) >= london_date(due_at(london_date(start), 1))


def due_at(day: date, days_ahead: int) -> datetime:
    """When those with an appointment on this day are reminded: so many days before, or the working day before that."""
    due = day - timedelta(days=days_ahead)
    while not is_working_day(due):
        due -= timedelta(days=1)
    return datetime.combine(due, AT, LONDON).astimezone(UTC)


def _is_between(after: datetime | None, due: datetime, now: datetime) -> bool:
    return due <= now and (after is None or after < due)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LONDON).astimezone(UTC)
