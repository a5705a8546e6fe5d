"""Importing into a diary that Daybook itself has changed: a file is never news of what was undone here."""

from datetime import datetime, timedelta

from services.booking.app import BLUEPRINT, Settings
from services.booking.commands import HoldSlots, RegisterPractice, WithdrawSlots
from services.booking.importing import Imported, import_diary
from services.booking.pages import session_id, slot_id
from shared.access import OPERATE, Caller
from shared.clock import london_date
from shared.events.booking import AppointmentDisplaced
from shared.service import Running
from tests.booking.deciding import MONDAY, NOW, OWN
from tests.booking.paper import ANN, BOB, diary_file, row
from tests.harness import County

SESSION = session_id("A1", "Morning", "Dr Jones", london_date(MONDAY))
SLOT = slot_id(SESSION, MONDAY)
DESK = Caller("desk", "", scopes=frozenset({OPERATE}))
TEN_PAST = "2024-07-22T09:10"


async def brought(running: Running, *rows: dict[str, str]) -> Imported:
    return await import_diary(running, diary_file(*rows), DESK, keep_good=True)


async def test_a_file_that_still_lists_withdrawn_slots_changes_nothing(county: County) -> None:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await brought(running, row(ANN), row(start=TEN_PAST))
        withdraw = WithdrawSlots("A1", SESSION, (), "Dr Jones is ill", "withdrawal", 2, NOW)
        events = [recorded.event for recorded in await running.executor.execute(withdraw)]
        assert isinstance(events[-1], AppointmentDisplaced)
        again = await brought(running, row(ANN), row(start=TEN_PAST))
        assert again == Imported(sessions=0, slots=0, appointments=0, unchanged=2, refused=[])


async def test_a_file_that_books_into_a_withdrawn_slot_is_at_fault_there(county: County) -> None:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await brought(running, row())
        await running.executor.execute(WithdrawSlots("A1", SESSION, (), "Ill", "withdrawal", None, NOW))
        answer = await brought(running, row(BOB))
    assert [(fault.line, fault.field) for fault in answer.refused] == [(2, "start")]


async def test_the_clinician_of_a_session_that_was_withdrawn_can_be_in_another(county: County) -> None:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await brought(running, row(), row(start=TEN_PAST))
        await running.executor.execute(WithdrawSlots("A1", SESSION, (), "Ill", "withdrawal", None, NOW))
        answer = await brought(running, row(), row(session="Visits", start="2024-07-22T08:55", minutes="30"))
    assert (answer.sessions, answer.refused) == (1, [])


def hold(until: datetime) -> HoldSlots:
    """A hold of ten minutes."""
    end, asked_at = MONDAY + timedelta(minutes=10), until - timedelta(minutes=10)
    return HoldSlots("held", "A1", SESSION, (SLOT,), MONDAY, end, OWN, until, asked_at)


async def test_a_row_whose_slot_is_just_being_booked_is_at_fault(county: County) -> None:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await brought(running, row())
        await running.executor.execute(hold(NOW + timedelta(minutes=5)))
        assert [fault.line for fault in (await brought(running, row(ANN))).refused] == [2]


async def test_a_hold_whose_time_is_over_stands_in_no_file_s_way(county: County) -> None:
    county.clock_at(NOW)
    async with county.service(BLUEPRINT, Settings) as running:
        await running.executor.execute(RegisterPractice("A1", "Harbour Surgery"))
        await brought(running, row())
        await running.executor.execute(hold(NOW - timedelta(minutes=1)))
        answer = await brought(running, row(ANN))
    assert (answer.appointments, answer.refused) == (1, [])
