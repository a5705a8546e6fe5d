"""Booking's API of the past: an appointment or a session as it was at an instant, and an appointment's story."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.guarding import Guard, GuardDep, needs
from services.booking.looking_back import AppointmentThen, SessionThen, appointment_then, session_then
from services.booking.story import read_story
from services.booking.tables import appointments
from shared.events.envelope import Recorded
from shared.http import OperatorOnly, RunningDep
from shared.instants import past_instant
from shared.log import read_streams
from shared.refusals import NotFound
from shared.story import Story

router = APIRouter(prefix="/v1", tags=["looking back"])

At = Annotated[str, Query(description="ISO 8601; without offset, London's. Left out: now.")]


@router.get("/appointments/{id}", dependencies=[needs("Appointment", "r")])
async def look_at_appointment(id: str, service: RunningDep, guard: GuardDep, at: At = "") -> AppointmentThen:
    """The appointment as the log had it at an instant, and what had happened by then but was written down later.

    For its practice, and for operators. Who the patient is, FHIR tells.
    """
    instant = past_instant(at, service.clock.now(), "at")
    async with service.engine.connect() as connection:
        practice, session = await _place(connection, guard, id)
        return appointment_then(await _events(connection, session, practice), id, instant)


@router.get("/sessions/{session}", dependencies=[needs("Schedule", "r")])
async def look_at_session(session: str, service: RunningDep, guard: GuardDep, at: At = "") -> SessionThen:
    """The session as the log had it at an instant, slot by slot, and what was written down of that time later."""
    instant = past_instant(at, service.clock.now(), "at")
    async with service.engine.connect() as connection:
        row = await guard.session(connection, session)
        return session_then(await _events(connection, session, row.practice), session, instant)


@router.get("/appointments/{id}/story", dependencies=[OperatorOnly])
async def tell_story(id: str, service: RunningDep, guard: GuardDep) -> Story:
    """What booking's log says of the appointment and of those it was moved from and to, in words. For operators."""
    async with service.engine.connect() as connection:
        story = await read_story(connection, id)
    if story.events:
        guard.trail(story.events[0].practice)
    return story


async def _place(connection: AsyncConnection, guard: Guard, appointment: str) -> tuple[str, str]:
    """Its practice and session. Raises `NotFound` if there is none, or, in the same words, if it is another's."""
    asked = select(appointments.c.practice, appointments.c.session).where(
        # PostgreSQL would not even look for a NUL character.
        appointments.c.appointment == appointment.replace("\0", " ")
    )
    row = (await connection.execute(asked)).one_or_none()
    if row is None or not guard.caller.belongs_to(row.practice):
        raise NotFound("There is no such appointment", code="unknown-appointment", where="appointment")
    guard.trail(row.practice)
    return row.practice, row.session


async def _events(connection: AsyncConnection, session: str, practice: str) -> list[Recorded]:
    # The log is read through the driver, which wants a transaction: SQLAlchemy's own first statement begins it.
    await connection.execute(select(1))
    return await read_streams(connection, {f"session/{session}": 0, f"practice/{practice}": 0})
