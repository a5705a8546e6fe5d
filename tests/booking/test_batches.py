"""Bundles: in a batch each entry stands by itself, a transaction is done whole or not at all."""

from typing import Any

from httpx import Response

from services.booking.fhir.resources import Json
from tests.booking.paper import appointment, reason, row
from tests.booking.surgery import Name, Surgery, refused, surgery, valid
from tests.harness import County

TIMES = tuple(f"2024-07-22T09:{minute:02}" for minute in (0, 10, 20))


async def slots(desk: Surgery) -> list[dict[str, Any]]:
    """At nine, ten past and twenty past."""
    assert (await desk.import_diary(*(row(start=start) for start in TIMES))).status_code == 200
    return await desk.slots()


async def send(desk: Surgery, kind: str, *entries: Json, caller: Name = "practice", **headers: str) -> Response:
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return await desk.ask(caller, "POST", "", json=bundle, headers=headers)


def entry(method: str, url: str, resource: Json | None = None, **request: str) -> Json:
    body = {} if resource is None else {"resource": resource}
    return {"request": {"method": method, "url": url, **request}, **body}


def booking(slot: dict[str, Any], **others: Any) -> Json:
    return entry("POST", "Appointment", appointment(slot["id"], start=slot["start"], end=slot["end"], **others))


def cancelling(booked: Response) -> Json:
    body = booked.json() | {"status": "cancelled", "cancelationReason": reason()}
    return entry("PUT", f"Appointment/{body['id']}", body, ifMatch=booked.headers["etag"])


def parameters(*given: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": list(given)}


def to(slot: dict[str, Any]) -> Json:
    return {"name": "slot", "valueReference": {"reference": f"Slot/{slot['id']}"}}


def statuses(answer: Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["response"]["status"] for entry in valid(answer)["entry"]]


def at_fault(answer: Response) -> tuple[int, str, list[str]]:
    return (*refused(answer), valid(answer)["issue"][0]["expression"])


class TestABatch:
    async def test_answers_each_entry_by_itself(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past, _ = await slots(desk)
            answer = await send(
                desk,
                "batch",
                booking(nine),
                booking({"id": "nowhere", "start": nine["start"], "end": nine["end"]}),
                entry("GET", f"Slot/{ten_past['id']}"),
                entry("GET", "Slot?start=ge2024-07-22&end=le2024-07-23&status=free"),
                entry("GET", "Patient/1"),
                entry("DELETE", "Appointment/1"),
                entry("PUT", "Appointment/nowhere", {}),
            )
        assert statuses(answer) == ["201", "422", "200", "200", "422", "422", "404"]
        booked, nowhere, slot, found, *_ = answer.json()["entry"]
        assert booked["response"]["location"].endswith(f"Appointment/{booked['resource']['id']}/_history/2")
        assert booked["response"]["etag"] == f'W/"{booked["resource"]["meta"]["versionId"]}"'
        assert nowhere["response"]["outcome"]["issue"][0]["details"]["coding"][-1]["code"] == "unknown-slot"
        assert (slot["resource"]["id"], found["resource"]["type"]) == (ten_past["id"], "searchset")

    async def test_needs_for_each_entry_the_scope_of_its_interaction(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, *_ = await slots(desk)
            bundle = {
                "resourceType": "Bundle",
                "type": "batch",
                "entry": [booking(nine), entry("GET", f"Slot/{nine['id']}")],
            }
            reader = {"Authorization": f"Bearer {county.token(scope='system/Slot.r')}"}
            answer = await desk.http.post("/fhir/R4", json=bundle, headers=reader)
        assert statuses(answer) == ["403", "200"]

    async def test_prefers_for_all_its_entries(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, *_ = await slots(desk)
            answer = await send(desk, "batch", booking(nine), Prefer="return=minimal")
        assert statuses(answer) == ["201"]
        assert "resource" not in answer.json()["entry"][0]

    async def test_may_be_empty_but_not_too_long(self, county: County) -> None:
        async with surgery(county) as desk:
            empty = await send(desk, "batch")
            long = await send(desk, "batch", *(entry("GET", "Slot/1") for _ in range(51)))
        assert valid(empty) == {"resourceType": "Bundle", "type": "batch-response"}
        assert refused(long) == (422, "too-many-entries")


class TestATransaction:
    async def test_makes_room_before_it_books(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past, _ = await slots(desk)
            booked = await desk.book(nine["id"])
            answer = await send(desk, "transaction", booking(ten_past), booking(nine), cancelling(booked))
            assert (await desk.figures())["appointments"] == {"booked": 2, "cancelled": 1}
        assert statuses(answer) == ["201", "201", "200"]
        resources = [entry["resource"] for entry in answer.json()["entry"]]
        assert [resource["status"] for resource in resources] == ["booked", "booked", "cancelled"]
        assert resources[1]["start"] == nine["start"]

    async def test_with_one_fault_does_nothing_and_names_the_entry(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past, twenty_past = await slots(desk)
            booked = await desk.book(nine["id"])
            stale = cancelling(booked)
            stale["request"]["ifMatch"] = 'W/"1"'
            for fault, place, told in (
                (booking(nine), 2, (409, "slot-taken")),
                (booking(twenty_past, description="x" * 101), 2, (422, "too-long")),
                (stale, 2, (412, "version-mismatch")),
                (entry("GET", f"Slot/{nine['id']}"), 2, (422, "not-kept")),
                (entry("POST", "Patient", {}), 2, (422, "no-such-interaction")),
            ):
                answer = await send(desk, "transaction", booking(ten_past), booking(twenty_past), fault)
                assert at_fault(answer) == (*told, [f"Bundle.entry[{place}]"])
            twice = await send(desk, "transaction", cancelling(booked), cancelling(booked))
            assert at_fault(twice) == (422, "invalid-resource", ["Bundle.entry[1]"])
            assert (await desk.figures())["appointments"] == {"booked": 1}

    async def test_of_which_one_entry_is_already_booked_books_the_others(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past, _ = await slots(desk)
            seven = [{"system": "urn:x", "value": "7"}]
            once = booking(nine, identifier=seven)
            once["request"]["ifNoneExist"] = "identifier=urn:x|7"
            first = await send(desk, "transaction", once)
            second = await send(desk, "transaction", once, booking(ten_past))
        assert (statuses(first), statuses(second)) == (["201"], ["200", "201"])
        assert second.json()["entry"][0]["resource"] == first.json()["entry"][0]["resource"]

    async def test_sent_again_with_its_key_is_answered_again(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past, _ = await slots(desk)
            key: dict[str, Any] = {"Idempotency-Key": "t1"}
            answers = [await send(desk, "transaction", booking(nine), booking(ten_past), **key) for _ in range(2)]
            assert (await desk.figures())["appointments"] == {"booked": 2}
        assert answers[0].json() == answers[1].json()

    async def test_can_hold_what_it_reschedules_from(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past, _ = await slots(desk)
            booked = await desk.book(nine["id"])
            why = {"name": "reason", "valueCodeableConcept": reason()}
            path, seen = f"Appointment/{booked.json()['id']}/$reschedule", booked.headers["etag"]
            answer = await send(
                desk,
                "transaction",
                entry("POST", "Appointment/$hold", parameters(to(nine))),
                entry("POST", path, parameters(to(ten_past), why), ifMatch=seen),
            )
            found = [slot["status"] for slot in await desk.slots()]
        assert statuses(answer) == ["201", "201"]
        assert found == ["busy-tentative", "busy", "free"]


async def test_every_entry_leaves_its_line_in_the_trail(county: County) -> None:
    async with surgery(county) as desk:
        nine, *_ = await slots(desk)
        await send(desk, "batch", booking(nine), entry("GET", "Slot/nowhere"))
        accesses = (await desk.http.get("/v1/accesses")).json()["accesses"]
    lines = [(access["method"], access["route"], access["status"]) for access in accesses]
    assert ("POST", "/fhir/R4/Appointment", 201) in lines
    assert ("GET", "/fhir/R4/Slot/{id}", 404) in lines
