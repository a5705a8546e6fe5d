"""Holding slots over HTTP: for a few minutes nobody else has them; then they are booked, given back, or free again."""

import asyncio
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from httpx import Response

from services.booking.app import BLUEPRINT, Settings
from services.booking.fhir.holds import release_over
from tests.booking.paper import appointment, patient, reason, row
from tests.booking.surgery import NOON, Name, Surgery, refused, surgery, valid
from tests.harness import County
from tests.waiting import DEADLINE


def parameters(*slots: str) -> dict[str, Any]:
    references = [{"name": "slot", "valueReference": {"reference": f"Slot/{slot}"}} for slot in slots]
    return {"resourceType": "Parameters", "parameter": references}


async def hold(desk: Surgery, *slots: str, caller: Name = "practice", **headers: str) -> Response:
    return await desk.ask(caller, "POST", "Appointment/$hold", json=parameters(*slots), headers=headers)


async def nine_o_clock(desk: Surgery) -> str:
    assert (await desk.import_diary(row(), row(start="2024-07-22T09:10"))).status_code == 200
    return str((await desk.slots())[0]["id"])


def booking(held: Response, **others: Any) -> dict[str, Any]:
    """What turns the hold into a booking."""
    slots = held.json()["slot"]
    return appointment(**{"slot": slots, "id": held.json()["id"], **others})


async def confirm(desk: Surgery, held: Response, caller: Name = "practice", **others: Any) -> Response:
    headers = {"If-Match": held.headers["etag"]}
    path = f"Appointment/{held.json()['id']}"
    return await desk.ask(caller, "PUT", path, json=booking(held, **others), headers=headers)


async def status_of_slots(desk: Surgery) -> list[str]:
    return [slot["status"] for slot in await desk.slots()]


class TestAHold:
    async def test_keeps_the_slot_from_everyone_else_until_it_expires(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            held = await hold(desk, slot)
            assert await status_of_slots(desk) == ["busy-tentative", "free"]
            assert refused(await desk.book(slot, "operator")) == (409, "slot-taken")
            assert refused(await hold(desk, slot)) == (409, "slot-taken")
        assert (held.status_code, valid(held)["status"]) == (201, "pending")
        assert "contained" not in held.json() or held.json()["contained"][0]["resourceType"] == "Organization"
        until = parsedate_to_datetime(held.headers["expires"])
        assert timedelta(minutes=9) < until - NOON < timedelta(minutes=11)

    async def test_is_also_a_create_with_status_pending(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            body = appointment(slot, status="pending", contained=[], participant=[])
            plain = {name: value for name, value in body.items() if name not in ("description", "comment")}
            early = await desk.ask("practice", "POST", "Appointment", json=plain | {"contained": [patient()]})
            held = await desk.ask("practice", "POST", "Appointment", json=plain)
        assert refused(early) == (422, "not-kept")
        assert (held.status_code, valid(held)["status"]) == (201, "pending")

    async def test_becomes_a_booking_with_its_patient(self, county: County) -> None:
        async with surgery(county) as desk:
            held = await hold(desk, await nine_o_clock(desk))
            answer = await confirm(desk, held, priority=2, identifier=[{"system": "urn:x", "value": "1"}])
            booked = valid(answer)
            assert valid(await desk.ask("practice", "GET", f"Appointment/{booked['id']}")) == booked
            assert await status_of_slots(desk) == ["busy", "free"]
            again = await confirm(desk, held, priority=2, identifier=[{"system": "urn:x", "value": "1"}])
        assert (answer.status_code, booked["id"], booked["status"]) == (200, held.json()["id"], "booked")
        assert (booked["description"], booked["priority"], booked["identifier"][0]["value"]) == ("Back pain", 2, "1")
        assert refused(again) == (412, "version-mismatch")

    async def test_is_given_back(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            held = await hold(desk, slot)
            given_back = await desk.put(held, {"status": "cancelled", "cancelationReason": reason()})
            assert await status_of_slots(desk) == ["free", "free"]
            assert (await desk.book(slot)).status_code == 201
        assert valid(given_back)["status"] == "cancelled"

    async def test_takes_several_slots_that_adjoin(self, county: County) -> None:
        async with surgery(county) as desk:
            await nine_o_clock(desk)
            held = await hold(desk, *(slot["id"] for slot in await desk.slots()))
        assert valid(held)["minutesDuration"] == 20

    async def test_belongs_to_whoever_made_it(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            held = await hold(desk, await nine_o_clock(desk), caller="urgent-care")
            assert refused(await confirm(desk, held, "other")) == (404, "unknown-appointment")
            assert (await confirm(desk, held, "urgent-care")).status_code == 200

    async def test_repeated_with_its_key_is_the_same(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            (_, other) = (found["id"] for found in await desk.slots())
            key: dict[str, Any] = {"Idempotency-Key": "h1"}
            first, again = [await hold(desk, slot, **key) for _ in range(2)]
            reused = await hold(desk, other, **key)
        assert (again.status_code, again.json(), again.headers["etag"]) == (201, first.json(), first.headers["etag"])
        assert refused(reused) == (422, "key-reused")

    async def test_of_64_at_once_is_had_by_one(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            answers = await asyncio.gather(*(hold(desk, slot) for _ in range(64)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 63

    async def test_of_nothing_makes_no_sense(self, county: County) -> None:
        async with surgery(county) as desk:
            assert refused(await hold(desk)) == (422, "invalid-resource")
            assert refused(await hold(desk, "nowhere")) == (422, "unknown-slot")
            held = await desk.ask("practice", "POST", "Appointment/$hold", json=parameters("x") | {"id": 7})
            assert refused(held) == (422, "invalid-resource")


class TestAHoldWhoseTimeIsOver:
    async def test_can_no_longer_be_booked_though_its_slot_can(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            held = await hold(desk, slot)
        async with surgery(county, NOON + timedelta(minutes=11)) as desk:
            late = await confirm(desk, held)
            assert refused(late) == (409, "hold-expired")
            assert (await desk.book(slot)).status_code == 201

    async def test_is_released_soon_after(self, county: County) -> None:
        async with surgery(county) as desk:
            held = await hold(desk, await nine_o_clock(desk))
        county.clock_at(NOON + timedelta(minutes=9))
        async with county.service(BLUEPRINT, Settings) as booking:
            assert await release_over(booking) == 15.0
        county.clock_at(NOON + timedelta(minutes=11))
        async with county.service(BLUEPRINT, Settings) as booking:
            await release_over(booking)
        async with surgery(county, NOON + timedelta(minutes=11)) as desk:
            assert await status_of_slots(desk) == ["free", "free"]
            figures = await desk.figures()
        assert figures["appointments"].get("released", 0) == 1, held.json()["id"]

    async def test_is_released_by_the_service_itself(self, county: County) -> None:
        async with surgery(county) as desk:
            await hold(desk, await nine_o_clock(desk))
        async with surgery(county, NOON + timedelta(minutes=11)) as desk, asyncio.timeout(DEADLINE):
            while (await desk.figures())["appointments"] != {"released": 1}:
                continue
