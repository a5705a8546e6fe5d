"""`python -m benchmarks`: measures what Daybook claims to be fast at, the peer beside it, and prints the figures."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bookings, memory, messages, rebuild, rebuild_figures, recovery, slot_search
from benchmarks.county import county_of
from benchmarks.loading import fill
from benchmarks.report import Report
from benchmarks.stand import QUICK, Length, on_two_cores, standing
from shared.clock import Clock, london_date


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for, where to measure it, and where to say what came of it."""

    home: Path
    asked: argparse.Namespace
    length: Length
    report: Report


Verdict = tuple[bool, bool]
"""Whether the promises were kept, and whether all was right."""


def main() -> int:
    """1 if something was wrong (a booking lost, a request refused), or, with `--require`, if a promise was not kept."""
    asked = _parser().parse_args()
    on_two_cores()
    with tempfile.TemporaryDirectory(prefix="daybook-benchmarks-") as home:
        kept, right = asyncio.run(_measure(Run(Path(home), asked, _length(asked), Report(asked.report))))
    return 0 if right and (kept or not asked.require) else 1


async def _measure(run: Run) -> Verdict:
    wanted = _OF_ALL if run.asked.what == "all" else (run.asked.what,)
    verdicts = [await measure(run) for name, measure in _MEASURES.items() if name in wanted]
    return all(kept for kept, _ in verdicts), all(right for _, right in verdicts)


async def _apps(run: Run) -> Verdict:
    what, length, report = run.asked.what, run.length, run.report
    county = county_of(length.slots, london_date(Clock().now()))
    kept = right = True
    async with standing(run.home / "apps") as stand:
        report.says(f"Filling both with {len(county.slots()):,} open slots of {len(county.practices)} practices …")
        await fill(stand, county)
        if what != "bookings":
            found = await slot_search.search(stand, county, length, report)
            slot_search.tell(found, len(county.slots()), report)
            kept = all(each.kept for each in found)
            right = not any(each.faults for each in found)
        if what != "search":
            comparison = await bookings.compare(stand, county, length, report)
            bookings.tell(comparison, report)
            kept, right = kept and comparison.kept, right and not comparison.faults
    return kept, right


async def _recovery(run: Run) -> Verdict:
    county = run.asked.county or run.home / "county"
    recovered = await recovery.recover(county, run.home / "round", run.length, run.report)
    recovery.tell(recovered, run.length, run.report)
    return recovery.kept(recovered), not any(each.faults for each in recovered)


async def _messages(run: Run) -> Verdict:
    sent = await messages.measure(run.home / "messages", 400 if run.asked.quick else run.asked.messages, run.report)
    messages.tell(sent, run.report)
    return True, not any(each.faults for each in sent.values())


async def _rebuild(run: Run) -> Verdict:
    rounds = await rebuild.measure(run.asked.history or run.home / "history", run.length, run.report)
    rebuild_figures.tell(rounds, run.report)
    return rebuild_figures.kept(rounds), not any(each.faults for each in rounds)


async def _memory(run: Run) -> Verdict:
    grown = await memory.measure(run.home / "memory", run.asked.events or memory.USUAL, run.report)
    memory.tell(grown, run.report)
    return memory.kept(grown), not memory.faults(grown)


_MEASURES: Mapping[str, Callable[[Run], Awaitable[Verdict]]] = {
    "apps": _apps,
    "bookings": _apps,
    "search": _apps,
    "recovery": _recovery,
    "messages": _messages,
    "rebuild": _rebuild,
    "memory": _memory,
}
_OF_ALL = ("apps", "recovery", "messages", "rebuild")
"""Memory takes a quarter of an hour and more, and is asked for by itself."""


def _length(asked: argparse.Namespace) -> Length:
    if asked.quick:
        return QUICK
    return Length(asked.rounds, asked.seconds, clients=asked.clients, slots=asked.slots, displaced=asked.appointments)


def _parser() -> argparse.ArgumentParser:
    usual = Length()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("all", *_MEASURES), default="all", help="all of it but memory")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="of each app (%(default)s)")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of each round (%(default)s)")
    parser.add_argument("--clients", type=int, default=usual.clients, help="that book at once (%(default)s)")
    parser.add_argument("--slots", type=int, default=usual.slots, help="open in the county (%(default)s)")
    parser.add_argument("--appointments", type=int, default=usual.displaced, help="to be recovered (%(default)s)")
    parser.add_argument("--messages", type=int, default=4_000, help="to be sent (%(default)s)")
    parser.add_argument("--events", type=int, action="append", help="in the log, for memory; may be said again")
    parser.add_argument("--history", type=Path, metavar="DIR", help="keep the rebuilds' history here, and use it again")
    parser.add_argument("--county", type=Path, metavar="DIR", help="keep the county here, and use it again")
    parser.add_argument("--quick", action="store_true", help="only see that it works; the figures mean nothing")
    parser.add_argument("--require", action="store_true", help="exit with 1 if a promise is not kept")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the tables into this file too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
