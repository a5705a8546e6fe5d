"""Bookings a second over HTTP: 64 clients, each slot and each patient once; Daybook and the peer in turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import msgspec

from benchmarks.alike import alike_in_booking
from benchmarks.checking import check_daybook, check_peer
from benchmarks.county import County, wishes
from benchmarks.figures import Figures, figures, median_of, spread, table
from benchmarks.load import Outcome, Plan
from benchmarks.report import Report
from benchmarks.stand import App, Length, Stand, load

FASTER = 2.5
"""The promise: so many times the bookings of the peer, with a p99 no worse."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one app did in one round, and the microseconds of processor time each process took for one booking."""

    figures: Figures
    processors: dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rounds of both, and what was found wrong afterwards."""

    daybook: Sequence[Round]
    peer: Sequence[Round]
    faults: Sequence[str]

    @property
    def ratios(self) -> list[float]:
        """Daybook's rate by the peer's, of each pair of rounds."""
        return [ours.figures.rate / theirs.figures.rate for ours, theirs in zip(self.daybook, self.peer, strict=True)]

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return self._median(self.daybook, "rate") / self._median(self.peer, "rate")

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return self.ratio >= FASTER and self._median(self.daybook, "p99") <= self._median(self.peer, "p99")

    def _median(self, rounds: Sequence[Round], name: str) -> float:
        return median_of([each.figures for each in rounds], name)


async def compare(stand: Stand, county: County, length: Length, report: Report) -> Comparison:
    """Both apps, filled with this county, in turn: so much of it is booked in each of the rounds."""
    outcomes: dict[str, list[Outcome]] = {"peer": [], "Daybook": []}
    rounds: dict[str, list[Round]] = {"peer": [], "Daybook": []}
    last, *wanted = wishes(county)
    for number in range(length.rounds):
        share = wanted[number :: length.rounds]
        for app in (stand.peer, stand.daybook):
            outcome, measured = await _round(stand, app, share, length)
            outcomes[app.name].append(outcome)
            rounds[app.name].append(measured)
            report.says(f"Round {number + 1}, {app.name}: {_in_words(measured)}")
    faults = [
        *await check_peer(stand.peer, outcomes["peer"]),
        *await check_daybook(stand, outcomes["Daybook"]),
        *await alike_in_booking(stand, last),
    ]
    return Comparison(rounds["Daybook"], rounds["peer"], faults)


async def _round(stand: Stand, app: App, wanted: Sequence[dict[str, Any]], length: Length) -> tuple[Outcome, Round]:
    token = stand.token()
    plan = Plan(
        port=app.port,
        connections=length.clients,
        warm_up=length.warm_up,
        seconds=length.seconds,
        requests=[_request(app, token, msgspec.json.encode(wish)) for wish in wanted],
    )
    before = stand.processor_seconds()
    outcome = await load(app, plan)
    after = stand.processor_seconds()
    answered = sum(outcome.statuses.values())
    processors = {name: (after[name] - before[name]) / answered * 1e6 for name in after}
    return outcome, Round(figures(outcome), processors)


def _request(app: App, token: str, body: bytes) -> bytes:
    head = (
        f"POST /fhir/R4/Appointment HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: application/fhir+json\r\nContent-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _in_words(measured: Round) -> str:
    its = measured.figures
    return f"{its.rate:,.0f} bookings/s, p50 {its.p50:.1f} ms, p95 {its.p95:.1f} ms, p99 {its.p99:.1f} ms"


def tell(comparison: Comparison, report: Report) -> None:
    """The figures, for people."""
    header = ("", "bookings/s", "p50 ms", "p95 ms", "p99 ms")
    rows = [
        (name, *(spread([getattr(each.figures, of) for each in rounds], digits) for of, digits in _COLUMNS))
        for name, rounds in (("Daybook", comparison.daybook), ("peer", comparison.peer))
    ]
    report.writes(table(header, rows))
    report.writes(table(_PROCESSES, [_processors("Daybook", comparison.daybook), _processors("peer", comparison.peer)]))
    pairs = ", ".join(f"{ratio:.2f}" for ratio in comparison.ratios)
    verdict = "kept" if comparison.kept else "NOT kept"
    report.writes(
        f"Daybook books {comparison.ratio:.2f} times as fast as the peer (medians; pair by pair {pairs}). "
        f"Promised: at least {FASTER} times, with a p99 no worse: {verdict}."
    )
    for fault in comparison.faults:
        report.writes(f"WRONG: {fault}")


def _processors(name: str, rounds: Sequence[Round]) -> tuple[str, ...]:
    """Medians. One app is idle while the other is measured, so their processes are added up."""
    apps = [each.processors["booking"] + each.processors["peer"] for each in rounds]
    servers = [[each.processors[server] for each in rounds] for server in ("postgres", "nats")]
    taken = [median(values) for values in (apps, *servers)]
    client = median(each.figures.client for each in rounds)
    return name, *(f"{microseconds:,.0f}" for microseconds in (*taken, sum(taken), client))


_PROCESSES = ("processor µs for each booking", "app", "PostgreSQL", "NATS", "together", "load")
_COLUMNS = (("rate", 0), ("p50", 1), ("p95", 1), ("p99", 1))
