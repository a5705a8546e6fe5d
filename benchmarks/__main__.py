"""`python -m benchmarks`: measures what Daybook claims to be fast at, the peer beside it, and prints the figures."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks import bookings, messages, recovery, slot_search
from benchmarks.county import county_of
from benchmarks.loading import fill
from benchmarks.report import Report
from benchmarks.stand import QUICK, Length, on_two_cores, standing
from shared.clock import Clock, london_date


def main() -> int:
    """1 if something was wrong (a booking lost, a request refused), or, with `--require`, if a promise was not kept."""
    asked = _parser().parse_args()
    on_two_cores()
    with tempfile.TemporaryDirectory(prefix="daybook-benchmarks-") as home:
        kept, right = asyncio.run(_measure(Path(home), asked, _length(asked), Report(asked.report)))
    return 0 if right and (kept or not asked.require) else 1


async def _measure(home: Path, asked: argparse.Namespace, length: Length, report: Report) -> tuple[bool, bool]:
    """Whether the promises were kept, and whether all was right."""
    kept = right = True
    if asked.what not in ("recovery", "messages"):
        kept, right = await _measure_apps(home / "apps", asked.what, length, report)
    if asked.what in ("all", "recovery"):
        recovered = await recovery.recover(asked.county or home / "county", home / "round", length, report)
        recovery.tell(recovered, length, report)
        kept = kept and recovery.kept(recovered)
        right = right and not any(each.faults for each in recovered)
    if asked.what in ("all", "messages"):
        sent = await messages.measure(home / "messages", 400 if asked.quick else asked.messages, report)
        messages.tell(sent, report)
        right = right and not any(each.faults for each in sent.values())
    return kept, right


async def _measure_apps(home: Path, what: str, length: Length, report: Report) -> tuple[bool, bool]:
    county = county_of(length.slots, london_date(Clock().now()))
    kept = right = True
    async with standing(home) as stand:
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


def _length(asked: argparse.Namespace) -> Length:
    if asked.quick:
        return QUICK
    return Length(asked.rounds, asked.seconds, clients=asked.clients, slots=asked.slots, displaced=asked.appointments)


def _parser() -> argparse.ArgumentParser:
    usual = Length()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=("all", "apps", "bookings", "search", "recovery", "messages"), default="all"
    )
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="of each app (%(default)s)")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of each round (%(default)s)")
    parser.add_argument("--clients", type=int, default=usual.clients, help="that book at once (%(default)s)")
    parser.add_argument("--slots", type=int, default=usual.slots, help="open in the county (%(default)s)")
    parser.add_argument("--appointments", type=int, default=usual.displaced, help="to be recovered (%(default)s)")
    parser.add_argument("--messages", type=int, default=4_000, help="to be sent (%(default)s)")
    parser.add_argument("--county", type=Path, metavar="DIR", help="keep the county here, and use it again")
    parser.add_argument("--quick", action="store_true", help="only see that it works; the figures mean nothing")
    parser.add_argument("--require", action="store_true", help="exit with 1 if a promise is not kept")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the tables into this file too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
