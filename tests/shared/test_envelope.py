"""An event on disk and on the wire is a CloudEvent, and comes back as it was."""

import json
from datetime import UTC, datetime

import pytest

from shared.events.booking import PracticeFrozen
from shared.events.envelope import Recorded, UnreadableEvent, decode, envelope_of, opened, with_body
from tests.house.examples import all_recorded

NOW = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)
FROZEN = with_body(
    Recorded(
        position=12,
        version=3,
        id="0190d6a0-0000-7000-8000-000000000001",
        service="booking",
        stream="practice/G82002",
        practice="G82002",
        recorded_at=NOW,
        occurred_at=NOW,
        causation_id="cause",
        followed="booking:11 rebooking:7",
        event=PracticeFrozen(practice="G82002", outage="outage-1"),
    )
)


def test_an_event_is_a_cloud_event_in_structured_json() -> None:
    assert json.loads(FROZEN.body) == {
        "specversion": "1.0",
        "id": "0190d6a0-0000-7000-8000-000000000001",
        "source": "/daybook/booking",
        "type": "uk.daybook.booking.practice-frozen.v1",
        "subject": "practice/G82002",
        "time": "2024-07-22T07:05:00Z",
        "datacontenttype": "application/json",
        "position": 12,
        "version": 3,
        "practice": "G82002",
        "occurredat": "2024-07-22T07:05:00Z",
        "causationid": "cause",
        "followed": "booking:11 rebooking:7",
        "data": {"practice": "G82002", "outage": "outage-1"},
    }


def test_what_was_written_is_what_is_read() -> None:
    assert decode(FROZEN.body) == FROZEN


def test_read_in_one_step_every_event_is_what_it_is_in_two() -> None:
    for written in map(with_body, all_recorded()):
        assert decode(written.body) == opened(envelope_of(written.body), written.body) == written


def test_the_subject_says_service_practice_and_event() -> None:
    assert FROZEN.subject == "daybook.booking.G82002.practice-frozen"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"not json", "not a Daybook event"),
        (FROZEN.body.replace(b"practice-frozen", b"practice-thawed"), "practice-thawed.v1' is not known here"),
        (FROZEN.body.replace(b'"outage":"outage-1"', b'"outage":1'), "not a Daybook event"),
        (FROZEN.body.replace(b'"specversion":"1.0",', b""), "specversion"),
    ],
)
def test_bytes_that_are_no_known_event_are_refused(body: bytes, complaint: str) -> None:
    with pytest.raises(UnreadableEvent, match=complaint):
        decode(body)
