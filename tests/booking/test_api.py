"""The plain API from end to end: practices and diaries as files, the day list, the counts, and who may ask."""

from typing import Any

from httpx import Response

from services.booking.practices import COLUMNS
from shared.broker import connect
from shared.stream import STREAM
from tests.booking.paper import ANN, BOB, CSV, PRACTICES, diary_file, row
from tests.booking.surgery import refused, surgery
from tests.harness import County
from tests.issuer import bearer

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
        assert [(practice["practice"], practice["frozen"], practice["keeps_out"]) for practice in practices] == [
            ("A1", False, []),
            ("B2", False, []),
        ]

    async def test_in_a_file_with_a_fault_are_not_registered(self, county: County) -> None:
        async with surgery(county) as desk:
            text = f"{','.join(COLUMNS)}\nC3,Quay,Deal,CT14,900,1\nc-4,,Deal,CT14,many,1\nC3,Quay,Deal,CT14,900,1\n"
            answer = await desk.http.post("/v1/practices", content=text, headers=CSV)
            assert len((await desk.http.get("/v1/practices")).json()) == 2
        assert errors(answer) == [(3, "ods_code"), (3, "name"), (3, "registered_patients"), (4, "ods_code")]


SOON = {"organisation_types": ["urgent-care"], "days_ahead": 3, "closes_minutes": 30}


class TestToWhomAPracticeIsOpen:
    ADDRESS = "/v1/practices/A1/opening"

    async def test_is_nobody_until_it_says_otherwise(self, county: County) -> None:
        async with surgery(county) as desk:
            before = await desk.http.get(self.ADDRESS)
            said = await desk.http.put(self.ADDRESS, json=SOON)
            after = await desk.http.get(self.ADDRESS)
        assert before.json() == {"practice": "A1", "opening": None}
        assert said.json() == after.json()
        assert after.json()["opening"] == {
            "closed": False,
            "organisation_types": ["urgent-care"],
            "organisations": [],
            "days_ahead": 3,
            "embargo_until": None,
            "closes_minutes": 30,
        }

    async def test_is_said_once_however_often_it_is_sent(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.http.put(self.ADDRESS, json=SOON)
            before = (await desk.http.get("/v1/status")).json()["position"]
            await desk.http.put(self.ADDRESS, json=SOON)
            assert (await desk.http.get("/v1/status")).json()["position"] == before

    async def test_that_makes_no_sense_changes_nothing(self, county: County) -> None:
        async with surgery(county) as desk:
            wrong: list[Any] = [{"days_ahead": -1}, {"open_to": []}, {"organisations": ["u1"]}, None, []]
            answers = [await desk.http.put(self.ADDRESS, json=sent) for sent in wrong]
            assert (await desk.http.get(self.ADDRESS)).json()["opening"] is None
        assert [refused(answer) for answer in answers] == [
            (422, "invalid-request"),
            (422, "invalid-request"),
            (422, "bad-ods-code"),
            (422, "invalid-request"),
            (422, "invalid-request"),
        ]
        assert answers[2].json()["where"] == "organisations[0]"

    async def test_of_a_practice_that_is_not_registered_is_not_found(self, county: County) -> None:
        async with surgery(county) as desk:
            answers = [await desk.http.get("/v1/practices/Z9/opening")]
            answers.append(await desk.http.put("/v1/practices/Z9/opening", json={}))
        assert [refused(answer) for answer in answers] == [(404, "unknown-practice")] * 2


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


DAY = {"practice": "A1", "date": "2024-07-22"}


class TestAPracticesOwnSystem:
    async def test_sees_its_own_practice_and_none_other(self, county: County) -> None:
        async with surgery(county) as desk:
            own = bearer(county.token("A1"))
            practices = (await desk.http.get("/v1/practices", headers=own)).json()
            assert [practice["practice"] for practice in practices] == ["A1"]
            assert (await desk.http.get("/v1/day-list", params=DAY, headers=own)).status_code == 200

    async def test_imports_its_own_diary_and_another_s_is_as_unknown(self, county: County) -> None:
        own, text = bearer(county.token("A1")) | CSV, diary_file(row(ANN), row(practice="B2"), row(practice="Z9"))
        async with surgery(county) as desk:
            answer = await desk.http.post("/v1/diary", content=text, headers=own)
            assert (await desk.figures())["appointments"] == {}
            kept = await desk.http.post("/v1/diary", content=text, headers=own, params={"keep_good": "true"})
        assert errors(answer) == [(3, "practice"), (4, "practice")]
        assert [error["reason"] for error in answer.json()["errors"]] == [
            "No practice B2 is registered here",
            "No practice Z9 is registered here",
        ]
        assert counts(kept) == (1, 1, 1, 0)

    async def test_is_told_of_another_practice_what_it_is_told_of_none(self, county: County) -> None:
        stranger = bearer(county.token("B2"))
        async with surgery(county) as desk:
            for practice in ("A1", "Z9"):
                day = await desk.http.get("/v1/day-list", params=DAY | {"practice": practice}, headers=stranger)
                opening = await desk.http.get(f"/v1/practices/{practice}/opening", headers=stranger)
                opened = await desk.http.put(f"/v1/practices/{practice}/opening", json={}, headers=stranger)
                for answer in (day, opening, opened):
                    assert refused(answer) == (404, "unknown-practice")
                    assert answer.json()["detail"] == "No such practice is registered here"
            assert (await desk.http.get("/v1/practices/A1/opening")).json()["opening"] is None

    async def test_is_not_an_operator(self, county: County) -> None:
        own = bearer(county.token("A1"))
        async with surgery(county) as desk:
            figures = await desk.http.get("/v1/figures", headers=own)
            registered = await desk.http.post("/v1/practices", content=PRACTICES, headers=own | CSV)
        assert [refused(figures), refused(registered)] == [(403, "missing-scope")] * 2

    async def test_needs_the_scope_of_what_it_asks(self, county: County) -> None:
        async with surgery(county) as desk:

            async def ask(scope: str, method: str, path: str, **sent: Any) -> int:
                shown = bearer(county.token("A1", scope=scope))
                sent["headers"] = shown | sent.pop("headers", {})
                return (await desk.http.request(method, path, **sent)).status_code

            opening, diary = "/v1/practices/A1/opening", {"content": diary_file(row()), "headers": CSV}
            asked = [
                await ask("system/Schedule.cruds system/Appointment.crud", "GET", "/v1/day-list", params=DAY),
                await ask("system/Appointment.s", "GET", "/v1/day-list", params=DAY),
                await ask("system/Schedule.cuds system/Slot.cruds", "GET", opening),
                await ask("system/Schedule.r", "GET", opening),
                await ask("system/Schedule.crds", "PUT", opening, json={}),
                await ask("system/Schedule.u", "PUT", opening, json={}),
                await ask("system/Schedule.cruds", "POST", "/v1/diary", **diary),
                await ask("system/Appointment.cruds", "POST", "/v1/diary", **diary),
                await ask("system/Schedule.c system/Appointment.c", "POST", "/v1/diary", **diary),
            ]
        assert asked == [403, 200, 403, 200, 403, 200, 403, 403, 200]


async def test_an_organisation_without_a_practice_here_sees_none(county: County) -> None:
    async with surgery(county) as desk:
        stranger = bearer(county.token("U1", "urgent-care"))
        assert (await desk.http.get("/v1/practices", headers=stranger)).json() == []
