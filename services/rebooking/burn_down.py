"""The burn-down of an outage's backlog: how many displaced appointments were in which state, by day and practice."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from services.rebooking.case_history import Change, History
from services.rebooking.case_states import OPEN, STATES, State
from shared.clock import LONDON, london_date

_STEPS = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
_POINTS = 400
_AN_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are in each state (`services.rebooking.case_states`); together they are `everybody` ever displaced."""

    displaced: int
    planned: int
    moved: int
    told: int
    to_call: int
    confirmed: int
    done: int
    everybody: int


@dataclass(frozen=True, slots=True)
class DayAtPractice:
    """The counts at one practice at the end of a day in London; of today, or of the last day, those known so far."""

    day: date
    practice: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Point:
    """The counts of all practices together at a moment."""

    at: datetime
    counts: Counts


@dataclass(frozen=True, slots=True)
class BurnDown:
    """The backlog from the first day to now, or to when the last thing happened once nothing was open any more.

    It is counted from the log as it was at `as_of`, so the same log gives the same figures. `points` are as close
    together as the length of the whole allows; the chart is drawn through them.
    """

    as_of: datetime | None
    closed_at: datetime | None
    now: Counts
    days: Sequence[DayAtPractice]
    points: Sequence[Point]

    @property
    def open(self) -> int:
        """How many need something yet."""
        return sum(getattr(self.now, state) for state in OPEN)


def burn_down(history: History, began: datetime, now: datetime, practice: str = "") -> BurnDown:
    """The backlog since the outage `began` to be dealt with, of all practices or of one."""
    changes = [change for change in history.changes if practice in ("", change.practice)]
    first = min([began, *(change.at for change in changes[:1])])
    last = history.as_of or now
    until = last if history.closed_at else max(now, last)
    return BurnDown(
        as_of=history.as_of,
        closed_at=history.closed_at,
        now=_Tally.of(changes).counts(),
        days=list(_by_day(changes, first, until)) if changes else [],
        points=list(_points(changes, first, until)) if changes else [],
    )


class _Tally:
    """A running count of the states, and, apart from them, of everybody who came into one."""

    def __init__(self) -> None:
        self.states: dict[State, int] = dict.fromkeys(STATES, 0)
        self.everybody = 0

    @classmethod
    def of(cls, changes: Iterable[Change]) -> "_Tally":
        tally = cls()
        for change in changes:
            tally.take(change)
        return tally

    def take(self, change: Change) -> None:
        self.states[change.after] += 1
        if change.before is None:
            self.everybody += 1
        else:
            self.states[change.before] -= 1

    def counts(self) -> Counts:
        return Counts(**self.states, everybody=self.everybody)


def _by_day(changes: Sequence[Change], first: datetime, until: datetime) -> Iterator[DayAtPractice]:
    tallies: dict[str, _Tally] = {}
    dates = days(first, until)
    for day, together in zip(dates, _cut(changes, [midnight_after(day) for day in dates]), strict=True):
        for change in together:
            tallies.setdefault(change.practice, _Tally()).take(change)
        yield from (DayAtPractice(day, practice, tallies[practice].counts()) for practice in sorted(tallies))


def _points(changes: Sequence[Change], first: datetime, until: datetime) -> Iterator[Point]:
    tally = _Tally()
    moments = _moments(first, until)
    if changes[-1].at >= moments[-1]:
        moments.append(changes[-1].at + _AN_INSTANT)
    for at, together in zip(moments, _cut(changes, moments), strict=True):
        for change in together:
            tally.take(change)
        yield Point(at, tally.counts())


def _cut(changes: Sequence[Change], ends: Sequence[datetime]) -> Iterator[Sequence[Change]]:
    """What changed before each of these ends, and not before the one before it."""
    cuts = [0, *(bisect_left(changes, end, key=lambda change: change.at) for end in ends)]
    return (changes[start:end] for start, end in pairwise(cuts))


def days(first: datetime, until: datetime) -> list[date]:
    """The days in London from the one moment to the other."""
    began, ended = london_date(first), london_date(until)
    return [began + timedelta(days=number) for number in range((ended - began).days + 1)]


def midnight_after(day: date) -> datetime:
    """The end of the day in London."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON)


def _moments(first: datetime, until: datetime) -> list[datetime]:
    """Round ones, as close together as gives not too many, from just before the first on."""
    for step in _STEPS:
        if (until - first) / step <= _POINTS:
            seconds = round(step.total_seconds())
            began, ended = int(first.timestamp()) // seconds * seconds, int(until.timestamp())
            return [datetime.fromtimestamp(at, UTC) for at in range(began, ended + 1, seconds)]
    return [midnight_after(day - timedelta(days=1)) for day in days(first, until)]
