"""Whom a plan would move, and to when: for a preview of what they would be told."""

from datetime import timedelta
from typing import Any

from services.rebooking.notices import Notices, notices
from shared.events.notifications import ReplyReceived
from shared.ids import derived_id
from shared.seal import PatientBlock
from tests.harness import County
from tests.rebooking.named import BLOCKS, PRACTICES, Named, named
from tests.rebooking.neighbours import MONDAY, WEDNESDAY, published, slot


async def listed(here: Named, **query: Any) -> dict[str, Any]:
    answer = await here.ask("GET", f"/v1/outages/{here.outage}/plan/notices", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


async def proposed(here: Named) -> dict[str, Any]:
    await here.clinic.paper(here.outage)
    plan: dict[str, Any] = (await here.clinic.post(f"/{here.outage}/plan")).json()
    assert plan["placed"] > 10
    return plan


async def test_the_places_of_a_plan_are_listed_page_by_page_with_the_patients_sealed(county: County) -> None:
    async with named(county) as here:
        assert await listed(here) == {"notices": [], "after": None}
        plan = await proposed(here)
        whole = await listed(here)
        rows = whole["notices"]
        assert (len(rows), whole["after"]) == (plan["placed"], None)
        assert [row["practice"] for row in rows] == sorted(row["practice"] for row in rows)

        keys = await here.clinic.keys.find({row["patient"] for row in rows})
        first = rows[0]
        assert keys[first["patient"]].open(first["sealed"], PatientBlock) == BLOCKS[0]
        assert (first["appointment"], first["practice"], first["to_practice"]) == ("A1 Ann", "A1", "")
        assert first["to_start"].startswith("2024-07-24T")

        paged, after = [], ""
        while after is not None:
            page = await listed(here, limit=5, **({"after": after} if after else {}))
            assert 0 < len(page["notices"]) <= 5
            paged += page["notices"]
            after = page["after"]
        assert paged == rows

        at_b = await listed(here, practice="B2")
        assert at_b["notices"] == [row for row in rows if row["practice"] == "B2"]


async def test_who_has_been_moved_is_left_out_until_another_time_is_found_or_the_plan_expires(county: County) -> None:
    async with named(county) as here:
        plan = await proposed(here)
        part = next(each for each in plan["practices"] if each["practice"] == "A1")
        answer = await here.clinic.post(f"/{here.outage}/approval", hash=part["part"])
        assert answer.status_code == 202, answer.text
        others = (await listed(here))["notices"]
        assert {row["practice"] for row in others} == {*PRACTICES} - {"A1"}

        move = derived_id("move", here.outage, plan["hash"], "A1 Ann")
        asks = ReplyReceived(
            message="message", practice="A1", reply="reply", patient="", appointment="", move=move,
            outage=here.outage, answer="another-time", sealed="",
        )  # fmt: skip
        await here.clinic.hears(here.clinic.notifications, asks)
        friday = WEDNESDAY + timedelta(days=2, hours=5)
        later = published("A1 later", *(slot(f"A1 later {at}", friday + timedelta(minutes=10 * at)) for at in range(9)))
        await here.clinic.hears(here.clinic.booking, later)
        again = await here.clinic.post(f"/{here.outage}/plan", practices=["A1"])
        assert again.status_code == 201, again.text
        [row] = (await listed(here, practice="A1"))["notices"]
        gives_way = derived_id("appointment", move)
        assert (row["appointment"], row["to_start"][:10]) == (gives_way, "2024-07-26")

        async with here.clinic.rebooking.engine.connect() as connection:
            expired = await notices(connection, here.outage, "", "", 100, MONDAY + timedelta(hours=5))
        assert expired == Notices([], None)


async def test_an_outage_a_practice_or_a_page_that_does_not_exist_is_refused(county: County) -> None:
    async with named(county) as here:
        path = f"/v1/outages/{here.outage}/plan/notices"
        assert (await here.ask("GET", "/v1/outages/none/plan/notices")).status_code == 404
        assert (await here.ask("GET", path, params={"practice": "Z9"})).status_code == 404
        for wrong in ({"after": "A1"}, {"after": "A1/\0"}, {"limit": "0"}, {"limit": "5001"}):
            assert (await here.ask("GET", path, params=wrong)).status_code == 422
        assert (await here.ask("GET", path, practice="A1")).status_code == 403
