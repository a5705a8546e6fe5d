"""The day list: every slot of some days and who has it, read from rebooking's copy, whatever has become of booking."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from shared.audit import accesses
from shared.events.booking import PatientArrived, PracticeFrozen, SlotsHeld, SlotsWithdrawn
from tests.harness import County, Servers
from tests.rebooking.named import LANDLINE, Named, named
from tests.rebooking.neighbours import FRIDAY, PEOPLE, booked, published, slot

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRIDAYS = {"from": "2024-07-19"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(servers: Servers) -> AsyncIterator[Named]:
    await servers.fresh_streams()
    async with named(County(servers)) as world:
        yield world


async def days(desk: Named, practice: str = "A1", **asked: Any) -> list[dict[str, Any]]:
    path = f"/v1/practices/{practice}/day-list"
    answer = await desk.ask("GET", path, practice=practice, scope="system/Appointment.r", params=FRIDAYS | asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["days"]
    return found


async def test_it_names_the_patients_of_a_practice_that_an_outage_keeps_frozen(desk: Named) -> None:
    await desk.clinic.hears(desk.clinic.booking, PracticeFrozen(practice="A1", outage=desk.outage))
    [friday] = await days(desk)
    [session] = friday["sessions"]
    assert (friday["date"], session["clinician"], session["location"]) == ("2024-07-19", "Dr Ames", "Room 1")
    ann, bob, *_, free = session["slots"]
    assert ann == {
        "start": "2024-07-19T09:00:00+01:00",
        "minutes": 10,
        "channel": "in-person",
        "service_type": "",
        "kept_for": "anyone",
        "status": "booked",
        "appointment": "A1 Ann",
        "nhs_number": PEOPLE[0],
        "given_name": "Ann",
        "family_name": "Ash",
        "birth_date": "1958-03-31",
        "telephone": "+447700900123",
        "priority": 0,
        "erased": False,
    }
    assert bob["telephone"] == LANDLINE
    assert (free["status"], free["appointment"], free["nhs_number"], free["priority"]) == ("free", None, None, None)


async def test_it_says_how_each_slot_stands_and_a_long_appointment_stands_once(desk: Named) -> None:
    start = FRIDAY + timedelta(hours=5)
    names = ("held", "withdrawn", "arrived", "double", "double again", "erased")
    slots = [slot(name, start + timedelta(minutes=10 * at)) for at, name in enumerate(names)]
    held = SlotsHeld(
        session="afternoon",
        practice="A1",
        appointment="to come",
        slots=("held",),
        start=start,
        minutes=10,
        held_at=FRIDAY,
        until=FRIDAY,
    )
    long = booked("long", "afternoon", "double", slots[3].start, "nobody")
    await desk.clinic.hears(
        desk.clinic.booking,
        published("afternoon", *slots),
        held,
        SlotsWithdrawn(session="afternoon", practice="A1", slots=("withdrawn",), reason="Ill"),
        booked("came", "afternoon", "arrived", slots[2].start, "nobody"),
        PatientArrived(session="afternoon", practice="A1", appointment="came"),
        structs.replace(long, slots=("double", "double again"), minutes=20),
        booked("gone", "afternoon", "erased", slots[5].start, "nobody", sealed="sealed with a key that was destroyed"),
    )
    [friday] = await days(desk)
    listed = {each["start"][11:16]: each for each in friday["sessions"][1]["slots"]}
    assert {time: (each["status"], each["minutes"]) for time, each in listed.items()} == {
        "14:00": ("held", 10),
        "14:10": ("withdrawn", 10),
        "14:20": ("arrived", 10),
        "14:30": ("booked", 20),
        "14:50": ("booked", 10),
    }
    erased = listed["14:50"]
    assert (erased["appointment"], erased["family_name"], erased["nhs_number"], erased["erased"]) == (
        "gone",
        "",
        "",
        True,
    )


async def test_it_lists_as_many_days_as_are_asked_for_from_today_if_none_is_said(desk: Named) -> None:
    assert [day["date"] for day in await days(desk, days=6)] == [f"2024-07-{day}" for day in range(19, 25)]
    answer = await desk.ask("GET", "/v1/practices/B2/day-list", practice="B2")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() | {"as_of": ""} == {
        "practice": "B2",
        "name": "Surgery B2",
        "as_of": "",
        "days": [{"date": "2024-07-22", "sessions": []}],
    }


@pytest.mark.parametrize("asked", [{"days": "15"}, {"days": "0"}, {"from": "Friday"}, {"from": "0001-01-01"}])
async def test_days_that_make_no_sense_are_refused(desk: Named, asked: dict[str, str]) -> None:
    answer = await desk.ask("GET", "/v1/practices/B2/day-list", practice="B2", params=asked)
    assert (answer.status_code, answer.json()["where"]) == (422, f"query.{next(iter(asked))}")


async def test_it_is_shown_to_the_practice_and_to_operators_and_is_as_unknown_to_others_as_none(desk: Named) -> None:
    theirs = await desk.ask("GET", "/v1/practices/A1/day-list", practice="B2", params=FRIDAYS)
    nobodys = await desk.ask("GET", "/v1/practices/Z9/day-list", practice="B2", params=FRIDAYS)
    assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert (await desk.ask("GET", "/v1/practices/Z9/day-list", practice="Z9")).content == nobodys.content
    assert (await desk.ask("GET", "/v1/practices/A1/day-list")).status_code == 200
    closed = await desk.ask("GET", "/v1/practices/A1/day-list", practice="A1", scope="system/Slot.rs")
    assert closed.status_code == 403


async def test_the_trail_names_the_practice_and_no_patient(desk: Named) -> None:
    answer = await desk.ask("GET", "/v1/practices/C3/day-list", practice="C3", params=FRIDAYS)
    (rebooking,) = (each for each in desk.clinic.county.at_work if each.blueprint.name == "rebooking")
    async with rebooking.engine.connect() as connection:
        lines = await connection.execute(accesses.select().where(accesses.c.request == answer.headers["x-request-id"]))
        [line] = lines.mappings().all()
    assert (line["practice"], line["resource"]) == ("C3", "C3")
    assert not {"Ash", PEOPLE[0], "+447700900123"} & set(map(str, line.values()))
