"""What is read from booking's tables: each answer in one query, as rows that cannot change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.rows import AppointmentRow, PracticeRow, SessionRow
from services.booking.tables import appointments, frozen, practices, sessions, slots


async def all_practices(connection: AsyncConnection) -> list[PracticeRow]:
    """Every practice, by name."""
    frozen_now = exists().where(frozen.c.practice == practices.c.practice).label("frozen")
    found = await connection.execute(select(practices, frozen_now).order_by(practices.c.name, practices.c.practice))
    return [PracticeRow(**row) for row in found.mappings()]


async def session_rows(connection: AsyncConnection, ids: Collection[str]) -> list[SessionRow]:
    """These sessions, by start."""
    found = await connection.execute(
        select(sessions, practices.c.name.label("practice_name"))
        .join(practices, practices.c.practice == sessions.c.practice)
        .where(sessions.c.session.in_(ids))
        .order_by(sessions.c.start, sessions.c.session)
    )
    return [SessionRow(**row) for row in found.mappings()]


async def appointment_row(connection: AsyncConnection, appointment: str) -> AppointmentRow | None:
    """One appointment."""
    found = await connection.execute(_appointments().where(appointments.c.appointment == appointment))
    row = found.mappings().one_or_none()
    return None if row is None else AppointmentRow(**row)


async def day_list(connection: AsyncConnection, practice: str, start: datetime, end: datetime) -> list[AppointmentRow]:
    """The practice's appointments that start in this stretch and have not been called off, in order of time."""
    found = await connection.execute(
        _appointments()
        .where(appointments.c.practice == practice, appointments.c.start >= start, appointments.c.start < end)
        .where(appointments.c.status.not_in(("cancelled", "moved")))
        .order_by(appointments.c.start, sessions.c.clinician, appointments.c.appointment)
    )
    return [AppointmentRow(**row) for row in found.mappings()]


async def sessions_of(connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, str]:
    """The session each of these appointments is in; one that is unknown is left out."""
    found = await connection.execute(
        select(appointments.c.appointment, appointments.c.session).where(appointments.c.appointment.in_(ids))
    )
    return dict(found.all())


def _appointments() -> Select[Any]:
    """Columns by the names of `AppointmentRow`."""
    first_slot = appointments.c.slots[cast(0, Integer)].astext
    named = {
        "practice_name": practices.c.name,
        "session_name": sessions.c.name,
        "clinician": sessions.c.clinician,
        "clinician_role": sessions.c.clinician_role,
        "location": sessions.c.location,
        "channel": slots.c.channel,
        "service_type": slots.c.service_type,
    }
    own = (appointments.c[field.name] for field in fields(AppointmentRow) if field.name not in named)
    return (
        select(*own, *(column.label(name) for name, column in named.items()))
        .join(sessions, sessions.c.session == appointments.c.session)
        .join(practices, practices.c.practice == appointments.c.practice)
        .join(slots, slots.c.slot == first_slot)
    )


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
    ).where(appointments.c.status.not_in(("cancelled", "moved")))
