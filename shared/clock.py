"""Instants are UTC; people see Europe/London. The one place where Daybook asks what time it is."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.refusals import Refusal

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that may pretend: it runs at the speed of the real one, `offset` away from it."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC) + self.offset


def clock_starting_at(start: datetime | None) -> Clock:
    """A clock that reads `start` at this moment (`DAYBOOK_NOW`), or the real time if it is None."""
    return Clock() if start is None else Clock(start - datetime.now(UTC))


def in_london(instant: datetime) -> datetime:
    """The same instant as the clock on a surgery's wall shows it."""
    return instant.astimezone(LONDON)


def written(instant: datetime) -> str:
    """The same instant in ISO 8601, with London's offset."""
    return in_london(instant).isoformat()


def london_date(instant: datetime) -> date:
    """The calendar day in London on which the instant falls."""
    return in_london(instant).date()


def parse_instant(text: str, where: str = "start") -> datetime:
    """An ISO 8601 date and time as a UTC instant; without offset it is Europe/London wall time.

    Raises `Refusal`, naming `where` it stood, if it is not a date and time, names an hour that the spring change skips,
    or, without an offset, names an hour that the autumn change repeats.
    """
    try:
        parsed = datetime.fromisoformat(text.strip())
        return parsed.astimezone(UTC) if parsed.tzinfo is not None else _from_wall(parsed, text, where)
    except (ValueError, OverflowError):
        raise Refusal(
            f"“{text}” is not a date and time such as 2024-07-19T09:10", code="invalid-time", where=where
        ) from None


def _from_wall(wall: datetime, text: str, where: str) -> datetime:
    first = wall.replace(tzinfo=LONDON, fold=0)
    second = wall.replace(tzinfo=LONDON, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if first.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) != wall:
        raise Refusal(f"“{text}” does not exist: the clocks go forward over it", code="skipped-time", where=where)
    raise Refusal(
        f"“{text}” happens twice when the clocks go back: write it with its offset, +01:00 or +00:00",
        code="ambiguous-time",
        where=where,
    )
