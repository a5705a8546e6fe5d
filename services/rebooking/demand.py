"""What there is to reconcile and to plan: the lost appointments, who waits, and which slots are free."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import demand_rows
from services.rebooking.eligibility import UNCONSTRAINED, FreeSlot, WaitingPatient, window
from services.rebooking.rules import Rules
from services.rebooking.tables import appointments, recoveries
from shared.checkpoint import read_checkpoint
from shared.clock import london_date
from shared.database import among
from shared.events.rebooking import Constraints, Outcome

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
    """All that a plan is made from, as one moment shows it. Rows are made into objects only where they are used: their
    columns stand in the order of the objects' fields.

    `given` is how many slots of a practice and day the recovery has given away already.
    """

    read_position: int
    waiting: Sequence[Row[*tuple[Any, ...]]]
    free: Sequence[Row[*tuple[Any, ...]]]
    given: Mapping[tuple[str, date], int]

    def patients(self) -> list[WaitingPatient]:
        return [_patient(row) for row in self.waiting]

    def slots(self) -> list[FreeSlot]:
        free = [FreeSlot(*row) for row in self.free]
        if not self.given:
            return free
        return [replace(slot, given=self.given.get((slot.practice, london_date(slot.start)), 0)) for slot in free]


def _patient(row: Row[*tuple[Any, ...]]) -> WaitingPatient:
    patient = WaitingPatient(*row)
    constraints = msgspec.convert(patient.constraints, Constraints) if patient.constraints else UNCONSTRAINED
    return replace(patient, declined=tuple(patient.declined or ()), constraints=constraints)


async def read_diary(
    connection: AsyncConnection, outage: str, rules: Rules, now: datetime, practices: Collection[str] = ()
) -> Diary:
    """Who waits and what is free, of these practices only if any are named.

    The connection must see one moment (repeatable read).
    """
    followed = (await read_checkpoint(connection)).followed
    waiting = (await connection.execute(demand_rows.waiting(outage, rules, now, practices))).all()
    wanted = sorted({shared for row in waiting for shared in rules.open_to(row.practice)})
    within = window(rules, now, [row.start for row in waiting])
    taken = demand_rows.spoken_for(outage, now, practices)
    free = (await connection.execute(demand_rows.free(wanted, rules, within, taken))).all()
    given = await connection.execute(demand_rows.given(outage))
    return Diary(followed.get("booking", 0), waiting, free, {(at, on): number for at, on, number in given})


async def became_of(connection: AsyncConnection, asked: Sequence[str]) -> Mapping[str, Outcome]:
    """Of these appointments, what became of those that are over."""
    if not asked:
        return {}
    found = await connection.execute(
        select(appointments.c.appointment, appointments.c.status).where(
            among(appointments.c.appointment, asked), appointments.c.status.in_(_BECAME)
        )
    )
    return {row.appointment: _BECAME[row.status] for row in found}


async def waiting_for(connection: AsyncConnection, asked: Sequence[str]) -> dict[str, set[tuple[str, str]]]:
    """In which recoveries, as outage and practice, somebody waits for another time than these appointments'."""
    if not asked:
        return {}
    found = await connection.execute(
        select(recoveries.c.appointment, recoveries.c.outage, recoveries.c.practice).where(
            among(recoveries.c.appointment, asked), demand_rows.WAITS
        )
    )
    waiting: dict[str, set[tuple[str, str]]] = {}
    for appointment, outage, practice in found:
        waiting.setdefault(appointment, set()).add((outage, practice))
    return waiting
