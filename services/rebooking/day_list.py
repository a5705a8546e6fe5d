"""The day list, from rebooking's own copy of the diary: there to be read while booking is down, or frozen."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import RowMapping, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.patients import Patients
from services.rebooking.tables import appointments, sessions, slots
from shared.clock import LONDON, london_date, written
from shared.events.booking import Channel, KeptFor


@dataclass(frozen=True, slots=True)
class ListedSlot:
    """A slot, and who has it. `status` is free, held, withdrawn, or how the appointment stands (booked, arrived, …).

    Of a slot without a patient, everything from `appointment` on is null. An erased patient has empty names.
    """

    start: str
    minutes: int
    channel: Channel
    service_type: str
    kept_for: KeptFor
    status: str
    appointment: str | None = None
    nhs_number: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    birth_date: str | None = None
    telephone: str | None = None
    priority: int | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class ListedSession:
    """One clinician's list. An appointment that takes several slots stands once, as long as all of them."""

    session: str
    name: str
    clinician: str
    clinician_role: str
    location: str
    slots: Sequence[ListedSlot]


@dataclass(frozen=True, slots=True)
class Day:
    """A day in London."""

    date: date
    sessions: Sequence[ListedSession]


@dataclass(frozen=True, slots=True)
class DayList:
    """The sessions of a practice, day by day. `as_of` is when the list was made."""

    practice: str
    name: str
    as_of: str
    days: Sequence[Day]


async def listed_rows(connection: AsyncConnection, practice: str, first: date, days: int) -> Sequence[RowMapping]:
    """The practice's slots of these days with their sessions and patients, still sealed, in order of time."""
    since, until = (datetime.combine(first + timedelta(days=end), time(), LONDON) for end in (0, days))
    found = await connection.execute(
        select(
            *(slots.c[name] for name in ("session", "start", "channel", "service_type", "kept_for", "withdrawn")),
            slots.c.appointment.label("taken_by"),
            slots.c.minutes.label("slot_minutes"),
            *(sessions.c[name] for name in ("name", "clinician", "clinician_role", "location")),
            *(appointments.c[name] for name in ("appointment", "minutes", "patient", "sealed", "status", "priority")),
        )
        .select_from(
            slots.join(sessions, sessions.c.session == slots.c.session).outerjoin(
                appointments, appointments.c.appointment == slots.c.appointment
            )
        )
        .where(
            and_(slots.c.practice == practice, slots.c.start >= since, slots.c.start < until),
            or_(appointments.c.slot.is_(None), appointments.c.slot == slots.c.slot),
        )
        .order_by(slots.c.start, sessions.c.clinician, slots.c.slot)
    )
    return found.mappings().all()


def day_by_day(rows: Iterable[RowMapping], known: Patients, first: date, days: int) -> list[Day]:
    """The rows as days, each with its sessions in the order in which they begin."""
    sheets: dict[date, defaultdict[str, list[RowMapping]]] = {
        first + timedelta(days=number): defaultdict(list) for number in range(days)
    }
    for row in rows:
        sheets[london_date(row["start"])][row["session"]].append(row)
    return [Day(day, [_session(lines, known) for lines in of_day.values()]) for day, of_day in sheets.items()]


def _session(lines: Sequence[RowMapping], known: Patients) -> ListedSession:
    facts = {name: lines[0][name] for name in ("session", "name", "clinician", "clinician_role", "location")}
    return ListedSession(**facts, slots=[_slot(row, known) for row in lines])


def _slot(row: RowMapping, known: Patients) -> ListedSlot:
    facts = {name: row[name] for name in ("channel", "service_type", "kept_for")}
    if row["appointment"] is None:
        status = "held" if row["taken_by"] else "withdrawn" if row["withdrawn"] else "free"
        return ListedSlot(written(row["start"]), row["slot_minutes"], **facts, status=status)
    return ListedSlot(
        written(row["start"]),
        row["minutes"],
        **facts,
        **{name: row[name] for name in ("status", "appointment", "priority")},
        **asdict(known.who(row["patient"], row["sealed"])),
    )
