"""A practice's token at another practice: everything of B2 is to A1 exactly like what does not exist, on every route.

A probe is sent twice: about what is B2's, and about what nobody has. Status, headers, body and the line of the trail
must be equal but for the ids that were sent, and so must the statements that the database was asked: what takes longer
can be told apart.
"""

import pytest

from services.booking.app import BLUEPRINT, Settings, create
from tests.booking.paper import CSV, diary_file, reason, row
from tests.booking.probes import EACH_APPOINTMENT, EACH_SLOT, THE_REST, parameters
from tests.booking.strangers import World, world
from tests.booking.surgery import FHIR, refused, surgery
from tests.harness import County
from tests.issuer import EVERYTHING, bearer

SCOPES = {
    **{
        f"{method} {FHIR}/{kind}{path}": (kind, letter)
        for kind in ("Slot", "Schedule", "Appointment")
        for method, path, letter in (
            ("GET", "", "s"),
            ("POST", "/_search", "s"),
            ("GET", "/{id}", "r"),
            ("GET", "/{id}/_history", "r"),
            ("GET", "/{id}/_history/{version}", "r"),
        )
    },
    f"POST {FHIR}/Appointment": ("Appointment", "c"),
    f"POST {FHIR}/Appointment/$hold": ("Appointment", "c"),
    f"PUT {FHIR}/Appointment/{{id}}": ("Appointment", "u"),
    f"POST {FHIR}/Appointment/{{id}}/$reschedule": ("Appointment", "u"),
    "GET /v1/practices": ("Schedule", "s"),
    "GET /v1/practices/{practice}/opening": ("Schedule", "r"),
    "PUT /v1/practices/{practice}/opening": ("Schedule", "u"),
    "POST /v1/diary": ("Schedule", "c"),
    "GET /v1/day-list": ("Appointment", "s"),
    "GET /v1/changes": ("Appointment", "r"),
    "GET /v1/appointments/{id}": ("Appointment", "r"),
    "GET /v1/sessions/{session}": ("Schedule", "r"),
    "POST /v1/sessions": ("Schedule", "c"),
    "POST /v1/sessions/{session}/slots": ("Schedule", "u"),
    "GET /v1/sessions/{session}/opening": ("Schedule", "r"),
    "PUT /v1/sessions/{session}/opening": ("Schedule", "u"),
    "GET /v1/sessions/{session}/withdrawal": ("Schedule", "d"),
    "POST /v1/sessions/{session}/withdrawal": ("Schedule", "d"),
    "GET /v1/slots/{id}/visibility": ("Slot", "r"),
    "GET /v1/accesses": ("Appointment", "r"),
}
"""The scope that each route needs (a diary needs a second, `Appointment.c`)."""
BY_ENTRY = {f"POST {FHIR}"}
"""Needs for each of its entries what that would need alone."""
OPERATORS = {
    "POST /v1/practices",
    "GET /v1/figures",
    "GET /v1/appointments/{id}/story",
    "GET /v1/parked",
    "POST /v1/parked/{event}/retry",
    "POST /v1/parked/{event}/skip",
}
ANYONES = {"GET /livez", "GET /readyz", "GET /metrics", f"GET {FHIR}/metadata", "GET /v1/status"}
"""Tell of no practice."""
FINDS = {route for route, (_, letter) in SCOPES.items() if letter == "s" and "day-list" not in route} | {
    "POST /v1/diary"
}
"""Answers with what there is for the caller, be it nothing; and with `keep_good`, a diary's other rows are taken."""
OF_ITSELF = {"GET /v1/accesses"}
"""What the caller's organisation has asked, and been asked for; the probes look at each line of it."""


class TestAnotherPractices:
    async def test_slots_are_as_none(self, county: County) -> None:
        async with world(county) as there:
            for kind, names in there.slots.items():
                assert await there.differences(EACH_SLOT, names) == [], kind
            await require_unharmed(there)

    async def test_appointments_are_as_none(self, county: County) -> None:
        async with world(county) as there:
            for standing, names in there.appointments.items():
                assert await there.differences(EACH_APPOINTMENT, names) == [], standing
            await require_unharmed(there)

    async def test_sessions_and_patients_and_it_itself_are_as_none(self, county: County) -> None:
        async with world(county) as there:
            assert await there.differences(THE_REST, there.theirs) == []
            await require_unharmed(there)

    async def test_things_are_asked_for_on_every_route(self, county: County) -> None:
        async with world(county) as there:
            probed = {probe(there.theirs).route for probe in (*EACH_SLOT, *EACH_APPOINTMENT, *THE_REST)}
        assert probed == await routes(county) - OPERATORS - ANYONES - OF_ITSELF

    async def test_things_are_refused_where_they_are_asked_for_by_name(self, county: County) -> None:
        async with world(county) as there:
            for probe in (*EACH_SLOT, *EACH_APPOINTMENT, *THE_REST):
                ask, answer = probe(there.theirs), await there.answers(probe, there.theirs)
                if ask.route not in (*FINDS, *BY_ENTRY):
                    assert answer.status_code in (400, 404, 412, 422), ask.route


class TestAnotherOrganisation:
    async def test_sees_just_the_session_that_was_opened_to_it(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(), row(start="2024-07-22T09:10"), row(start="2024-07-22T14:00", session="Late"))
            first, second, late = await desk.slots("practice")
            session = first["schedule"]["reference"].partition("/")[2]
            opened = await desk.http.put(f"/v1/sessions/{session}/opening", json={"organisations": ["U1"]})
            assert opened.status_code == 200
            shown = [slot["id"] for slot in await desk.slots("urgent-care")]
            schedules = (await desk.ask("urgent-care", "GET", "Schedule")).json()
            reads = {
                slot["id"]: (await desk.ask("urgent-care", "GET", f"Slot/{slot['id']}")).status_code
                for slot in (first, second, late)
            }
            booking = await desk.book(late["id"], "urgent-care", start=late["start"], end=late["end"])
            others = [slot["id"] for slot in await desk.slots("other")]
        assert (shown, others) == ([first["id"], second["id"]], [])
        assert [entry["resource"]["id"] for entry in schedules["entry"]] == [session]
        assert reads == {first["id"]: 200, second["id"]: 200, late["id"]: 404}
        assert refused(booking) == (422, "unknown-slot")

    async def test_sees_and_changes_just_what_it_booked_itself(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(), row(start="2024-07-22T09:10"))
            await desk.open()
            first, second = await desk.slots("practice")
            own = await desk.book(first["id"], "urgent-care")
            practices = await desk.book(second["id"], start=second["start"], end=second["end"])
            found = (await desk.ask("urgent-care", "GET", "Appointment", params={"date": "2024-07-22"})).json()
            unseen = await desk.ask("urgent-care", "GET", f"Appointment/{practices.json()['id']}")
            marked = await desk.put(own, {"status": "arrived"}, "urgent-care")
            cancelled = await desk.put(own, {"status": "cancelled", "cancelationReason": reason()}, "urgent-care")
        assert [entry["resource"]["id"] for entry in found["entry"]] == [own.json()["id"]]
        assert refused(unseen) == (404, "unknown-appointment")
        assert refused(marked) == (403, "not-yours-to-mark")
        assert cancelled.json()["status"] == "cancelled"


class TestScopes:
    async def test_each_route_needs_one(self, county: County) -> None:
        assert set(SCOPES) | BY_ENTRY | OPERATORS | ANYONES == await routes(county)

    async def test_without_its_scope_a_route_is_closed_and_with_it_alone_open(self, county: County) -> None:
        async with surgery(county) as desk:
            for route, (kind, letter) in SCOPES.items():
                method, path = route.split(" ")
                for name in ("id", "session", "practice", "version"):
                    path = path.replace(f"{{{name}}}", "A1")
                closed = await desk.http.request(
                    method, path, headers=bearer(county.token(scope=all_but(kind, letter)))
                )
                assert refused(closed) == (403, "missing-scope"), route
                alone = (
                    f"system/{kind}.{letter} system/Appointment.c" if "diary" in route else f"system/{kind}.{letter}"
                )
                opened = await desk.http.request(method, path, headers=bearer(county.token(scope=alone)))
                assert opened.status_code != 403, route

    async def test_a_diary_needs_the_scope_for_appointments_too(self, county: County) -> None:
        async with surgery(county) as desk:
            headers = {**CSV, **bearer(county.token(scope="system/Schedule.cruds system/Appointment.ruds"))}
            answer = await desk.http.post("/v1/diary", content=diary_file(row()), headers=headers)
        assert refused(answer) == (403, "missing-scope")

    async def test_an_entry_of_a_bundle_needs_its_own(self, county: County) -> None:
        hold = {"resource": parameters("s"), "request": {"method": "POST", "url": "Appointment/$hold"}}
        async with surgery(county) as desk:
            for kind in ("batch", "transaction"):
                bundle = {"resourceType": "Bundle", "type": kind, "entry": [hold]}
                headers = bearer(county.token(scope="system/Appointment.ruds"))
                answer = await desk.http.post(FHIR, json=bundle, headers=headers)
                assert "missing-scope" in answer.text

    @pytest.mark.parametrize("route", sorted(OPERATORS))
    async def test_what_is_for_operators_is_for_no_practice(self, county: County, route: str) -> None:
        method, path = route.split(" ")
        async with surgery(county) as desk:
            answer = await desk.http.request(method, path, headers=bearer(county.token(scope=EVERYTHING)))
        assert refused(answer) == (403, "missing-scope")


async def require_unharmed(there: World) -> None:
    """B2's appointments are as they were, its slots too, and A1 has just the one it had."""
    for known in there.appointments.values():
        read = await there.desk.ask("other", "GET", f"Appointment/{known.appointment}")
        assert read.headers["etag"] == known.etag
    shown = {slot["id"]: slot["status"] for slot in await there.desk.slots("other")}
    standing = {"booked": "busy", "held": "busy-tentative", "cancelled": "free", "free": "free"}
    assert shown == {there.slots[kind].slot: status for kind, status in standing.items()}
    figures = await there.desk.figures()
    assert (figures["appointments"]["booked"], figures["double_booked"]) == (2, 0)


async def routes(county: County) -> set[str]:
    """Every route of the app, as its own description has it."""
    app = create(await county.settings(BLUEPRINT, Settings))
    return {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}


def all_but(kind: str, letter: str) -> str:
    """Every scope there is, without this one."""
    kinds = ("Slot", "Schedule", "Appointment")
    return " ".join(f"system/{each}.{'cruds'.replace(letter, '') if each == kind else 'cruds'}" for each in kinds)
