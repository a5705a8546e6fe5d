"""What booking does when rebooking speaks: freezes and reopens practices, makes moves, writes down who was seen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.commands import (
    BookingCommand,
    DeclineAppointment,
    FreezePractice,
    MoveAppointment,
    Outcome,
    ReopenPractice,
    SettleAppointment,
)
from services.booking.views import sessions_of
from shared.events.base import Event
from shared.events.envelope import Recorded
from shared.events.rebooking import (
    AppointmentReconciled,
    CancellationRequested,
    InflowChanged,
    MoveRequested,
    OfferDeclined,
    OutageDeclared,
    OutageEnded,
)
from shared.ids import derived_id
from shared.service import Reaction, Running

WANTS: frozenset[type[Event]] = frozenset(
    {
        OutageDeclared,
        InflowChanged,
        OutageEnded,
        MoveRequested,
        AppointmentReconciled,
        OfferDeclined,
        CancellationRequested,
    }
)

_SETTLED: Mapping[str, Outcome] = {
    "attended": "attended",
    "missed": "missed",
    "cancelled": "cancelled",
    "elsewhere": "elsewhere",
}
"""The outcomes that end an appointment; a displaced one still waits, and triage is for a clinician."""


async def react(service: Running, connection: AsyncConnection, batch: Sequence[Recorded]) -> Sequence[Reaction]:
    """One command for each thing that was asked, each harmless when repeated."""
    now = service.clock.now()
    sessions = await sessions_of(connection, {id for recorded in batch for id in _appointments(recorded)})
    return [Reaction(command, recorded) for recorded in batch for command in _commands(recorded, sessions, now)]


def _appointments(recorded: Recorded) -> Iterator[str]:
    """The appointments whose session has to be looked up."""
    match recorded.event:
        case AppointmentReconciled(appointment=appointment, outcome=outcome) if outcome in _SETTLED:
            yield appointment
        case OfferDeclined(move=move, wish="cancel"):
            yield moved_to(move)
        case CancellationRequested(appointment=appointment):
            yield appointment
        case _:
            pass


def _commands(recorded: Recorded, sessions: Mapping[str, str], now: datetime) -> Iterator[BookingCommand]:
    match recorded.event:
        case OutageDeclared(outage=outage, practices=practices, ended_at=ended_at, kind="outage", keeps_out=keeps_out):
            yield from (FreezePractice(practice, outage, keeps_out) for practice in practices)
            if ended_at is not None and ended_at <= now:
                yield from (ReopenPractice(practice, outage) for practice in practices)
        case InflowChanged(outage=outage, practices=practices, keeps_out=keeps_out):
            yield from (FreezePractice(practice, outage, keeps_out) for practice in practices)
        case OutageEnded(outage=outage, practices=practices):
            yield from (ReopenPractice(practice, outage) for practice in practices)
        case MoveRequested() as requested:
            yield _move(requested, now)
        case AppointmentReconciled(appointment=appointment, outcome=outcome) if (
            outcome in _SETTLED and appointment in sessions
        ):
            yield SettleAppointment(sessions[appointment], appointment, _SETTLED[outcome])
        case OfferDeclined(move=move, wish="cancel") if moved_to(move) in sessions:
            yield DeclineAppointment(sessions[moved_to(move)], moved_to(move), now)
        case CancellationRequested(appointment=appointment) if appointment in sessions:
            yield DeclineAppointment(sessions[appointment], appointment, now)
        case _:
            pass


def _move(requested: MoveRequested, now: datetime) -> MoveAppointment:
    return MoveAppointment(
        move=requested.move,
        outage=requested.outage,
        practice=requested.practice,
        appointment=requested.standing or requested.appointment,
        from_session=requested.from_session,
        to_session=requested.to_session,
        to_slot=requested.to_slot,
        to_start=requested.to_start,
        to_appointment=moved_to(requested.move),
        now=now,
        to_practice=requested.to_practice,
    )


def moved_to(move: str) -> str:
    """The id of the appointment a move makes."""
    return derived_id("appointment", move)
