"""Where the requests to one provider come in, and what befalls them there, whichever wire they speak."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

from services.notifications.sandbox.knobs import Knobs, Panel
from services.notifications.sandbox.limit import Bucket

Mishap = Literal["down", "fail", "refuse", "limit", "day"]
"""Ways to be turned away. Each wire has its own words for them."""


class Door:
    """One provider's. `ticks` are the nanoseconds of a clock that only goes forward."""

    def __init__(self, ticks: Callable[[], int]) -> None:
        self.panel = Panel()
        self.limited = 0
        self._ticks = ticks
        self._bucket: Bucket | None = None

    def turn(self, changes: Mapping[str, Any]) -> Knobs:
        """Turn some of the knobs. With another rate or speed the bucket is full again."""
        before, after = self.panel.knobs, self.panel.turn(changes)
        if (before.per_minute, before.speed) != (after.per_minute, after.speed):
            self._bucket = Bucket.full(after.per_minute, self._now()) if after.per_minute else None
        return after

    def too_many(self, today: int) -> Mishap | None:
        """Whether this request is one too many for the minute, or for a day on which so many were accepted already."""
        if 0 < self.panel.knobs.per_day <= today:
            self.limited += 1
            return "day"
        if self._bucket:
            left = self._bucket.take(self._now())
            if left is None:
                self.limited += 1
                return "limit"
            self._bucket = left
        return None

    async def mishap(self) -> Mishap | None:
        """What the knobs want to happen before anything is accepted."""
        await asyncio.sleep(self.panel.knobs.delay_ms / 1000)
        if self.panel.take("fail"):
            return "fail"
        if self.panel.take("limit"):
            self.limited += 1
            return "limit"
        return "refuse" if self.panel.take("refuse") else None

    def _now(self) -> int:
        return int(self._ticks() * self.panel.knobs.speed)
