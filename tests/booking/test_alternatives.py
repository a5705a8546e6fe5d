"""Which slots are offered to whoever came too late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.booking.fhir.alternatives import Candidate, Wanted, nearest
from shared.events.booking import Channel

NINE = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)


def free(
    name: str,
    minutes: int,
    *,
    channel: Channel = "in-person",
    service: str = "GP",
    session: str = "morning",
    long: int = 10,
) -> Candidate:
    start = NINE + timedelta(minutes=minutes)
    return Candidate(name, session, start, start + timedelta(minutes=long), channel, service)


def wanted(slots: int = 1, **others: Any) -> Wanted:
    usual: dict[str, Any] = {"practice": "A1", "start": NINE, "channel": "in-person", "service_type": "GP"}
    return Wanted(slots=slots, **usual | others)


def names(*candidates: Candidate, of: Wanted | None = None) -> list[str]:
    return ["+".join(slot.slot for slot in run) for run in nearest(of or wanted(), candidates)]


def test_the_nearest_come_first_be_they_earlier_or_later() -> None:
    assert names(free("later", 30), free("earlier", -10), free("next", 20)) == ["earlier", "next", "later"]


def test_at_most_five_are_offered() -> None:
    assert len(names(*(free(f"s{n}", 10 * n) for n in range(1, 9)))) == 5


def test_the_same_channel_and_service_go_before_the_nearest() -> None:
    call, nurse = free("call", 10, channel="telephone"), free("nurse", 10, service="Nurse", session="nurse")
    assert names(call, nurse, free("alike", 300)) == ["alike", "nurse", "call"]


def test_of_several_slots_those_are_offered_that_adjoin_in_one_session() -> None:
    candidates = (
        *(free("a", 10), free("b", 20), free("d", 40)),
        *(free("x", 10, session="other"), free("y", 30, session="other")),
        free("z", 50, service="Nurse"),
    )
    assert names(*candidates, of=wanted(2)) == ["a+b"]


def test_there_may_be_none() -> None:
    assert names() == []
    assert names(free("a", 10), of=wanted(2)) == []
