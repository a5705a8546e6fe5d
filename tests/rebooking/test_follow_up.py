"""What comes after the first plan: places that are lost again, room that appears, answers, and time that runs out."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.rebooking.follow_up import FollowUp
from shared.events.base import Event
from shared.events.booking import AppointmentCancelled
from shared.events.notifications import Answer
from shared.events.rebooking import MoveRequested, OfferUnanswered, PlanExpired, PlanProposed
from shared.log import head_position, read_streams
from shared.refusals import Unavailable
from tests.harness import County
from tests.rebooking.neighbours import MONDAY, WEDNESDAY, Surgery, booked, published, slot, surgery
from tests.rebooking.test_recovery import (
    assert_adds_up,
    figures,
    friday,
    is_equal_when_rebuilt,
    moved,
    planned,
    reply,
    wednesday,
)
from tests.waiting import DEADLINE

THURSDAY = WEDNESDAY + timedelta(days=1)


def session(name: str, *slots: str, days: int = 0, hours: int = 0, practice: str = "A1") -> Event:
    """Free slots so many days after Thursday, and hours after nine; and one at five, the share that stays free."""
    start = THURSDAY + timedelta(days=days)
    free = [slot(each, start + timedelta(hours=hours, minutes=10 * at)) for at, each in enumerate(slots)]
    return published(name, *free, slot(f"last of {name}", start + timedelta(hours=8)), practice=practice)


async def say_automatic(clinic: Surgery, outage: str) -> None:
    await clinic.http.put(f"/v1/outages/{outage}/follow-up", json={"automatic": True, "said_by": "Ann"})


async def rounds(clinic: Surgery, work: FollowUp, number: int = 1) -> None:
    """So many rounds of the follow-up, and all that comes of each."""
    for _ in range(number):
        await work.once()
        await clinic.county.caught_up()


async def told(clinic: Surgery, outage: str, kind: type[Event], practice: str = "A1") -> list[Any]:
    """The events of this kind in the practice's recovery."""
    async with clinic.rebooking.engine.begin() as connection:
        await head_position(connection)
        log = await read_streams(connection, {f"recovery/{outage}/{practice}": 0})
    return [recorded.event for recorded in log if isinstance(recorded.event, kind)]


async def offered(clinic: Surgery, outage: str, lost: str) -> list[str]:
    """The slot of every time that this patient was to have, in order."""
    return [each.to_slot for each in await told(clinic, outage, MoveRequested) if each.appointment == lost]


async def answers(clinic: Surgery, outage: str, what: Mapping[str, Answer]) -> None:
    """They answer the text about the newest time they have."""
    newest = {each.appointment: each.move for each in await told(clinic, outage, MoveRequested)}
    await clinic.hears(clinic.notifications, *(reply(outage, newest[lost], said) for lost, said in what.items()))


class TestAPlaceThatIsLostAgain:
    async def test_the_patient_has_the_next_best_place_where_nobody_is_to_be_asked(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic), wednesday("taken one", "free", "free too", "spare"))
            outage = await moved(clinic)
            await say_automatic(clinic, outage)
            assert figures(await clinic.get(f"/{outage}/progress"), "moved", "refused") == [2, 1]
            await rounds(clinic, FollowUp(clinic.rebooking))
            progress = await clinic.get(f"/{outage}/progress")
            assert_adds_up(progress)
            assert figures(progress, "moved", "refused", "unplaced", "calls") == [3, 0, 1, 1]
            plan = await clinic.get(f"/{outage}/plan")
            assert (plan["follow_up"], [part["state"] for part in plan["practices"]]) == (True, ["approved"])

    async def test_otherwise_the_operator_is_shown_a_plan_of_just_that_practice_once(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic), wednesday("taken one", "free", "free too", "spare"))
            outage = await moved(clinic)
            await rounds(clinic, FollowUp(clinic.rebooking), 2)
            assert len(await told(clinic, outage, PlanProposed)) == 2
            plan = await clinic.get(f"/{outage}/plan")
            assert (plan["follow_up"], plan["placed"]) == (True, 1)
            assert [(part["practice"], part["state"]) for part in plan["practices"]] == [("A1", "proposed")]
            await clinic.post(f"/{outage}/approval", hash=plan["hash"])
            assert (await clinic.get(f"/{outage}/progress"))["moved"] == 3

    async def test_without_another_place_it_is_said_why_and_what_is_never_given_is_not_asked_for_again_and_again(
        self, county: County
    ) -> None:
        async with surgery(county) as clinic:
            there = session("thursday at B2", "taken at B2", practice="B2")
            await clinic.hears(clinic.booking, *friday(clinic), wednesday("never one", "free", "free too"), there)
            outage = await moved(clinic)
            await say_automatic(clinic, outage)
            await rounds(clinic, FollowUp(clinic.rebooking), 5)
            listed = {each["appointment"]: each["reason"] for each in await clinic.get(f"/{outage}/unplaced")}
            assert listed["elsewhere"].startswith("All slots that fit")
            assert len(await told(clinic, outage, PlanProposed, "B2")) == 2
            assert await offered(clinic, outage, "urgent") == ["never one"] * 2
            assert_adds_up(await clinic.get(f"/{outage}/progress"))


class TestRoomThatAppears:
    async def test_it_goes_to_those_still_waiting_by_priority_and_to_nobody_twice(self, county: County) -> None:
        async with surgery(county) as clinic:
            taken = booked("somebody's", "thursday", "theirs", THURSDAY, "somebody")
            await clinic.hears(clinic.booking, *friday(clinic), wednesday(), session("thursday", "theirs"), taken)
            outage = await moved(clinic)
            await say_automatic(clinic, outage)
            work = FollowUp(clinic.rebooking)
            await rounds(clinic, work)
            await clinic.hears(clinic.booking, session("published", "new", days=1))
            await rounds(clinic, work)
            assert await offered(clinic, outage, "urgent") == ["new"]
            given_up = AppointmentCancelled(
                session="thursday",
                practice="A1",
                appointment="somebody's",
                cancelled_by="patient",
                reason="pat",
                slots=("theirs",),
            )
            await clinic.hears(clinic.booking, given_up)
            await rounds(clinic, work)
            assert await offered(clinic, outage, "no mobile") == ["theirs"]
            await clinic.hears(clinic.booking, session("published too", "another", "one more", days=4))
            await asyncio.gather(*(rounds(clinic, FollowUp(clinic.rebooking), 2) for _ in range(2)))
            assert await offered(clinic, outage, "routine") == ["another"]
            progress = await clinic.get(f"/{outage}/progress")
            assert figures(progress, "moved", "unplaced") == [3, 1]

    async def test_the_service_sees_to_it_by_itself_through_passing_faults(
        self, county: County, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        once, faults = FollowUp.once, iter([Unavailable("The database is away", code="away"), ValueError("a bug")])

        async def now_and_then(work: FollowUp) -> None:
            for fault in faults:
                raise fault
            await once(work)

        monkeypatch.setattr(FollowUp, "once", now_and_then)
        async with surgery(county, follow_up_seconds=0.02) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic), wednesday())
            outage = await moved(clinic)
            await say_automatic(clinic, outage)
            await clinic.hears(clinic.booking, session("thursday", "one", "two", "three"))
            async with asyncio.timeout(DEADLINE):
                while (await clinic.get(f"/{outage}/progress"))["moved"] < 3:  # noqa: ASYNC110 (it has no event)
                    await asyncio.sleep(0.01)


async def test_what_is_out_of_time_ends_once_and_an_appointment_without_an_answer_stands(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), session("monday", "one", "two", days=4))
        outage, plan = await planned(clinic)
        part = next(part["part"] for part in plan["practices"] if part["practice"] == "A1")
        await clinic.post(f"/{outage}/approval", hash=part)
        await clinic.hears(clinic.booking, session("tuesday", "three", days=5))
        await rounds(clinic, FollowUp(clinic.rebooking))
        assert not await told(clinic, outage, OfferUnanswered)
        shown = await clinic.get(f"/{outage}/plan")
    async with surgery(county, now=MONDAY + timedelta(hours=73)) as clinic:
        await rounds(clinic, FollowUp(clinic.rebooking), 2)
        assert len(await told(clinic, outage, OfferUnanswered)) == 2
        assert len(await told(clinic, outage, PlanExpired, "B2")) == 1
        progress = await clinic.get(f"/{outage}/progress")
        assert figures(progress, "moved", "unanswered", "unplaced") == [2, 2, 2]
        assert_adds_up(progress)
        again = await clinic.get(f"/{outage}/plan")
        assert (again["placed"], again["follow_up"], again["expires_at"] > shown["expires_at"]) == (1, True, True)


async def test_a_fresh_offer_differs_in_day_and_half_of_the_day_until_a_person_calls(
    county: County, tmp_path: Any
) -> None:
    (tmp_path / "rules.toml").write_text("fresh_offers = 1\n")
    async with surgery(county, rules_file=tmp_path / "rules.toml") as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("first", "second", "third", "morning"))
        outage = await moved(clinic)
        await say_automatic(clinic, outage)
        await clinic.hears(
            clinic.booking, session("thursday", "a morning"), session("friday", "fresh", days=1, hours=5)
        )
        work = FollowUp(clinic.rebooking)
        await answers(clinic, outage, {"urgent": "another-time", "routine": "another-time"})
        await rounds(clinic, work, 2)
        assert await offered(clinic, outage, "urgent") == ["first", "fresh"]
        assert await offered(clinic, outage, "routine") == ["second"]
        assert figures(await clinic.get(f"/{outage}/progress"), "moved", "calls") == [3, 2]
        await answers(clinic, outage, {"urgent": "another-time"})
        await rounds(clinic, work, 2)
        assert await offered(clinic, outage, "urgent") == ["first", "fresh"]
        calls = {each["appointment"]: each["reason"] for each in await clinic.get(f"/{outage}/calls")}
        assert calls["routine"].startswith("Asks for another time, and no free slot")
        assert calls["urgent"].startswith("Asks for another time again")
        assert_adds_up(await clinic.get(f"/{outage}/progress"))
        assert await is_equal_when_rebuilt(county)
