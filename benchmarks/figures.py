"""Figures of a run: rates, percentiles, and the tables they are printed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from benchmarks.load import Outcome


@dataclass(frozen=True, slots=True)
class Figures:
    """One app's round: answers per second, and how long they took, in milliseconds."""

    rate: float
    p50: float
    p95: float
    p99: float
    client: float
    """Microseconds of processor time the client itself took for each answer."""


def figures(outcome: Outcome) -> Figures:
    """Raises `ValueError` if nothing was answered in the measured time."""
    ordered = sorted(outcome.latencies)
    if not ordered or not outcome.seconds:
        raise ValueError("nothing was answered in the measured time")
    p50, p95, p99 = (percentile(ordered, share) / 1e6 for share in (0.50, 0.95, 0.99))
    return Figures(len(ordered) / outcome.seconds, p50, p95, p99, outcome.cpu / len(ordered) * 1e6)


def percentile(ordered: Sequence[int], share: float) -> int:
    """The smallest value that so large a share of all does not exceed (the nearest rank)."""
    return ordered[max(0, ceil(len(ordered) * share) - 1)]


def median_of(rounds: Sequence[Figures], name: str) -> float:
    """The median of one of the figures."""
    return float(median(getattr(each, name) for each in rounds))


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median and, in brackets, the least and the most."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown, aligned, so that it reads in a terminal too: the first column to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = [("-" * width if at == 0 else "-" * (width - 1) + ":") for at, width in enumerate(widths)]
    lines = [header, rule, *rows]
    return "\n".join(
        "| " + " | ".join(_cell(cell, widths[at], at) for at, cell in enumerate(line)) + " |" for line in lines
    )


def _cell(text: str, width: int, at: int) -> str:
    return text.ljust(width) if at == 0 else text.rjust(width)
