"""Dates and times as R4 searches by them: each names a stretch of time, and a prefix says on which side of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from shared.clock import LONDON
from shared.refusals import Refusal

EVER = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
"""All the time there is."""

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")
_PREFIXED = re.compile(r"([a-z]{2})?(.*)", re.DOTALL)
_WHOLE_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a date or time of some precision names: from `start` until just before `end`, in UTC."""

    start: datetime
    end: datetime


def read_stretch(name: str, text: str) -> Stretch:
    """A year, month or day of the UK, or a time with its offset (whose “+” arrives as a space if it was not escaped).

    Raises `Refusal` if it is none of these.
    """
    text = text.replace(" ", "+")
    try:
        if found := _DATE.fullmatch(text):
            return _days(*found.groups())
        if found := _TIME.fullmatch(text):
            instant = datetime.fromisoformat(text).astimezone(UTC)
            precision = timedelta(microseconds=1) if found[2] else timedelta(seconds=1 if found[1] else 60)
            return Stretch(instant, instant + precision)
    except (ValueError, OverflowError):
        pass
    raise bad_parameter(name, "write 2024-07-22 or, with its offset, 2024-07-22T09:00:00+01:00")


def is_whole_day(text: str) -> bool:
    """Whether it is written as a day: no time in it, and no month without its day."""
    return _WHOLE_DAY.fullmatch(text) is not None


def prefixed(text: str) -> tuple[str, str]:
    """The prefix, `eq` if there is none, and the rest."""
    found = _PREFIXED.fullmatch(text)
    return (found[1] or "eq", found[2]) if found else ("eq", text)


def read_bounds(name: str, values: Iterable[str]) -> tuple[datetime, datetime]:
    """All the values together, as one stretch: from the first instant until just before the second.

    Raises `Refusal` for a prefix other than eq, ge, gt, le and lt.
    """
    first, last = EVER
    for value in values:
        prefix, text = prefixed(value)
        stretch = read_stretch(name, text)
        match prefix:
            case "eq":
                first, last = max(first, stretch.start), min(last, stretch.end)
            case "ge":
                first = max(first, stretch.start)
            case "gt":
                first = max(first, stretch.end)
            case "le":
                last = min(last, stretch.end)
            case "lt":
                last = min(last, stretch.start)
            case _:
                raise bad_parameter(name, "its prefix may be eq, ge, gt, le or lt")
    return first, last


def midnight(day: date) -> datetime:
    """When the day begins in London, in UTC."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def bad_parameter(name: str, why: str) -> Refusal:
    """The refusal of a parameter that was understood and makes no sense. What was sent is not quoted."""
    return Refusal(f"The parameter {name} makes no sense: {why}", code="bad-parameter", where=name)


def _days(year: str, month: str | None, day: str | None) -> Stretch:
    first = date(int(year), int(month or 1), int(day or 1))
    if day:
        after = first + timedelta(days=1)
    elif month:
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = first.replace(year=first.year + 1)
    return Stretch(midnight(first), midnight(after))
