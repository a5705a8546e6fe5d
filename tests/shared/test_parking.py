"""An event is parked once, leaves the parking place once, and what is said of a fault quotes no patient."""

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from shared.events.booking import PracticeReopened
from shared.events.envelope import UnreadableEvent, with_body
from shared.events.parking import EventParked, EventRetried, EventSkipped, ParkingEvent
from shared.parking import ParkEvent, Place, RetryEvent, SkipEvent, decide, evolve, with_parking
from shared.poison import is_poison, reason_of
from shared.refusals import Conflict, NotFound, Unavailable
from shared.relay import Halted
from shared.seal import MasterKeyChanged, SealBroken
from tests.house.examples import in_the_log
from tests.shared.toys import practices

EVENT = with_body(in_the_log(PracticeReopened(practice="G82002", outage="outage-1")))
PARK = ParkEvent("rebooking", EVENT, 12, "KeyError")
RETRY, SKIP = RetryEvent("rebooking", "event-7", "Joan"), SkipEvent("rebooking", "event-7", "Joan", "twice")
PARKED = EventParked(
    at="rebooking",
    event="event-7",
    source="booking",
    of_stream="practice/G82002",
    position=7,
    sequence=12,
    subject="daybook.booking.G82002.practice-reopened",
    reason="KeyError",
)
RETRIED = EventRetried(at="rebooking", event="event-7", retried_by="Joan")
SKIPPED = EventSkipped(at="rebooking", event="event-7", skipped_by="Joan", reason="twice")


def test_an_event_is_parked_and_its_stream_is_its_own_at_each_service() -> None:
    assert decide(practices.State(), PARK) == [PARKED]
    assert PARKED.stream == "parked/rebooking/event-7"
    assert evolve(PARKED) == Place("waiting")


@pytest.mark.parametrize("before", [PARKED, RETRIED, SKIPPED])
def test_to_park_it_again_is_nothing(before: ParkingEvent) -> None:
    assert decide(evolve(before), PARK) == []


def test_what_waits_can_be_retried_or_skipped() -> None:
    assert decide(Place("waiting"), RETRY) == [RETRIED]
    assert decide(Place("waiting"), SKIP) == [SKIPPED]


@pytest.mark.parametrize("state", [practices.State(), evolve(RETRIED), evolve(SKIPPED)])
@pytest.mark.parametrize("command", [RETRY, SKIP])
def test_what_does_not_wait_can_be_neither(state: object, command: RetryEvent | SkipEvent) -> None:
    with pytest.raises(Conflict, match="does not wait"):
        decide(state, command)


def test_a_services_own_rules_stay_as_they_are() -> None:
    both, command = with_parking(practices.BLUEPRINT.decider), practices.Register("G82002", "Fernhill Surgery")
    (event,) = both.decide({"practice/G82002": both.initial}, command)
    assert both.touches(command) == ("practice/G82002",)
    assert both.evolve(both.initial, event) == practices.State("Fernhill Surgery")
    assert both.touches(RETRY) == ("parked/rebooking/event-7",)


@pytest.mark.parametrize(
    ("fault", "poison"),
    [
        (KeyError("Ada"), True),
        (NotFound("no such practice", code="unknown-practice"), True),
        (asyncpg.UniqueViolationError("(Ada) exists"), True),
        (asyncpg.InvalidTextRepresentationError("Ada"), True),
        (asyncpg.SerializationError("again"), False),
        (asyncpg.DiskFullError("no space"), False),
        (asyncpg.UndefinedColumnError("no column"), False),
        (OperationalError("SELECT", {}, ConnectionResetError()), False),
        (ConnectionResetError(), False),
        (TimeoutError(), False),
        (PoolExhausted("all ten are in use"), False),
        (SealBroken("the text does not open with this key"), True),
        (MasterKeyChanged("a data key does not open"), False),
        (Unavailable("the broker is away", code="broker-down"), False),
        (Halted("the stream has lost events"), False),
        (UnreadableEvent("not a Daybook event"), False),
    ],
)
def test_a_fault_of_the_engines_or_of_the_log_is_no_events(fault: Exception, poison: bool) -> None:
    assert is_poison(fault) is poison


def test_a_reason_names_the_fault_and_quotes_nothing() -> None:
    violation = asyncpg.UniqueViolationError("(Ada) exists")
    violation.constraint_name = "one_each"
    assert reason_of(violation) == "UniqueViolationError: one_each"
    assert reason_of(KeyError("Ada")) == "KeyError"
    assert reason_of(NotFound("no practice of Ada", code="unknown-practice")) == "NotFound: unknown-practice"
