"""What booking does when rebooking speaks, over the real stream: freeze, reopen, move, settle, cancel."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.booking.fhir.resources import REPLACES
from services.booking.reactions import moved_to
from shared.events.rebooking import (
    AppointmentReconciled,
    CancellationRequested,
    InflowChanged,
    MoveRequested,
    OfferDeclined,
    OutageDeclared,
    OutageEnded,
    Outcome,
    Wish,
)
from tests.booking.outage import Rebooking
from tests.booking.paper import ANN, BOB, row
from tests.booking.surgery import NOON, Name, Surgery, refused, surgery
from tests.harness import County

MORNING = datetime(2024, 7, 19, 7, 30, tzinfo=UTC)
LOST = row(ANN, start="2024-07-19T15:00")
MONDAY, FENCED = row(), row(start="2024-07-22T09:10", service_type="NHS 111")


def declared(ended_at: datetime | None = None, practices: Sequence[str] = ("A1",)) -> OutageDeclared:
    return OutageDeclared(
        outage="friday", name="Friday", practices=tuple(practices), started_at=MORNING, ended_at=ended_at
    )


async def frozen(desk: Surgery) -> list[str]:
    practices = (await desk.http.get("/v1/practices")).json()
    return [practice["practice"] for practice in practices if practice["frozen"]]


async def kept_out(desk: Surgery) -> dict[str, list[str]]:
    practices = (await desk.http.get("/v1/practices")).json()
    return {practice["practice"]: practice["keeps_out"] for practice in practices}


async def the_appointment(desk: Surgery) -> str:
    listed = await desk.http.get("/v1/day-list", params={"practice": "A1", "date": "2024-07-19"})
    return str(listed.json()[0]["appointment"])


async def ask_to_move(desk: Surgery, to: int = 0) -> MoveRequested:
    (busy,) = await desk.slots(start="ge2024-07-19", end="le2024-07-20", status="busy")
    slot = (await desk.slots("operator", status="free,busy-unavailable"))[to]
    return MoveRequested(
        outage="friday",
        practice="A1",
        move=f"move {to}",
        appointment=await the_appointment(desk),
        patient="ann",
        from_session=busy["schedule"]["reference"].removeprefix("Schedule/"),
        to_session=slot["schedule"]["reference"].removeprefix("Schedule/"),
        to_slot=slot["id"],
        to_start=datetime.fromisoformat(slot["start"]),
    )


async def test_an_outage_freezes_its_practices_until_it_ends(county: County) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.import_diary(MONDAY, row(practice="B2"))
        (slot,) = await desk.slots(practice="A1")
        await rebooking.says(declared())
        assert await frozen(desk) == ["A1"]
        assert refused(await desk.book(slot["id"])) == (409, "practice-frozen")
        assert await desk.slots(practice="A1", status="free") == []
        assert len(await desk.slots(practice="A1", status="busy-unavailable")) == 1
        assert len(await desk.slots("operator", practice="B2", status="free")) == 1
        await rebooking.says(OutageEnded(outage="friday", practices=("A1",), ended_at=NOON))
        assert await frozen(desk) == []
        assert (await desk.book(slot["id"])).status_code == 201


async def test_an_outage_keeps_out_those_whom_it_names_until_it_names_others(county: County) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.open()
        await desk.import_diary(MONDAY, row(start="2024-07-22T09:10"), row(start="2024-07-22T09:20"))
        first, second, third = await desk.slots()

        async def answers(slot: dict[str, Any]) -> list[tuple[int, str]]:
            asked = [
                await desk.book(slot["id"], caller, start=slot["start"], end=slot["end"])
                for caller in ("nhs-111", "urgent-care", "operator", "practice")
            ]
            return [(answer.status_code, "") if answer.is_success else refused(answer) for answer in asked]

        shut, taken, booked = (409, "practice-frozen"), (409, "slot-taken"), (201, "")
        await rebooking.says(msgspec.structs.replace(declared(), keeps_out=("nhs-111", "public")))
        assert await kept_out(desk) == {"A1": ["nhs-111", "public"], "B2": []}
        assert await answers(first) == [shut, shut, booked, taken]
        changed = InflowChanged(outage="friday", practices=("A1",), keeps_out=("practice", "nhs-111"))
        await rebooking.says(changed)
        assert await kept_out(desk) == {"A1": ["practice", "nhs-111"], "B2": []}
        assert await answers(second) == [shut, booked, shut, shut]
        await rebooking.says(msgspec.structs.replace(changed, keeps_out=()))
        assert (await kept_out(desk), await frozen(desk)) == ({"A1": [], "B2": []}, [])
        assert await answers(third) == [booked, taken, taken, taken]
        await rebooking.says(OutageEnded(outage="friday", practices=("A1",), ended_at=NOON), changed)
        assert await frozen(desk) == []


async def test_an_outage_declared_after_it_was_over_leaves_nothing_frozen(county: County) -> None:
    async with surgery(county) as desk:
        await Rebooking(county).says(declared(NOON, ["A1", "B2", "Z9"]))
        assert await frozen(desk) == []


async def test_a_withdrawn_session_freezes_nobody(county: County) -> None:
    async with surgery(county) as desk:
        position = (await desk.http.get("/v1/status")).json()["position"]
        await Rebooking(county).says(msgspec.structs.replace(declared(MORNING), kind="withdrawal"))
        assert (await desk.http.get("/v1/status")).json()["position"] == position


async def test_the_day_list_and_cancelling_go_on_while_the_practice_is_frozen(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(LOST)
        await Rebooking(county).says(declared())
        address = f"/fhir/R4/Appointment/{await the_appointment(desk)}"
        read = await desk.http.get(address)
        reason = {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason", "code": "pat"}
            ]
        }
        change = read.json() | {"status": "cancelled", "cancelationReason": reason}
        answer = await desk.http.put(address, json=change, headers={"If-Match": read.headers["etag"]})
        assert answer.status_code == 200


async def test_a_move_gives_the_new_slot_with_the_patient_as_sealed_before(county: County) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.import_diary(LOST, MONDAY)
        await rebooking.says(declared())
        asked = await ask_to_move(desk)
        await rebooking.says(asked)
        old = (await desk.http.get(f"/fhir/R4/Appointment/{asked.appointment}")).json()
        new = (await desk.http.get(f"/fhir/R4/Appointment/{moved_to(asked.move)}")).json()
        assert (old["status"], old["cancelationReason"]["coding"][0]["code"]) == ("cancelled", "other")
        assert (new["status"], new["start"]) == ("booked", "2024-07-22T09:00:00+01:00")
        assert new["contained"] == old["contained"]
        (replaces,) = (each for each in new["extension"] if each["url"] == REPLACES)
        assert replaces["valueReference"] == {"reference": f"Appointment/{asked.appointment}"}
        figures = await desk.figures()
        assert (figures["moved"], figures["double_booked"], figures["ring_fenced_used"]) == (1, 0, 0)


async def test_a_patient_moved_to_another_practice_stays_with_their_own_and_can_be_moved_home(county: County) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.import_diary(LOST, row(practice="B2"), row(start="2024-07-23T09:00"))
        there = msgspec.structs.replace(await ask_to_move(desk), to_practice="B2")
        await rebooking.says(there)
        away = f"Appointment/{moved_to(there.move)}"
        read = await desk.ask("practice", "GET", away)
        amended = await desk.put(read, {"comment": "Bring a list of your medicines"})
        readers: tuple[Name, ...] = ("practice", "other", "urgent-care")
        statuses = [(await desk.ask(caller, "GET", away)).status_code for caller in readers]
        found = (await desk.ask("practice", "GET", "Appointment", params={"date": "2024-07-22"})).json()
        home = await ask_home(desk, there)
        await rebooking.says(home)
        new = (await desk.ask("practice", "GET", f"Appointment/{moved_to(home.move)}")).json()
        left = [(await desk.ask(caller, "GET", away)).json()["status"] for caller in ("practice", "other")]
        declined = OfferDeclined(
            outage="friday", practice="A1", move=home.move, appointment=there.appointment, patient="ann", wish="cancel"
        )
        await rebooking.says(declined)
        figures = await desk.figures()
    assert (read.json()["status"], amended.status_code, statuses) == ("booked", 200, [200, 200, 404])
    assert [entry["resource"]["id"] for entry in found["entry"]] == [moved_to(there.move)]
    assert (new["status"], new["start"], left) == ("booked", "2024-07-23T09:00:00+01:00", ["cancelled"] * 2)
    (replaces,) = (each for each in new["extension"] if each["url"] == REPLACES)
    assert replaces["valueReference"] == {"reference": away}
    assert (figures["appointments"], figures["double_booked"]) == ({"moved": 2, "cancelled": 1}, 0)


async def ask_home(desk: Surgery, there: MoveRequested) -> MoveRequested:
    """The second move of the same lost appointment: what gives way is the one at the other practice."""
    (slot,) = await desk.slots("practice", status="free")
    return msgspec.structs.replace(
        there,
        move=f"{there.move}, then another",
        from_session=there.to_session,
        to_session=slot["schedule"]["reference"].removeprefix("Schedule/"),
        to_slot=slot["id"],
        to_start=datetime.fromisoformat(slot["start"]),
        standing=moved_to(there.move),
        to_practice="",
    )


async def test_a_move_is_made_once_however_often_it_is_asked_for(county: County) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.import_diary(LOST, MONDAY)
        asked = await ask_to_move(desk)
        await rebooking.says(asked)
        position = (await desk.http.get("/v1/status")).json()["position"]
        await rebooking.says(asked)
        assert (await desk.http.get("/v1/status")).json()["position"] == position


async def test_a_move_into_the_ring_fence_is_rejected_and_nothing_changes(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(LOST, MONDAY, FENCED)
        await Rebooking(county).says(await ask_to_move(desk, to=1))
        figures = await desk.figures()
        assert (figures["appointments"], figures["ring_fenced_used"]) == ({"booked": 1}, 0)


async def test_of_two_moves_into_one_slot_asked_for_at_once_one_is_made(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(LOST, row(BOB, start="2024-07-19T15:10"), MONDAY)
        listed = (await desk.http.get("/v1/day-list", params={"practice": "A1", "date": "2024-07-19"})).json()
        (free,) = await desk.slots(status="free")
        session = (await desk.slots(start="ge2024-07-19", end="le2024-07-19"))[0]["schedule"]["reference"]
        asked = [
            MoveRequested(
                outage="friday",
                practice="A1",
                move=f"move of {line['appointment']}",
                appointment=line["appointment"],
                patient="somebody",
                from_session=session.removeprefix("Schedule/"),
                to_session=free["schedule"]["reference"].removeprefix("Schedule/"),
                to_slot=free["id"],
                to_start=datetime.fromisoformat(free["start"]),
            )
            for line in listed
        ]
        await Rebooking(county).says(*asked)
        figures = await desk.figures()
    assert (len(asked), figures["moved"], figures["double_booked"]) == (2, 1, 0)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("attended", "fulfilled"),
        ("missed", "noshow"),
        ("cancelled", "cancelled"),
        ("elsewhere", "cancelled"),
        ("displaced", "booked"),
        ("triage", "booked"),
    ],
)
async def test_what_became_of_a_lost_appointment_is_written_down(county: County, outcome: Outcome, status: str) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(LOST)
        reconciled = AppointmentReconciled(
            outage="friday",
            practice="A1",
            appointment=await the_appointment(desk),
            patient="ann",
            outcome=outcome,
            evidence="paper",
        )
        await Rebooking(county).says(reconciled)
        assert (await desk.figures())["appointments"] == {status: 1}


async def test_paper_that_corrects_the_rule_in_the_same_breath_is_written_down(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(LOST)
        by_rule = AppointmentReconciled(
            outage="friday",
            practice="A1",
            appointment=await the_appointment(desk),
            patient="ann",
            outcome="displaced",
            evidence="rule",
        )
        on_paper = msgspec.structs.replace(by_rule, outcome="attended", evidence="paper")
        await Rebooking(county).says(by_rule, on_paper)
        assert (await desk.figures())["appointments"] == {"fulfilled": 1}


@pytest.mark.parametrize(("wish", "status"), [("cancel", "cancelled"), ("another-time", "booked")])
async def test_an_offer_declined_for_good_cancels_the_new_appointment(county: County, wish: Wish, status: str) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.import_diary(LOST, MONDAY)
        asked = await ask_to_move(desk)
        await rebooking.says(asked)
        declined = OfferDeclined(
            outage="friday", practice="A1", move=asked.move, appointment=asked.appointment, patient="ann", wish=wish
        )
        await rebooking.says(declined)
        assert (await desk.figures())["appointments"] == {"moved": 1, status: 1}


async def test_whoever_answers_a_reminder_with_cancel_has_cancelled_and_the_slot_is_free(county: County) -> None:
    async with surgery(county) as desk:
        rebooking = Rebooking(county)
        await desk.import_diary(LOST)
        asked = CancellationRequested(appointment=await the_appointment(desk), practice="A1")
        await rebooking.says(asked, CancellationRequested(appointment="unknown", practice="A1"))
        cancelled = (await desk.http.get(f"/fhir/R4/Appointment/{asked.appointment}")).json()
        assert (cancelled["status"], cancelled["cancelationReason"]["coding"][0]["code"]) == ("cancelled", "pat")
        assert len(await desk.slots("operator", start="ge2024-07-19", end="le2024-07-20", status="free")) == 1
