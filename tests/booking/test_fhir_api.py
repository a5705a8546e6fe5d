"""The FHIR API from end to end: search, book, read, cancel, and every way to be refused."""

import asyncio
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from httpx import Response

from services.booking.fhir import NHS_NUMBER
from tests.booking.paper import ANN, BOB, appointment, patient, reason, row
from tests.booking.surgery import Surgery, refused, surgery
from tests.harness import County

NINE, TEN_PAST = row(), row(start="2024-07-22T09:10")


def valid(response: Response) -> dict[str, Any]:
    """The body, once fhir.resources has found nothing wrong with it."""
    body: dict[str, Any] = response.json()
    get_fhir_model_class(body["resourceType"]).model_validate(body)
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.headers["cache-control"] == "no-store"
    return body


async def nine_o_clock(desk: Surgery, **others: str) -> str:
    """The id of a free slot at nine on Monday."""
    assert (await desk.import_diary(row(**others), TEN_PAST)).status_code == 200
    return str((await desk.slots("nhs-111", status="free"))[0]["id"])


class TestSearch:
    async def test_finds_free_slots_with_their_sessions(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN), TEN_PAST)
            params = {"status": "free", "start": "ge2024-07-22", "end": "le2024-07-26", "_include": "Slot:schedule"}
            bundle = valid(await desk.http.get("/fhir/R4/Slot", params=params))
        (slot, schedule) = (entry["resource"] for entry in bundle["entry"])
        assert (bundle["total"], slot["status"], slot["start"]) == (1, "free", "2024-07-22T09:10:00+01:00")
        assert slot["schedule"]["reference"] == f"Schedule/{schedule['id']}"
        assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match", "include"]

    async def test_finds_nothing_as_an_empty_bundle(self, county: County) -> None:
        async with surgery(county) as desk:
            bundle = valid(
                await desk.http.get("/fhir/R4/Slot", params={"start": "ge2024-07-22", "end": "le2024-07-23"})
            )
        assert (bundle["total"], "entry" in bundle) == (0, False)

    async def test_finds_only_slots_wholly_inside_the_stretch(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST)
            found = await desk.slots(start="ge2024-07-22T09:05:00+01:00", end="le2024-07-22T09:20:00+01:00")
            assert [slot["start"] for slot in found] == ["2024-07-22T09:10:00+01:00"]
            assert await desk.slots(end="le2024-07-22T09:09:00+01:00") == []

    async def test_can_be_of_one_practice_one_session_and_any_status(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN), TEN_PAST, row(practice="B2"))
            of_b2 = {"schedule.actor:HealthcareService.identifier": "https://fhir.nhs.uk/Id/ods-organization-code|B2"}
            (slot,) = await desk.slots(**of_b2)
            assert await desk.slots(**{"Schedule.actor:HealthcareService": "B2"}) == [slot]
            assert await desk.slots(schedule=slot["schedule"]["reference"]) == [slot]
            assert [found["status"] for found in await desk.slots(status="busy")] == ["busy"]
            assert len(await desk.slots(status="free,busy")) == 3

    async def test_comes_in_pages_that_link_to_the_next(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST, row(practice="B2"))
            params = {"start": "ge2024-07-22", "end": "le2024-07-26", "_count": "2"}
            first = valid(await desk.http.get("/fhir/R4/Slot", params=params))
            (following,) = (link["url"] for link in first["link"] if link["relation"] == "next")
            second = valid(await desk.http.get(following))
        assert (first["total"], len(first["entry"]), len(second["entry"])) == (3, 2, 1)
        assert [link["relation"] for link in second["link"]] == ["self"]

    async def test_shows_kept_slots_to_those_they_are_kept_for(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(service_type="NHS 111"), row(service_type="Same day", start="2024-07-22T09:10"))
            assert await desk.slots("public") == []
            assert [slot["comment"] for slot in await desk.slots("nhs-111")] == ["Kept for nhs-111"]

    async def test_leaves_parameters_it_does_not_know_out_of_the_self_link(self, county: County) -> None:
        async with surgery(county) as desk:
            params = {"start": "ge2024-07-22", "end": "le2024-07-26", "searchFilter": "https://elsewhere|X"}
            bundle = valid(await desk.http.get("/fhir/R4/Slot", params=params))
        assert "searchFilter" not in bundle["link"][0]["url"]


class TestBooking:
    async def test_gives_the_appointment_back_as_it_was_asked_for(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            answer = await desk.book(slot, priority=2, identifier=[{"system": "urn:practice", "value": "7"}])
            booked = valid(answer)
            read = await desk.http.get(answer.headers["location"])
            assert valid(read) == booked
            assert read.headers["etag"] == answer.headers["etag"] == f'W/"{booked["meta"]["versionId"]}"'
            assert (await desk.slots(status="busy"))[0]["id"] == slot
        assert answer.status_code == 201
        assert (booked["description"], booked["comment"], booked["priority"]) == ("Back pain", "Walks with a stick", 2)
        assert booked["identifier"] == [{"system": "urn:practice", "value": "7"}]
        assert booked["participant"][0]["actor"]["identifier"] == {"system": NHS_NUMBER, "value": "9990000018"}
        assert booked["contained"][0]["telecom"][0]["value"] == "+447700900123"

    async def test_takes_two_slots_that_adjoin(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST)
            slots = [{"reference": f"Slot/{slot['id']}"} for slot in await desk.slots()]
            answer = await desk.book("", slot=slots, end="2024-07-22T09:20:00+01:00")
            assert valid(answer)["minutesDuration"] == 20
            assert await desk.slots(status="free") == []

    async def test_of_one_slot_by_many_at_once_succeeds_once(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            answers = await asyncio.gather(*(desk.book(slot) for _ in range(16)))
            assert (await desk.figures())["double_booked"] == 0
        lost = [answer for answer in answers if answer.status_code != 201]
        assert len(lost) == 15
        assert {refused(answer) for answer in lost} == {(409, "slot-taken")}
        issue = valid(lost[0])["issue"][0]
        assert issue["details"]["coding"][0]["code"] == "DUPLICATE_REJECTED"

    async def test_of_a_kept_slot_is_for_those_it_is_kept_for(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk, service_type="NHS 111")
            assert refused(await desk.book(slot)) == (403, "slot-kept")
            assert (await desk.book(slot, "nhs-111")).status_code == 201

    async def test_of_a_slot_that_has_begun_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(start="2024-07-19T09:00"))
            (slot,) = await desk.slots(start="ge2024-07-19", end="le2024-07-19")
            answer = await desk.book(slot["id"], start=slot["start"], end=slot["end"])
        assert refused(answer) == (422, "slot-in-the-past")

    async def test_refused_stores_nothing_and_says_why(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            long = await desk.book(slot, description="x" * 101)
            nobody = await desk.book(slot, who=patient(identifier=[{"system": NHS_NUMBER, "value": "9990000019"}]))
            nowhere = await desk.book("nowhere")
            late = await desk.book(slot, end="2024-07-22T09:30:00+01:00")
            assert (await desk.figures())["appointments"] == {}
        assert refused(long) == (422, "too-long")
        assert refused(nobody) == (400, "bad-nhs-number")
        assert refused(nowhere) == (422, "unknown-slot")
        assert refused(late) == (422, "times-differ")
        assert valid(long)["issue"][0]["expression"] == ["Appointment.description"]
        assert "9990000019" not in nobody.text


class TestCancelling:
    async def test_frees_the_slot(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            booked = await desk.book(slot)
            change = booked.json() | {"status": "cancelled", "cancelationReason": reason("pat")}
            answer = await _put(desk, booked, change)
            assert valid(answer)["cancelationReason"] == reason("pat")
            assert answer.headers["etag"] != booked.headers["etag"]
            assert slot in [found["id"] for found in await desk.slots(status="free")]
            assert (await _put(desk, booked, change)).json() == answer.json()
            assert (await desk.book(slot)).status_code == 201

    async def test_with_an_outdated_version_changes_nothing(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            change = booked.json() | {"status": "cancelled", "cancelationReason": reason()}
            assert refused(await _put(desk, booked, change, 'W/"1"')) == (412, "version-mismatch")
            assert refused(await _put(desk, booked, change, "any")) == (412, "version-mismatch")
            assert refused(await _put(desk, booked, change, None)) == (400, "if-match-missing")
            assert (await desk.http.get(booked.headers["location"])).json() == booked.json()

    async def test_refuses_every_other_change(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            change = {"status": "cancelled", "cancelationReason": reason(), "description": "Front pain"}
            answer = await _put(desk, booked, booked.json() | change)
            assert (await desk.figures())["appointments"] == {"booked": 1}
        assert refused(answer) == (422, "invalid-resource")

    async def test_an_appointment_that_is_not_there_is_not_found(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await desk.http.put(
                "/fhir/R4/Appointment/nowhere", json=appointment(), headers={"If-Match": 'W/"1"'}
            )
        assert refused(answer) == (404, "unknown-appointment")


async def _put(desk: Surgery, booked: Response, change: dict[str, Any], version: str | None = "") -> Response:
    """PUT the change with the version that was read, or with another, or with none."""
    headers = {} if version is None else {"If-Match": version or booked.headers["etag"]}
    return await desk.http.put(booked.headers["location"], json=change, headers=headers)


ERRORS = [
    ("GET", "Patient/1", {}, b"", 404),
    ("GET", "Appointment/nowhere", {}, b"", 404),
    ("GET", "Slot/nowhere", {}, b"", 404),
    ("GET", "Schedule/nowhere", {}, b"", 404),
    ("DELETE", "Appointment/1", {}, b"", 405),
    ("GET", "Slot", {}, b"", 400),
    ("GET", "Slot", {"Daybook-Caller": "stranger"}, b"", 400),
    ("GET", "Slot?start=ge2024-07-22&end=le2024-08-05", {}, b"", 422),
    ("POST", "Appointment", {}, b"", 400),
    ("POST", "Appointment", {}, b"{", 400),
    ("POST", "Appointment", {}, b"[]", 400),
    ("POST", "Appointment", {"Content-Type": "application/fhir+xml"}, b"<Appointment/>", 415),
    ("POST", "Appointment", {}, b" " * 300_000, 413),
]


async def test_every_error_is_an_operation_outcome(county: County) -> None:
    async with surgery(county) as desk:
        for method, path, headers, content, status in ERRORS:
            answer = await desk.http.request(method, f"/fhir/R4/{path}", headers=headers, content=content)
            assert (path, answer.status_code) == (path, status)
            assert valid(answer)["resourceType"] == "OperationOutcome"


async def test_what_the_api_can_do_is_said_in_fhir(county: County) -> None:
    async with surgery(county) as desk:
        statement = valid(await desk.http.get("/fhir/R4/metadata"))
    slot = statement["rest"][0]["resource"][0]
    assert "end" in {parameter["name"] for parameter in slot["searchParam"]}


async def test_a_slot_and_its_session_can_be_read(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(row(BOB))
        (found,) = await desk.slots()
        slot = valid(await desk.http.get(f"/fhir/R4/Slot/{found['id']}"))
        schedule = valid(await desk.http.get(f"/fhir/R4/{slot['schedule']['reference']}"))
    assert slot == found
    assert schedule["planningHorizon"] == {"start": slot["start"], "end": slot["end"]}
