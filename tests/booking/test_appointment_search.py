"""Finding appointments over HTTP: a patient's, a practice's, one's own, and nobody else's."""

from typing import Any

import pytest
from httpx import Response

from services.booking.fhir.resources import NHS_NUMBER
from tests.booking.paper import ANN, BOB, row
from tests.booking.surgery import Name, Surgery, refused, surgery, valid
from tests.harness import County

ANN_S = {"patient:identifier": f"{NHS_NUMBER}|9990000018"}
BOB_S = {"patient:identifier": f"{NHS_NUMBER}|9990000026"}
WEEK = [("date", "ge2024-07-22"), ("date", "le2024-07-26")]


async def a_week(desk: Surgery) -> None:
    """Ann at nine, Bob ten minutes later and again on Tuesday, a free slot, and Ann at the other practice."""
    rows = (
        row(ANN),
        row(BOB, start="2024-07-22T09:10"),
        row(start="2024-07-22T09:20"),
        row(BOB, start="2024-07-23T09:00", status="cancelled"),
        row(ANN, practice="B2", start="2024-07-24T09:00"),
    )
    assert (await desk.import_diary(*rows)).status_code == 200


async def found(desk: Surgery, caller: Name, params: Any, mode: str = "match") -> list[dict[str, Any]]:
    bundle = valid(await desk.ask(caller, "GET", "Appointment", params=params))
    entries = [entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]
    if mode == "match" and not bundle["link"][1:]:
        assert bundle["total"] == len(entries)
    return entries


def starts(appointments: list[dict[str, Any]]) -> list[str]:
    return [each["start"][:16] for each in appointments]


class TestAPatientS:
    async def test_are_found_by_nhs_number_cancelled_ones_too(self, county: County) -> None:
        async with surgery(county) as desk:
            await a_week(desk)
            assert starts(await found(desk, "practice", ANN_S)) == ["2024-07-22T09:00"]
            (monday, tuesday) = await found(desk, "practice", BOB_S)
            assert starts(await found(desk, "operator", ANN_S)) == ["2024-07-22T09:00", "2024-07-24T09:00"]
            by_form = await desk.ask("practice", "POST", "Appointment/_search", data=BOB_S)
            assert [entry["resource"] for entry in valid(by_form)["entry"]] == [monday, tuesday]
        assert (monday["status"], tuesday["status"]) == ("booked", "cancelled")
        assert monday["contained"][0]["name"] == [{"family": "Teak", "given": ["Bob"]}]

    async def test_of_an_unknown_system_are_none_and_of_a_wrong_number_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            await a_week(desk)
            assert await found(desk, "practice", {"patient:identifier": "https://elsewhere|9990000018"}) == []
            assert await found(desk, "practice", {"patient:identifier": f"{NHS_NUMBER}|9990000034"}) == []
            wrong = {"patient:identifier": f"{NHS_NUMBER}|9990000019"}
            answer = await desk.ask("practice", "GET", "Appointment", params=wrong)
        assert refused(answer) == (400, "bad-nhs-number")
        assert valid(answer)["issue"][0]["details"]["coding"][0]["code"] == "INVALID_NHS_NUMBER"
        assert "9990000019" not in answer.text

    async def test_are_listed_as_gp_connect_does(self, county: County) -> None:
        async with surgery(county) as desk:
            await a_week(desk)
            listing = [*BOB_S.items(), ("start", "ge2024-07-19"), ("start", "le2024-07-22")]
            assert starts(await found(desk, "practice", listing)) == ["2024-07-22T09:10"]
            past = [*BOB_S.items(), ("start", "ge2024-07-18"), ("start", "le2024-07-22")]
            assert refused(await desk.ask("practice", "GET", "Appointment", params=past)) == (422, "bad-parameter")


class TestAPractice:
    async def test_finds_its_own_by_date_status_and_order(self, county: County) -> None:
        async with surgery(county) as desk:
            await a_week(desk)
            assert starts(await found(desk, "practice", WEEK)) == [
                "2024-07-22T09:00",
                "2024-07-22T09:10",
                "2024-07-23T09:00",
            ]
            assert starts(await found(desk, "practice", [*WEEK, ("_sort", "-date")]))[0] == "2024-07-23T09:00"
            assert len(await found(desk, "practice", [*WEEK, ("status", "booked")])) == 2
            assert len(await found(desk, "practice", [*WEEK, ("status", "booked,cancelled")])) == 3
            assert starts(await found(desk, "practice", {"date": "2024-07-23"})) == ["2024-07-23T09:00"]
            assert len(await found(desk, "operator", [*WEEK, ("actor:HealthcareService", "B2")])) == 1
            assert await found(desk, "practice", [*WEEK, ("practice", "B2")]) == []
            assert len(await found(desk, "practice", [*WEEK, ("_lastUpdated", "ge2024-07-19")])) == 3
            assert await found(desk, "practice", [*WEEK, ("_lastUpdated", "lt2024-07-19")]) == []

    async def test_finds_one_by_its_slot_its_id_or_the_booker_s_identifier(self, county: County) -> None:
        async with surgery(county) as desk:
            await a_week(desk)
            (slot, _) = await desk.slots(status="free")
            span = {"start": slot["start"], "end": slot["end"]}
            booked = valid(await desk.book(slot["id"], identifier=[{"system": "urn:x", "value": "7"}], **span))
            for params in ({"slot": f"Slot/{slot['id']}"}, {"_id": booked["id"]}, {"identifier": "urn:x|7"}):
                assert await found(desk, "practice", params) == [booked]
            assert await found(desk, "practice", {"identifier": "urn:y|7"}) == []
            with_slots = await found(desk, "practice", {"_id": booked["id"], "_include": "Appointment:slot"}, "include")
        assert [(each["id"], each["status"]) for each in with_slots] == [(slot["id"], "busy")]

    async def test_gets_them_in_pages(self, county: County) -> None:
        async with surgery(county) as desk:
            await a_week(desk)
            first = valid(await desk.ask("practice", "GET", "Appointment", params=[*WEEK, ("_count", "2")]))
            links = {link["relation"]: link["url"] for link in first["link"]}
            second = valid(await desk.ask("practice", "GET", links["next"]))
        assert (first["total"], len(first["entry"]), second["total"], len(second["entry"])) == (3, 2, 3, 1)
        assert [link["relation"] for link in second["link"]] == ["self", "previous"]

    async def test_has_to_say_whose_or_when(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await desk.ask("practice", "GET", "Appointment", params={"status": "booked"})
        assert refused(answer) == (422, "missing-parameter")
        assert "whole diary" in answer.text


class TestAnotherOrganisation:
    async def booked(self, desk: Surgery) -> Response:
        await a_week(desk)
        await desk.open()
        (slot, _) = await desk.slots("urgent-care", status="free")
        return await desk.book(slot["id"], "urgent-care", start=slot["start"], end=slot["end"])

    async def test_finds_and_reads_what_it_booked_and_nothing_else(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await self.booked(desk)
            booked = valid(answer)
            assert await found(desk, "urgent-care", ANN_S) == [booked]
            assert await found(desk, "urgent-care", WEEK) == [booked]
            read = await desk.ask("urgent-care", "GET", f"Appointment/{booked['id']}")
            assert (valid(read), read.headers["etag"]) == (booked, answer.headers["etag"])
            (others, *_) = await found(desk, "practice", BOB_S)
            assert await found(desk, "urgent-care", {"_id": others["id"]}) == []

    @pytest.mark.parametrize("rest", ["", "/_history", "/_history/2"])
    async def test_is_told_of_others_what_it_is_told_of_none(self, county: County, rest: str) -> None:
        async with surgery(county) as desk:
            booked = valid(await self.booked(desk))
            (others, *_) = await found(desk, "practice", BOB_S)
            unknown = await desk.ask("urgent-care", "GET", f"Appointment/nowhere{rest}")
            strangers: list[tuple[Name, str]] = [("urgent-care", others["id"]), ("other", booked["id"])]
            for caller, id in strangers:
                unseen = await desk.ask(caller, "GET", f"Appointment/{id}{rest}")
                assert refused(unseen) == (404, "unknown-appointment")
                assert unseen.content == unknown.content
