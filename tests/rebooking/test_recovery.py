"""From a lost Friday to an empty backlog: rebooking's whole service on real engines, between its neighbours."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.rebooking.app import BLUEPRINT, Settings
from shared.broker import connect
from shared.database import open_engine
from shared.events.base import Event
from shared.events.notifications import Answer, CallRaised, MessageFailed, MessagePlanned, ReplyReceived
from shared.ids import derived_id
from shared.rebuild import rebuild
from tests.harness import County
from tests.rebooking.neighbours import (
    FRIDAY,
    PEOPLE,
    WEDNESDAY,
    Surgery,
    booked,
    published,
    registered,
    slot,
    surgery,
)

LOST = {name: at for at, name in enumerate(("seen", "cancelled", "same day", "urgent", "routine", "no mobile"))}
"""The appointments of the lost Friday at A1, one every ten minutes from nine."""


def friday(clinic: Surgery) -> list[Event]:
    """A1's lost day, and B2's, where one patient was booked and no slot is free afterwards."""
    starts = {name: FRIDAY + timedelta(minutes=10 * at) for name, at in LOST.items()}
    people = {name: clinic.keys.pseudonym("patient", PEOPLE[at]) for name, at in LOST.items()}
    return [
        *registered("A1", "B2"),
        published("friday", *(slot(f"slot of {name}", start) for name, start in starts.items())),
        *(
            booked(
                name,
                "friday",
                f"slot of {name}",
                start,
                people[name],
                priority=2 if name == "urgent" else 0,
                booked_at=start - timedelta(minutes=30) if name == "same day" else start - timedelta(days=5),
            )
            for name, start in starts.items()
        ),
        published("friday at B2", slot("only", FRIDAY), practice="B2"),
        booked("elsewhere", "friday at B2", "only", FRIDAY, clinic.keys.pseudonym("patient", PEOPLE[6]), practice="B2"),
    ]


def wednesday(*names: str) -> Event:
    """Free slots at A1 from nine on Wednesday, and as many at four that fall to the share that stays free."""
    free = [slot(name, WEDNESDAY + timedelta(minutes=10 * at)) for at, name in enumerate(names)]
    return published("wednesday", *free, slot("last of the day", WEDNESDAY + timedelta(hours=7)))


PAPER = (f"A1,2024-07-19T09:00,{PEOPLE[0]},attended", f"A1,2024-07-19T09:10,{PEOPLE[1]},cancelled")


async def reconciled(clinic: Surgery) -> str:
    outage = await clinic.declared()
    answer = await clinic.paper(outage, *PAPER)
    assert answer.status_code == 200, answer.text
    return outage


async def planned(clinic: Surgery) -> tuple[str, Mapping[str, Any]]:
    outage = await reconciled(clinic)
    answer = await clinic.post(f"/{outage}/plan")
    assert answer.status_code == 201, answer.text
    return outage, answer.json()


async def moved(clinic: Surgery) -> str:
    outage, plan = await planned(clinic)
    answer = await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
    assert answer.status_code == 202, answer.text
    return outage


def figures(progress: Mapping[str, Any], *names: str) -> list[int]:
    return [progress[name] for name in names]


def assert_adds_up(progress: Mapping[str, Any]) -> None:
    accounted = figures(progress, "seen_on_paper", "cancelled", "triage", "rescheduled", "displaced")
    assert progress["appointments"] == sum(accounted)
    assert progress["displaced"] == progress["moved"] + progress["unplaced"]


async def test_an_outage_says_what_is_at_stake_by_practice_hour_and_priority(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic))
        outage = await clinic.declared()
        stake = (await clinic.get(f"/{outage}"))["at_stake"]
        assert stake == {
            "appointments": 7,
            "by_practice": {"A1": 6, "B2": 1},
            "by_hour": {"2024-07-19 09:00": 7},
            "by_priority": {"0": 6, "2": 1},
        }
        [listed] = await clinic.get("")
        assert (listed["outage"], listed["practices"]) == (outage, ["A1", "B2"])


async def test_an_open_outage_takes_the_rest_of_today_and_ends_once(county: County) -> None:
    async with surgery(county, now=FRIDAY + timedelta(minutes=15)) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic))
        outage = await clinic.declared(started_at="2024-07-19T09:05", ended_at=None, practices=["A1"])
        assert (await clinic.get(f"/{outage}"))["at_stake"]["appointments"] == 5
        ended = await clinic.post(f"/{outage}/end", ended_at="2024-07-19T09:12")
        assert ended.json()["at_stake"]["appointments"] == 1
        again = await clinic.post(f"/{outage}/end")
        assert (again.status_code, again.json()["code"]) == (409, "already-ended")


async def test_the_lost_day_comes_to_moves_calls_and_a_list_with_reasons(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one", "free two", "free three"))
        outage, plan = await planned(clinic)
        assert (plan["placed"], plan["unplaced"], plan["by_day"]) == (3, 1, {"2024-07-24": 3})
        assert [each["priority"] for each in plan["by_priority"]] == [2, 0]
        await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
        progress = await clinic.get(f"/{outage}/progress")
        assert_adds_up(progress)
        assert figures(progress, "seen_on_paper", "cancelled", "triage", "displaced") == [1, 1, 1, 4]
        assert figures(progress, "planned", "requested", "moved", "refused", "unplaced") == [3, 3, 3, 0, 1]
        [waiting] = await clinic.get(f"/{outage}/unplaced")
        assert waiting["practice"] == "B2"
        assert waiting["reason"].startswith("The practice has no free slot from Tue 23 Jul")
        [call] = await clinic.get(f"/{outage}/calls")
        assert call["appointment"] == "no mobile"
        assert await is_equal_when_rebuilt(county)


async def is_equal_when_rebuilt(county: County) -> bool:
    """Every table of rebooking, folded again from both copies of the log, beside the live one."""
    settings = await county.settings(BLUEPRINT, Settings)
    engine, client = open_engine(settings.database_url), await connect(settings.nats_url, "rebooking")
    try:
        result = await rebuild(BLUEPRINT, engine, client, verify_only=True, tell=lambda *_: None)
        assert set(result.tables) == set(BLUEPRINT.metadata.tables)
        return result.equal
    finally:
        await engine.dispose()
        await client.close()


async def test_the_higher_priority_has_the_earliest_slot(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("only one"))
        outage = await moved(clinic)
        waiting = {each["appointment"]: each["reason"] for each in await clinic.get(f"/{outage}/unplaced")}
        assert set(waiting) == {"routine", "no mobile", "elsewhere"}
        reason = "All slots that fit and may be used (1) went to patients of the same or a higher priority"
        assert waiting["routine"] == reason


async def test_kept_slots_and_the_share_of_the_day_stay_free(county: County) -> None:
    async with surgery(county) as clinic:
        kept = [
            slot("for 111", WEDNESDAY, kept_for="nhs-111"),
            slot("for the day", WEDNESDAY, kept_for="same-day"),
            slot("the tenth", WEDNESDAY),
        ]
        await clinic.hears(clinic.booking, *friday(clinic), published("wednesday", *kept))
        _, plan = await planned(clinic)
        assert (plan["placed"], plan["unplaced"]) == (0, 4)


async def test_a_refused_move_leaves_the_patient_waiting_and_the_next_plan_tries_again(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("taken meanwhile", "free one", "free two"))
        outage = await moved(clinic)
        progress = await clinic.get(f"/{outage}/progress")
        assert_adds_up(progress)
        assert figures(progress, "moved", "refused", "unplaced", "calls") == [2, 1, 2, 1]
        reasons = [each["reason"] for each in await clinic.get(f"/{outage}/unplaced")]
        assert "The slot has been taken" in reasons
        await clinic.hears(clinic.booking, published("thursday", *thursday()))
        plan = (await clinic.post(f"/{outage}/plan")).json()
        assert (plan["placed"], plan["unplaced"]) == (1, 1)


def thursday() -> list[Any]:
    return [slot(f"thursday {at}", WEDNESDAY + timedelta(days=1, minutes=10 * at)) for at in range(3)]


async def test_answers_are_counted(county: County) -> None:
    said: Mapping[str, Answer] = {"urgent": "keep", "routine": "another-time", "no mobile": "cancel"}
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one", "free two", "free three"))
        outage, plan = await planned(clinic)
        await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
        moves = {lost: derived_id("move", outage, plan["hash"], lost) for lost in said}
        await clinic.hears(clinic.notifications, *(reply(outage, moves[lost], said[lost]) for lost in said))
        progress = await clinic.get(f"/{outage}/progress")
        assert_adds_up(progress)
        assert (progress["kept"], progress["declined"]) == (1, {"another_time": 1, "cancel": 1})
        [call] = await clinic.get(f"/{outage}/calls")
        assert call["appointment"] == "no mobile"


def reply(outage: str, move: str, answer: Answer) -> ReplyReceived:
    return ReplyReceived(
        message=f"message about {move}",
        practice="A1",
        reply=f"reply about {move}",
        patient="patient",
        appointment="new",
        move=move,
        outage=outage,
        answer=answer,
        sealed="",
    )


async def test_a_message_that_failed_and_a_call_that_was_raised_come_to_one_call(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one"))
        outage = await moved(clinic)
        message = MessagePlanned(
            message="message",
            practice="A1",
            kind="moved",
            patient="patient",
            appointment="urgent",
            move="move",
            outage=outage,
            number="number",
            sealed="",
            segments=1,
            appointment_start=WEDNESDAY,
        )
        failed = MessageFailed(message="message", practice="A1", failure="permanent", detail="no such number")
        raised = CallRaised(
            message="message",
            practice="A1",
            patient="patient",
            appointment="urgent",
            outage=outage,
            reason="The text failed",
        )
        unknown = MessageFailed(message="another", practice="A1", failure="permanent", detail="")
        await clinic.hears(clinic.notifications, message, failed, raised, unknown)
        [call] = await clinic.get(f"/{outage}/calls")
        assert (call["appointment"], call["reason"]) == ("urgent", "The text cannot reach this number")


NONSENSE: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"practices": ["C3", "A1"]}, "unknown-practice", "practices"),
    ({"practices": []}, "no-practices", "practices"),
    ({"ended_at": "2024-07-19T06:00"}, "ends-before-start", "ended_at"),
    ({"started_at": "2024-07-23T06:00"}, "starts-in-future", "started_at"),
    ({"started_at": "Friday"}, "invalid-time", "started_at"),
    ({"ended_at": "2024-10-27T01:30"}, "ambiguous-time", "ended_at"),
    ({"practises": "all"}, "invalid-request", "body.practises"),
)
READING = ("", "/plan", "/progress", "/unplaced", "/calls")


class TestBadInput:
    async def test_an_outage_that_makes_no_sense_is_refused_by_field(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *registered("A1"))
            usual = {"name": "Friday", "practices": "all", "started_at": "2024-07-19T07:00"}
            for body, code, where in NONSENSE:
                answer = await clinic.http.post("/v1/outages", json=usual | body)
                problem = answer.json()
                assert (answer.status_code, problem["code"], problem["where"]) == (422, code, where)
            assert await clinic.get("") == []

    async def test_outages_of_one_practice_may_not_overlap(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *registered("A1", "B2"))
            await clinic.declared(practices=["A1"], ended_at="2024-07-20T07:00")
            body = {"name": "Again", "practices": "all", "started_at": "2024-07-20T06:59"}
            answer = await clinic.post("", **body)
            assert (answer.status_code, answer.json()["where"]) == (409, "practices")
            assert "A1 (The lost Friday)" in answer.json()["detail"]
            assert (await clinic.post("", **(body | {"started_at": "2024-07-20T07:00"}))).status_code == 201

    async def test_of_two_declarations_at_once_one_is_refused(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *registered("A1"))
            body = {"name": "Friday", "practices": "all", "started_at": "2024-07-19T07:00"}
            answers = await asyncio.gather(*(clinic.post("", **body) for _ in range(12)))
            assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11

    async def test_an_unknown_outage_is_not_found(self, county: County) -> None:
        async with surgery(county) as clinic:
            answers = [
                *[await clinic.http.get(f"/v1/outages/unknown{path}") for path in READING],
                await clinic.post("/unknown/end"),
                await clinic.post("/unknown/plan"),
                await clinic.post("/unknown/approval", hash="any"),
                await clinic.paper("unknown"),
            ]
            assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "unknown-outage")}

    async def test_one_bad_line_of_paper_and_nothing_is_stored(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic))
            outage = await clinic.declared()
            answer = await clinic.paper(
                outage, *PAPER, f"A1,2024-07-19T09:00,{PEOPLE[8]},attended", f"A1,2024-07-19T09:10,{PEOPLE[1]},attended"
            )
            assert answer.status_code == 422
            assert answer.json()["code"] == "bad-rows"
            assert [(each["line"], each["field"]) for each in answer.json()["errors"]] == [
                (4, "nhs_number"),
                (5, "outcome"),
            ]
            assert not set(PEOPLE) & set(answer.text)
            progress = await clinic.get(f"/{outage}/progress")
            assert figures(progress, "appointments", "unaccounted") == [0, 7]

    async def test_paper_that_is_not_text_is_refused(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic))
            outage = await clinic.declared()
            answer = await clinic.http.post(f"/v1/outages/{outage}/reconciliation", content=b"practice\n\xff")
            assert (answer.status_code, answer.json()["where"]) == (422, "line 2")

    async def test_without_anyone_waiting_there_is_nothing_to_plan(self, county: County) -> None:
        async with surgery(county) as clinic:
            await clinic.hears(clinic.booking, *friday(clinic))
            outage = await clinic.declared()
            answer = await clinic.post(f"/{outage}/plan")
            assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-plan")


async def test_paper_may_come_in_pieces_and_again(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic))
        outage = await clinic.declared()
        first = await clinic.paper(outage, PAPER[0], rest="unknown")
        assert first.json() == {"recorded": 1, "outcomes": {"attended": 1}, "unaccounted": 6}
        second = await clinic.paper(outage, *PAPER)
        assert second.json()["outcomes"] == {"cancelled": 1, "displaced": 4, "triage": 1}
        again = await clinic.paper(outage, *PAPER)
        assert again.json() == {"recorded": 0, "outcomes": {}, "unaccounted": 0}


async def test_paper_found_after_the_plan_takes_the_patient_out_of_it(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free one"))
        outage, plan = await planned(clinic)
        await clinic.paper(outage, f"A1,2024-07-19T09:30,{PEOPLE[LOST['urgent']]},attended")
        newer = (await clinic.post(f"/{outage}/plan")).json()
        assert (plan["placed"] + plan["unplaced"], newer["placed"] + newer["unplaced"]) == (4, 3)
        progress = await clinic.get(f"/{outage}/progress")
        assert_adds_up(progress)
        assert figures(progress, "seen_on_paper", "displaced", "planned") == [2, 3, 1]
