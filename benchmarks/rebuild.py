"""Rebuilding each service from the log, whole and from a snapshot, beside a library that only reads and decodes it.

Every Python process is kept on one core, the same for both sides. PostgreSQL and NATS may use both of the run's cores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from benchmarks.one_core import Ran, run_on_one_core
from benchmarks.peers import eventsourcing_log as peer
from benchmarks.rebuild_stand import BLUEPRINTS, Standing, fill_peer, folded_by, make_history, standing
from benchmarks.report import Report
from benchmarks.stand import Length

FASTER = 1.5
"""The promise: folded and stored at so many times the rate at which the library, in its own way, reads and decodes."""
LONGEST = 5.0
"""The promise: seconds for a rebuild of the demo's county that begins from a snapshot."""
ROUNDS = 3
"""At the most: each takes over a minute."""

STAGES = ("read", "fold")
PHASES = ("begin", "indexes", "proof", "snapshot", "swap", "done")
"""Of the command: it folds and stores until it makes the indexes, and each lasts until the next."""
_EQUAL_OR_MENDED = (0, 1)


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds, and what each process used of the processors in that time, the servers included."""

    events: int
    seconds: float
    processors: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One service's, in one round. `stages` are seconds of each stage by itself, `phases` those of a whole rebuild."""

    stages: Mapping[str, float]
    phases: Mapping[str, float]
    whole: Took
    from_snapshot: Took
    command: float
    """Seconds of the rebuild from a snapshot with the start of its process."""
    peak: int
    began_from: str

    @property
    def stored(self) -> float:
        """Seconds of a whole rebuild until everything is stored, indexes too, and the proof begins."""
        return self.whole.seconds - sum(self.phases[phase] for phase in ("proof", "snapshot", "swap"))

    @property
    def storing(self) -> float:
        """Seconds of folding and storing that no stage accounts for."""
        return max(self.phases["begin"] - sum(self.stages.values()), 0.001)


@dataclass(frozen=True, slots=True)
class Round:
    """Both sides once. `read` has, for each way of the library, each service's log."""

    read: Mapping[str, Mapping[str, Took]]
    rebuilt: Mapping[str, Rebuilt]
    faults: Sequence[str] = ()

    def read_for(self, service: str, way: str) -> Took:
        """All logs together that the tables of this service are made of, read by the library."""
        logs = [self.read[way][each] for each in folded_by(service)]
        processors = {name: sum(log.processors[name] for log in logs) for name in logs[0].processors}
        return Took(sum(log.events for log in logs), sum(log.seconds for log in logs), processors)

    def ratio(self, service: str, way: str) -> float:
        """How many times as fast all is folded and stored as the library reads and decodes it."""
        return self.read_for(service, way).seconds / self.rebuilt[service].stored

    def ratio_of_all(self, way: str) -> float:
        """The same for the whole county, one service after another."""
        read = sum(self.read_for(service, way).seconds for service in self.rebuilt)
        return read / sum(each.stored for each in self.rebuilt.values())

    def ratio_with_proof(self, service: str, way: str) -> float:
        """The same for the whole command, until the tables are swapped in."""
        return self.read_for(service, way).seconds / self.rebuilt[service].whole.seconds


async def measure(history: Path, length: Length, report: Report) -> list[Round]:
    """So many rounds on the history that is kept there."""
    await make_history(history, length.displaced, report)
    async with standing(history) as here:
        faults = await fill_peer(here, report)
        rounds = [compare(here, tuple(BLUEPRINTS), report) for _ in range(min(length.rounds, ROUNDS))]
    return [replace(each, faults=[*faults, *each.faults]) for each in rounds]


def compare(here: Standing, services: Sequence[str], report: Report) -> Round:
    """One round: the library, our services one after another, and the library again in its other way."""
    json_way, struct_way = peer.WAYS
    read = {json_way: _read(here, json_way)}
    rebuilt = {service: _rebuilt(here, service) for service in services}
    read[struct_way] = _read(here, struct_way)
    found = Round(read, rebuilt, _faults(read, rebuilt))
    for service, each in rebuilt.items():
        report.says(
            f"{service}: {each.whole.events:,} events in {each.whole.seconds:.1f} s, from a snapshot "
            f"{each.from_snapshot.seconds:.1f} s; {found.ratio(service, json_way):.2f} times the peer"
        )
    return found


def _read(here: Standing, way: str) -> Mapping[str, Took]:
    before = here.processor_seconds()
    ran = run_on_one_core("benchmarks.peers.eventsourcing_log", way, environment=here.peer_environment)
    processors = _processors(here, before, ran)
    whole = sum(log["seconds"] for log in ran.said.values()) or 1.0
    return {
        service: Took(
            log["events"],
            log["seconds"],
            {name: used * log["seconds"] / whole for name, used in processors.items()},
        )
        for service, log in ran.said.items()
    }


def _rebuilt(here: Standing, service: str) -> Rebuilt:
    stages = run_on_one_core("benchmarks.rebuild_stages", service, environment=here.environment).said
    whole, ran = _rebuild(here, service, stages["events"], "--whole")
    from_snapshot, again = _rebuild(here, service, stages["events"])
    alone = {stage: stages[stage] for stage in STAGES}
    begun = [(phase, ran.phases[phase]) for phase in PHASES if phase in ran.phases]
    phases = dict.fromkeys(PHASES, 0.0) | {phase: end - at for (phase, at), (_, end) in pairwise(begun)}
    return Rebuilt(alone, phases, whole, from_snapshot, again.seconds, ran.peak, again.said["began_from"])


def _rebuild(here: Standing, service: str, events: int, *how: str) -> tuple[Took, Ran]:
    before = here.processor_seconds()
    ran = run_on_one_core(f"services.{service}", "rebuild", *how, environment=here.environment, exits=_EQUAL_OR_MENDED)
    return Took(events, ran.said["seconds"], _processors(here, before, ran)), ran


def _processors(here: Standing, before: Mapping[str, float], ran: Ran) -> dict[str, float]:
    after = here.processor_seconds()
    return {"Python": ran.processor, **{name: after[name] - before[name] for name in after}}


def _faults(read: Mapping[str, Mapping[str, Took]], rebuilt: Mapping[str, Rebuilt]) -> list[str]:
    unread = [
        f"{service} was to be rebuilt from a snapshot, and began from {each.began_from}"
        for service, each in rebuilt.items()
        if each.began_from != "snapshot"
    ]
    return unread + [
        f"{service} is made of {each.whole.events:,} events, and the library ({way}) read {theirs:,}"
        for service, each in rebuilt.items()
        for way, logs in read.items()
        if (theirs := sum(logs[source].events for source in folded_by(service))) != each.whole.events
    ]
