"""Sessions by the plain API: published, extended, opened to others, by nobody but their own practice."""

import asyncio
import json
from typing import Any

from httpx import Response

from tests.booking.paper import row
from tests.booking.surgery import Surgery, refused, surgery
from tests.harness import County
from tests.issuer import bearer

LATER = {"slots": [{"start": "2024-07-22T09:20", "minutes": 10, "service_type": "Same day"}]}
SOON = {"days_ahead": 3}
JSON = {"Content-Type": "application/json"}


def session(name: str = "Morning", start: str = "2024-07-22T09:00", **others: Any) -> dict[str, Any]:
    return {
        "practice": "A1",
        "name": name,
        "clinician": "Dr Jones",
        "slots": [{"start": start, "minutes": 10}],
    } | others


class TestASession:
    async def publish(self, desk: Surgery, body: dict[str, Any]) -> Response:
        return await desk.http.post("/v1/sessions", json=body)

    async def test_is_published_once(self, county: County) -> None:
        async with surgery(county) as desk:
            first = await self.publish(desk, session())
            assert (first.status_code, (await self.publish(desk, session())).status_code) == (201, 200)
            (slot,) = await desk.slots()
            assert slot["id"] == first.json()["slots"][0]["slot"]

    async def test_is_the_same_as_the_diary_s(self, county: County) -> None:
        body = session(clinician_role="GP", location="Room 1")
        body["slots"][0]["service_type"] = "GP consultation"
        async with surgery(county) as desk:
            await desk.import_diary(row())
            assert (await self.publish(desk, body)).status_code == 200

    async def test_of_a_clinician_who_is_elsewhere_at_that_time_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            await self.publish(desk, session())
            answer = await self.publish(desk, session("Visits", "2024-07-22T09:05"))
        assert refused(answer) == (409, "session-overlaps")
        assert answer.json()["detail"] == "The clinician is in session “Morning” from 2024-07-22 09:00 to 09:10"

    async def test_of_a_clinician_that_overlaps_one_published_at_the_same_moment_is_refused(
        self, county: County
    ) -> None:
        async with surgery(county) as desk:
            both = (session(), session("Visits", "2024-07-22T09:05"))
            answers = await asyncio.gather(*(self.publish(desk, body) for body in both))
            assert len(await desk.slots()) == 1
        assert sorted(answer.status_code for answer in answers) == [201, 409]

    async def test_that_makes_no_sense_is_refused_with_the_place(self, county: County) -> None:
        async with surgery(county) as desk:
            past = await self.publish(desk, session(start="2024-07-19T09:00"))
            stranger = await self.publish(desk, session(practice="Z9"))
            skipped = await self.publish(desk, session(start="2025-03-30T01:30"))
            empty = await self.publish(desk, session(slots=[]))
            long = await self.publish(desk, session(slots=[{"start": "2024-07-22T09:00", "minutes": 481}]))
            unstorable = await self.publish(desk, session("Morn\0ing"))
            endless = await self.publish(desk, session("x" * 201))
            overlapping = [{"start": f"2024-07-22T09:0{minute}", "minutes": 10} for minute in (0, 5)]
            twice = await self.publish(desk, session(slots=overlapping))
            assert await desk.slots() == []
        assert [refused(answer) for answer in (past, stranger, skipped, twice)] == [
            (422, "slot-in-the-past"),
            (422, "unknown-practice"),
            (422, "skipped-time"),
            (422, "slots-overlap"),
        ]
        assert skipped.json()["where"] == "slots[0].start"
        assert {answer.status_code for answer in (empty, long, unstorable, endless)} == {422}
        assert long.json()["where"] == "body.slots.0.minutes"

    async def test_that_lies_beyond_all_calendars_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            starts = ("9999-12-31T23:55", "0001-01-01T00:00+14:00", "2200-01-01T09:00")
            answers = [await self.publish(desk, session(start=start)) for start in starts]
        assert [refused(answer) for answer in answers] == [(422, "invalid-time")] * 3
        assert answers[0].json()["where"] == "slots[0].start"


async def published(desk: Surgery, **others: Any) -> str:
    """The id of a session of two slots, at nine and ten past."""
    slots = [{"start": f"2024-07-22T09:{minute}", "minutes": 10} for minute in ("00", "10")]
    answer = await desk.http.post("/v1/sessions", json=session(slots=slots) | others)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["session"])


class TestASessionThatIsExtended:
    async def test_has_the_new_slots_once(self, county: County) -> None:
        async with surgery(county) as desk:
            id = await published(desk)
            answers = [await desk.http.post(f"/v1/sessions/{id}/slots", json=LATER) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 200]
        assert answers[0].json() == answers[1].json()
        assert [(slot["start"], slot["kept_for"]) for slot in answers[0].json()["slots"]] == [
            ("2024-07-22T09:20:00+01:00", "same-day")
        ]

    async def test_stays_on_its_day_and_apart_from_the_clinician_s_others(self, county: County) -> None:
        async with surgery(county) as desk:
            id = await published(desk)
            await desk.http.post("/v1/sessions", json=session("Visits", "2024-07-22T10:00"))
            sent = [
                [{"start": "2024-07-23T09:20", "minutes": 10}],
                [{"start": "2024-07-22T09:20", "minutes": 10}, {"start": "2024-07-23T09:20", "minutes": 10}],
                [{"start": "2024-07-22T09:15", "minutes": 10}],
                [{"start": "2024-07-22T09:10", "minutes": 15}],
                [{"start": "2024-07-22T10:05", "minutes": 10}],
            ]
            answers = [await desk.http.post(f"/v1/sessions/{id}/slots", json={"slots": slots}) for slots in sent]
            nothing = await desk.http.post(f"/v1/sessions/{id}/slots", json={"slots": []})
        assert [refused(answer) for answer in answers] == [
            (422, "another-day"),
            (422, "several-days"),
            (422, "slots-overlap"),
            (409, "slot-differs"),
            (409, "session-overlaps"),
        ]
        assert answers[0].json()["detail"] == "The session is of 2024-07-22, and so are its slots"
        assert nothing.status_code == 422

    async def test_has_to_be_there(self, county: County) -> None:
        async with surgery(county) as desk:
            assert refused(await desk.http.post("/v1/sessions/none/slots", json=LATER)) == (404, "no-such-session")


class TestToWhomASessionIsOpen:
    async def test_is_as_its_practice_until_it_says_otherwise_and_again_after(self, county: County) -> None:
        async with surgery(county) as desk:
            id = await published(desk)
            address, seen = f"/v1/sessions/{id}/opening", []
            for put in (None, ("/v1/practices/A1/opening", {"days_ahead": 14}), (address, SOON), (address, None)):
                if put:
                    said = await desk.http.put(put[0], content=json.dumps(put[1]), headers=JSON)
                    assert said.status_code == 200
                answer = (await desk.http.get(address)).json()
                own, effective = answer["opening"], answer["effective"]
                seen.append((own and own["days_ahead"], effective["closed"], effective["days_ahead"]))
        assert seen == [(None, True, None), (None, False, 14), (3, False, 3), (None, False, 14)]

    async def test_can_be_said_when_it_is_published_and_when_it_is_extended(self, county: County) -> None:
        async with surgery(county) as desk:
            id = await published(desk, opening=SOON)
            first = (await desk.http.get(f"/v1/sessions/{id}/opening")).json()
            again = await desk.http.post("/v1/sessions", json=session(opening={"closed": True}))
            second = (await desk.http.get(f"/v1/sessions/{id}/opening")).json()
        assert (first["opening"]["days_ahead"], again.status_code) == (3, 200)
        assert second["opening"]["closed"] is True

    async def test_is_left_as_it_is_by_who_extends_it_and_says_nothing(self, county: County) -> None:
        async with surgery(county) as desk:
            id = await published(desk, opening=SOON)
            await desk.http.post("/v1/sessions", json=session())
            await desk.http.post(f"/v1/sessions/{id}/slots", json=LATER)
            assert (await desk.http.get(f"/v1/sessions/{id}/opening")).json()["opening"]["days_ahead"] == 3

    async def test_that_makes_no_sense_is_refused_with_the_place_and_changes_nothing(self, county: County) -> None:
        wrong = ({"days_ahead": -1}, {"embargo_until": "2024-07-22T08:00"}, {"organisation_types": ["GP"]})
        async with surgery(county) as desk:
            id = await published(desk)
            told = [await desk.http.put(f"/v1/sessions/{id}/opening", json=sent) for sent in wrong]
            told.append(await desk.http.post("/v1/sessions", json=session(opening={"organisations": ["b2"]})))
            nothing = await desk.http.put(f"/v1/sessions/{id}/opening")
            assert (await desk.http.get(f"/v1/sessions/{id}/opening")).json()["opening"] is None
        assert [(answer.status_code, answer.json()["where"]) for answer in told] == [
            (422, "body.days_ahead"),
            (422, "embargo_until"),
            (422, "organisation_types[0]"),
            (422, "opening.organisations[0]"),
        ]
        assert nothing.status_code == 422


async def test_an_address_that_nothing_can_have_leads_nowhere(county: County) -> None:
    async with surgery(county) as desk:
        answers = [
            await desk.http.get("/v1/sessions/%00/opening"),
            await desk.http.get("/v1/practices/%00/opening"),
            await desk.http.get("/v1/slots/%00/visibility"),
        ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


class TestAnotherPracticesSystem:
    async def test_is_told_of_a_session_what_it_is_told_of_none(self, county: County) -> None:
        stranger = bearer(county.token("B2"))
        async with surgery(county) as desk:
            told = []
            for id in (await published(desk), "none"):
                address = f"/v1/sessions/{id}"
                told += [
                    await desk.http.post(f"{address}/slots", json=LATER, headers=stranger),
                    await desk.http.get(f"{address}/opening", headers=stranger),
                    await desk.http.put(f"{address}/opening", json={}, headers=stranger),
                    await desk.http.get(f"{address}/withdrawal", headers=stranger),
                    await desk.http.post(f"{address}/withdrawal", json={"reason": "Ill"}, headers=stranger),
                ]
        assert {(*refused(answer), answer.json()["detail"]) for answer in told} == {
            (404, "no-such-session", "There is no such session")
        }

    async def test_does_not_learn_from_the_trail_whose_session_it_asked_for(self, county: County) -> None:
        stranger, own = bearer(county.token("B2")), bearer(county.token("A1"))
        async with surgery(county) as desk:
            id = await published(desk)
            for shown in (stranger, own):
                await desk.http.get(f"/v1/sessions/{id}/opening", headers=shown)
            told = [
                (await desk.http.get("/v1/accesses", headers=shown)).json()["accesses"] for shown in (stranger, own)
            ]
        asked = [
            [(line["status"], line["practice"]) for line in lines if line["route"] == "/v1/sessions/{session}/opening"]
            for lines in told
        ]
        assert asked == [[(404, "")], [(200, "A1")]]

    async def test_publishes_nothing_here(self, county: County) -> None:
        stranger = bearer(county.token("B2"))
        async with surgery(county) as desk:
            told = [
                await desk.http.post("/v1/sessions", json=session(practice=practice), headers=stranger)
                for practice in ("A1", "Z9")
            ]
            own = await desk.http.post("/v1/sessions", json=session(practice="B2"), headers=stranger)
        assert [refused(answer) for answer in told] == [(404, "unknown-practice")] * 2
        assert own.status_code == 201


async def test_each_thing_done_to_a_session_needs_its_own_scope(county: County) -> None:
    async with surgery(county) as desk:
        id = await published(desk)
        asked = {
            "c": ("POST", "/v1/sessions", session()),
            "u": ("POST", f"/v1/sessions/{id}/slots", LATER),
            "r": ("GET", f"/v1/sessions/{id}/opening", None),
            "d": ("GET", f"/v1/sessions/{id}/withdrawal", None),
        }
        for letter, (method, path, sent) in asked.items():
            others = "cruds".replace(letter, "")
            shown = [bearer(county.token("A1", scope=f"system/Schedule.{letters}")) for letters in (others, letter)]
            without, having = [await desk.http.request(method, path, json=sent, headers=header) for header in shown]
            assert refused(without) == (403, "missing-scope")
            assert having.status_code in (200, 201)
