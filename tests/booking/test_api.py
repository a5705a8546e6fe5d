"""The plain API from end to end: practices and diaries as files, sessions, the day list, the counts."""

import asyncio
from typing import Any

from httpx import Response

from services.booking.practices import COLUMNS
from shared.broker import connect
from shared.stream import STREAM
from tests.booking.paper import ANN, BOB, CSV, diary_file, row
from tests.booking.surgery import Surgery, refused, surgery
from tests.harness import County

TEN_PAST = {"start": "2024-07-22T09:10"}


def counts(answer: Response) -> tuple[int, int, int, int]:
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["sessions"], body["slots"], body["appointments"], body["unchanged"]


def errors(answer: Response) -> list[tuple[int, str]]:
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    return [(error["line"], error["field"]) for error in answer.json()["errors"]]


class TestPractices:
    async def test_are_registered_from_a_file_and_listed(self, county: County) -> None:
        async with surgery(county) as desk:
            practices = (await desk.http.get("/v1/practices")).json()
        assert [(practice["practice"], practice["frozen"]) for practice in practices] == [("A1", False), ("B2", False)]

    async def test_in_a_file_with_a_fault_are_not_registered(self, county: County) -> None:
        async with surgery(county) as desk:
            text = f"{','.join(COLUMNS)}\nC3,Quay,Deal,CT14,900,1\nc-4,,Deal,CT14,many,1\nC3,Quay,Deal,CT14,900,1\n"
            answer = await desk.http.post("/v1/practices", content=text, headers=CSV)
            assert len((await desk.http.get("/v1/practices")).json()) == 2
        assert errors(answer) == [(3, "ods_code"), (3, "name"), (3, "registered_patients"), (4, "ods_code")]


class TestADiary:
    async def test_is_imported_once_however_often_it_is_sent(self, county: County) -> None:
        rows = (row(ANN), row(TEN_PAST), row(BOB, practice="B2"))
        async with surgery(county) as desk:
            assert counts(await desk.import_diary(*rows)) == (2, 3, 2, 0)
            before = await desk.http.get("/v1/status")
            assert counts(await desk.import_diary(*rows)) == (0, 0, 0, 3)
            assert (await desk.http.get("/v1/status")).json()["position"] == before.json()["position"]

    async def test_extends_what_is_known_and_learns_what_became_of_it(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN))
            later = row(BOB, start="2024-07-22T09:20")
            assert counts(await desk.import_diary(row(ANN, status="noshow"), row(TEN_PAST), later)) == (0, 2, 1, 0)
            assert (await desk.figures())["appointments"] == {"booked": 1, "noshow": 1}
            schedules = await desk.http.get(f"/fhir/R4/{(await desk.slots())[0]['schedule']['reference']}")
            assert schedules.json()["planningHorizon"]["end"] == "2024-07-22T09:30:00+01:00"

    async def test_tells_every_state_an_appointment_can_be_in(self, county: County) -> None:
        states = ("booked", "arrived", "fulfilled", "noshow", "cancelled")
        rows = [row(ANN, start=f"2024-07-22T09:{10 * n:02}", status=state) for n, state in enumerate(states)]
        async with surgery(county) as desk:
            assert counts(await desk.import_diary(*rows)) == (1, 5, 5, 0)
            assert (await desk.figures())["appointments"] == dict.fromkeys(states, 1)
            assert len(await desk.slots(status="free")) == 1
            assert counts(await desk.import_diary(*rows)) == (0, 0, 0, 5)

    async def test_with_a_bad_row_is_refused_whole(self, county: County) -> None:
        bad = (row(ANN), row(TEN_PAST, minutes="0"), row(practice="Z9"), row(BOB))
        async with surgery(county) as desk:
            answer = await desk.import_diary(*bad)
            assert await desk.slots() == []
        assert errors(answer) == [(3, "minutes"), (4, "practice"), (5, "start")]
        assert "Line 3: This must be a whole number" in answer.json()["detail"]

    async def test_with_a_bad_row_is_kept_but_for_that_row_if_so_asked(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await desk.import_diary(row(ANN), row(TEN_PAST, minutes="0"), keep_good=True)
            assert counts(answer) == (1, 1, 1, 0)
        assert [(fault["line"], fault["field"]) for fault in answer.json()["refused"]] == [(3, "minutes")]

    async def test_whose_session_overlaps_a_known_one_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(), row(TEN_PAST))
            answer = await desk.import_diary(row(session="Visits", start="2024-07-22T09:05"))
        assert errors(answer) == [(2, "session")]

    async def test_that_gives_a_taken_slot_to_another_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN))
            assert errors(await desk.import_diary(row(BOB))) == [(2, "start")]

    async def test_that_is_no_diary_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            assert refused(await desk.http.post("/v1/diary", content="a,b\n", headers=CSV)) == (422, "bad-header")
            assert refused(await desk.http.post("/v1/diary", content=b"\xff", headers=CSV)) == (422, "not-utf-8")
            as_json = await desk.http.post("/v1/diary", json={})
            assert as_json.status_code == 415

    async def test_of_nothing_but_a_header_changes_nothing(self, county: County) -> None:
        async with surgery(county) as desk:
            assert counts(await desk.import_diary()) == (0, 0, 0, 0)

    async def test_keeps_what_identifies_a_patient_out_of_the_log(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN))
            log = await _log(county)
        assert b"appointment-booked" in log
        assert not [secret for secret in (b"9990000018", b"Teak", b"7700900123", b"1958", b"Back") if secret in log]


async def _log(county: County) -> bytes:
    client = await connect(county.servers.nats.url("operator"), "operator")
    try:
        last = (await client.jetstream().stream_info(STREAM)).state.last_seq
        found = [await client.jetstream().get_msg(STREAM, sequence) for sequence in range(1, last + 1)]
        return b"\n".join(message.data or b"" for message in found)
    finally:
        await client.close()


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
        assert (empty.status_code, long.status_code) == (422, 422)
        assert long.json()["where"] == "body.slots.0.minutes"


class TestTheDayList:
    async def test_names_the_patients_and_how_to_reach_them(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(BOB, start="2024-07-22T09:10"), row(ANN), row(ANN, start="2024-07-23T09:00"))
            answer = await desk.http.get("/v1/day-list", params={"practice": "A1", "date": "2024-07-22"})
        assert answer.headers["cache-control"] == "no-store"
        first, second = answer.json()
        assert (first["start"], first["patient"]["mobile"]) == ("2024-07-22T09:00:00+01:00", "+447700900123")
        assert (second["patient"]["given_name"], second["details"]["description"]) == ("Bob", "Back pain")

    async def test_of_an_unknown_practice_is_not_found(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await desk.http.get("/v1/day-list", params={"practice": "Z9", "date": "2024-07-22"})
        assert refused(answer) == (404, "unknown-practice")


async def test_figures_count_what_starts_in_the_stretch(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(row(ANN), row(BOB, start="2024-07-23T09:00"))
        monday = await desk.http.get("/v1/figures", params={"from": "2024-07-22", "to": "2024-07-23"})
        assert monday.json() == {
            "appointments": {"booked": 1},
            "moved": 0,
            "double_booked": 0,
            "ring_fenced_used": 0,
        }
        assert (await desk.figures())["appointments"] == {"booked": 2}


async def test_a_file_that_is_too_long_is_not_taken_in(county: County) -> None:
    async def endless() -> Any:
        yield diary_file().encode()
        while True:
            yield b"\n" * 1024 * 1024

    async with surgery(county) as desk:
        answer = await desk.http.post("/v1/practices", content=endless(), headers=CSV)
    assert answer.status_code == 413
