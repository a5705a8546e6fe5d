"""Instants as numbers, many at once: whole minutes of universal time, and London's days and halves of days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from services.rebooking.matching import Flags, Numbers
from shared.clock import in_london

_AFTERNOON = 13


@dataclass(frozen=True, slots=True)
class Times:
    """One element for each instant. `days` are the ordinals of London's dates; `mornings` end at 13:00 there.

    A wait is a difference of `minutes`, so over a change of clocks it is a real one.
    """

    minutes: Numbers
    days: Numbers
    mornings: Flags


def times(instants: Iterable[datetime]) -> Times:
    """The same, each distinct instant looked up in London once."""
    minutes = np.fromiter((int(instant.timestamp()) // 60 for instant in instants), np.int64)
    distinct, places = np.unique(minutes, return_inverse=True)
    days, mornings = np.array([_in_london(minute) for minute in distinct.tolist()], np.int64).reshape(-1, 2).T
    return Times(minutes, days[places], mornings[places].astype(np.bool_))


@lru_cache(maxsize=10_000)
def _in_london(minute: int) -> tuple[int, bool]:
    """Day and half of the day; the practices of a county have their slots at the same few hundred times."""
    clock = in_london(datetime.fromtimestamp(minute * 60, UTC))
    return clock.toordinal(), is_morning(clock)


def is_morning(instant: datetime) -> bool:
    """Whether the clock on a surgery's wall shows a time before one in the afternoon."""
    return in_london(instant).hour < _AFTERNOON
