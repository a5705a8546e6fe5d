"""`daybook events` reads the stream as it stands, and never what is sealed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.operator.event_reading import Point, Question, read
from services.operator.events import as_json_line, as_line, known_name, require_begun, require_range
from shared.broker import connect
from shared.events.base import Event, event_type
from shared.events.booking import AppointmentMissed, PatientArrived, PracticeFrozen, PracticeReopened
from shared.events.envelope import Recorded, with_body
from shared.events.upcasting import Retired
from shared.refusals import Refusal
from shared.stream import STREAM, Message, publish
from shared.wire import Client
from tests.harness import County

FRIDAY = datetime(2024, 7, 19, 9, tzinfo=UTC)


def recorded(position: int, event: Event) -> Recorded:
    return with_body(
        Recorded(
            position=position,
            version=1,
            id=f"event-{position}",
            service="booking",
            stream=event.stream,
            practice=event.at_practice,
            recorded_at=FRIDAY + timedelta(minutes=position),
            occurred_at=FRIDAY,
            causation_id="",
            correlation_id="",
            event=event,
            body=b"",
        )
    )


LOG = [
    recorded(1, PracticeFrozen(practice="G82001", outage="friday")),
    recorded(2, PatientArrived(session="s", practice="G82002", appointment="a")),
    recorded(3, AppointmentMissed(session="s", practice="G82002", appointment="b")),
    recorded(4, PracticeFrozen(practice="G82002", outage="friday")),
]


@pytest.fixture
async def broker(county: County) -> AsyncIterator[Client]:
    client = await connect(county.servers.nats.url("operator"), "operator")
    for event in LOG:
        await publish(client, [Message(event.subject, event.id, event.body)])
    yield client
    await client.close()


async def positions(broker: Client, subject: str = "daybook.>", start: Point = None, until: Point = None) -> list[int]:
    found = [entry async for entry in read(broker.jetstream(), Question(subject, start, until, follow=False))]
    return [entry.heading.position for entry in found]


async def test_all_events_come_in_the_order_of_the_stream(broker: Client) -> None:
    assert await positions(broker) == [1, 2, 3, 4]


async def test_one_practice_or_one_type_alone(broker: Client) -> None:
    assert await positions(broker, "daybook.*.G82002.*") == [2, 3, 4]
    assert await positions(broker, "daybook.*.*.practice-frozen") == [1, 4]
    assert await positions(broker, "daybook.*.G82003.*") == []


async def test_from_and_until_a_sequence_include_both(broker: Client) -> None:
    assert await positions(broker, start=2, until=3) == [2, 3]
    assert await positions(broker, start=9) == []


async def test_from_and_until_an_instant_go_by_when_it_was_recorded(broker: Client) -> None:
    assert await positions(broker, start=LOG[1].recorded_at, until=LOG[2].recorded_at) == [2, 3]


async def test_one_stream_or_one_appointment_alone(broker: Client) -> None:
    of_stream = Question("daybook.>", None, None, follow=False, stream="practice/G82002")
    naming = Question("daybook.>", None, None, follow=False, naming='"b"')
    found = [[each.heading.position async for each in read(broker.jetstream(), asked)] for asked in (of_stream, naming)]
    assert found == [[4], [3]]


@pytest.mark.parametrize(
    ("start", "until", "complaint"),
    [
        (9, 3, "--until: 3 comes before --from 9"),
        (FRIDAY + timedelta(hours=1), FRIDAY, r"--until: 2024-07-19T10:00:00\+01:00 comes before --from"),
        (None, 0, "--until: the stream begins with 1"),
    ],
)
def test_a_range_that_is_reversed_or_before_the_stream_is_refused(start: Point, until: Point, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        require_range(start, until)


def test_a_range_may_begin_and_end_with_the_same_event_but_not_after_the_last() -> None:
    require_range(3, 3)
    require_begun(4, 4)
    with pytest.raises(Refusal, match="--from: the stream ends with 4, so there is nothing from 5 on yet"):
        require_begun(5, 4)


async def test_following_waits_for_what_comes_next(broker: Client) -> None:
    following = read(broker.jetstream(), Question("daybook.>", 4, None, follow=True))
    assert (await anext(following)).heading.position == 4
    late = recorded(5, PracticeFrozen(practice="G82003", outage="friday"))
    await publish(broker, [Message(late.subject, late.id, late.body)])
    assert (await anext(following)).heading.practice == "G82003"
    await following.aclose()


async def test_who_was_forgotten_by_the_broker_goes_on_with_the_next_event(broker: Client) -> None:
    jetstream = broker.jetstream()
    following = read(jetstream, Question("daybook.>", None, None, follow=True))
    before = [(await anext(following)).sequence for _ in range(2)]
    for forgotten in await jetstream.consumers_info(STREAM):
        await jetstream.delete_consumer(STREAM, forgotten.name)
    late = recorded(5, PracticeFrozen(practice="G82003", outage="friday"))
    await publish(broker, [Message(late.subject, late.id, late.body)])
    after = [(await anext(following)).sequence for _ in range(3)]
    await following.aclose()
    assert [*before, *after] == [1, 2, 3, 4, 5]


async def test_what_is_printed_is_the_outside_of_an_event_alone(broker: Client) -> None:
    entry = await anext(read(broker.jetstream(), Question("daybook.>", 1, 1, follow=False)))
    assert as_line(entry).split() == [
        *("1", "2024-07-19", "10:01:00", "booking/1", "G82001", "practice-frozen", "practice/G82001")
    ]
    assert '"position":1' in as_json_line(entry)
    assert "friday" not in as_json_line(entry)


@pytest.mark.parametrize(
    "written", ["AppointmentMoved", "appointment-moved", "uk.daybook.booking.appointment-moved.v1"]
)
def test_a_type_may_be_written_in_three_ways(written: str) -> None:
    assert known_name(written) == "appointment-moved"


@pytest.mark.parametrize("written", ["practice-thawed", "PracticeThawed", "uk.daybook.booking.practice-thawed.v1"])
def test_a_retired_type_may_be_asked_for_since_it_stands_in_the_log(written: str) -> None:
    retired = {"uk.daybook.booking.practice-thawed.v1": Retired(event_type(PracticeReopened), dict)}
    assert known_name(written, retired) == "practice-thawed"
    with pytest.raises(Refusal, match="there is no event"):
        known_name(written)


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("AppointmentMovedd", "there is appointment-moved, "),
        ("Missed", "there is appointment-missed$"),
        ("uk.daybook.booking.appointment-moved.v9", "there is appointment-moved, "),
        ("uk.daybook.rebooking.appointment-moved.v1", "there is appointment-moved, "),
        ("§", "there is appointment-amended, appointment-booked, "),
    ],
)
def test_an_unknown_type_is_refused_with_the_nearest_names(written: str, near: str) -> None:
    with pytest.raises(Refusal, match=f"--type: there is no event “{written}”; {near}"):
        known_name(written)
