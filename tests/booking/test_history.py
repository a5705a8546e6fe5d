"""What slots, sessions and appointments have been: folded from the log, version by version."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from httpx import Response

from services.booking.commands import Standing
from services.booking.fhir.history import appointment_versions, session_versions, slot_versions
from shared.events.booking import (
    AppointmentAmended,
    AppointmentEnteredInError,
    BookingEvent,
    PatientArrived,
    PracticeFrozen,
    PracticeRegistered,
    PracticeReopened,
    SlotsAdded,
    SlotsWithdrawn,
)
from shared.events.envelope import Recorded
from tests.booking.deciding import FROZEN, NOW, REGISTERED, SOON, booked, cancelled, held, published, released, slot
from tests.booking.paper import reason, row
from tests.booking.surgery import Surgery, refused, surgery, valid
from tests.harness import County

LATER = NOW + timedelta(days=1)


def log(*events: BookingEvent) -> Sequence[Recorded]:
    """The events as recorded, a minute apart."""
    recorded: list[Recorded] = []
    for position, event in enumerate(events, 1):
        version = 1 + sum(earlier.stream == event.stream for earlier in recorded)
        at = NOW + timedelta(minutes=position)
        recorded.append(
            Recorded(
                position=position,
                version=version,
                id=str(position),
                service="booking",
                stream=event.stream,
                practice="A1",
                recorded_at=at,
                occurred_at=at,
                event=event,
            )
        )
    return recorded


def slot_story(*events: BookingEvent, to: Standing = "practice") -> list[tuple[str, str]]:
    versions = slot_versions(log(REGISTERED, published(), *events), "first", to, LATER)
    return [(version.number, version.row.status) for version in versions]


class TestASlot:
    def test_is_free_then_busy_then_free_again(self) -> None:
        assert slot_story(booked(), cancelled("patient", "pat")) == [("2", "free"), ("3", "busy"), ("4", "free")]

    def test_changes_with_what_happens_to_it_alone(self) -> None:
        others = booked("bob's", slot("second", NOW)), PatientArrived(session="monday", practice="A1", appointment="x")
        assert slot_story(*others) == [("2", "free")]

    def test_is_unavailable_while_its_practice_is_frozen(self) -> None:
        reopened = PracticeReopened(practice="A1", outage="friday")
        assert slot_story(FROZEN, reopened) == [("2", "free"), ("3", "busy-unavailable"), ("4", "free")]

    def test_is_unavailable_to_those_alone_whom_an_outage_keeps_out(self) -> None:
        frozen = PracticeFrozen(practice="A1", outage="friday", keeps_out=("public",))
        assert slot_story(frozen) == slot_story(frozen, to="nhs-111") == [("2", "free")]
        assert slot_story(frozen, to="public") == [("2", "free"), ("3", "busy-unavailable")]

    def test_once_withdrawn_is_unavailable(self) -> None:
        withdrawn = SlotsWithdrawn(session="monday", practice="A1", slots=("first",), reason="Ill")
        assert slot_story(withdrawn) == [("2", "free"), ("3", "busy-unavailable")]

    def test_held_is_tentative_until_the_hold_is_confirmed_or_given_up(self) -> None:
        soon = held(until=NOW + timedelta(hours=1))
        assert slot_story(soon, booked("held")) == [("2", "free"), ("3", "busy-tentative"), ("4", "busy")]
        assert slot_story(soon, released("given-up"))[-1] == ("4", "free")

    def test_is_free_from_the_end_of_a_hold_however_late_that_is_written_down(self) -> None:
        late = [PracticeRegistered(practice="A1", name=f"Harbour {n}") for n in range(9)]
        expected = [("2", "free"), ("3", "busy-tentative"), ("3.1", "free")]
        assert slot_story(held()) == slot_story(held(), *late, released("expired")) == expected
        *_, lapsed = slot_versions(log(REGISTERED, published(), held()), "first", "practice", LATER)
        assert lapsed.at == SOON


class TestASession:
    def test_changes_with_its_span_and_its_practice_s_name_but_not_with_its_appointments(self) -> None:
        end = NOW + timedelta(days=4)
        added = SlotsAdded(session="monday", practice="A1", slots=(), session_start=NOW, session_end=end)
        renamed = PracticeRegistered(practice="A1", name="Quay Surgery")
        found = session_versions(log(REGISTERED, published(), booked(), added, renamed), "monday")
        assert [version.number for version in found] == ["2", "4", "5"]
        assert (found[1].row.end, found[2].row.practice_name) == (end, "Quay Surgery")


class TestAnAppointment:
    def test_has_a_version_for_each_event_about_it_under_the_number_of_its_stream(self) -> None:
        amended = AppointmentAmended(session="monday", practice="A1", appointment="ann's", details="other")
        mistake = AppointmentEnteredInError(session="monday", practice="A1", appointment="ann's", slots=("first",))
        events = log(REGISTERED, published(), booked(), booked("bob's"), amended, FROZEN, mistake)
        found = appointment_versions(events, "ann's")
        assert [(version.number, version.row.status) for version in found] == [
            ("2", "booked"),
            ("4", "booked"),
            ("5", "entered-in-error"),
        ]
        assert [version.row.details for version in found] == ["details, sealed", "other", "other"]

    def test_shows_the_names_beside_it_as_they_were(self) -> None:
        renamed = PracticeRegistered(practice="A1", name="Quay Surgery")
        events = log(REGISTERED, published(), booked(), renamed, cancelled("patient", "pat"))
        found = appointment_versions(events, "ann's")
        assert [version.row.practice_name for version in found] == ["Quay Surgery", "Quay Surgery"]
        assert found[0].row.clinician == "Dr Jones"


async def _booked(desk: Surgery) -> Response:
    await desk.import_diary(row())
    (free,) = await desk.slots(status="free")
    return await desk.book(free["id"])


async def _history(desk: Surgery, path: str, **params: Any) -> dict[str, Any]:
    return valid(await desk.ask("practice", "GET", f"{path}/_history", params=params))


class TestOverHttp:
    async def test_an_appointment_shows_each_version_in_its_own_words(self, county: County) -> None:
        async with surgery(county) as desk:
            first = await _booked(desk)
            amended = await desk.put(first, {"description": "Front pain"})
            off = await desk.put(amended, {"status": "cancelled", "cancelationReason": reason("pat")})
            path = f"Appointment/{first.json()['id']}"
            bundle = await _history(desk, path)
            newest = await _history(desk, path, _count="1")
            versions = [
                await desk.ask("practice", "GET", f"{path}/_history/{answer.json()['meta']['versionId']}")
                for answer in (first, amended, off)
            ]
            never = await desk.ask("practice", "GET", f"{path}/_history/1")
        assert [valid(version) for version in versions] == [first.json(), amended.json(), off.json()]
        assert [version.headers["etag"] for version in versions] == [a.headers["etag"] for a in (first, amended, off)]
        assert [entry["resource"] for entry in bundle["entry"]] == [off.json(), amended.json(), first.json()]
        assert [entry["request"]["method"] for entry in bundle["entry"]] == ["PUT", "PUT", "POST"]
        assert [entry["response"]["status"] for entry in bundle["entry"]] == ["200", "200", "201"]
        assert bundle["entry"][0]["response"]["etag"] == off.headers["etag"]
        assert (newest["total"], len(newest["entry"]), newest["link"][1]["relation"]) == (3, 1, "next")
        assert refused(never) == (404, "no-such-version")

    async def test_a_slot_and_its_session_are_versioned_as_they_are_read(self, county: County) -> None:
        async with surgery(county) as desk:
            first = await _booked(desk)
            slot_path = first.json()["slot"][0]["reference"]
            await desk.put(first, {"status": "cancelled", "cancelationReason": reason("pat")})
            story = await _history(desk, slot_path)
            read = await desk.ask("practice", "GET", slot_path)
            oldest = story["entry"][-1]["resource"]
            since = await _history(desk, slot_path, _since=story["entry"][0]["resource"]["meta"]["lastUpdated"])
            version = await desk.ask("practice", "GET", f"{slot_path}/_history/{oldest['meta']['versionId']}")
            schedule = await _history(desk, valid(read)["schedule"]["reference"])
        assert [entry["resource"]["status"] for entry in story["entry"]] == ["free", "busy", "free"]
        assert valid(read) == story["entry"][0]["resource"]
        assert read.headers["last-modified"].endswith("GMT")
        assert valid(version) == oldest
        assert (since["total"], schedule["total"]) == (1, 1)
