"""The call list of a practice: whom to telephone and why, what to tell them, and what came of each try."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.patients import Patients, Person
from services.rebooking.tables import appointments, call_attempts, calls, moves, practices, recoveries, sessions, slots
from shared.clock import in_london, written
from shared.events.rebooking import CallOutcome
from shared.seal import Details

IN_WORDS: Mapping[CallOutcome, str] = {
    "keeps": "keeps the new time",
    "another-time": "wants another time",
    "cancels": "needs no appointment",
    "settled": "settled otherwise",
    "no-answer": "no answer",
    "left-message": "left a message",
    "wrong-number": "wrong number",
}
"""What can come of a call, for people."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that was made. The note is empty if none was taken, or the patient has been erased."""

    made_at: str
    made_by: str
    outcome: CallOutcome
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientToCall(Person):
    """A patient to telephone. `was` and `new_time` are in words, as one would say them; without a new time it is empty.

    `claimed_by` is whoever has taken the call on, until `claimed_until`; null if nobody has.
    """

    appointment: str
    reason: str
    needed_at: str
    state: str
    wish: str
    was: str
    new_time: str
    new_start: str | None
    claimed_by: str | None
    claimed_until: str | None
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class CallList:
    """Whom a practice is to telephone: whoever has a new time comes first, the nearest before the others."""

    outage: str
    outage_name: str
    practice: str
    name: str
    as_of: str
    calls: Sequence[PatientToCall]


@dataclass(frozen=True, slots=True)
class CallRows:
    """What the list is made of, still sealed; the attempts by appointment."""

    calls: Sequence[RowMapping]
    attempts: Mapping[str, Sequence[RowMapping]]

    @property
    def patients(self) -> set[str]:
        return {row["patient"] for row in self.calls}


async def call_rows(connection: AsyncConnection, outage: str, practice: str, appointment: str = "") -> CallRows:
    """The calls that are needed of this practice; with `appointment`, that one alone, needed or made."""
    wanted = calls.c.appointment == appointment if appointment else NEEDED
    found = await connection.execute(_CALLS.where(calls.c.outage == outage, calls.c.practice == practice, wanted))
    made = await connection.execute(
        select(call_attempts)
        .where(call_attempts.c.outage == outage, call_attempts.c.practice == practice)
        .order_by(call_attempts.c.version)
    )
    attempts: defaultdict[str, list[RowMapping]] = defaultdict(list)
    for attempt in made.mappings():
        attempts[attempt["appointment"]].append(attempt)
    return CallRows(found.mappings().all(), attempts)


def to_call(rows: CallRows, known: Patients, now: datetime) -> list[PatientToCall]:
    """The calls with the patients' names, and what was noted of them."""
    return [_call(row, rows.attempts.get(row["appointment"], ()), known, now) for row in rows.calls]


def _call(row: RowMapping, attempts: Sequence[RowMapping], known: Patients, now: datetime) -> PatientToCall:
    patient = row["patient"]
    claimed_until = row["claimed_until"] if row["claimed_until"] and row["claimed_until"] > now else None
    return PatientToCall(
        **asdict(known.who(patient, row["sealed"])),
        **{name: row[name] for name in ("appointment", "reason", "state", "wish")},
        needed_at=written(row["needed_at"]),
        was=in_words(row["start"]),
        new_time=_new_time(row),
        new_start=written(row["to_start"]) if row["to_start"] else None,
        claimed_by=row["claimed_by"] if claimed_until else None,
        claimed_until=written(claimed_until) if claimed_until else None,
        attempts=[_attempt(attempt, patient, known) for attempt in attempts],
    )


def _attempt(row: RowMapping, patient: str, known: Patients) -> Attempt:
    details = known.read(patient, row["note"], Details)
    return Attempt(written(row["made_at"]), row["made_by"], row["outcome"], details.comment if details else "")


def in_words(instant: datetime) -> str:
    """The time in London as one would say it on the telephone."""
    return f"{in_london(instant):%A %-d %B at %H:%M}"


_BY: Mapping[str, str] = {"telephone": ", by telephone", "video": ", by video", "home": ", at home"}


def _new_time(row: RowMapping) -> str:
    """When, with whom and how; a new time that has been given up since is said to be."""
    if row["to_start"] is None:
        return ""
    said = f"{in_words(row['to_start'])} with {row['clinician']}{_BY.get(row['channel'], '')}"
    said += f", at {row['to_practice_name']}" if row["to_practice_name"] else ""
    since = _SINCE.get(row["new_status"] or "")
    return f"{said} ({since} since: look in the diary)" if since else said


_SINCE: Mapping[str, str] = {
    "cancelled": "cancelled",
    "entered-in-error": "cancelled",
    "displaced": "withdrawn",
    "rescheduled": "changed",
    "moved": "changed",
}
"""What has become of a new time that stands no longer."""

RECOVERED = and_(recoveries.c.outage == calls.c.outage, recoveries.c.appointment == calls.c.appointment)
"""Joins a call to the row of its appointment in `recoveries`."""

NEEDED = and_(calls.c.state == "needed", recoveries.c.outcome == "displaced")
"""Whoever left the recovery after all needs no call from it."""

_STANDS = appointments.alias("stands")
_MOVED = and_(
    moves.c.outage == recoveries.c.outage,
    moves.c.appointment == recoveries.c.appointment,
    moves.c.to_appointment == recoveries.c.standing,
    recoveries.c.standing != "",
)
"""The move that led to the newest appointment."""


def _calls() -> Any:
    return (
        select(
            *(calls.c[name] for name in ("appointment", "patient", "reason", "needed_at", "state")),
            *(calls.c[name] for name in ("claimed_by", "claimed_until")),
            recoveries.c.wish,
            *(appointments.c[name] for name in ("sealed", "start")),
            moves.c.to_start,
            sessions.c.clinician,
            slots.c.channel,
            practices.c.name.label("to_practice_name"),
            _STANDS.c.status.label("new_status"),
        )
        .join(recoveries, RECOVERED)
        .join(appointments, appointments.c.appointment == calls.c.appointment)
        .outerjoin(moves, _MOVED)
        .outerjoin(sessions, sessions.c.session == moves.c.to_session)
        .outerjoin(slots, slots.c.slot == moves.c.to_slot)
        .outerjoin(practices, practices.c.practice == func.nullif(moves.c.to_practice, ""))
        .outerjoin(_STANDS, _STANDS.c.appointment == recoveries.c.standing)
        .order_by(
            moves.c.to_start.nulls_last(),
            func.nullif(appointments.c.priority, 0).nulls_last(),
            calls.c.needed_at,
            calls.c.appointment,
        )
    )


_CALLS = _calls()
