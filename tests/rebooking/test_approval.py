"""Saying yes to a plan: all of it or one practice's part, as far as it still holds; and to what comes after it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.rebooking.follow_up import FollowUp
from shared.events.base import Event
from shared.events.booking import AppointmentCancelled, SlotsWithdrawn
from tests.harness import County
from tests.rebooking.neighbours import MONDAY, WEDNESDAY, Surgery, booked, published, slot, surgery
from tests.rebooking.test_recovery import assert_adds_up, friday, planned, thursday, wednesday

QUICKER = booked("quicker", "wednesday", "free one", WEDNESDAY, "somebody")
"""Somebody books the slot that the urgent patient was to have."""


def wednesday_at_b2() -> Event:
    """A slot for the patient of B2, and one that falls to the share that stays free."""
    free = slot("free at B2", WEDNESDAY), slot("last at B2", WEDNESDAY + timedelta(hours=7))
    return published("wednesday at B2", *free, practice="B2")


async def plan_that_the_diary_moved_under(clinic: Surgery) -> tuple[str, Mapping[str, Any]]:
    """A plan that places everybody; then somebody else has one of A1's slots."""
    await clinic.hears(
        clinic.booking, *friday(clinic), wednesday("free one", "free two", "free three", "spare"), wednesday_at_b2()
    )
    outage, plan = await planned(clinic)
    assert (plan["placed"], plan["unplaced"]) == (4, 0)
    await clinic.hears(clinic.booking, QUICKER)
    return outage, plan


async def test_a_part_can_be_approved_by_itself_and_the_rest_afterwards(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one"))
        outage, plan = await planned(clinic)
        parts = {part["practice"]: part["part"] for part in plan["practices"]}
        first = await clinic.post(f"/{outage}/approval", hash=parts["A1"], approved_by="Ann")
        assert first.json() == {"plan": plan["hash"], "practices": ["A1"], "replanned": None}
        assert (await clinic.get(f"/{outage}/progress"))["moved"] == 1
        rest = await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
        assert rest.json()["practices"] == ["B2"]
        again = await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
        assert (again.status_code, again.json()["code"]) == (409, "already-approved")


class TestADiaryThatMoved:
    async def test_what_still_holds_is_approved_and_only_the_practice_where_it_moved_is_planned_for_again(
        self, county: County
    ) -> None:
        async with surgery(county) as clinic:
            outage, plan = await plan_that_the_diary_moved_under(clinic)
            answer = (await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")).json()
            again = answer["replanned"]
            assert (answer["practices"], again["practices"], again["approved"]) == (["B2"], {"A1": 1}, False)
            progress = await clinic.get(f"/{outage}/progress")
            assert (progress["moved"], progress["unplaced"]) == (1, 3)
            newer = await clinic.get(f"/{outage}/plan")
            assert (newer["hash"], newer["follow_up"], newer["placed"]) == (again["hash"], True, 3)
            assert (await clinic.post(f"/{outage}/approval", hash=again["hash"])).status_code == 202
            progress = await clinic.get(f"/{outage}/progress")
            assert (progress["moved"], progress["unplaced"]) == (4, 0)
            assert_adds_up(progress)

    async def test_where_nobody_is_to_be_asked_the_new_plan_is_approved_at_once(self, county: County) -> None:
        async with surgery(county) as clinic:
            outage, plan = await plan_that_the_diary_moved_under(clinic)
            answer = await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann", automatic=True)
            again = answer.json()["replanned"]
            assert (again["practices"], again["approved"]) == ({"A1": 1}, True)
            assert (await clinic.get(f"/{outage}/progress"))["moved"] == 4
            declared = await clinic.get(f"/{outage}")
            assert (declared["automatic"], declared["automatic_by"]) == (True, "Ann")
            answer = await clinic.http.put(f"/v1/outages/{outage}/follow-up", json={"automatic": False})
            assert answer.json() == {"outage": outage, "automatic": False, "automatic_by": "operator"}

    async def test_a_part_under_which_it_moved_is_refused_with_how_many_places_are_gone(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one", "free two", "free three"))
            outage, plan = await planned(clinic)
            part = next(part["part"] for part in plan["practices"] if part["practice"] == "A1")
            news = (
                QUICKER,
                SlotsWithdrawn(session="wednesday", practice="A1", slots=("free two",), reason="Ill"),
                AppointmentCancelled(
                    session="friday", practice="A1", appointment="no mobile", cancelled_by="patient", reason="pat"
                ),
            )
            for number, event in enumerate(news, 1):
                await clinic.hears(clinic.booking, event)
                answer = await clinic.post(f"/{outage}/approval", hash=part)
                assert (answer.status_code, answer.json()["code"]) == (409, "stale-plan")
                assert f"A1 ({number})" in answer.json()["detail"]
            assert (await clinic.get(f"/{outage}/progress"))["requested"] == 0


class TestBadInput:
    async def test_a_hash_that_is_unknown_of_another_outage_or_superseded_is_refused_as_what_it_is(
        self, county: County
    ) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one"))
            outage, plan = await planned(clinic)
            other = await clinic.declared(name="Another", started_at="2024-06-01", ended_at="2024-06-02")
            await clinic.hears(clinic.booking, published("thursday", *thursday()))
            assert (await clinic.post(f"/{outage}/plan")).json()["hash"] != plan["hash"]
            for hash_, at, code in (
                (plan["hash"], outage, "stale-plan"),
                ("unheard of", outage, "unknown-plan"),
                (plan["hash"], other, "foreign-plan"),
            ):
                answer = await clinic.post(f"/{at}/approval", hash=hash_, automatic=True)
                assert (answer.status_code, answer.json()["code"], answer.json()["where"]) == (409, code, "hash")
            assert "a plan for another outage, The lost Friday" in answer.json()["detail"]
            assert not (await clinic.get(f"/{outage}"))["automatic"]

    async def test_an_expired_plan_is_refused_before_and_after_that_is_written_down(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one"))
            outage, plan = await planned(clinic)
        async with surgery(county, now=MONDAY + timedelta(hours=5)) as clinic:
            for _ in range(2):
                answer = await clinic.post(f"/{outage}/approval", hash=plan["hash"])
                assert (answer.status_code, answer.json()["code"]) == (409, "plan-expired")
                await FollowUp(clinic.rebooking).once()

    async def test_a_practice_that_is_not_of_the_outage_and_an_outage_that_is_not_there_are_named(
        self, county: County
    ) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic))
            outage = await clinic.declared(practices=["A1"])
            for body, code, where in (
                ({"practices": ["A1", "B2"]}, "unknown-practice", "practices"),
                ({"practices": []}, "invalid-request", "body.practices"),
            ):
                answer = await clinic.post(f"/{outage}/plan", **body)
                assert (answer.status_code, answer.json()["code"], answer.json()["where"]) == (422, code, where)
            asked = await clinic.http.get(f"/v1/outages/{outage}/plan/capacity", params={"practice": "B2"})
            assert (asked.status_code, asked.json()["where"]) == (422, "practice")
            said = await clinic.http.put("/v1/outages/unknown/follow-up", json={"automatic": True})
            assert (said.status_code, said.json()["code"]) == (404, "unknown-outage")


async def test_a_plan_for_some_practices_leaves_the_others_as_they_are(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one"), wednesday_at_b2())
        outage, plan = await planned(clinic)
        part = next(part["part"] for part in plan["practices"] if part["practice"] == "B2")
        newer = (await clinic.post(f"/{outage}/plan", practices=["A1"])).json()
        assert [part["practice"] for part in newer["practices"]] == ["A1"]
        left = await clinic.get(f"/{outage}/plan/unplaced")
        assert {each["appointment"] for each in left} == {"routine", "no mobile"}
        values = await clinic.get(f"/{outage}/plan/capacity?practice=A1&days=2")
        assert [(each["practice"], each["more_placed"]) for each in values] == [("A1", 2), ("A1", 2)]
        approved = await clinic.post(f"/{outage}/approval", hash=part, approved_by="Ann")
        assert (approved.status_code, approved.json()["practices"]) == (202, ["B2"])
