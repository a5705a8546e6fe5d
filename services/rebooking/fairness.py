"""Who waits how long under a plan: by practice, by channel, and with and without a mobile that can be texted."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Alike:
    """Patients of one practice, priority, channel and contact; the waits, in seconds, are of those who are placed."""

    practice: str
    priority: int
    channel: str
    textable: bool
    placed: int = 0
    unplaced: int = 0
    longest: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Waits:
    """How many find a place, and how long they wait for it from the time they lost; the others wait on."""

    placed: int = 0
    unplaced: int = 0
    longest_wait_hours: float = 0.0
    mean_wait_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class Fairness:
    """The same for those between whom a plan should make no difference."""

    by_practice: Mapping[str, Waits] = field(default_factory=dict)
    by_channel: Mapping[str, Waits] = field(default_factory=dict)
    with_mobile: Waits = Waits()
    without_mobile: Waits = Waits()


def waits_of(patients: Sequence[Alike]) -> Waits:
    """All of them together."""
    placed = sum(each.placed for each in patients)
    return Waits(
        placed=placed,
        unplaced=sum(each.unplaced for each in patients),
        longest_wait_hours=round(max((each.longest for each in patients), default=0.0) / _HOUR, 1),
        mean_wait_hours=round(sum(each.total for each in patients) / max(placed, 1) / _HOUR, 1),
    )


def by(key: Callable[[Alike], str], patients: Iterable[Alike]) -> Mapping[str, Waits]:
    """Those with the same key together, in order of the key."""
    together: defaultdict[str, list[Alike]] = defaultdict(list)
    for each in patients:
        together[key(each)].append(each)
    return {name: waits_of(together[name]) for name in sorted(together)}


def fairness(patients: Sequence[Alike]) -> Fairness:
    """Whether anybody waits longer for where they live, how they are seen, or how they can be reached."""
    return Fairness(
        by_practice=by(lambda each: each.practice, patients),
        by_channel=by(lambda each: each.channel, patients),
        with_mobile=waits_of([each for each in patients if each.textable]),
        without_mobile=waits_of([each for each in patients if not each.textable]),
    )
