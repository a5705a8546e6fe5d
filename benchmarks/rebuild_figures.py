"""What was measured of rebuilds, in tables for people."""

from collections.abc import Sequence
from statistics import median

from benchmarks.figures import spread, table
from benchmarks.peers import eventsourcing_log as peer
from benchmarks.rebuild import FASTER, LONGEST, PHASES, STAGES, Rebuilt, Round, Took
from benchmarks.report import Report

_ITS_OWN, _STRUCTS = peer.WAYS
_MICRO, _MEGA = 1e6, 1e6


def tell(rounds: Sequence[Round], report: Report) -> None:
    """The figures, for people."""
    services = {service: [each.rebuilt[service] for each in rounds] for service in rounds[0].rebuilt}
    report.writes(table(_RATES, [_rates(rounds, service) for service in services]))
    report.writes(table(_STAGES, [_stages(service, each) for service, each in services.items()]))
    report.writes(table(_PHASES, [_phases(service, each) for service, each in services.items()]))
    processors = list(rounds[0].read[_ITS_OWN][next(iter(services))].processors)
    rows = [row for service in services for row in _processors(rounds, service, processors)]
    report.writes(table(("processor µs an event", *processors, "together"), rows))
    report.writes(table(_SNAPSHOTS, [_snapshots(service, each) for service, each in services.items()]))
    for service in services:
        report.writes(_ratio(rounds, service))
    together = [each.ratio_of_all(_ITS_OWN) for each in rounds]
    report.writes(f"All of them, one after another: **{median(together):.2f} times** ({_round_by_round(together)}).")
    slowest, in_all = max(_from_snapshot(rounds)), sum(_from_snapshot(rounds))
    report.writes(
        f"From a snapshot: {slowest:.1f} s at the most, one service after another {in_all:.1f} s. Promised for each: "
        f"under {LONGEST:g} s: {_verdict(slowest < LONGEST)}."
    )
    for fault in sorted({fault for each in rounds for fault in each.faults}):
        report.writes(f"WRONG: {fault}")


def kept(rounds: Sequence[Round]) -> bool:
    """Whether both promises were kept for every service."""
    return max(_from_snapshot(rounds)) < LONGEST and all(_fast_enough(rounds, each) for each in rounds[0].rebuilt)


def _ratio(rounds: Sequence[Round], service: str) -> str:
    ratios = [each.ratio(service, _ITS_OWN) for each in rounds]
    structs = median(each.ratio(service, _STRUCTS) for each in rounds)
    proven = median(each.ratio_with_proof(service, _ITS_OWN) for each in rounds)
    return (
        f"{service} is folded and stored **{median(ratios):.2f} times** as fast as the library reads and decodes its "
        f"events ({_round_by_round(ratios)}), and {structs:.2f} times as fast as "
        f"with structs. With proof and swap it is {proven:.2f} times. Promised: {FASTER:g} times: "
        f"{_verdict(_fast_enough(rounds, service))}."
    )


def _round_by_round(ratios: Sequence[float]) -> str:
    return f"round by round {', '.join(f'{ratio:.2f}' for ratio in ratios)}"


def _verdict(is_kept: bool) -> str:
    return "kept" if is_kept else "NOT kept"


def _fast_enough(rounds: Sequence[Round], service: str) -> bool:
    return median(each.ratio(service, _ITS_OWN) for each in rounds) >= FASTER


def _from_snapshot(rounds: Sequence[Round]) -> list[float]:
    return [median(each.rebuilt[service].from_snapshot.seconds for each in rounds) for service in rounds[0].rebuilt]


_RATES = ("events a second", "events", "Daybook: folded, stored", "peer: read, decoded", "peer with structs")


def _rates(rounds: Sequence[Round], service: str) -> list[str]:
    ours = [each.rebuilt[service].whole.events / each.rebuilt[service].stored for each in rounds]
    peers = [[each.read_for(service, way).rate for each in rounds] for way in peer.WAYS]
    events = rounds[0].rebuilt[service].whole.events
    return [service, f"{events:,}", *(spread(rates) for rates in (ours, *peers))]


_STAGES = ("events a second, each stage alone", *STAGES, "store")


def _stages(service: str, rounds: Sequence[Rebuilt]) -> list[str]:
    alone = [spread([each.whole.events / each.stages[stage] for each in rounds]) for stage in STAGES]
    return [service, *alone, spread([each.whole.events / each.storing for each in rounds])]


_PHASES = ("seconds of a whole rebuild", "fold and store", *PHASES[1:-1], "all", "most memory, MB")


def _phases(service: str, rounds: Sequence[Rebuilt]) -> list[str]:
    seconds = [f"{median(each.phases[phase] for each in rounds):.1f}" for phase in PHASES[:-1]]
    whole, peak = [each.whole.seconds for each in rounds], [each.peak / _MEGA for each in rounds]
    return [service, *seconds, spread(whole, 1), spread(peak)]


def _processors(rounds: Sequence[Round], service: str, names: Sequence[str]) -> list[list[str]]:
    sides = {
        f"{service}: Daybook": [each.rebuilt[service].whole for each in rounds],
        f"{service}: peer": [each.read_for(service, _ITS_OWN) for each in rounds],
    }
    return [[side, *_used(tooks, names)] for side, tooks in sides.items()]


def _used(tooks: Sequence[Took], names: Sequence[str]) -> list[str]:
    used = [[took.processors[name] / took.events * _MICRO for name in names] for took in tooks]
    return [f"{median(each):,.1f}" for each in [*zip(*used, strict=True), [sum(each) for each in used]]]


_SNAPSHOTS = ("from a snapshot", "seconds", "with the start of its process")


def _snapshots(service: str, rounds: Sequence[Rebuilt]) -> list[str]:
    seconds = spread([each.from_snapshot.seconds for each in rounds], 1)
    return [service, seconds, spread([each.command for each in rounds], 1)]
