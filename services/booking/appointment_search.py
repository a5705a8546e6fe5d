"""Finding appointments: those of a practice for its own system, and for others those that they booked themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.fhir.appointment_params import AppointmentSearch
from services.booking.openness import Asked
from services.booking.rows import AppointmentRow
from services.booking.views import appointment_rows
from shared.access import Caller
from shared.database import reader


@dataclass(frozen=True, slots=True)
class AppointmentsFound:
    """One page of the appointments found, and how many there are on all pages."""

    rows: Sequence[AppointmentRow]
    total: int


def may_see(caller: Caller, row: AppointmentRow) -> bool:
    """Whether the appointment is there at all for this caller."""
    return caller.belongs_to(row.practice) or row.booked_by == caller.organisation != ""


async def find_appointments(
    connection: AsyncConnection, search: AppointmentSearch, caller: Caller
) -> AppointmentsFound:
    """The appointments that match and that the caller may see, by start; the cancelled ones too."""
    asked = Asked()
    wanted = " AND ".join(f"({condition})" for condition in _wanted(asked, search, caller))
    order = "DESC" if search.newest_first else "ASC"
    page = f"ORDER BY a.start {order}, a.appointment LIMIT {search.count} OFFSET {search.offset}"
    rows = await appointment_rows(connection, f"{wanted} {page}", asked.values)
    if len(rows) < search.count and (rows or not search.offset):
        return AppointmentsFound(rows, search.offset + len(rows))
    driver = await reader(connection)
    total = await driver.fetchval(f"SELECT count(*) FROM appointments AS a WHERE {wanted}", *asked.values)
    return AppointmentsFound(rows, total)


def _wanted(asked: Asked, search: AppointmentSearch, caller: Caller) -> list[str]:
    since, until = search.changed
    conditions = [f"a.start >= {asked.put(search.start)} AND a.start < {asked.put(search.end)}"]
    conditions.append(f"a.changed_at >= {asked.put(since)} AND a.changed_at < {asked.put(until)}")
    if not caller.operates:
        own = asked.put(caller.organisation)
        conditions.append(f"{own} <> '' AND (a.practice = {own} OR a.booked_by = {own})")
    if search.practice is not None:
        conditions.append(f"a.practice = {asked.put(search.practice)}")
    for column, values in (
        ("a.patient", search.patients),
        ("a.status", search.statuses),
        ("a.identifier", search.identifiers),
        ("a.appointment", search.ids),
    ):
        if values is not None:
            conditions.append(f"{column} = ANY({asked.put(list(values))}::text[])")
    if search.identifiers is not None:
        conditions.append("a.identifier <> ''")  # as the index has it
    if search.slots is not None:
        conditions.append(_in_slots(asked.put(list(search.slots))))
    return conditions


def _in_slots(slots: str) -> str:
    """It has one of the slots, or had it. Practice and start let the index find it: none lasts longer than a day."""
    return f"""a.appointment IN (
        SELECT b.appointment FROM slots AS s JOIN appointments AS b
            ON b.practice = s.practice AND b.start <= s.start AND b.start > s.start - interval '1 day'
            AND b.slots ? s.slot
        WHERE s.slot = ANY({slots}::text[]))"""
