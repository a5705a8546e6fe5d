"""The sheet of a practice, and what is typed into it: by form or by file, whole or not at all, and only its own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.rebooking.commands import Finding, ReconcileAppointments
from shared.events.booking import AppointmentCancelled, AppointmentDisplaced
from tests.harness import County, Servers
from tests.rebooking.named import LANDLINE, MOBILE, Named, named
from tests.rebooking.neighbours import FRIDAY, PEOPLE

pytestmark = pytest.mark.asyncio(loop_scope="module")

READ, WRITE = "system/Appointment.rs", "system/Appointment.u"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(servers: Servers) -> AsyncIterator[Named]:
    """One county for all these tests; each that writes has a practice of its own."""
    await servers.fresh_streams()
    async with named(County(servers)) as world:
        yield world


async def test_the_sheet_names_whoever_was_booked_and_says_what_is_not_known(desk: Named) -> None:
    answer = await desk.ask("GET", desk.at("A1", "/appointments"), practice="A1", scope=READ)
    assert answer.headers["cache-control"] == "no-store"
    sheet = answer.json()
    assert (sheet["practice"], sheet["name"], sheet["outage_name"]) == ("A1", "Surgery A1", "The lost Friday")
    ann, bob, cyd, dee = sheet["appointments"]
    assert (ann["start"], ann["family_name"], ann["telephone"]) == ("2024-07-19T09:00:00+01:00", "Ash", MOBILE)
    assert (bob["telephone"], dee["telephone"], bob["priority"]) == (LANDLINE, "", 2)
    assert [line["same_day"] for line in (ann, bob, cyd, dee)] == [False, False, True, False]
    unknown = ("outcome", "evidence", "happened_at", "typed_at", "typed_by", "state", "constraints")
    assert {ann[name] for name in unknown} == {None}


async def test_what_is_typed_in_is_paper_with_when_it_happened_and_when_and_by_whom_it_was_typed(desk: Named) -> None:
    findings = (
        {"appointment": "A1 Ann", "outcome": "attended", "at": "09:45"},
        {"appointment": "A1 Bob", "outcome": "elsewhere"},
    )
    answer = await desk.find("A1", *findings, typed_by="Joan")
    assert answer.json() == {"recorded": 2, "outcomes": {"attended": 1, "elsewhere": 1}, "unaccounted": 2}
    sheet = await desk.sheet("A1")
    ann, bob = sheet["Ann"], sheet["Bob"]
    assert (ann["outcome"], ann["evidence"], ann["typed_by"]) == ("attended", "paper", "Joan")
    assert (ann["happened_at"], bob["happened_at"]) == ("2024-07-19T09:45:00+01:00", "2024-07-19T09:10:00+01:00")
    assert ann["typed_at"].startswith("2024-07-22T08:00")
    again = await desk.find("A1", *findings)
    assert again.json()["recorded"] == 0


async def test_findings_that_are_wrong_are_named_one_by_one_and_nothing_is_stored(desk: Named) -> None:
    answer = await desk.find(
        "B2",
        {"appointment": "B2 Ann", "outcome": "attended"},
        {"appointment": "A1 Ann", "outcome": "attended"},
        {"appointment": "B2 Ann", "outcome": "attended"},
        {"appointment": "B2 Ann", "outcome": "missed"},
        {"appointment": "B2 Bob", "outcome": "missed", "at": "2024-07-23T09:00"},
        {"appointment": "B2 Cyd", "outcome": "missed", "at": "nine"},
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["where"]) == (422, "bad-findings", "findings.1.appointment")
    assert [(each["where"], each["reason"]) for each in problem["errors"]] == [
        ("findings.1.appointment", "The outage takes no such appointment at this practice"),
        ("findings.2.outcome", "This is there twice: findings.0 says the same"),
        ("findings.3.outcome", "This contradicts findings.0, which says attended"),
        ("findings.4.at", "This is in the future"),
        ("findings.5.at", "“nine” is not a date and time such as 2024-07-19T09:10"),
    ]
    assert {line["outcome"] for line in (await desk.sheet("B2")).values()} == {None}
    badly = await desk.find("B2", {"appointment": "B2 Ann", "outcome": "came"})
    assert badly.json()["where"] == "body.findings.0.outcome"


async def test_what_is_known_is_not_contradicted(desk: Named) -> None:
    await desk.find("C3", {"appointment": "C3 Dee", "outcome": "missed"})
    answer = await desk.find(
        "C3", {"appointment": "C3 Ann", "outcome": "attended"}, {"appointment": "C3 Dee", "outcome": "attended"}
    )
    assert [each["reason"] for each in answer.json()["errors"]] == ["It is already known to be missed"]
    assert (await desk.sheet("C3"))["Ann"]["outcome"] is None


async def test_a_file_about_one_practice_decides_the_rest_of_that_practice_alone(desk: Named) -> None:
    before = await desk.sheet("E5")
    lines = (f"D4,2024-07-19T09:00,{PEOPLE[0]},elsewhere", f"D4,2024-07-19T09:10,{PEOPLE[1]},")
    text = "\n".join(("practice,start,nhs_number,outcome", *lines))
    path = f"/v1/outages/{desk.outage}/reconciliation"
    said = {"rest": "displaced", "practice": "D4", "typed_by": "Joan"}
    answer = await desk.ask("POST", path, params=said, content=text)
    assert answer.json() == {"recorded": 4, "outcomes": {"elsewhere": 1, "displaced": 2, "triage": 1}, "unaccounted": 0}
    sheet = await desk.sheet("D4")
    known = {name: (line["outcome"], line["evidence"], line["typed_by"]) for name, line in sheet.items()}
    assert known["Ann"] == ("elsewhere", "paper", "Joan")
    assert (known["Cyd"], known["Dee"]) == (("triage", "rule", "Joan"), ("displaced", "rule", "Joan"))
    assert await desk.sheet("E5") == before
    nowhere = await desk.ask("POST", path, params={"practice": "Z9"}, content=text)
    assert (nowhere.status_code, nowhere.json()["where"]) == (422, "practice")


async def test_whoever_cancels_while_a_file_is_read_is_not_displaced_for_ever(desk: Named) -> None:
    """The diary shows the cancellation after the file was compared with it, and before its findings are stored."""
    cancelled = AppointmentCancelled(
        session="E5 Friday", practice="E5", appointment="E5 Dee", cancelled_by="patient", reason="pat"
    )
    await desk.clinic.hears(desk.clinic.booking, cancelled)
    (rebooking,) = (each for each in desk.clinic.county.at_work if each.blueprint.name == "rebooking")
    late = tuple(Finding(f"E5 {name}", "patient", "displaced", "rule") for name in ("Ann", "Dee"))
    await rebooking.executor.execute(ReconcileAppointments(desk.outage, "E5", late))
    await desk.clinic.county.caught_up()
    sheet = await desk.sheet("E5")
    assert (sheet["Dee"]["outcome"], sheet["Dee"]["evidence"]) == ("cancelled", "diary")
    assert sheet["Ann"]["outcome"] == "displaced"


async def test_when_and_how_a_patient_can_be_seen_is_noted_and_shown(desk: Named) -> None:
    await desk.find("F6", {"appointment": "F6 Ann", "outcome": "displaced"})
    path = desk.at("F6", "/appointments/F6 Ann/constraints")
    noted = {"not_before": "2024-07-24", "weekdays": [5, 3], "half_of_day": "morning", "noted_by": "Joan"}
    assert (await desk.ask("PUT", path, practice="F6", scope=WRITE, json=noted)).status_code == 200
    shown = (await desk.sheet("F6"))["Ann"]["constraints"]
    assert shown == {"not_before": "2024-07-24", "weekdays": [3, 5], "half_of_day": "morning"}
    wrong = {"weekdays": [8]}, {"not_before": "2024-07-25", "not_after": "2024-07-24"}, {"days": 1}
    answers = [await desk.ask("PUT", path, practice="F6", json=body) for body in wrong]
    assert [answer.json()["where"] for answer in answers] == ["weekdays", "not_after", "body.days"]
    unknown = await desk.ask("PUT", path.replace("Ann", "Zoe"), practice="F6", json={})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-appointment")


async def test_a_withdrawal_has_a_sheet_and_nothing_to_reconcile(desk: Named) -> None:
    displaced = AppointmentDisplaced(
        session="A1 Friday",
        practice="A1",
        appointment="A1 Cyd",
        start=FRIDAY,
        minutes=10,
        patient="patient",
        withdrawal="withdrawal",
        reason="Ill",
    )
    await desk.clinic.hears(desk.clinic.booking, displaced)
    path = "/v1/outages/withdrawal/practices/A1"
    sheet = await desk.ask("GET", f"{path}/appointments", practice="A1")
    assert [line["given_name"] for line in sheet.json()["appointments"]] == ["Cyd"]
    body = {"findings": [{"appointment": "A1 Cyd", "outcome": "attended"}]}
    answer = await desk.ask("POST", f"{path}/findings", practice="A1", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-reconcile")


OWN: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/appointments", None),
    ("POST", "/findings", {"findings": [{"appointment": "A1 Ann", "outcome": "missed"}]}),
    ("PUT", "/appointments/A1 Ann/constraints", {}),
    ("GET", "/calls", None),
    ("GET", "/calls.html", None),
    ("POST", "/calls/A1 Ann/claim", {"by": "Joan"}),
    ("POST", "/calls/A1 Ann/outcome", {"outcome": "keeps", "by": "Joan"}),
)


@pytest.mark.parametrize(("method", "path", "body"), OWN)
async def test_to_a_stranger_a_practice_is_as_unknown_as_one_that_is_not_there(
    desk: Named, method: str, path: str, body: object
) -> None:
    theirs = await desk.ask(method, desk.at("A1", path), practice="B2", json=body)
    nobodys = await desk.ask(method, desk.at("Z9", path), practice="B2", json=body)
    no_outage = await desk.ask(method, f"/v1/outages/none/practices/A1{path}", practice="B2", json=body)
    assert (theirs.status_code, theirs.json()["code"]) == (404, "unknown-practice")
    assert theirs.content == nobodys.content == no_outage.content
    operators = await desk.ask(method, desk.at("Z9", path), json=body)
    assert operators.content == nobodys.content


@pytest.mark.parametrize(("method", "path", "body"), OWN)
async def test_reading_and_writing_need_their_scopes(desk: Named, method: str, path: str, body: object) -> None:
    wrong = WRITE if method == "GET" else READ
    answer = await desk.ask(method, desk.at("A1", path), practice="A1", scope=wrong, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_an_outage_of_others_is_not_there_for_a_practice(desk: Named) -> None:
    answer = await desk.ask("GET", "/v1/outages/none/practices/A1/appointments", practice="A1")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-outage")


async def test_an_outage_shows_whom_it_keeps_out_and_lets_them_in_again(desk: Named) -> None:
    outages = "/v1/outages"
    body = {"name": "Today", "practices": ["A1"], "started_at": "2024-07-22T07:00", "keeps_out": ["public"]}
    declared = (await desk.ask("POST", outages, json=body)).json()
    assert (declared["keeps_out"], declared["automatic"]) == (["public"], False)
    path = f"{outages}/{declared['outage']}"
    changed = await desk.ask("POST", f"{path}/inflow", json={"keeps_out": ["public", "nhs-111"], "said_by": "Joan"})
    assert changed.json()["keeps_out"] == ["nhs-111", "public"]
    wrong = await desk.ask("POST", f"{path}/inflow", json={"keeps_out": ["everybody"]})
    assert wrong.status_code == 422
    assert (await desk.ask("POST", f"{path}/inflow", practice="A1", json={"keeps_out": []})).status_code == 403
