"""What a slot, a session or an appointment has been: its versions, folded from the log by booking's own projection.

A version of an appointment has the number of its session's stream, as in the tables. A slot and a session go by the
log's own positions, since what changes them can stand in their practice's stream too: a freeze, a new name. A hold that
has run out frees its slots whether or not anybody has written that down yet; that version goes by the number of the one
before and `.1`, and dates from the instant the hold was to end. A freeze makes a version for those alone whom it keeps
out.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec.structs import asdict
from sqlalchemy import Table

from services.booking.commands import Standing
from services.booking.projections import project
from services.booking.rows import AppointmentRow, SessionRow, SlotRow, SlotStatus
from services.booking.tables import appointments, frozen, occupancy, practices, sessions, slots
from shared.events.envelope import Recorded
from shared.project import Change, Patch, Put, Remove

R = TypeVar("R")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version(Generic[R]):
    """What it was from `at` on, under this number."""

    number: str
    at: datetime
    row: R


def appointment_versions(events: Iterable[Recorded], appointment: str) -> Sequence[Version[AppointmentRow]]:
    """Every version of the appointment, oldest first. `events` are those of its session and practice, in order."""
    diary = _Diary()
    found: list[Version[AppointmentRow]] = []
    for recorded in events:
        diary.fold(recorded)
        row = diary.appointment(appointment)
        if row is None:
            continue
        # What stands beside it (a practice's new name) makes no version of its own.
        if found and found[-1].row.version == row.version:
            found.pop()
        found.append(Version(str(row.version), row.changed_at, row))
    return found


def session_versions(events: Iterable[Recorded], session: str) -> Sequence[Version[SessionRow]]:
    """Every version of the session, oldest first."""
    diary = _Diary()
    found: list[Version[SessionRow]] = []
    for recorded in events:
        diary.fold(recorded)
        _note(found, str(recorded.position), recorded.recorded_at, diary.session(session))
    return found


def slot_versions(
    events: Iterable[Recorded], slot: str, standing: Standing, now: datetime
) -> Sequence[Version[SlotRow]]:
    """Every version of the slot until now, oldest first, as it was to who stands so to its practice."""
    diary = _Diary(standing)
    found: list[Version[SlotRow]] = []
    for recorded in events:
        _note_lapse(found, diary, slot, recorded.recorded_at)
        diary.fold(recorded)
        _note(found, str(recorded.position), recorded.recorded_at, diary.slot(slot, recorded.recorded_at))
    _note_lapse(found, diary, slot, now)
    return found


def _note(found: list[Version[R]], number: str, at: datetime, row: R | None) -> None:
    if row is not None and (not found or found[-1].row != row):
        found.append(Version(number, at, row))


def _note_lapse(found: list[Version[SlotRow]], diary: "_Diary", slot: str, now: datetime) -> None:
    until = diary.held_until(slot)
    if until is not None and until <= now:
        _note(found, f"{found[-1].number}.1", until, diary.slot(slot, until))


class _Diary:
    """Booking's tables, as far as the events of one session and its practice fill them.

    `standing` is that of who looks: a practice can be frozen to some and open to others.
    """

    def __init__(self, standing: Standing = "practice") -> None:
        self._standing = standing
        self._tables: dict[Table, dict[tuple[Any, ...], Row]] = {}

    def fold(self, recorded: Recorded) -> None:
        for change in project(recorded):
            self._apply(change)

    def _apply(self, change: Change) -> None:
        rows = self._tables.setdefault(change.table, {})
        match change:
            case Put(table, put):
                row = asdict(put)
                rows[_key(table, row)] = row
            case Patch(table, key, values):
                if (found := rows.get(_key(table, key))) is not None:
                    found.update(values)
            case Remove(table, key):
                rows.pop(_key(table, key), None)

    def _row(self, table: Table, key: str) -> Row | None:
        return self._tables.get(table, {}).get((key,))

    def _practice_name(self, practice: str) -> str:
        return str((self._row(practices, practice) or {}).get("name", ""))

    def session(self, session: str) -> SessionRow | None:
        row = self._row(sessions, session)
        if row is None:
            return None
        return _of(SessionRow, row | {"practice_name": self._practice_name(row["practice"])})

    def slot(self, slot: str, at: datetime) -> SlotRow | None:
        row = self._row(slots, slot)
        return None if row is None else _of(SlotRow, row | {"status": self._status(row, at)})

    def _status(self, slot: Row, at: datetime) -> SlotStatus:
        taken = self._taken(slot["slot"])
        until = taken["until"] if taken else None
        if taken and (until is None or until > at):
            return "busy" if until is None else "busy-tentative"
        no_bookings = any(self._standing in outage["keeps_out"] for outage in self._tables.get(frozen, {}).values())
        return "busy-unavailable" if slot["withdrawn"] or no_bookings else "free"

    def held_until(self, slot: str) -> datetime | None:
        taken = self._taken(slot)
        return taken["until"] if taken else None

    def _taken(self, slot: str) -> Row | None:
        return next((row for row in self._tables.get(occupancy, {}).values() if row["slot"] == slot), None)

    def appointment(self, appointment: str) -> AppointmentRow | None:
        row = self._row(appointments, appointment)
        if row is None:
            return None
        session, slot = self._row(sessions, row["session"]) or {}, self._row(slots, row["slots"][0]) or {}
        beside = {
            "practice_name": self._practice_name(row["practice"]),
            "session_name": session.get("name", ""),
            **{name: session.get(name, "") for name in ("clinician", "clinician_role", "location")},
            "channel": slot.get("channel", "in-person"),
            "service_type": slot.get("service_type", ""),
        }
        return _of(AppointmentRow, row | beside)


def _key(table: Table, named: Any) -> tuple[Any, ...]:
    return tuple(named[column.name] for column in table.primary_key)


def _of(kind: Callable[..., R], row: Row) -> R:
    return kind(**{field.name: row[field.name] for field in fields(kind)})  # type: ignore[arg-type]
