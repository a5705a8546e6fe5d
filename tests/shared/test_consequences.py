"""A follower learns how much each kind of event leads to, and is careful with a kind it does not know."""

from datetime import UTC, datetime

from shared.consequences import UNKNOWN, Consequences
from shared.events.booking import PracticeFrozen, PracticeRegistered
from shared.events.envelope import Recorded

NOW = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)
FREEZING = "uk.daybook.booking.practice-frozen.v1"
REGISTERING = "uk.daybook.booking.practice-registered.v1"


def recorded(id: str, event: PracticeFrozen | PracticeRegistered, because_of: str = "") -> Recorded:
    return Recorded(
        position=1,
        version=1,
        id=id,
        service="booking",
        stream=event.stream,
        practice=event.practice,
        recorded_at=NOW,
        occurred_at=NOW,
        causation_id=because_of,
        event=event,
    )


def test_what_came_of_a_kind_the_last_time_is_expected_of_it_the_next() -> None:
    frozen, registered = PracticeFrozen(practice="G1", outage="o"), PracticeRegistered(practice="G1", name="Harbour")
    consequences = Consequences()
    assert consequences.expected(FREEZING) == UNKNOWN

    causes = [recorded("a", frozen), recorded("b", frozen), recorded("c", registered)]
    consequences.learn(causes, [recorded(f"x{n}", frozen, because_of="a") for n in range(6)])

    assert consequences.expected(FREEZING) == 3
    assert consequences.expected(REGISTERING) == 0
