"""Remembers where a plan was made of what, so that none is made again while it would come out the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

Recovering = tuple[str, str]
"""A recovery: its outage and its practice."""

_MOST_DOUBLINGS = 9


@dataclass(frozen=True, slots=True)
class Seen:
    """What a plan would be made of: who seeks a place, when free slots last came, and the day.

    `seeking` is a number that changes when those who seek do, `freed` a position of booking's log.
    """

    seeking: int
    freed: int
    day: date


@dataclass(frozen=True, slots=True)
class _Tried:
    """What was seen when a plan was last made, how often that was the same, and when to try it again, if ever."""

    seen: Seen
    times: int
    again: datetime | None


class Tries:
    """The tries of one process. What it knows nothing of, it tries once."""

    def __init__(self, pause: timedelta) -> None:
        self._pause = pause
        self._tried: dict[Recovering, _Tried] = {}

    def deserving(self, seen: Mapping[Recovering, Seen], now: datetime) -> Mapping[Recovering, Seen]:
        """Those that look otherwise than when they were last tried, or are to be tried again; the others, if they are
        not seen any more, are forgotten."""
        self._tried = {each: tried for each, tried in self._tried.items() if each in seen}
        return {each: what for each, what in seen.items() if self._deserves(each, what, now)}

    def assume(self, recovering: Recovering, seen: Seen) -> None:
        """The newest plan was made of just this, before this process knew of it, and placed none of those who seek."""
        self._tried.setdefault(recovering, _Tried(seen, 0, None))

    def note(self, recovering: Recovering, seen: Seen, now: datetime, *, placed: bool) -> None:
        """A plan was made of this. If it placed nobody, the next that does must be made of something else.

        If it did, and then everything is as before, places were lost again, or booking will not have it so: after a
        pause, which doubles, it is tried once more.
        """
        before = self._tried.get(recovering)
        times = before.times + 1 if before and before.seen == seen else 0
        again = now + self._pause * 2 ** min(times, _MOST_DOUBLINGS) if placed else None
        self._tried[recovering] = _Tried(seen, times, again)

    def _deserves(self, recovering: Recovering, seen: Seen, now: datetime) -> bool:
        tried = self._tried.get(recovering)
        return tried is None or tried.seen != seen or (tried.again is not None and tried.again <= now)
