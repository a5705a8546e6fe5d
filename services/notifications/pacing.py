"""How fast and at what hours messages go out: evenly, and never at night."""

import asyncio
from datetime import UTC, datetime, time, timedelta

from shared.clock import LONDON, in_london

EARLIEST, LATEST = time(8), time(20)
"""Between these, London time and every day, a notice about a moved appointment may arrive."""


def decent_hour(now: datetime) -> datetime:
    """The first instant from `now` on at which a rebooking notice may arrive: now, or eight in the morning."""
    local = in_london(now)
    if EARLIEST <= local.time() < LATEST:
        return now
    day = local.date() + timedelta(days=0 if local.time() < EARLIEST else 1)
    return datetime.combine(day, EARLIEST, LONDON).astimezone(UTC)


class Pace:
    """Turns at even distances: no burst, however long nobody asked."""

    def __init__(self, rate: float) -> None:
        self._between = 1 / rate
        self._next = 0.0
        self._paused_until = 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        now = asyncio.get_running_loop().time()
        due = max(now, self._next)
        self._next = due + self._between
        if due > now:
            await asyncio.sleep(due - now)

    def pause(self, seconds: float) -> bool:
        """No turn for so long: the provider wants it so. False if there was a pause already."""
        now = asyncio.get_running_loop().time()
        is_new = now >= self._paused_until
        self._paused_until = max(self._paused_until, now + seconds)
        self._next = max(self._next, self._paused_until)
        return is_new
