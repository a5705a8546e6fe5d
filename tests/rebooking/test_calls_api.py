"""The call list: whom to ring and what to tell them, one caller at a time, and what came of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from httpx import Response

from services.rebooking.commands import ApprovePlan, ProposePlan
from shared.events.notifications import CallRaised
from shared.events.rebooking import Placement
from shared.seal import Details
from tests.harness import County, Servers
from tests.rebooking.named import LANDLINE, MOBILE, Named, named
from tests.rebooking.neighbours import MONDAY, WEDNESDAY

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHY = "Wants no more texts: confirm the new time by telephone"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(servers: Servers) -> AsyncIterator[Named]:
    """One county; each test rings the patients of a practice of its own."""
    await servers.fresh_streams()
    async with named(County(servers)) as world:
        yield world


async def to_ring(desk: Named, practice: str) -> None:
    """Ann and Bob are displaced; Bob is moved to Wednesday; both are to be telephoned."""
    ids = [f"{practice} {name}" for name in ("Ann", "Bob")]
    await desk.find(practice, *({"appointment": each, "outcome": "displaced"} for each in ids))
    placement = Placement(
        appointment=ids[1],
        patient=(await lost(desk, practice))["Bob"],
        from_session=f"{practice} Friday",
        to_session=f"{practice} Wednesday",
        to_slot=f"{practice} Wednesday 0",
        to_start=WEDNESDAY,
        minutes=10,
        priority=2,
    )
    (rebooking,) = (each for each in desk.clinic.county.at_work if each.blueprint.name == "rebooking")
    expires = WEDNESDAY
    await rebooking.executor.execute(
        ProposePlan(desk.outage, practice, "plan", f"part {practice}", 0, expires, (placement,), ())
    )
    await rebooking.executor.execute(ApprovePlan(desk.outage, practice, "plan", f"part {practice}", "Joan", MONDAY))
    await desk.clinic.county.caught_up()
    raised = [
        CallRaised(message="", practice=practice, patient="", appointment=each, outage=desk.outage, reason=WHY)
        for each in ids
    ]
    await desk.clinic.hears(desk.clinic.notifications, *raised)


async def lost(desk: Named, practice: str) -> dict[str, str]:
    """The pseudonyms of the practice's patients, by given name."""
    sheet = await desk.sheet(practice)
    return {name: desk.clinic.keys.pseudonym("patient", line["nhs_number"]) for name, line in sheet.items()}


async def calls(desk: Named, practice: str) -> list[dict[str, Any]]:
    answer = await desk.ask("GET", desk.at(practice, "/calls"), practice=practice)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["calls"]
    return found


async def claim(desk: Named, practice: str, name: str, by: str) -> Response:
    path = desk.at(practice, f"/calls/{practice} {name}/claim")
    return await desk.ask("POST", path, practice=practice, json={"by": by})


async def rang(desk: Named, practice: str, name: str, **said: Any) -> Response:
    path = desk.at(practice, f"/calls/{practice} {name}/outcome")
    return await desk.ask("POST", path, practice=practice, json={"by": "Joan", **said})


async def test_it_says_whom_to_ring_why_and_what_to_tell_them_the_nearest_new_time_first(desk: Named) -> None:
    await to_ring(desk, "A1")
    bob, ann = await calls(desk, "A1")
    assert (bob["given_name"], bob["telephone"], ann["telephone"]) == ("Bob", LANDLINE, MOBILE)
    assert bob["was"] == "Friday 19 July at 09:10"
    assert (bob["new_time"], ann["new_time"]) == ("Wednesday 24 July at 09:00 with Dr Ames", "")
    assert (ann["reason"], ann["claimed_by"], ann["attempts"]) == (WHY, None, [])


async def test_a_call_is_one_persons_until_it_is_made_or_the_claim_ends(desk: Named) -> None:
    await to_ring(desk, "B2")
    claimed = (await claim(desk, "B2", "Ann", "Joan")).json()
    assert (claimed["claimed_by"], claimed["claimed_until"][:16]) == ("Joan", "2024-07-22T08:20")
    other = await claim(desk, "B2", "Ann", "Sam")
    assert (other.status_code, other.json()["code"], other.json()["where"]) == (409, "claimed", "by")
    assert (await rang(desk, "B2", "Ann", outcome="cancels", by="Sam")).status_code == 409
    tried = (await rang(desk, "B2", "Ann", outcome="no-answer")).json()
    assert (tried["state"], tried["claimed_by"]) == ("needed", None)
    assert [made["outcome"] for made in tried["attempts"]] == ["no-answer"]


async def test_what_came_of_it_takes_the_patient_off_the_list(desk: Named) -> None:
    await to_ring(desk, "C3")
    kept = await rang(desk, "C3", "Bob", outcome="keeps")
    assert (kept.status_code, kept.json()["state"]) == (200, "made")
    assert [call["given_name"] for call in await calls(desk, "C3")] == ["Ann"]
    again = await rang(desk, "C3", "Bob", outcome="keeps")
    assert (again.status_code, again.json()["code"]) == (409, "no-call-needed")
    nothing_new = await rang(desk, "C3", "Ann", outcome="keeps")
    assert (nothing_new.status_code, nothing_new.json()["code"]) == (409, "no-new-time")


async def test_a_note_is_sealed_and_opened_for_the_next_caller_alone(desk: Named) -> None:
    await to_ring(desk, "D4")
    note = "Deaf in one ear: speak up & ring twice"
    await rang(desk, "D4", "Ann", outcome="left-message", note=note)
    [_, ann] = await calls(desk, "D4")
    [made] = ann["attempts"]
    assert (made["note"], made["made_by"]) == (note, "Joan")
    pseudonym = (await lost(desk, "D4"))["Ann"]
    sealed = await stored_note(desk, "D4 Ann")
    assert note not in sealed
    assert (await desk.clinic.keys.find({pseudonym}))[pseudonym].open(sealed, Details).comment == note
    for wrong in ({"note": "n" * 501}, {"note": "\0"}, {"outcome": "shrug"}, {"by": " "}):
        answer = await rang(desk, "D4", "Ann", **({"outcome": "no-answer"} | wrong))
        assert (answer.status_code, answer.json()["where"]) == (422, f"body.{next(iter(wrong))}")


async def stored_note(desk: Named, appointment: str) -> str:
    (rebooking,) = (each for each in desk.clinic.county.at_work if each.blueprint.name == "rebooking")
    async with rebooking.engine.connect() as connection:
        found = await connection.exec_driver_sql(
            "SELECT note FROM call_attempts WHERE appointment = $1", (appointment,)
        )
        note: str = found.scalar_one()
    return note


async def test_it_can_be_printed_with_room_to_write_and_nothing_from_outside(desk: Named) -> None:
    await to_ring(desk, "E5")
    answer = await desk.ask("GET", desk.at("E5", "/calls.html"), practice="E5")
    page = answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert (answer.headers["cache-control"], "default-src 'none'" in answer.headers["content-security-policy"]) == (
        "no-store",
        True,
    )
    for shown in (
        "Surgery E5 (E5): call list",
        "As of Monday 22 July",
        "Ash, Ann",
        MOBILE.replace("+44", "0"),
        "wants another time",
    ):
        assert shown in page
    assert "Wednesday 24 July at 09:00 with Dr Ames" in page
    assert not [outside for outside in ("http:", "https:", "<script", "src=", "url(") if outside in page]
    nobody = await desk.ask("GET", desk.at("F6", "/calls.html"), practice="F6")
    assert "Nobody is to be telephoned" in nobody.text


async def test_a_call_that_nobody_needs_is_not_there(desk: Named) -> None:
    for name in ("Cyd", "Zoe"):
        answer = await claim(desk, "A1", name, "Joan")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-call")
