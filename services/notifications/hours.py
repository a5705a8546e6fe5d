"""At what hours a message may arrive: by its kind, in London time. What answers a patient may arrive at any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import count

from holidays import country_holidays

from services.notifications.lanes import LANE
from shared.clock import LONDON, london_date
from shared.events.notifications import MessageKind


@dataclass(frozen=True, slots=True)
class Hours:
    """From `earliest` until `latest`, on every day or on working days."""

    earliest: time
    latest: time
    working_days: bool = False


NEWS = Hours(time(8), time(20))
REMINDERS = Hours(time(8), time(18), working_days=True)

HOURS: Mapping[MessageKind, Hours | None] = {
    "moved": NEWS,
    "reminder-3": REMINDERS,
    "reminder-1": REMINDERS,
    "kept": None,
    "asked": None,
    "cancelled": None,
}


def opens(kind: MessageKind, now: datetime) -> datetime:
    """The first instant from `now` on at which a message of this kind may arrive."""
    hours = HOURS[kind]
    if hours is None:
        return now
    days = (london_date(now) + timedelta(days=ahead) for ahead in count())
    return next(opening for day in days if (opening := _opening(hours, day, now)))


def open_lanes(now: datetime) -> Sequence[int]:
    """The lanes whose messages may arrive now, in their order."""
    return sorted({LANE[kind] for kind in HOURS if opens(kind, now) == now})


def next_opening(now: datetime) -> datetime | None:
    """When the first of the closed lanes opens, if any is closed."""
    return min((opening for kind in HOURS if (opening := opens(kind, now)) > now), default=None)


def _opening(hours: Hours, day: date, now: datetime) -> datetime | None:
    begins, ends = (datetime.combine(day, clock, LONDON).astimezone(UTC) for clock in (hours.earliest, hours.latest))
    return max(now, begins) if now < ends and (not hours.working_days or is_working_day(day)) else None


def is_working_day(day: date) -> bool:
    """Neither a weekend nor a bank holiday of England."""
    return day.weekday() < 5 and day not in _bank_holidays(day.year)


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("GB", subdiv="ENG", years=year))
