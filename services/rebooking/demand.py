"""What there is to reconcile and to plan: the lost appointments, who waits, and which slots are free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.eligibility import FreeSlot, WaitingPatient, Window, window
from services.rebooking.rules import Rules
from services.rebooking.tables import appointments, moves, recoveries, sessions, slots
from services.rebooking.views import Outage, recovery_of, taken_by
from shared.events.rebooking import Outcome
from shared.follow import read_checkpoint

_WAITS = and_(recoveries.c.outcome == "displaced", recoveries.c.state.in_(("displaced", "planned", "refused")))
"""Displaced, and booking has not been asked for a place, or has said no."""

PROMISED = select(moves.c.to_slot).where(moves.c.state == "requested")
"""The slots that booking has been asked for, by whatever recovery, and has not given or refused."""

_BECAME: Mapping[str, Outcome] = {
    "fulfilled": "attended",
    "missed": "missed",
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
    "rescheduled": "rescheduled",
    "moved": "rescheduled",
}
"""The outcome of an appointment that in the diary is over."""


@dataclass(frozen=True, slots=True)
class Diary:
    """All that a plan is made from, as one moment shows it. Rows are made into objects only where they are used."""

    read_position: int
    waiting: Sequence[RowMapping]
    free: Sequence[RowMapping]

    def patients(self) -> list[WaitingPatient]:
        return [WaitingPatient(**row) for row in self.waiting]

    def slots(self) -> list[FreeSlot]:
        return [FreeSlot(**row) for row in self.free]


async def lost_appointments(connection: AsyncConnection, outage: Outage, now: datetime) -> Sequence[RowMapping]:
    """The appointments that the outage takes, with what is known of each: rows that make a `LostAppointment`."""
    found = await connection.execute(
        select(
            appointments.c.appointment,
            appointments.c.practice,
            appointments.c.patient,
            appointments.c.start,
            appointments.c.booked_at,
            slots.c.kept_for,
            recoveries.c.outcome,
            recoveries.c.evidence,
            recoveries.c.state,
        )
        .select_from(
            appointments.join(slots, slots.c.slot == appointments.c.slot).outerjoin(
                recoveries, recovery_of(outage.outage)
            )
        )
        .where(taken_by(outage, now))
        .order_by(appointments.c.practice, appointments.c.start, appointments.c.appointment)
    )
    return found.mappings().all()


async def read_diary(connection: AsyncConnection, outage: str, rules: Rules, now: datetime) -> Diary:
    """Who waits and what is free. The connection must see one moment (repeatable read)."""
    followed = (await read_checkpoint(connection)).followed
    waiting = (await connection.execute(_waiting(outage))).mappings().all()
    wanted = sorted({row["practice"] for row in waiting})
    within = window(rules, now, [row["start"] for row in waiting])
    free = (await connection.execute(_free(wanted, rules, within))).mappings().all()
    return Diary(followed.get("booking", 0), waiting, free)


async def became_of(connection: AsyncConnection, asked: Sequence[str]) -> Mapping[str, Outcome]:
    """Of these appointments, what became of those that are over."""
    if not asked:
        return {}
    found = await connection.execute(
        select(appointments.c.appointment, appointments.c.status).where(
            appointments.c.appointment.in_(asked), appointments.c.status.in_(_BECAME)
        )
    )
    return {row.appointment: _BECAME[row.status] for row in found}


async def waiting_for(connection: AsyncConnection, asked: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
    """In which recoveries, as outage and practice, somebody waits for another time than these appointments'."""
    if not asked:
        return {}
    found = await connection.execute(
        select(recoveries.c.appointment, recoveries.c.outage, recoveries.c.practice).where(
            recoveries.c.appointment.in_(asked), _WAITS
        )
    )
    waiting: dict[str, set[tuple[str, str]]] = {}
    for appointment, outage, practice in found:
        waiting.setdefault(appointment, set()).add((outage, practice))
    return waiting


def _waiting(outage: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            recoveries.c.appointment,
            recoveries.c.patient,
            recoveries.c.practice,
            appointments.c.session,
            appointments.c.start,
            appointments.c.minutes,
            appointments.c.priority,
            appointments.c.status,
            slots.c.channel,
            sessions.c.clinician,
            sessions.c.clinician_role,
        )
        .join(appointments, appointments.c.appointment == recoveries.c.appointment)
        .join(sessions, sessions.c.session == appointments.c.session)
        .join(slots, slots.c.slot == appointments.c.slot)
        .where(recoveries.c.outage == outage, _WAITS)
    )


def _free(practices: Sequence[str], rules: Rules, within: Window) -> Select[*tuple[Any, ...]]:
    return (
        select(
            slots.c.slot,
            slots.c.session,
            slots.c.practice,
            slots.c.start,
            slots.c.minutes,
            slots.c.channel,
            sessions.c.clinician,
            sessions.c.clinician_role,
        )
        .join(sessions, sessions.c.session == slots.c.session)
        .where(
            slots.c.practice.in_(practices),
            slots.c.start >= within.earliest,
            slots.c.start < within.latest,
            slots.c.appointment.is_(None),
            slots.c.withdrawn.is_(False),
            slots.c.kept_for.not_in(sorted(rules.never_used)),
            slots.c.slot.not_in(PROMISED),
        )
    )
