"""The sheet of a lost day: every appointment that an outage takes, and what is known by now of each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.patients import Patients, Person
from services.rebooking.reconciliation import is_same_day
from services.rebooking.tables import appointments, constraints, recoveries, sessions, slots
from services.rebooking.views import Outage, recovery_of, taken_by
from shared.clock import written
from shared.events.rebooking import Evidence, Outcome

_LOST = tuple(appointments.c[name] for name in ("appointment", "practice", "patient", "start", "booked_at"))
_KNOWN = tuple(recoveries.c[name] for name in ("outcome", "evidence", "state"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine(Person):
    """An appointment and its patient. `same_day`: unless somebody accounts for it, it is triage, not to be moved.

    Of one that is not reconciled, everything from `outcome` to `state` is null. `happened_at` is when it became so,
    `typed_at` when `typed_by` wrote that down here.
    """

    appointment: str
    start: str
    minutes: int
    session: str
    clinician: str
    clinician_role: str
    location: str
    channel: str
    service_type: str
    priority: int
    status: str
    same_day: bool
    outcome: Outcome | None
    evidence: Evidence | None
    happened_at: str | None
    typed_at: str | None
    typed_by: str | None
    state: str | None
    constraints: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an outage takes at one practice, in order of time."""

    outage: str
    outage_name: str
    practice: str
    name: str
    as_of: str
    appointments: Sequence[SheetLine]


async def lost_appointments(
    connection: AsyncConnection, outage: Outage, now: datetime, practice: str = ""
) -> Sequence[RowMapping]:
    """The appointments that the outage takes, or takes at this practice: rows that make a `LostAppointment`."""
    found = await connection.execute(
        _of_outage(outage, select(*_LOST, slots.c.kept_for, *_KNOWN))
        .where(*_taken(outage, now, practice))
        .order_by(appointments.c.practice, appointments.c.start, appointments.c.appointment)
    )
    return found.mappings().all()


async def sheet_rows(connection: AsyncConnection, outage: Outage, now: datetime, practice: str) -> Sequence[RowMapping]:
    """The lines of the practice's sheet, still sealed."""
    return (await connection.execute(_lines(outage).where(*_taken(outage, now, practice)))).mappings().all()


def sheet_line(row: RowMapping, known: Patients) -> SheetLine:
    """The line with the patient's name."""
    facts = dict(row)
    person = known.who(facts.pop("patient"), facts.pop("sealed"))
    same_day = is_same_day(facts.pop("kept_for"), facts.pop("booked_at"), facts["start"])
    times = {name: written(facts[name]) for name in ("start", "happened_at", "typed_at") if facts[name]}
    return SheetLine(**{**asdict(person), **facts, **times}, same_day=same_day)


def _taken(outage: Outage, now: datetime, practice: str) -> list[ColumnElement[bool]]:
    return [taken_by(outage, now), *([appointments.c.practice == practice] if practice else [])]


def _of_outage(outage: Outage, wanted: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return wanted.select_from(
        appointments.join(slots, slots.c.slot == appointments.c.slot).outerjoin(recoveries, recovery_of(outage.outage))
    )


def _lines(outage: Outage) -> Select[*tuple[Any, ...]]:
    noted = and_(constraints.c.outage == outage.outage, constraints.c.appointment == appointments.c.appointment)
    listed = select(
        *(appointments.c[name] for name in ("appointment", "patient", "start", "booked_at", "minutes", "priority")),
        *(appointments.c[name] for name in ("status", "sealed")),
        *(slots.c[name] for name in ("kept_for", "channel", "service_type")),
        sessions.c.name.label("session"),
        *(sessions.c[name] for name in ("clinician", "clinician_role", "location")),
        *_KNOWN,
        *(recoveries.c[name] for name in ("happened_at", "typed_at", "typed_by")),
        constraints.c.constraints,
    )
    return (
        _of_outage(outage, listed)
        .join(sessions, sessions.c.session == appointments.c.session)
        .outerjoin(constraints, noted)
        .order_by(appointments.c.start, sessions.c.clinician, appointments.c.appointment)
    )
