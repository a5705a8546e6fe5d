"""An outage as it was at an instant: what had been said of it, and where everybody stood, as far as was known then."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import structs

from services.rebooking.case_history import History
from services.rebooking.case_states import STATES, State
from shared.clock import written
from shared.events.booking import Inflow
from shared.events.envelope import Recorded
from shared.events.rebooking import AppointmentReconciled, FollowUpSet, InflowChanged, Kind, OutageDeclared, OutageEnded
from shared.refusals import NotFound


@dataclass(frozen=True, slots=True)
class OutageThen:
    """An outage as it was `at` an instant. `ended_at` is null while its end was not known.

    `states` add up to the `displaced`, everybody who had ever been by then. `reconciled` counts all appointments by
    what was known to have become of them, `recorded_later` those of which it was written down only afterwards.
    """

    outage: str
    name: str
    kind: Kind
    at: datetime
    practices: Sequence[str]
    started_at: datetime
    ended_at: datetime | None
    declared_at: datetime
    declared_by: str
    keeps_out: Sequence[Inflow]
    automatic: bool
    displaced: int
    states: Mapping[State, int]
    unreached: int
    reconciled: Mapping[str, int]
    recorded_later: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Appointments by what had become of them: as it was known, and as it was written down later."""

    known: Mapping[str, int]
    later: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Declared:
    """What had been said of the outage itself."""

    outage: OutageDeclared
    at: datetime
    automatic: bool = False


def declared_then(events: Iterable[Recorded], at: datetime) -> Declared:
    """What had been said by then. Raises `NotFound` before anything was."""
    known: Declared | None = None
    first: datetime | None = None
    for recorded in events:
        first = first or recorded.recorded_at
        if recorded.recorded_at <= at:
            known = _after(known, recorded)
    if known is None:
        since = f": it was declared at {written(first)}" if first else ""
        raise NotFound(f"There was no such outage at {written(at)}{since}", code="not-yet", where="at")
    return known


def _after(known: Declared | None, recorded: Recorded) -> Declared | None:
    match recorded.event, known:
        case OutageDeclared() as outage, _:
            return Declared(outage, recorded.recorded_at)
        case OutageEnded(ended_at=ended_at), Declared(outage, at, automatic):
            return Declared(structs.replace(outage, ended_at=ended_at), at, automatic)
        case InflowChanged(keeps_out=keeps_out), Declared(outage, at, automatic):
            return Declared(structs.replace(outage, keeps_out=keeps_out), at, automatic)
        case FollowUpSet(automatic=automatic), Declared(outage, at):
            return Declared(outage, at, automatic)
        case _:
            return known


def states_then(history: History, at: datetime) -> Mapping[State, int]:
    """How many were in each state: every change up to then, counted."""
    counts: Counter[State] = Counter()
    for change in history.changes:
        if change.at > at:
            break
        counts[change.after] += 1
        if change.before is not None:
            counts[change.before] -= 1
    return {state: counts[state] for state in STATES}


def outcomes_then(events: Iterable[Recorded], at: datetime) -> Outcomes:
    """By outcome, the appointments of which it was known by then; and what had happened and was written down later."""
    known: dict[str, str] = {}
    later: dict[str, str] = {}
    for recorded in events:
        event: AppointmentReconciled = recorded.event
        if recorded.recorded_at <= at:
            known[event.appointment] = event.outcome
        elif recorded.occurred_at <= at:
            later[event.appointment] = event.outcome
    return Outcomes(Counter(known.values()), Counter(later.values()))


def outage_then(declared: Declared, history: History, outcomes: Outcomes, at: datetime) -> OutageThen:
    """All of it."""
    outage, states = declared.outage, states_then(history, at)
    return OutageThen(
        outage=outage.outage,
        name=outage.name,
        kind=outage.kind,
        at=at,
        practices=outage.practices,
        started_at=outage.started_at,
        ended_at=outage.ended_at,
        declared_at=declared.at,
        declared_by=outage.declared_by,
        keeps_out=outage.keeps_out,
        automatic=declared.automatic,
        displaced=sum(states.values()),
        states=states,
        unreached=sum(each.by for each in history.unreached if each.at <= at),
        reconciled=outcomes.known,
        recorded_later=outcomes.later,
    )
