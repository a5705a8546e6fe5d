"""Finding slots over HTTP: what is free, what is not, who sees what of another's, and what comes with it."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from services.booking.app import BLUEPRINT
from services.booking.slot_search import COUNTED, SlotSearch, find_slots
from services.booking.viewing import ORGANISATION_TYPES, Viewer
from shared.clock import parse_instant
from shared.database import open_engine
from shared.events.rebooking import OutageDeclared
from tests.booking.outage import Rebooking
from tests.booking.paper import ANN, row
from tests.booking.surgery import NOON, WEEK, Name, Surgery, refused, surgery, valid
from tests.harness import County, Servers

NINE, TEN_PAST = row(), row(start="2024-07-22T09:10")
FREE = {**WEEK, "status": "free"}


async def search(desk: Surgery, caller: Any = "practice", **params: str) -> dict[str, Any]:
    return valid(await desk.ask(caller, "GET", "Slot", params={**FREE, **params}))


def matches(bundle: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]


class TestASearch:
    async def test_finds_free_slots_with_their_sessions(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN), TEN_PAST)
            bundle = await search(desk, _include="Slot:schedule")
        (slot,), (schedule,) = matches(bundle), matches(bundle, "include")
        assert (bundle["total"], slot["status"], slot["start"]) == (1, "free", "2024-07-22T09:10:00+01:00")
        assert slot["schedule"]["reference"] == f"Schedule/{schedule['id']}"

    async def test_finds_nothing_as_an_empty_bundle(self, county: County) -> None:
        async with surgery(county) as desk:
            bundle = await search(desk)
        assert (bundle["total"], "entry" in bundle) == (0, False)

    async def test_finds_only_slots_wholly_inside_the_stretch(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST)
            found = await search(desk, start="ge2024-07-22T09:05:00+01:00", end="le2024-07-22T09:20:00+01:00")
            assert [slot["start"] for slot in matches(found)] == ["2024-07-22T09:10:00+01:00"]
            assert matches(await search(desk, end="le2024-07-22T09:09:00+01:00")) == []

    async def test_can_be_of_one_practice_one_session_one_type_and_any_status(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN), TEN_PAST, row(practice="B2", service_type="Nurse"))
            of_b2 = {"schedule.actor:HealthcareService.identifier": "https://fhir.nhs.uk/Id/ods-organization-code|B2"}
            (slot,) = await desk.slots("operator", **of_b2)
            assert await desk.slots("operator", **{"Schedule.actor:HealthcareService": "B2"}) == [slot]
            assert await desk.slots("operator", schedule=slot["schedule"]["reference"]) == [slot]
            assert await desk.slots("operator", **{"service-type": "nurse"}) == [slot]
            assert await desk.slots("operator", practice="https://elsewhere|B2") == []
            assert [found["status"] for found in await desk.slots("operator", status="busy")] == ["busy"]
            assert len(await desk.slots("operator", status="free,busy")) == 3

    async def test_by_form_finds_the_same(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE)
            by_form = valid(await desk.ask("practice", "POST", "Slot/_search", data=FREE))
            assert by_form["entry"] == (await search(desk))["entry"]

    async def test_comes_in_pages_that_link_to_each_other(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST, row(practice="B2"))
            first = await search(desk, "operator", _count="2")
            following = {link["relation"]: link["url"] for link in first["link"]}
            second = valid(await desk.ask("operator", "GET", following["next"]))
            links = {link["relation"]: link["url"] for link in second["link"]}
            before = valid(await desk.ask("operator", "GET", links["previous"]))
            beyond = await search(desk, "operator", _offset="10")
            none = await search(desk, "operator", _count="0")
        assert (first["total"], len(first["entry"]), second["total"], len(second["entry"])) == (3, 2, 3, 1)
        assert links.keys() == {"self", "previous"}
        assert before["entry"] == first["entry"]
        assert (beyond["total"], "entry" in beyond) == (3, False)
        assert (none["total"], "entry" in none, len(none["link"])) == (3, False, 1)

    async def test_names_what_it_leaves_aside_and_keeps_it_out_of_the_self_link(self, county: County) -> None:
        async with surgery(county) as desk:
            ignored = {"specialty": "x", "searchFilter": "https://elsewhere|X", "_include": "Schedule:actor:Location"}
            bundle = await search(desk, **ignored)
            strict = await desk.ask(
                "practice", "GET", "Slot", params={**FREE, "specialty": "x"}, headers={"Prefer": "handling=strict"}
            )
        (outcome,) = matches(bundle, "outcome")
        assert [issue["diagnostics"] for issue in outcome["issue"]] == ["specialty was ignored"]
        assert not [name for name in ignored if name in bundle["link"][0]["url"]]
        assert refused(strict) == (400, "unknown-parameter")

    async def test_without_a_status_or_a_stretch_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            for params in (WEEK, {"status": "free"}, {"status": "free", "start": "ge2024-07-22"}):
                answer = await desk.ask("practice", "GET", "Slot", params=params)
                assert refused(answer) == (422, "missing-parameter")
                assert valid(answer)["issue"][0]["details"]["coding"][0]["code"] == "INVALID_PARAMETER"


class TestTheState:
    async def test_of_a_held_slot_is_tentative_until_the_hold_ends_whether_or_not_that_is_written(
        self, servers: Servers
    ) -> None:
        engine = open_engine(await servers.database(BLUEPRINT))
        until, everyone = parse_instant("2024-07-19T12:10"), Viewer(all=True)
        async with engine.begin() as connection:
            await connection.execute(text(_INSERT), {"many": 1})
            await connection.execute(text("INSERT INTO occupancy VALUES ('held', '1', :until)"), {"until": until})
        async with engine.connect() as connection:
            found = {
                (status, now): len((await find_slots(connection, _whole(everyone, status), parse_instant(now))).rows)
                for status in ("free", "busy-tentative", "busy")
                for now in ("2024-07-19T12:09:59", "2024-07-19T12:10:00")
            }
        await engine.dispose()
        assert {asked for asked, count in found.items() if count} == {
            ("busy-tentative", "2024-07-19T12:09:59"),
            ("free", "2024-07-19T12:10:00"),
        }

    async def test_of_a_slot_whose_practice_is_frozen_is_unavailable(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(ANN), TEN_PAST)
            began = parse_instant("2024-07-19T08:00")
            outage = OutageDeclared(outage="o", name="Friday", practices=("A1",), started_at=began)
            await Rebooking(county).says(outage)
            assert [slot["status"] for slot in await desk.slots()] == ["busy", "busy-unavailable"]
            assert len(await desk.slots(status="busy-unavailable")) == 1
            assert await desk.slots(status="free") == []

    async def test_of_a_slot_whose_practice_is_frozen_to_some_is_free_to_the_others(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            await desk.import_diary(row(ANN), TEN_PAST)
            outage = OutageDeclared(
                outage="o",
                name="Friday",
                practices=("A1",),
                started_at=parse_instant("2024-07-19T08:00"),
                keeps_out=("nhs-111", "public"),
            )
            await Rebooking(county).says(outage)
            (slot,) = await desk.slots(status="free")
            callers: dict[Name, str] = {"practice": "free", "operator": "free"}
            callers |= {"urgent-care": "busy-unavailable", "nhs-111": "busy-unavailable", "other": "busy-unavailable"}
            for caller, status in callers.items():
                assert [found["status"] for found in await desk.slots(caller)] == ["busy", status], caller
                assert len(await desk.slots(caller, status="free")) == (status == "free"), caller
                assert (await desk.ask(caller, "GET", f"Slot/{slot['id']}")).json()["status"] == status, caller
            assert (await search(desk, "urgent-care", status="busy", _count="0"))["total"] == 1

    async def test_of_a_withdrawn_slot_is_found_by_no_search_but_can_be_read_by_its_practice(
        self, county: County
    ) -> None:
        async with surgery(county) as desk:
            await desk.open()
            await desk.import_diary(NINE)
            (slot,) = await desk.slots()
            session = slot["schedule"]["reference"].removeprefix("Schedule/")
            answer = await desk.http.post(f"/v1/sessions/{session}/withdrawal", json={"reason": "Ill"})
            assert answer.json()["withdrawn"] == [slot["id"]]
            assert await desk.slots() == await desk.slots("urgent-care") == []
            mine = valid(await desk.ask("practice", "GET", f"Slot/{slot['id']}"))
            theirs = await desk.ask("urgent-care", "GET", f"Slot/{slot['id']}")
        assert mine["status"] == "busy-unavailable"
        assert refused(theirs) == (404, "no-such-slot")


class TestWhoSeesWhat:
    async def test_a_practice_sees_all_of_its_own_and_none_of_another_s(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, row(start="2024-07-22T09:10", service_type="NHS 111"), row(practice="B2"))
            assert (len(await desk.slots()), len(await desk.slots("other"))) == (2, 1)
            assert await desk.slots("urgent-care") == []
            assert [slot["comment"] for slot in await desk.slots("nhs-111")] == ["Kept for nhs-111"]
            assert len(await desk.slots("operator")) == 3

    async def test_others_see_what_is_open_to_their_type_and_organisation(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE)
            await desk.open(organisation_types=["urgent-care"], organisations=["U1"])
            kind, code = f"{ORGANISATION_TYPES[0]}|urgent-care", "https://fhir.nhs.uk/id/ods-organization-code|U1"
            both = await desk.ask("urgent-care", "GET", "Slot", params=[*FREE.items(), *_filters(kind, code)])
            only_type = await desk.ask("urgent-care", "GET", "Slot", params=[*FREE.items(), *_filters(kind)])
            only_code = await desk.ask("urgent-care", "GET", "Slot", params=[*FREE.items(), *_filters(code)])
            assert len(await desk.slots("urgent-care")) == 1
            assert await desk.slots("other") == await desk.slots("nhs-111") == []
        assert [len(matches(valid(answer))) for answer in (both, only_type, only_code)] == [1, 0, 0]

    async def test_a_slot_and_its_session_are_read_by_whom_they_are_open_to_and_are_nothing_to_others(
        self, county: County
    ) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE)
            await desk.open(organisations=["U1"])
            (slot,) = await desk.slots("urgent-care")
            for reference, code in ((f"Slot/{slot['id']}", "no-such-slot"), (_session(slot), "no-such-session")):
                read = await desk.ask("urgent-care", "GET", reference)
                assert valid(read)["meta"]["versionId"] == read.headers["etag"][3:-1]
                for path in (reference, f"{reference}/_history", f"{reference}/_history/1"):
                    unseen = await desk.ask("other", "GET", path)
                    unknown = await desk.ask("other", "GET", path.replace(reference.partition("/")[2], "nowhere"))
                    assert refused(unseen) == (404, code)
                    assert unseen.content == unknown.content


class TestSessions:
    async def test_are_found_by_practice_date_and_id(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, row(start="2024-07-23T09:00"), row(practice="B2"))
            monday, tuesday = await _sessions(desk, "practice")
            assert await _sessions(desk, "practice", date="2024-07-23") == [tuesday]
            assert await _sessions(desk, "practice", date="lt2024-07-23") == [monday]
            assert await _sessions(desk, "practice", _id=f"{monday['id']},nowhere") == [monday]
            assert len(await _sessions(desk, "operator", **{"actor:HealthcareService": "B2"})) == 1
            page = valid(await desk.ask("practice", "GET", "Schedule", params={"_count": "1", "_offset": "1"}))
        assert (page["total"], [entry["resource"] for entry in page["entry"]]) == (2, [tuesday])

    async def test_are_shown_to_others_only_with_a_slot_that_is_open_to_them(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, row(start="2024-07-29T09:00"))
            assert await _sessions(desk, "urgent-care") == []
            await desk.open(days_ahead=7)
            assert len(await _sessions(desk, "urgent-care")) == 1


async def test_a_county_s_slots_are_counted_only_so_far_unless_asked(servers: Servers) -> None:
    engine = open_engine(await servers.database(BLUEPRINT))
    async with engine.begin() as connection:
        await connection.execute(text(_INSERT), {"many": COUNTED + 1})
    async with engine.connect() as connection:
        wide = _whole(Viewer(all=True), "free")
        found = await find_slots(connection, wide, NOON)
        totals = [
            (await find_slots(connection, search, NOON)).total
            for search in (_whole(Viewer(all=True), "free", count_all=True), _whole(Viewer("P"), "free", practice="P"))
        ]
    await engine.dispose()
    assert (len(found.rows), found.more, found.total) == (100, True, None)
    assert totals == [COUNTED + 1, COUNTED + 1]


def _whole(viewer: Viewer, status: Any, **others: Any) -> SlotSearch:
    start, end = datetime.fromisoformat("2024-07-22T00:00+01:00"), datetime.fromisoformat("2024-08-05T00:00+01:00")
    return SlotSearch(start, end, [status], viewer, **others)


_INSERT = """
    INSERT INTO slots
    SELECT n::text, 's', 'P', start, start + interval '1 minute', 1, 'in-person', '', 'anyone', false
    FROM generate_series(1, :many) AS n,
        LATERAL (SELECT timestamptz '2024-07-22 08:00Z' + n * interval '1 minute') AS _ (start)
"""


def _filters(*values: str) -> list[tuple[str, str]]:
    return [("searchFilter", value) for value in values]


def _session(slot: dict[str, Any]) -> str:
    return str(slot["schedule"]["reference"])


async def _sessions(desk: Surgery, caller: Any, **params: str) -> list[dict[str, Any]]:
    return matches(valid(await desk.ask(caller, "GET", "Schedule", params=params)))
