"""What is read from booking's tables: each answer in one query, as rows that cannot change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.commands import Status
from services.booking.rows import AppointmentRow, PracticeRow, SessionRow
from services.booking.session_views import kept_out_of
from services.booking.tables import appointments, practices, slots
from shared.database import among, reader
from shared.events.booking import ALL_INFLOW, Inflow

OFF: Sequence[Status] = ("cancelled", "moved", "released", "displaced", "entered-in-error")
"""Where an appointment stands that has no slots any more."""


async def all_practices(connection: AsyncConnection) -> list[PracticeRow]:
    """Every practice, by name."""
    found = await connection.execute(
        select(practices, kept_out_of(practices.c.practice).label("kept_out")).order_by(
            practices.c.name, practices.c.practice
        )
    )
    return [_practice(**row) for row in found.mappings()]


def _practice(kept_out: Collection[Inflow], **known: Any) -> PracticeRow:
    keeps_out = [kind for kind in ALL_INFLOW if kind in kept_out]
    return PracticeRow(**known, frozen=bool(keeps_out), keeps_out=keeps_out)


async def session_rows(connection: AsyncConnection, ids: Collection[str]) -> list[SessionRow]:
    """These sessions, by start."""
    found = await (await reader(connection)).fetch(_SESSIONS, list(ids))
    return [SessionRow(**record) for record in found]


async def appointment_row(connection: AsyncConnection, appointment: str) -> AppointmentRow | None:
    """One appointment."""
    rows = await appointment_rows(connection, "a.appointment = $1", [appointment])
    return rows[0] if rows else None


async def day_list(connection: AsyncConnection, practice: str, start: datetime, end: datetime) -> list[AppointmentRow]:
    """The practice's appointments that start in this stretch and have not been called off, in order of time.

    Nor are holds among them: they have no patient yet.
    """
    wanted = "a.practice = $1 AND a.start >= $2 AND a.start < $3 AND a.status <> ALL($4::text[])"
    order = "ORDER BY a.start, p.clinician, a.appointment"
    return await appointment_rows(connection, f"{wanted} {order}", [practice, start, end, ["held", *OFF]])


async def appointment_rows(connection: AsyncConnection, wanted: str, values: Sequence[Any]) -> list[AppointmentRow]:
    """The appointments `a` (of sessions `p`) that meet a condition in SQL, which may order and limit them as well."""
    found = await (await reader(connection)).fetch(f"{_APPOINTMENTS} WHERE {wanted}", *values)
    return [AppointmentRow(**record) for record in found]


async def sessions_of(connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, str]:
    """The session each of these appointments is in; one that is unknown is left out."""
    if not ids:
        return {}
    found = await connection.execute(
        select(appointments.c.appointment, appointments.c.session).where(among(appointments.c.appointment, ids))
    )
    return dict(found.all())


_SESSIONS = """
    SELECT p.session, p.practice, o.name AS practice_name, p.name, p.clinician, p.clinician_role, p.location,
           p.start, p."end"
    FROM sessions AS p JOIN practices AS o ON o.practice = p.practice
    WHERE p.session = ANY($1::text[]) ORDER BY p.start, p.session
"""

_ELSEWHERE = {
    "practice_name": "o.name",
    "session_name": "p.name",
    "clinician": "p.clinician",
    "clinician_role": "p.clinician_role",
    "location": "p.location",
    "channel": "s.channel",
    "service_type": "s.service_type",
}
"""What is said of an appointment and stands in other tables: its practice's, session's, or first slot's."""

_COLUMNS = ", ".join(
    f"{_ELSEWHERE.get(field.name) or 'a.' + field.name} AS {field.name}"
    for field in fields(AppointmentRow)
    if field.name != "end"
)
_APPOINTMENTS = f"""
    SELECT {_COLUMNS}, a."end"
    FROM appointments AS a
    JOIN sessions AS p ON p.session = a.session
    JOIN practices AS o ON o.practice = a.practice
    JOIN slots AS s ON s.slot = a.slots->>0
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """`appointments` and `moved` are counted in one stretch of time, the others in the whole diary."""

    appointments: Mapping[str, int]
    moved: int
    double_booked: int
    ring_fenced_used: int


async def figures(connection: AsyncConnection, start: datetime, end: datetime) -> Figures:
    """What the tables hold, counted now: no figure is kept anywhere."""
    counted = await connection.execute(
        select(appointments.c.status, func.count())
        .where(appointments.c.start >= start, appointments.c.start < end)
        .group_by(appointments.c.status)
    )
    by_status: dict[str, int] = dict(counted.all())
    taken = _taken().subquery()
    doubled = select(taken.c.slot).group_by(taken.c.slot).having(func.count() > 1).subquery()
    fenced = (
        select(func.count(taken.c.appointment.distinct()))
        .join(slots, slots.c.slot == taken.c.slot)
        .where(taken.c.move != "", slots.c.kept_for != "anyone")
    )
    return Figures(
        appointments=by_status,
        moved=by_status.get("moved", 0),
        double_booked=await connection.scalar(select(func.count()).select_from(doubled)) or 0,
        ring_fenced_used=await connection.scalar(fenced) or 0,
    )


def _taken() -> Select[Any]:
    """The slots of the appointments that stand. Read from the appointments, not from the table that guards them."""
    return select(
        appointments.c.appointment,
        appointments.c.move,
        func.jsonb_array_elements_text(appointments.c.slots).label("slot"),
    ).where(appointments.c.status.not_in(OFF))
