"""Notify's rate limit, a token bucket: a burst of a third of a minute's worth, at most 1,000, and then evenly."""

from dataclasses import dataclass, replace
from typing import Self

BURST_AT_MOST = 1000
MINUTE = 60 * 10**9
"""In nanoseconds, as all times here are: whole numbers, so that an even pace stays even however long it is kept."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`level` is what was left `at` a time, in requests times nanoseconds of a minute."""

    per_minute: int
    level: int
    at: int

    @classmethod
    def full(cls, per_minute: int, now: int) -> Self:
        return cls(per_minute, _burst(per_minute) * MINUTE, now)

    def take(self, now: int) -> Self | None:
        """The bucket after one more request, or None if it is empty."""
        refilled = self.level + max(now - self.at, 0) * self.per_minute
        level = min(refilled, _burst(self.per_minute) * MINUTE) - MINUTE
        return replace(self, level=level, at=max(now, self.at)) if level >= 0 else None


def _burst(per_minute: int) -> int:
    third = -(-per_minute // 3)
    return min(third + 1, BURST_AT_MOST)
