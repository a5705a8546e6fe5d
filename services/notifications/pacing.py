"""How fast messages go out: evenly to a provider, at most so many to it a day, and to one telephone an hour."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

HOUR = timedelta(hours=1)


LATE_AT_MOST = 0.25


class Pace:
    """Turns at even distances: no burst, however long nobody asked. Times are seconds of a clock that goes forward.

    Turns that a busy moment missed are made up for, a quarter of a second's worth of them at most.
    """

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._next = 0.0
        self._held_until = 0.0

    def next(self, now: float) -> float:
        """When the next turn is."""
        return max(now, self._next, self._held_until)

    def take(self, now: float) -> float:
        """When the next turn is; nobody else gets it."""
        turn = self.next(now)
        self._next = max(self._next, self._held_until, now - LATE_AT_MOST) + self._between
        return turn

    def hold(self, until: float, now: float) -> bool:
        """No turn before that: the provider wants it so. False if there was a pause already."""
        is_new = now >= self._held_until
        self._held_until = max(self._held_until, until)
        return is_new

    def is_held(self, now: float) -> bool:
        """Whether there is a pause, even for whoever has taken a turn."""
        return now < self._held_until


class Allowance:
    """How many messages a provider takes on one day in UTC; 0: any number."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._day = date.min
        self._used = 0

    def used(self, day: date) -> int:
        """How many it has had, or is about to have, on this day."""
        return self._used if day == self._day else 0

    def note(self, day: date, used: int) -> None:
        """So many it has had, as the tables say."""
        self._day, self._used = day, used

    def take(self, day: date) -> bool:
        """One more, if there may be one more."""
        used = self.used(day)
        if 0 < self.limit <= used:
            return False
        self.note(day, used + 1)
        return True

    def give_back(self, day: date) -> None:
        """One of that day's was not sent after all. Of a day that is over nobody keeps count."""
        if day == self._day:
            self._used = max(0, self._used - 1)


class Hourly:
    """How many messages each telephone number had within an hour: the networks cut off a number that has too many."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sent = deque[tuple[datetime, str]]()
        self._counts, self._returned = Counter[str](), Counter[str]()
        self._full = set[str]()

    def note(self, sent: Iterable[tuple[datetime, str]]) -> None:
        """What the tables know, the oldest first."""
        for at, number in sent:
            self._add(number, at)

    def take(self, number: str, now: datetime) -> bool:
        """One more to this number, if there may be one more."""
        self._forget(now)
        if number in self._full:
            return False
        self._add(number, now)
        return True

    def give_back(self, number: str) -> None:
        """One of them was not sent after all; after an hour it does not count anyway."""
        if self._counts[number]:
            self._returned[number] += 1
            self._drop(number)

    def full(self, now: datetime) -> Sequence[str]:
        """The numbers that can have no more for now."""
        self._forget(now)
        return list(self._full)

    def _add(self, number: str, at: datetime) -> None:
        self._sent.append((at, number))
        self._counts[number] += 1
        if self._counts[number] >= self._limit:
            self._full.add(number)

    def _forget(self, now: datetime) -> None:
        while self._sent and self._sent[0][0] <= now - HOUR:
            _, number = self._sent.popleft()
            if self._returned[number]:
                self._returned -= Counter([number])
            else:
                self._drop(number)

    def _drop(self, number: str) -> None:
        self._counts[number] -= 1
        if self._counts[number] < self._limit:
            self._full.discard(number)
        if not self._counts[number]:
            del self._counts[number]
