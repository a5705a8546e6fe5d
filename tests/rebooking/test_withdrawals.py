"""A withdrawn session's way back, in rebooking's whole service on real engines: like an outage's, without an outage."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.events.base import Event
from shared.events.booking import (
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    HoldReleased,
    SlotsHeld,
    SlotsWithdrawn,
)
from shared.events.notifications import CallRaised
from tests.harness import County
from tests.rebooking.neighbours import (
    MONDAY,
    PEOPLE,
    WEDNESDAY,
    Surgery,
    booked,
    published,
    registered,
    slot,
    surgery,
)
from tests.rebooking.test_recovery import assert_adds_up, figures, is_equal_when_rebuilt

TUESDAY = WEDNESDAY - timedelta(days=1)
THURSDAY = WEDNESDAY + timedelta(days=1)
PATIENTS = ("urgent", "routine", "patient")
"""Who had the first three slots of Wednesday's session; it had a fourth that was free."""

SEEN = AppointmentFulfilled(session="wednesday", practice="A1", appointment="patient")
MISSED = AppointmentMissed(session="wednesday", practice="A1", appointment="patient")
MISTAKEN = AppointmentEnteredInError(session="wednesday", practice="A1", appointment="patient")


def at(number: int) -> Any:
    return WEDNESDAY + timedelta(minutes=10 * number)


def wednesday() -> list[Event]:
    return [
        *registered("A1", "B2"),
        published("wednesday", *(slot(f"slot of {name}", at(nth)) for nth, name in enumerate((*PATIENTS, "nobody")))),
        *(
            booked(name, "wednesday", f"slot of {name}", at(nth), f"patient {name}", priority=int(name == "urgent"))
            for nth, name in enumerate(PATIENTS)
        ),
    ]


def displaced(name: str, withdrawal: str = "withdrawal") -> AppointmentDisplaced:
    return AppointmentDisplaced(
        session="wednesday",
        practice="A1",
        appointment=name,
        patient=f"patient {name}",
        start=at(PATIENTS.index(name)),
        minutes=10,
        withdrawal=withdrawal,
        reason="Dr Ames is ill",
        session_name="Morning surgery",
        slots=(f"slot of {name}",),
    )


def withdrawn() -> list[Event]:
    """What booking records in one transaction when the whole session is withdrawn."""
    slots = tuple(f"slot of {name}" for name in (*PATIENTS, "nobody"))
    gone = SlotsWithdrawn(session="wednesday", practice="A1", slots=slots, reason="Dr Ames is ill")
    return [gone, *map(displaced, PATIENTS)]


def thursday(*names: str) -> Event:
    """Free slots at A1 from nine on Thursday, and one at four that falls to the share that stays free."""
    free = [slot(name, THURSDAY + timedelta(minutes=10 * nth)) for nth, name in enumerate(names)]
    return published("thursday", *free, slot("last of the day", THURSDAY + timedelta(hours=7)))


def cancelled(name: str, replaced_by: str = "") -> AppointmentCancelled:
    return AppointmentCancelled(
        session="wednesday",
        practice="A1",
        appointment=name,
        cancelled_by="practice",
        reason="prov",
        replaced_by=replaced_by,
    )


async def planned(clinic: Surgery, recovery: str = "withdrawal") -> Mapping[str, Any]:
    answer = await clinic.post(f"/{recovery}/plan")
    assert answer.status_code == 201, answer.text
    plan: Mapping[str, Any] = answer.json()
    return plan


async def moved(clinic: Surgery, recovery: str = "withdrawal") -> None:
    plan = await planned(clinic, recovery)
    answer = await clinic.post(f"/{recovery}/approval", hash=plan["hash"], approved_by="Ann")
    assert answer.status_code == 202, answer.text


async def test_a_withdrawal_is_listed_by_what_was_withdrawn_and_takes_just_whom_it_displaced(county: County) -> None:
    async with surgery(county) as clinic:
        elsewhere = booked("elsewhere", "wednesday", "slot of nobody", at(3), "somebody", practice="B2")
        await clinic.hears(clinic.booking, *wednesday(), elsewhere)
        await clinic.hears(clinic.booking, *withdrawn())
        [listed] = await clinic.get("")
        assert (listed["outage"], listed["kind"], listed["practices"]) == ("withdrawal", "withdrawal", ["A1"])
        assert listed["name"] == "Session withdrawn: Morning surgery, Wednesday 24 July 2024"
        assert listed["started_at"] == listed["ended_at"]
        assert (await clinic.get("/withdrawal"))["at_stake"] == {
            "appointments": 3,
            "by_practice": {"A1": 3},
            "by_hour": {"2024-07-24 09:00": 3},
            "by_priority": {"0": 2, "1": 1},
        }
        progress = await clinic.get("/withdrawal/progress")
        assert_adds_up(progress)
        assert figures(progress, "appointments", "displaced", "unaccounted") == [3, 3, 0]


async def test_the_displaced_are_planned_and_moved_like_those_of_an_outage(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), thursday("first", "taken meanwhile"))
        plan = await planned(clinic)
        assert (plan["placed"], plan["unplaced"], plan["by_day"]) == (2, 1, {"2024-07-25": 2})
        await clinic.post("/withdrawal/approval", hash=plan["hash"], approved_by="Ann")
        progress = await clinic.get("/withdrawal/progress")
        assert_adds_up(progress)
        assert figures(progress, "moved", "refused", "unplaced", "calls") == [1, 1, 2, 0]
        waiting = {each["appointment"]: each["reason"] for each in await clinic.get("/withdrawal/unplaced")}
        assert waiting == {
            "patient": "The slot has been taken",
            "routine": "All slots that fit and may be used (2) went to patients of the same or a higher priority",
        }
        assert await is_equal_when_rebuilt(county)


async def test_one_by_one_or_together_and_told_again_it_is_one_recovery(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *wednesday(), *withdrawn())
        before = (await clinic.http.get("/v1/status")).json()["position"]
        for event in withdrawn():
            await clinic.hears(clinic.booking, event)
        await clinic.hears(clinic.booking, *withdrawn())
        assert (await clinic.http.get("/v1/status")).json()["position"] == before
        assert len(await clinic.get("")) == 1


async def test_two_recoveries_are_never_promised_the_same_slot(county: County) -> None:
    async with surgery(county) as clinic:
        gone, first, *_ = withdrawn()
        second = msgspec.structs.replace(displaced("patient"), withdrawal="afternoon")
        await clinic.hears(clinic.booking, *wednesday(), gone, first, second, thursday("unanswered"))
        plans = {recovery: await planned(clinic, recovery) for recovery in ("withdrawal", "afternoon")}
        await clinic.post("/withdrawal/approval", hash=plans["withdrawal"]["hash"])
        assert figures(await clinic.get("/withdrawal/progress"), "requested", "moved") == [1, 0]
        stale = await clinic.post("/afternoon/approval", hash=plans["afternoon"]["hash"])
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-plan")
        assert (await planned(clinic, "afternoon"))["placed"] == 0


async def test_a_locum_at_the_same_hour_may_see_everyone(county: County) -> None:
    async with surgery(county) as clinic:
        cover = [slot(f"cover {nth}", at(nth), minutes=10) for nth in range(4)]
        await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), published("locum", *cover))
        plan = await planned(clinic)
        assert (plan["placed"], plan["by_day"]) == (3, {"2024-07-24": 3})
        assert {level["longest_wait_hours"] for level in plan["by_priority"]} == {0.0}


async def test_a_slot_before_the_withdrawn_one_is_never_given(county: County) -> None:
    async with surgery(county) as clinic:
        early = [slot(f"early {nth}", TUESDAY + timedelta(hours=4, minutes=10 * nth)) for nth in range(5)]
        await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), published("tuesday", *early))
        await planned(clinic)
        [first, *_] = await clinic.get("/withdrawal/unplaced")
        assert first["reason"].startswith("The practice has no free slot from Wed 24 Jul 09:00 until")


async def test_a_session_withdrawn_long_before_its_day_is_planned_from_that_day_on(county: County) -> None:
    async with surgery(county, now=MONDAY - timedelta(days=60)) as clinic:
        await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), thursday("first", "second", "third"))
        assert (await planned(clinic))["placed"] == 3


async def test_a_slot_that_is_held_is_not_free_until_it_is_released(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), thursday("first"))
        before = await planned(clinic)
        held = SlotsHeld(
            session="thursday",
            practice="A1",
            appointment="to come",
            slots=("first",),
            start=THURSDAY,
            minutes=10,
            until=MONDAY + timedelta(minutes=10),
            held_at=MONDAY,
        )
        await clinic.hears(clinic.booking, held)
        stale = await clinic.post("/withdrawal/approval", hash=before["hash"])
        assert (stale.status_code, stale.json()["code"]) == (409, "stale-plan")
        assert (await planned(clinic))["placed"] == 0
        released = HoldReleased(
            session="thursday", practice="A1", appointment="to come", reason="expired", slots=("first",)
        )
        await clinic.hears(clinic.booking, released)
        assert (await planned(clinic))["placed"] == 1


class TestWhoNeedsNoOtherTime:
    @pytest.mark.parametrize(
        ("news", "figure"),
        [
            (cancelled("patient"), "cancelled"),
            (cancelled("patient", replaced_by="new"), "rescheduled"),
            (SEEN, "seen_on_paper"),
            (MISSED, "seen_on_paper"),
            (MISTAKEN, "cancelled"),
        ],
        ids=["cancelled", "rescheduled by the practice", "seen", "missed", "a mistake"],
    )
    async def test_the_recovery_waits_for_them_no_more(self, county: County, news: Event, figure: str) -> None:
        """Before the plan or after it, and told twice: the sums add up, and nothing is requested for them."""
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), thursday("first", "second", "third"))
            before = await planned(clinic)
            await clinic.hears(clinic.booking, news, news)
            progress = await clinic.get("/withdrawal/progress")
            assert_adds_up(progress)
            assert figures(progress, "appointments", "displaced", figure) == [3, 2, 1]
            stale = await clinic.post("/withdrawal/approval", hash=before["hash"])
            assert (stale.status_code, stale.json()["code"]) == (409, "stale-plan")
            await moved(clinic)
            assert figures(await clinic.get("/withdrawal/progress"), "moved", "unplaced") == [2, 0]

    async def test_displaced_and_cancelled_in_one_breath_is_cancelled(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), cancelled("patient"))
            progress = await clinic.get("/withdrawal/progress")
            assert figures(progress, "appointments", "cancelled", "displaced") == [3, 1, 2]

    async def test_a_refused_move_of_a_patient_who_cancelled_leaves_nobody_to_call(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *wednesday(), *withdrawn(), thursday("taken meanwhile"))
            await moved(clinic)
            ring = CallRaised(
                message="message",
                practice="A1",
                patient="patient urgent",
                appointment="urgent",
                outage="withdrawal",
                reason="Wants no more texts",
            )
            await clinic.hears(clinic.notifications, ring)
            assert figures(await clinic.get("/withdrawal/progress"), "refused", "calls") == [1, 1]
            await clinic.hears(clinic.booking, cancelled("urgent"))
            assert figures(await clinic.get("/withdrawal/progress"), "refused", "cancelled", "calls") == [0, 1, 0]
            assert await clinic.get("/withdrawal/calls") == []

    async def test_of_two_recoveries_that_wait_for_one_patient_the_first_to_move_them_ends_both(
        self, county: County
    ) -> None:
        """The outage took the session's day; then the practice withdrew the session as well."""
        async with surgery(county, now=WEDNESDAY + timedelta(hours=12)) as clinic:
            await clinic.hears(clinic.booking, *wednesday())
            outage = await clinic.declared(practices=["A1"], started_at="2024-07-24T07:00", ended_at="2024-07-24T20:00")
            assert (await clinic.paper(outage)).json()["outcomes"] == {"displaced": 3}
            friday = WEDNESDAY + timedelta(days=2)
            free = [slot(f"free {nth}", friday + timedelta(minutes=10 * nth)) for nth in range(4)]
            await clinic.hears(clinic.booking, *withdrawn(), published("friday", *free))
            await moved(clinic, outage)
            assert figures(await clinic.get(f"/{outage}/progress"), "displaced", "moved") == [3, 3]
            progress = await clinic.get("/withdrawal/progress")
            assert_adds_up(progress)
            assert figures(progress, "appointments", "rescheduled", "displaced") == [3, 3, 0]


class TestBesideOutages:
    async def test_an_outage_may_be_declared_over_a_withdrawal_and_takes_none_of_its_patients(
        self, county: County
    ) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *wednesday(), *withdrawn())
            outage = await clinic.declared(started_at="2024-07-20T07:00", ended_at="2024-07-25T07:00")
            assert (await clinic.get(f"/{outage}"))["at_stake"]["appointments"] == 0
            assert [each["kind"] for each in await clinic.get("")] == ["withdrawal", "outage"]

    async def test_there_is_nothing_to_reconcile_and_no_end_to_say(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *wednesday(), *withdrawn())
            paper = await clinic.paper("withdrawal", f"A1,2024-07-24T09:00,{PEOPLE[0]},attended")
            assert (paper.status_code, paper.json()["code"]) == (409, "nothing-to-reconcile")
            ended = await clinic.post("/withdrawal/end")
            assert (ended.status_code, ended.json()["code"]) == (409, "not-an-outage")
            assert figures(await clinic.get("/withdrawal/progress"), "displaced") == [3]
