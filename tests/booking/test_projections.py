"""Booking's tables: rebuilt they equal the live ones, and the database itself forbids what must never be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg.exceptions import ExclusionViolationError, UniqueViolationError

from services.booking.app import BLUEPRINT, Settings
from services.booking.commands import (
    CancelAppointment,
    Entry,
    FreezePractice,
    ImportSession,
    PublishSession,
    RegisterPractice,
    SettleAppointment,
)
from services.booking.tables import occupancy, sessions
from shared.broker import connect
from shared.project import Put
from shared.rebuild import rebuild
from shared.rows import apply
from shared.service import Running
from tests.booking.deciding import ANN, BOB, LATER, MONDAY, NOW, ask_to_move, sheet, slot
from tests.harness import County


@asynccontextmanager
async def at_work(county: County) -> AsyncIterator[Running]:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        yield running


async def a_busy_week(running: Running) -> None:
    """At least one event of every kind that a table is folded from."""
    come_and_gone = Entry("bob's", "third", BOB, "sealed", True, NOW, 0, "reception", "fulfilled")
    for command in (
        RegisterPractice("A1", "Harbour Surgery"),
        FreezePractice("A1", "outage"),
        RegisterPractice("B2", "Mill Lane"),
        ImportSession(sheet(), (come_and_gone,)),
        PublishSession(sheet(slot("fourth", MONDAY + timedelta(minutes=30))), NOW),
        PublishSession(sheet(LATER, session="tuesday"), NOW),
        ImportSession(sheet(), (Entry("ann's", "first", ANN, "sealed", True, NOW, 0, "reception", "booked"),)),
        ImportSession(sheet(), (Entry("carl's", "second", BOB, "sealed", True, NOW, 0, "online", "arrived"),)),
        ask_to_move(),
        SettleAppointment("monday", "carl's", "missed"),
        CancelAppointment("tuesday", "ann's new one", 2, "patient", "pat", NOW),
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
        "frozen": 1,
        "sessions": 2,
        "slots": 5,
        "appointments": 4,
        "occupancy": 2,
    }


async def test_the_database_forbids_a_slot_given_away_twice(county: County) -> None:
    async with at_work(county) as running:
        doubled = [Put(occupancy, {"appointment": name, "slot": "first"}) for name in ("ann's", "bob's")]
        with pytest.raises(UniqueViolationError, match="occupancy_slot"):
            await _write(running, doubled)


async def test_the_database_forbids_a_clinician_in_two_sessions_at_once(county: County) -> None:
    async with at_work(county) as running:
        with pytest.raises(ExclusionViolationError, match="sessions_of_a_clinician_apart"):
            await _write(running, [_session("one", 0), _session("two", 59)])
        await _write(running, [_session("one", 0), _session("two", 60), _session("three", 0, clinician="Dr Khan")])


async def _write(running: Running, changes: list[Put]) -> None:
    async with running.engine.begin() as connection:
        await connection.exec_driver_sql("SELECT 1")
        await apply(connection, changes)


def _session(name: str, minute: int, clinician: str = "Dr Jones") -> Put:
    start = datetime(2024, 7, 22, 8, tzinfo=UTC) + timedelta(minutes=minute)
    row = {
        "session": name,
        "practice": "A1",
        "name": name,
        "clinician": clinician,
        "clinician_role": "GP",
        "location": "",
        "start": start,
        "end": start + timedelta(hours=1),
    }
    return Put(sessions, row)
