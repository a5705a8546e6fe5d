"""When a continuity pack is due: each night at one time, at once if the last was missed, again if it failed."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import NoReturn

from shared.clock import LONDON, in_london
from shared.refusals import Refusal

_FIRST, _LONGEST = 30.0, 900.0
_LOOK_EVERY = 60.0
"""Seconds. A machine that slept through the night looks at the clock soon after it wakes."""


def time_of_day(text: str, where: str) -> time:
    """20:00, as a clock in London shows it. Raises `Refusal`, naming `where` it stood."""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", text.strip())
    if not found:
        raise Refusal(f"{where}: “{text}” is not a time of day such as 20:00", code="bad-time", where=where)
    return time(int(found[1]), int(found[2]))


def due_since(now: datetime, at: time) -> datetime:
    """The newest instant, no later than `now`, at which a pack was due."""
    today = datetime.combine(in_london(now).date(), at, LONDON)
    return today if today <= now else datetime.combine(today.date() - timedelta(days=1), at, LONDON)


def keep_nightly(
    write: Callable[[], None],
    newest: Callable[[], datetime | None],
    now: Callable[[], datetime],
    at: time,
    pause: Callable[[float], None],
    tell: Callable[[str], None],
) -> NoReturn:
    """Write whenever one is due. What goes wrong is told, and tried again soon, then less and less often."""
    delay = _FIRST
    while True:
        last = newest()
        if last is not None and last >= due_since(now(), at):
            pause(_LOOK_EVERY)
            continue
        try:
            write()
            delay = _FIRST
        except Refusal as refusal:
            tell(f"No continuity pack: {refusal.message}. Trying again in {delay:g} s")
            pause(delay)
            delay = min(2 * delay, _LONGEST)
