"""Booking's tables: rebuilt they equal the live ones, and the database itself forbids what must never be."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncpg.exceptions import ExclusionViolationError, UniqueViolationError
from msgspec.structs import asdict
from sqlalchemy import Table, select

from services.booking.app import BLUEPRINT, Settings
from services.booking.commands import (
    AmendAppointment,
    BookingCommand,
    CancelAppointment,
    ConfirmHold,
    Entry,
    ExpireHolds,
    FreezePractice,
    HoldSlots,
    ImportSession,
    MarkAppointment,
    OpenPractice,
    OpenSession,
    PublishSession,
    RegisterPractice,
    RescheduleAppointment,
    SettleAppointment,
    WithdrawSlots,
)
from services.booking.projections import project
from services.booking.tables import appointments, occupancy, openings, sessions, slots
from shared.broker import connect
from shared.events.booking import AppointmentBooked, Opening, Patient, Slot
from shared.project import Put, row_of
from shared.rebuild import rebuild
from shared.refusals import Conflict
from shared.rows import apply
from shared.service import Running
from tests.booking.deciding import (
    ANN,
    BOB,
    CLINIC,
    LATER,
    MONDAY,
    NOW,
    OWN,
    SOON,
    ask_to_move,
    book,
    morning,
    sheet,
    slot,
)
from tests.harness import County
from tests.house.examples import in_the_log


@asynccontextmanager
async def at_work(county: County) -> AsyncIterator[Running]:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        yield running


WEDNESDAY = MONDAY + timedelta(days=2)
SLOTS = [slot(f"w{n}", WEDNESDAY + timedelta(minutes=10 * n)) for n in range(6)]


def hold(appointment: str, *slots: Slot) -> HoldSlots:
    start, end = slots[0].start, slots[-1].start + timedelta(minutes=10)
    ids = tuple(slot.id for slot in slots)
    return HoldSlots(appointment, "A1", "wednesday", ids, start, end, CLINIC, SOON, NOW)


A_WEDNESDAY: tuple[BookingCommand, ...] = (
    PublishSession(sheet(*SLOTS, session="wednesday"), NOW),
    hold("confirmed", *SLOTS[:2]),
    ConfirmHold("A1", "wednesday", "confirmed", 2, ANN, "details, sealed", True, CLINIC, NOW, 5, "urn:x|1"),
    hold("expired", SLOTS[2]),
    ExpireHolds("wednesday", SOON),
    hold("held", SLOTS[3]),
    book("rescheduled", SLOTS[4], session="wednesday"),
    AmendAppointment("wednesday", "rescheduled", 7, "other details, sealed", NOW),
    RescheduleAppointment(
        "A1", "wednesday", "rescheduled", 8, "wednesday", ("w5",), "booked", "patient", "pat", OWN, NOW, "request"
    ),
    book("mistaken", SLOTS[2], session="wednesday"),
    MarkAppointment("wednesday", "mistaken", 11, "entered-in-error", NOW),
    WithdrawSlots("A1", "wednesday", ("w0", "w2"), "Dr Jones is ill", "withdrawal", 12, NOW),
)
"""What can become of holds and appointments; the numbers are the versions that their page has come to."""


async def a_busy_week(running: Running) -> None:
    """At least one event of every kind that a table is folded from."""
    come_and_gone = Entry("bob's", "third", BOB, "sealed", True, NOW, 0, "reception", "fulfilled")
    for command in (
        RegisterPractice("A1", "Harbour Surgery"),
        OpenPractice("A1", Opening(organisation_types=("urgent-care",), days_ahead=14)),
        RegisterPractice("B2", "Mill Lane"),
        ImportSession(sheet(), (come_and_gone,), NOW),
        PublishSession(sheet(slot("fourth", MONDAY + timedelta(minutes=30))), NOW),
        PublishSession(sheet(LATER, session="tuesday"), NOW, Opening(embargo_until=NOW)),
        OpenSession("A1", "monday", Opening(closed=True)),
        ImportSession(sheet(), (Entry("ann's", "first", ANN, "sealed", True, NOW, 0, "reception", "booked"),), NOW),
        ImportSession(sheet(), (Entry("carl's", "second", BOB, "sealed", True, NOW, 0, "online", "arrived"),), NOW),
        ask_to_move(),
        SettleAppointment("monday", "carl's", "missed"),
        CancelAppointment("tuesday", "ann's new one", 2, "patient", "pat", NOW),
        *A_WEDNESDAY,
        FreezePractice("A1", "outage", ("nhs-111", "public")),
    ):
        assert await running.executor.execute(command), command


async def test_rebuilt_tables_equal_the_live_ones(county: County) -> None:
    async with at_work(county) as running:
        await a_busy_week(running)
        await county.caught_up()
        client = await connect(running.settings.nats_url, "booking")
        try:
            result = await rebuild(running.blueprint, running.engine, client, verify_only=True, tell=lambda *_: None)
        finally:
            await client.close()
    assert result.equal
    assert {name: table.rows for name, table in result.tables.items()} == {
        "practices": 2,
        "openings": 1,
        "frozen": 1,
        "sessions": 3,
        "slots": 11,
        "appointments": 10,
        "occupancy": 4,
    }


async def test_what_became_of_holds_and_appointments_stands_in_the_tables(county: County) -> None:
    async with at_work(county) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await running.executor.execute(OpenPractice("A1", Opening(days_ahead=14)))
        for command in A_WEDNESDAY:
            await running.executor.execute(command)
        found = {row["appointment"]: row for row in await _rows(running, appointments)}
        taken = {row["slot"]: (row["appointment"], row["until"]) for row in await _rows(running, occupancy)}
        gone = {row["slot"] for row in await _rows(running, slots) if row["withdrawn"]}
        (session,) = await _rows(running, sessions)
    assert {name: (row["status"], row["version"], row["until"]) for name, row in found.items()} == {
        "confirmed": ("displaced", 14, None),
        "expired": ("released", 5, SOON),
        "held": ("held", 6, SOON),
        "rescheduled": ("cancelled", 9, None),
        "booked": ("booked", 10, None),
        "mistaken": ("entered-in-error", 12, None),
    }
    assert taken == {"w3": ("held", SOON), "w5": ("booked", None)}
    assert gone == {"w0", "w2"}
    assert (session["start"], session["end"]) == (SLOTS[1].start, SLOTS[5].start + timedelta(minutes=10))
    assert (found["held"]["patient"], found["held"]["booked_by"]) == ("", "U1")
    assert (found["rescheduled"]["replaced_by"], found["booked"]["replaces"]) == ("booked", "rescheduled")
    assert (found["booked"]["details"], found["booked"]["once"]) == ("other details, sealed", "request")


async def test_a_hold_that_is_confirmed_has_all_that_an_appointment_has(county: County) -> None:
    async with at_work(county) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await running.executor.execute(OpenPractice("A1", Opening(days_ahead=14)))
        for command in A_WEDNESDAY[:3]:
            await running.executor.execute(command)
        (row,) = await _rows(running, appointments)
        taken = await _rows(running, occupancy)
    assert {(found["slot"], found["until"]) for found in taken} == {("w0", None), ("w1", None)}
    told = ("patient", "sealed", "details", "textable", "status", "priority", "booked_by", "identifier", "until")
    assert [row[name] for name in told] == [
        "ann",
        "ann, sealed",
        "details, sealed",
        True,
        "booked",
        5,
        "U1",
        "urn:x|1",
        None,
    ]
    assert (row["booked_by_name"], row["booked_by_telephone"]) == ("Harbour Clinic", "01632 960111")


def test_each_column_of_an_appointment_has_what_the_event_calls_by_its_name() -> None:
    words = ("appointment", "session", "practice", "details", "booked_by", "booked_by_name", "booked_by_telephone")
    said: dict[str, Any] = {name: name for name in (*words, "identifier", "replaces", "move", "once")}
    said |= {"slots": ("first", "second"), "start": MONDAY, "minutes": 20, "priority": 5, "textable": True}
    said |= {"booked_at": SOON}
    recorded = in_the_log(AppointmentBooked(**said, patient=Patient(id="patient", sealed="sealed")))

    booked, *_ = project(recorded)

    assert isinstance(booked, Put)
    assert asdict(booked.row) == said | {
        "end": MONDAY + timedelta(minutes=20),
        "patient": "patient",
        "sealed": "sealed",
        "status": "booked",
        "replaced_by": "",
        "reason": "",
        "until": None,
        "version": recorded.version,
        "changed_at": recorded.recorded_at,
    }


async def test_to_whom_practices_and_sessions_are_open_stands_in_the_tables(county: County) -> None:
    async with at_work(county) as running:
        await a_busy_week(running)
        of_sessions = {row["session"]: row["opening"] for row in await _rows(running, sessions)}
        (of_practice,) = await _rows(running, openings)
        await running.executor.execute(OpenSession("A1", "monday", None))
        left = {row["session"]: row["opening"] for row in await _rows(running, sessions)}
    assert of_practice["opening"] == {"organisation_types": ["urgent-care"], "days_ahead": 14}
    assert of_sessions == {
        "monday": {"closed": True},
        "tuesday": {"embargo_until": "2024-07-19T12:00:00Z"},
        "wednesday": None,
    }
    assert left["monday"] is None


async def test_a_withdrawn_slot_stands_again_once_it_is_published_anew(county: County) -> None:
    async with at_work(county) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await running.executor.execute(PublishSession(sheet(), NOW))
        await running.executor.execute(WithdrawSlots("A1", "monday", (), "Ill", "withdrawal", None, NOW))
        assert {row["withdrawn"] for row in await _rows(running, slots)} == {True}
        (empty,) = await _rows(running, sessions)
        assert empty["start"] == empty["end"] == MONDAY
        await running.executor.execute(PublishSession(sheet(), NOW))
        assert {row["withdrawn"] for row in await _rows(running, slots)} == {False}
        (again,) = await _rows(running, sessions)
        assert again["end"] == MONDAY + timedelta(minutes=30)


async def test_a_session_without_slots_leaves_its_clinician_free(county: County) -> None:
    async with at_work(county) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await running.executor.execute(PublishSession(sheet(), NOW))
        await running.executor.execute(WithdrawSlots("A1", "monday", (), "Ill", "withdrawal", None, NOW))
        other = sheet(slot("other", MONDAY - timedelta(minutes=5), 30), session="another")
        assert await running.executor.execute(PublishSession(other, NOW))


async def test_one_request_is_never_booked_twice_even_in_two_sessions_at_once(county: County) -> None:
    async with at_work(county) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await running.executor.execute(PublishSession(sheet(), NOW))
        await running.executor.execute(PublishSession(sheet(LATER, session="tuesday"), NOW))
        answers = await asyncio.gather(
            running.executor.execute(book(once="request")),
            running.executor.execute(book("another", LATER, session="tuesday", once="request")),
            return_exceptions=True,
        )
        assert [row["once"] for row in await _rows(running, appointments)] == ["request"]
    (refused,) = [answer for answer in answers if isinstance(answer, Conflict)]
    assert (refused.code, refused.where) == ("lost-race", "appointments_once")


async def test_a_reschedule_over_its_own_slots_keeps_what_the_new_one_has(county: County) -> None:
    first, second, _ = morning()
    longer = RescheduleAppointment(
        "A1", "monday", "ann's", 2, "monday", ("first", "second"), "longer", "patient", "pat", OWN, NOW
    )
    async with at_work(county) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await running.executor.execute(PublishSession(sheet(), NOW))
        await running.executor.execute(book("ann's", first))
        await running.executor.execute(longer)
        taken = {row["slot"]: row["appointment"] for row in await _rows(running, occupancy)}
    assert taken == {first.id: "longer", second.id: "longer"}


async def test_the_database_forbids_a_slot_given_away_twice(county: County) -> None:
    async with at_work(county) as running:
        rows = [row_of(occupancy)(appointment=name, slot="first", until=None) for name in ("ann's", "bob's")]
        with pytest.raises(UniqueViolationError, match="occupancy_slot"):
            await _write(running, [Put(occupancy, row) for row in rows])


async def test_the_database_forbids_a_clinician_in_two_sessions_at_once(county: County) -> None:
    async with at_work(county) as running:
        with pytest.raises(ExclusionViolationError, match="sessions_of_a_clinician_apart"):
            await _write(running, [_session("one", 0), _session("two", 59)])
        await _write(running, [_session("one", 0), _session("two", 60), _session("three", 0, clinician="Dr Khan")])


async def _rows(running: Running, table: Table) -> Sequence[Mapping[str, Any]]:
    async with running.engine.connect() as connection:
        found = await connection.execute(select(table))
        return [dict(row) for row in found.mappings()]


async def _write(running: Running, changes: list[Put]) -> None:
    async with running.engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1")
        await apply(connection, changes)


def _session(name: str, minute: int, clinician: str = "Dr Jones") -> Put:
    start = datetime(2024, 7, 22, 8, tzinfo=UTC) + timedelta(minutes=minute)
    row = row_of(sessions)(
        session=name,
        practice="A1",
        name=name,
        clinician=clinician,
        clinician_role="GP",
        location="",
        start=start,
        end=start + timedelta(hours=1),
        opening=None,
    )
    return Put(sessions, row)
