"""Why somebody can, or cannot, have a slot: what is explained is what a search shows and what a booking answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from services.booking.explain import SENTENCES
from services.booking.pages import session_id, slot_id
from shared.clock import parse_instant
from shared.events.rebooking import OutageDeclared
from tests.booking.outage import Rebooking
from tests.booking.paper import BOB, appointment, row
from tests.booking.surgery import NOON, Surgery, refused, surgery
from tests.harness import County
from tests.issuer import bearer

MORNING = session_id("A1", "Morning", "Dr Jones", date(2024, 7, 22))
NINE = slot_id(MORNING, parse_instant("2024-07-22T09:00"))
ADDRESS = f"/v1/slots/{NINE}/visibility"
ALL = {"start": "ge2024-07-22", "end": "le2024-07-23", "status": "free,busy,busy-tentative,busy-unavailable"}

OWN, HUB, NHS_111 = ("A1", "gp-practice"), ("U1", "urgent-care"), ("R1", "nhs-111")

OUTAGE = OutageDeclared(outage="o", name="Friday", practices=("A1",), started_at=parse_instant("2024-07-19T08:00"))

Before = Callable[[County, Surgery], Awaitable[object]]


async def taken(_: County, desk: Surgery) -> None:
    assert (await desk.import_diary(row(BOB, service_type=""))).status_code == 200


async def held(_: County, desk: Surgery) -> None:
    hold = {
        name: value for name, value in appointment(NINE).items() if name in ("resourceType", "start", "end", "slot")
    }
    answer = await desk.http.post("/fhir/R4/Appointment", json=hold | {"status": "pending"})
    assert answer.status_code == 201, answer.text


async def withdrawn(_: County, desk: Surgery) -> None:
    answer = await desk.http.post(f"/v1/sessions/{MORNING}/withdrawal", json={"reason": "Ill"})
    assert answer.json()["withdrawn"] == [NINE]


async def frozen(county: County, _: Surgery) -> None:
    await Rebooking(county).says(OUTAGE)


async def frozen_to_others(county: County, _: Surgery) -> None:
    await Rebooking(county).says(msgspec.structs.replace(OUTAGE, keeps_out=("public",)))


@dataclass(frozen=True)
class Case:
    """A slot at nine on the Monday, who asks about it when, and what they should be told.

    `booked` is the answer to who books it all the same.
    """

    verdict: str
    asker: tuple[str, str] = HUB
    opening: dict[str, Any] | None = field(default_factory=dict)
    service_type: str = ""
    now: datetime = NOON
    before: Before | None = None
    visible: bool = False
    booked: tuple[int, str] = (422, "unknown-slot")


CASES = {
    "open to all": Case("available", visible=True),
    "open to this type and organisation": Case(
        "available",
        opening={"organisation_types": ["urgent-care"], "organisations": ["U1"]},
        visible=True,
    ),
    "its own practice's, open to nobody": Case("available", OWN, None, visible=True),
    "kept for NHS 111, that asks": Case("available", NHS_111, None, "NHS 111", visible=True),
    "kept for NHS 111": Case("kept", service_type="NHS 111"),
    "kept for the day": Case("kept", service_type="Same day"),
    "kept for NHS 111 from its own practice": Case(
        "kept", OWN, service_type="NHS 111", visible=True, booked=(403, "slot-kept")
    ),
    "kept for the day, before the day": Case(
        "kept", OWN, service_type="Same day", visible=True, booked=(403, "slot-kept")
    ),
    "never opened": Case("closed", opening=None),
    "never opened to NHS 111": Case("closed", NHS_111, None),
    "closed": Case("closed", opening={"closed": True}),
    "for others of a type": Case("not-for-type", opening={"organisation_types": ["gp-practice"]}),
    "for other organisations": Case("not-for-organisation", opening={"organisations": ["U2"]}),
    "begun": Case("begun", now=parse_instant("2024-07-22T09:05"), booked=(422, "slot-in-the-past")),
    "begun at its own practice": Case(
        "begun", OWN, now=parse_instant("2024-07-22T09:05"), visible=True, booked=(422, "slot-in-the-past")
    ),
    "under embargo": Case("embargoed", opening={"embargo_until": "2024-07-22T08:00:00+01:00"}),
    "further ahead than released": Case("not-released", opening={"days_ahead": 2}),
    "on the day it is released": Case("available", opening={"days_ahead": 3}, visible=True),
    "closing": Case("closing", opening={"closes_minutes": 60}, now=parse_instant("2024-07-22T08:30")),
    "withdrawn": Case("withdrawn", before=withdrawn),
    "withdrawn by its own practice": Case("withdrawn", OWN, before=withdrawn),
    "taken": Case("taken", before=taken, visible=True, booked=(409, "slot-taken")),
    "taken at its own practice": Case("taken", OWN, before=taken, visible=True, booked=(409, "slot-taken")),
    "taken, and closed to this one": Case("closed", opening=None, before=taken),
    "held": Case("held", before=held, visible=True, booked=(409, "slot-taken")),
    "held at its own practice": Case("held", OWN, before=held, visible=True, booked=(409, "slot-taken")),
    "frozen": Case("frozen", before=frozen, visible=True, booked=(409, "practice-frozen")),
    "frozen at its own practice": Case("frozen", OWN, before=frozen, visible=True, booked=(409, "practice-frozen")),
    "frozen to others": Case("frozen", before=frozen_to_others, visible=True, booked=(409, "practice-frozen")),
    "frozen to others, at its own practice": Case("available", OWN, before=frozen_to_others, visible=True),
    "frozen to others, kept for NHS 111, that asks": Case(
        "available", NHS_111, None, "NHS 111", before=frozen_to_others, visible=True
    ),
}


async def prepared(county: County, desk: Surgery, case: Case) -> None:
    """The slot as the case has it."""
    assert (await desk.import_diary(row(service_type=case.service_type))).status_code == 200
    if case.opening is not None:
        opened = await desk.http.put(f"/v1/sessions/{MORNING}/opening", json=case.opening)
        assert opened.status_code == 200, opened.text
    if case.before:
        await case.before(county, desk)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_is_explained_is_what_is_shown_and_answered(case: Case, county: County) -> None:
    organisation, organisation_type = case.asker
    asks = bearer(county.token(organisation, organisation_type))
    async with surgery(county, case.now) as desk:
        await prepared(county, desk, case)
        told = await desk.http.get(
            ADDRESS, params={"for": organisation, "type": organisation_type}, headers=bearer(county.token("A1"))
        )
        itself = await desk.http.get(ADDRESS, headers=asks)
        found = (await desk.http.get("/fhir/R4/Slot", params=ALL, headers=asks)).json()
        booking = await desk.http.post("/fhir/R4/Appointment", json=appointment(NINE), headers=asks)
    answer = told.json()
    assert (answer["verdict"], answer["visible"]) == (case.verdict, case.visible)
    assert answer["sentence"] == SENTENCES[answer["verdict"]]
    shown = {each["resource"]["id"]: each["resource"]["status"] for each in found.get("entry", [])}
    assert (NINE in shown) == case.visible
    if case.asker != OWN:
        assert (shown.get(NINE) == "free") == (case.verdict == "available")
        assert itself.status_code == (200 if case.visible else 404)
    if itself.status_code == 200:
        assert (itself.json()["verdict"], itself.json()["for"]) == (case.verdict, answer["for"])
    if case.verdict == "available":
        assert booking.status_code == 201, booking.text
    else:
        assert refused(booking) == case.booked


def test_every_verdict_has_a_case() -> None:
    assert {case.verdict for case in CASES.values()} == set(SENTENCES)


class TestTheFacts:
    async def facts(self, county: County, case: Case) -> dict[str, Any]:
        async with surgery(county, case.now) as desk:
            await prepared(county, desk, case)
            organisation, organisation_type = case.asker
            asked = {"for": organisation, "type": organisation_type}
            facts: dict[str, Any] = (await desk.http.get(ADDRESS, params=asked)).json()["facts"]
        return facts

    async def test_say_who_opened_the_slot_and_from_when_to_when(self, county: County) -> None:
        facts = await self.facts(county, Case("", opening={"days_ahead": 2, "closes_minutes": 30}))
        assert facts == {
            "practice": "A1",
            "kept_for": "anyone",
            "start": "2024-07-22T09:00:00+01:00",
            "released": "2024-07-20T00:00:00+01:00",
            "closes": "2024-07-22T08:30:00+01:00",
            "opening_of": "session",
            "opening": {
                "closed": False,
                "organisation_types": [],
                "organisations": [],
                "days_ahead": 2,
                "embargo_until": None,
                "closes_minutes": 30,
            },
        }

    async def test_name_the_later_of_embargo_and_release(self, county: County) -> None:
        embargo = "2024-07-21T08:00:00+01:00"
        facts = await self.facts(county, Case("", opening={"days_ahead": 2, "embargo_until": embargo}))
        assert facts["released"] == embargo

    async def test_name_nobody_where_nothing_was_said(self, county: County) -> None:
        facts = await self.facts(county, Case("", opening=None))
        assert (facts["opening_of"], facts["opening"]["closed"], facts["released"]) == ("nobody", True, None)

    async def test_say_when_a_kept_slot_falls_back_to_its_practice(self, county: County) -> None:
        facts = await self.facts(county, Case("", OWN, service_type="NHS 111"))
        assert facts["released"] == "2024-07-22T07:00:00+01:00"

    async def test_say_when_the_day_of_a_same_day_slot_begins(self, county: County) -> None:
        facts = await self.facts(county, Case("", OWN, service_type="Same day"))
        assert facts["released"] == "2024-07-22T00:00:00+01:00"


class TestWhoMayAsk:
    async def test_another_organisation_is_told_of_itself_and_nobody_else(self, county: County) -> None:
        hub = bearer(county.token(*HUB))
        async with surgery(county) as desk:
            await prepared(county, desk, Case("", opening={"organisations": ["U1", "U2"]}))
            itself = await desk.http.get(ADDRESS, params={"for": "U1"}, headers=hub)
            others = [
                await desk.http.get(ADDRESS, params=params, headers=hub)
                for params in ({"for": "U2"}, {"for": "U1", "type": "nhs-111"}, {"for": "A1"})
            ]
        assert itself.json()["for"] == {"organisation": "U1", "organisation_type": "urgent-care", "standing": "public"}
        assert set(itself.json()["facts"]) == {"practice", "kept_for", "start", "released", "closes"}
        assert [refused(answer) for answer in others] == [(403, "not-yours-to-ask")] * 3

    async def test_a_slot_that_cannot_be_seen_is_as_none(self, county: County) -> None:
        hub = bearer(county.token(*HUB))
        async with surgery(county) as desk:
            await prepared(county, desk, Case("", opening={"organisations": ["U2"]}))
            answers = [
                await desk.http.get(address, params=params, headers=hub)
                for address in (ADDRESS, "/v1/slots/none/visibility")
                for params in ({}, {"for": "U1"}, {"for": "U2"})
            ]
        assert {(*refused(answer), answer.json()["detail"]) for answer in answers} == {
            (404, "no-such-slot", "There is no such slot")
        }

    async def test_it_needs_the_scope_to_read_slots(self, county: County) -> None:
        without = bearer(county.token("A1", scope="system/Slot.cuds system/Schedule.cruds"))
        async with surgery(county) as desk:
            await prepared(county, desk, Case(""))
            assert refused(await desk.http.get(ADDRESS, headers=without)) == (403, "missing-scope")

    @pytest.mark.parametrize(
        ("params", "code", "where"),
        [
            ({"for": "u1"}, "bad-ods-code", "for"),
            ({"for": "A"}, "bad-ods-code", "for"),
            ({"for": "A" * 13}, "invalid-request", "query.for"),
            ({"for": "U1", "type": "Urgent care"}, "bad-organisation-type", "type"),
            ({"type": "urgent-care"}, "bad-parameter", "type"),
        ],
    )
    async def test_what_makes_no_sense_is_refused_with_the_place(
        self, params: dict[str, str], code: str, where: str, county: County
    ) -> None:
        async with surgery(county) as desk:
            await prepared(county, desk, Case(""))
            answer = await desk.http.get(ADDRESS, params=params)
        assert (*refused(answer), answer.json()["where"]) == (422, code, where)
