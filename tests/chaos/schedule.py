"""The schedule of faults that a seed stands for: what is done to whom, when, and for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Target = Literal["postgres", "nats", "booking", "rebooking", "notifications", "sandbox"]
TARGETS: tuple[Target, ...] = ("postgres", "nats", "booking", "rebooking", "notifications", "sandbox")

Service = Literal["booking", "rebooking", "notifications"]
SERVICES: tuple[Service, ...] = ("booking", "rebooking", "notifications")

How = Literal["drop", "deaf", "mute", "delay", "reset"]
"""How the services are cut off from the broker: nothing passes either way; nothing reaches the services (`deaf`) or the
broker (`mute`), while the other direction goes on; everything comes late; connections are torn down, again and again.
"""

WAYS: tuple[How, ...] = ("drop", "deaf", "mute", "delay", "reset")


@dataclass(frozen=True, slots=True)
class Kill:
    """As by kill -9; it is started again by the supervisor."""

    target: Target


@dataclass(frozen=True, slots=True)
class Freeze:
    """SIGSTOP, and SIGCONT after so many seconds."""

    target: Target
    seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """A clean stop, and a start after so many seconds."""

    target: Target
    seconds: float


@dataclass(frozen=True, slots=True)
class FillDisk:
    """There is no room left where the broker keeps its streams; afterwards there is, and it is started again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class CutOff:
    """The services and the broker do not reach each other as they should."""

    how: How
    seconds: float


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The service's tables are made again and swapped in while it works."""

    service: Service


@dataclass(frozen=True, slots=True)
class BreakOffRebuild:
    """That is begun, and killed after so many seconds; the next one goes on from there."""

    service: Service
    seconds: float


Fault = Kill | Freeze | Restart | FillDisk | CutOff | Rebuild | BreakOffRebuild


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault, and how many seconds after the beginning it comes."""

    at: float
    fault: Fault


@dataclass(frozen=True, slots=True)
class Schedule:
    """All faults of one run, in order."""

    seed: int
    seconds: float
    faults: Sequence[Planned]

    def __str__(self) -> str:
        listed = [f"  at {each.at:5.1f} s  {in_words(each.fault)}" for each in self.faults]
        return "\n".join([f"seed {self.seed}, {self.seconds:g} s:", *listed])


def kinds() -> Sequence[str]:
    """Every kind of fault there is."""
    return [
        *(f"{kind} {target}" for kind in ("kill", "freeze", "restart") for target in TARGETS),
        "fill disk",
        *(f"cut off: {how}" for how in WAYS),
        *(f"rebuild {service}" for service in SERVICES),
        *(f"break off a rebuild of {service}" for service in SERVICES),
    ]


def kind_of(fault: Fault) -> str:
    match fault:
        case Kill(target):
            return f"kill {target}"
        case Freeze(target):
            return f"freeze {target}"
        case Restart(target):
            return f"restart {target}"
        case FillDisk():
            return "fill disk"
        case CutOff(how):
            return f"cut off: {how}"
        case Rebuild(service):
            return f"rebuild {service}"
        case BreakOffRebuild(service):
            return f"break off a rebuild of {service}"


def in_words(fault: Fault) -> str:
    match fault:
        case Kill() | Rebuild():
            return kind_of(fault)
        case BreakOffRebuild(_, seconds):
            return f"{kind_of(fault)}, after {seconds:.1f} s"
        case Freeze(_, seconds) | Restart(_, seconds) | FillDisk(seconds) | CutOff(_, seconds):
            return f"{kind_of(fault)}, for {seconds:.1f} s"


def schedule_of(seed: int, seconds: float, every: float) -> Schedule:
    """A fault about `every` so many seconds, some of them while another lasts.

    Successive seeds take up the kinds where the one before left off, so that a few of them in a row leave none out.
    """
    rng = Random(f"schedule {seed}")
    number = max(2, int(seconds / every))
    times = sorted(rng.uniform(1.0, max(seconds - 3.0, 2.0)) for _ in range(number))
    deck = _deck(seed, number)
    rng.shuffle(deck)
    return Schedule(seed, seconds, [Planned(at, _fault(kind, rng)) for at, kind in zip(times, deck, strict=True)])


def _deck(seed: int, number: int) -> list[str]:
    """So many kinds, by the turn of this seed."""
    order = list(kinds())
    Random("deck").shuffle(order)
    return [order[(seed * number + place) % len(order)] for place in range(number)]


def _fault(kind: str, rng: Random) -> Fault:
    seconds = round(rng.uniform(1.0, 6.0), 1)
    possible: Sequence[Fault] = [
        *(Kill(target) for target in TARGETS),
        *(Freeze(target, seconds) for target in TARGETS),
        *(Restart(target, min(seconds, 2.0)) for target in TARGETS),
        FillDisk(seconds),
        *(CutOff(how, seconds) for how in WAYS),
        *(Rebuild(service) for service in SERVICES),
        *(BreakOffRebuild(service, seconds) for service in SERVICES),
    ]
    return next(fault for fault in possible if kind_of(fault) == kind)
