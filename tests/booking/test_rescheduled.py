"""Rescheduling over HTTP: one transaction gives the patient another time and gives back the old one."""

from typing import Any

from httpx import Response

from services.booking.fhir.resources import REPLACES
from tests.booking.paper import reason, row
from tests.booking.surgery import Name, Surgery, refused, surgery, valid
from tests.harness import County

STALE: dict[str, Any] = {"If-Match": 'W/"1"'}


async def slots(desk: Surgery) -> list[str]:
    """At nine, ten past and twenty past, and in another session at two."""
    times = ("2024-07-22T09:00", "2024-07-22T09:10", "2024-07-22T09:20")
    afternoon = row(session="Afternoon", start="2024-07-22T14:00")
    assert (await desk.import_diary(*(row(start=start) for start in times), afternoon)).status_code == 200
    return [slot["id"] for slot in await desk.slots()]


async def reschedule(
    desk: Surgery, booked: Response, *to: str, caller: Name = "practice", why: str = "pat", **headers: str
) -> Response:
    body: dict[str, Any] = {
        "resourceType": "Parameters",
        "parameter": [
            *({"name": "slot", "valueReference": {"reference": f"Slot/{slot}"}} for slot in to),
            {"name": "reason", "valueCodeableConcept": reason(why)},
        ],
    }
    path = f"Appointment/{booked.json()['id']}/$reschedule"
    return await desk.ask(caller, "POST", path, json=body, headers={"If-Match": booked.headers["etag"], **headers})


async def read(desk: Surgery, answer: Response) -> dict[str, Any]:
    return valid(await desk.ask("practice", "GET", f"Appointment/{answer.json()['id']}"))


async def test_gives_the_new_appointment_and_cancels_the_old(county: County) -> None:
    async with surgery(county) as desk:
        nine, *_, two = await slots(desk)
        booked = await desk.book(nine)
        answer = await reschedule(desk, booked, two)
        after, before = valid(answer), await read(desk, booked)
        assert await read(desk, answer) == after
        assert [slot["status"] for slot in await desk.slots()] == ["free", "free", "free", "busy"]
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"Appointment/{after['id']}/_history/{after['meta']['versionId']}")
    assert {"url": REPLACES, "valueReference": {"reference": f"Appointment/{before['id']}"}} in after["extension"]
    assert (after["start"], after["description"]) == ("2024-07-22T14:00:00+01:00", "Back pain")
    assert (before["status"], before["cancelationReason"]["coding"]) == ("cancelled", reason()["coding"])


async def test_may_use_the_old_slots_again(county: County) -> None:
    async with surgery(county) as desk:
        nine, ten_past, *_ = await slots(desk)
        booked = await desk.book(nine)
        longer = await reschedule(desk, booked, nine, ten_past)
        assert valid(longer)["minutesDuration"] == 20


async def test_that_cannot_be_leaves_all_as_it_was(county: County) -> None:
    async with surgery(county) as desk:
        nine, ten_past, twenty_past, _ = await slots(desk)
        booked = await desk.book(nine)
        times: dict[str, Any] = {"start": "2024-07-22T09:10:00+01:00", "end": "2024-07-22T09:20:00+01:00"}
        assert (await desk.book(ten_past, **times)).status_code == 201
        taken = await reschedule(desk, booked, ten_past)
        assert await read(desk, booked) == booked.json()
        path = f"Appointment/{booked.json()['id']}/$reschedule"
        unread = await desk.ask("practice", "POST", path, json={"resourceType": "Parameters"})
        answers = [
            await reschedule(desk, booked),
            await reschedule(desk, booked, "nowhere"),
            await reschedule(desk, booked, twenty_past, why="whim"),
            await reschedule(desk, booked, twenty_past, caller="other"),
            await reschedule(desk, booked, twenty_past, **STALE),
        ]
        assert await read(desk, booked) == booked.json()
    assert refused(taken) == (409, "slot-taken")
    assert len(valid(taken)["issue"]) > 1
    assert refused(unread) == (400, "if-match-missing")
    assert [refused(answer) for answer in answers] == [
        (422, "invalid-resource"),
        (422, "unknown-slot"),
        (422, "invalid-resource"),
        (404, "unknown-appointment"),
        (412, "version-mismatch"),
    ]


async def test_repeated_with_its_key_happens_once(county: County) -> None:
    async with surgery(county) as desk:
        nine, ten_past, twenty_past, _ = await slots(desk)
        booked = await desk.book(nine)
        key: dict[str, Any] = {"Idempotency-Key": "r1"}
        first, again = [await reschedule(desk, booked, ten_past, **key) for _ in range(2)]
        reused = await reschedule(desk, booked, twenty_past, **key)
        assert (await desk.figures())["appointments"] == {"booked": 1, "cancelled": 1}
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert refused(reused) == (422, "key-reused")
