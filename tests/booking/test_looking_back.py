"""Looking back: an appointment or a session as it was at any instant, and the story of an appointment in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from services.booking.looking_back import appointment_then, session_then
from services.booking.telling import words
from shared.clock import Clock
from shared.events.booking import BookingEvent, PatientArrived, PracticeFrozen, SlotsWithdrawn
from shared.events.envelope import Recorded
from shared.refusals import NotFound
from tests.booking.deciding import FROZEN, NOW, REGISTERED, booked, cancelled, held, published
from tests.booking.paper import reason, row
from tests.booking.surgery import refused, surgery
from tests.booking.test_history import log
from tests.harness import County
from tests.house.examples import examples
from tests.issuer import bearer


def minute(number: int) -> datetime:
    """When the event of this number was recorded."""
    return NOW + timedelta(minutes=number)


@pytest.mark.parametrize("event", get_args(BookingEvent))
def test_every_event_is_told_in_words_that_hold_nothing_sealed(event: Any) -> None:
    for example in examples(event):
        said = words(example, {})
        assert said
        assert not said.endswith(".")


class TestAnAppointment:
    def test_is_as_it_was_at_each_instant(self) -> None:
        events = log(REGISTERED, published(), booked(), cancelled("patient", "pat"))
        id = booked().appointment
        stood = [appointment_then(events, id, minute(at)).status for at in (3, 4)]
        assert stood == ["booked", "cancelled"]
        assert appointment_then(events, id, minute(4) - timedelta(microseconds=1)).status == "booked"

    def test_was_not_there_before_it_was_recorded(self) -> None:
        events = log(REGISTERED, published(), booked())
        with pytest.raises(NotFound, match=r"There was no such appointment at .*: the first .* is of "):
            appointment_then(events, booked().appointment, minute(2))

    def test_says_what_had_happened_and_was_written_down_later(self) -> None:
        first = booked()
        arrived = PatientArrived(session=first.session, practice=first.practice, appointment=first.appointment)
        events: list[Recorded] = [*log(REGISTERED, published(), first, arrived)]
        events[3] = _on_paper(events[3], minute(3))
        then = appointment_then(events, first.appointment, minute(3))
        assert (then.status, [each.words for each in then.recorded_later]) == (
            "booked",
            ["the patient is in the waiting room"],
        )
        assert appointment_then(events, first.appointment, minute(4)).recorded_later == []


class TestASession:
    def test_has_its_slots_as_they_were(self) -> None:
        withdrawn = SlotsWithdrawn(session=published().session, practice="A1", slots=("first",), reason="Ill")
        events = log(REGISTERED, published(), held(), booked(), cancelled("patient", "pat"), withdrawn)
        seen = [_first(events, at) for at in (2, 3, 4, 5, 6)]
        assert seen == ["free", "held", "busy", "free", "withdrawn"]

    def test_says_whom_an_outage_kept_out(self) -> None:
        assert isinstance(FROZEN, PracticeFrozen)
        events = log(REGISTERED, published(), FROZEN)
        shut = [session_then(events, published().session, minute(at)).keeps_out for at in (2, 3)]
        assert shut == [[], list(FROZEN.keeps_out)]


def _first(events: Sequence[Recorded], at: int) -> str:
    then = session_then(events, published().session, minute(at))
    return next(slot.status for slot in then.slots if slot.slot == "first")


def _on_paper(recorded: Recorded, at: datetime) -> Recorded:
    return Recorded(**{name: getattr(recorded, name) for name in recorded.__struct_fields__} | {"occurred_at": at})


async def test_a_practice_looks_at_its_own_and_nobody_into_the_future(county: County) -> None:
    async with surgery(county, Clock().now()) as desk:
        await desk.import_diary(row(start="2099-07-22T09:00"))
        (slot,) = await desk.slots("practice", start="ge2099-07-22", end="le2099-07-23")
        known = await desk.book(slot["id"], start=slot["start"], end=slot["end"])
        id, when = known.json()["id"], known.json()["meta"]["lastUpdated"]
        await desk.put(known, {"status": "cancelled", "cancelationReason": reason()})
        session = slot["schedule"]["reference"].partition("/")[2]
        own, other = bearer(county.token("A1")), bearer(county.token("B2"))
        paths = (f"/v1/appointments/{id}", f"/v1/sessions/{session}")
        now, then = [(await desk.http.get(paths[0], headers=own, params=at)).json() for at in ({}, {"at": when})]
        page = (await desk.http.get(paths[1], headers=own, params={"at": when})).json()
        strangers = [await desk.http.get(path, headers=other) for path in paths]
        future = [await desk.http.get(path, params={"at": "2099-01-01T00:00"}) for path in paths]
        earlier = [await desk.http.get(path, params={"at": "2020-01-01T00:00"}) for path in paths]
        wrong = await desk.http.get(paths[0], params={"at": "2024-03-31T01:30"})
        story = (await desk.http.get(f"{paths[0]}/story")).json()
        nobodys = (await desk.http.get("/v1/appointments/none/story")).json()
    assert (now["status"], then["status"]) == ("cancelled", "booked")
    assert [(slot["status"], slot["appointment"]) for slot in page["slots"]] == [("busy", id)]
    assert [refused(answer) for answer in strangers] == [(404, "unknown-appointment"), (404, "no-such-session")]
    assert {refused(answer) for answer in future} == {(422, "in-the-future")}
    assert {refused(answer) for answer in earlier} == {(404, "not-yet")}
    assert refused(wrong) == (422, "skipped-time")
    assert [each["words"].split(" by ")[0] for each in story["events"]] == [
        "booked at Harbour Surgery",
        "cancelled",
    ]
    assert nobodys == {"appointments": [], "events": []}


async def test_a_story_goes_through_every_appointment_that_took_the_place_of_another(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(row(), row(start="2024-07-22T09:10"))
        first, second = await desk.slots("practice")
        old = await desk.book(first["id"])
        body = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "slot", "valueReference": {"reference": f"Slot/{second['id']}"}},
                {"name": "reason", "valueCodeableConcept": reason()},
            ],
        }
        new = await desk.ask(
            "practice",
            "POST",
            f"Appointment/{old.json()['id']}/$reschedule",
            json=body,
            headers={"If-Match": old.headers["etag"]},
        )
        assert new.status_code == 201, new.text
        ids = [old.json()["id"], new.json()["id"]]
        stories = [(await desk.http.get(f"/v1/appointments/{id}/story")).json() for id in ids]
    assert stories[0] == stories[1]
    assert set(stories[0]["appointments"]) == set(ids)
    assert "given up for another time" in {each["words"] for each in stories[0]["events"]}
