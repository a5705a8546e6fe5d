"""The rules of the parking place, the same in every service: an event is parked once, and leaves it once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from shared.database import parked
from shared.decider import Decider
from shared.events.envelope import Recorded
from shared.events.parking import EventParked, EventRetried, EventSkipped, ParkingEvent
from shared.project import Change, Patch, Projection, Put, Remove, row_of
from shared.refusals import Conflict

_Parked = row_of(parked)


@dataclass(frozen=True, slots=True)
class ParkEvent:
    """It cannot be folded at this service, for this reason; `sequence` is where it stands in the stream."""

    at: str
    recorded: Recorded
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class RetryEvent:
    """It has been folded after all."""

    at: str
    event: str
    by: str


@dataclass(frozen=True, slots=True)
class SkipEvent:
    """It is to be left out for good."""

    at: str
    event: str
    by: str
    reason: str


Command = ParkEvent | RetryEvent | SkipEvent


@dataclass(frozen=True, slots=True)
class Place:
    """What became of an event that was parked; of one that never was, nothing is known."""

    now: Literal["waiting", "retried", "skipped"]


def with_parking(decider: Decider[Any, Any, Any]) -> Decider[Any, Any, Any]:
    """A service's own rules, and these."""

    def touches(command: Any) -> Sequence[str]:
        return (_stream(command),) if isinstance(command, Command) else decider.touches(command)

    def decide_any(states: Mapping[str, Any], command: Any) -> Sequence[Any]:
        if isinstance(command, Command):
            return decide(states[_stream(command)], command)
        return decider.decide(states, command)

    def evolve_any(state: Any, event: Any) -> Any:
        return evolve(event) if isinstance(event, ParkingEvent) else decider.evolve(state, event)

    return Decider(decider.initial, touches, decide_any, evolve_any)


def and_parked(project: Projection) -> Projection:
    """A service's own fold, and that of the events that it could not fold."""

    def both(recorded: Recorded) -> Iterable[Change]:
        return folded(recorded) if isinstance(recorded.event, ParkingEvent) else project(recorded)

    return both


def decide(state: object, command: Command) -> Sequence[ParkingEvent]:
    """To park twice is to park once; what does not wait can neither be retried nor skipped."""
    match command:
        case ParkEvent():
            return [] if isinstance(state, Place) else [_parked(command)]
        case RetryEvent(at, event, by):
            _require_waiting(state, event)
            return [EventRetried(at=at, event=event, retried_by=by)]
        case SkipEvent(at, event, by, reason):
            _require_waiting(state, event)
            return [EventSkipped(at=at, event=event, skipped_by=by, reason=reason)]


def evolve(event: ParkingEvent) -> Place:
    """The state after the event."""
    match event:
        case EventParked():
            return Place("waiting")
        case EventRetried():
            return Place("retried")
        case EventSkipped():
            return Place("skipped")


def folded(recorded: Recorded) -> Iterable[Change]:
    """The worklist: whatever is parked, and whatever was skipped."""
    event: ParkingEvent = recorded.event
    match event:
        case EventParked():
            yield Put(parked, _row(event, recorded))
        case EventRetried(event=id):
            yield Remove(parked, {"event": id})
        case EventSkipped(event=id, skipped_by=by, reason=reason):
            yield Patch(parked, {"event": id}, {"skipped_by": by, "skipped_because": reason})


def parked_among(events: Iterable[Recorded]) -> Iterator[Change]:
    """The worklist that these events of one service come to."""
    for recorded in events:
        if isinstance(recorded.event, ParkingEvent):
            yield from folded(recorded)


def _row(event: EventParked, recorded: Recorded) -> Struct:
    return _Parked(
        event=event.event,
        source=event.source,
        stream=event.of_stream,
        position=event.position,
        sequence=event.sequence,
        subject=event.subject,
        reason=event.reason,
        parked_at=recorded.recorded_at,
        skipped_by="",
        skipped_because="",
    )


def _stream(command: Command) -> str:
    return f"parked/{command.at}/{command.recorded.id if isinstance(command, ParkEvent) else command.event}"


def _parked(command: ParkEvent) -> EventParked:
    recorded = command.recorded
    return EventParked(
        at=command.at,
        event=recorded.id,
        source=recorded.service,
        of_stream=recorded.stream,
        position=recorded.position,
        sequence=command.sequence,
        subject=recorded.subject,
        reason=command.reason,
    )


def _require_waiting(state: object, event: str) -> None:
    if state != Place("waiting"):
        raise Conflict(f"Event {event} does not wait here", code="not-parked", where="event")


Key = tuple[str, str]
"""What waits together: the events of one stream of one service."""


def key_of(recorded: Recorded) -> Key:
    """The key of this event."""
    return recorded.service, recorded.stream
