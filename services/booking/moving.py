"""The rules for a move: one transaction takes the new slot and gives up the old one, or says why not.

A move is never refused with an exception. It was asked for by another service, which is owed an answer.
"""

from datetime import datetime

from services.booking.commands import MoveAppointment
from services.booking.states import Appointment, NotYet, Page, State, released
from shared.events.booking import AppointmentBooked, AppointmentMoved, BookingEvent, MoveRejected, Slot

REBOOKING = "rebooking"
"""Who books what is moved within its practice: nobody who asks has such a code, and the practice sees it anyway."""


def move(old: State, new: State, command: MoveAppointment) -> list[BookingEvent]:
    """The new appointment and the end of the old one, or the rejection; `[]` if this move has had its answer.

    A displaced appointment can be moved as well as one that is booked, and one that came of a move can be moved on. A
    hold whose time is over ends first.
    """
    known = old.appointments.get(command.appointment) if isinstance(old, Page) else None
    if _answered(old, known, command):
        return []
    if known is None:
        return _rejected(command, "The appointment is not in this session")
    slot = new.slots.get(command.to_slot) if isinstance(new, Page) else None
    if not isinstance(new, Page) or slot is None:
        return _rejected(command, "The slot is no longer in the diary")
    if obstacle := _obstacle(known, new, slot, command):
        return _rejected(command, obstacle)
    hold = new.holds.get(new.takers.get(slot.id, ""))
    ended = [released(hold, "given-up", command.now)] if hold else []
    return [*ended, *_moved(known, slot, command)]


def _answered(old: State, known: Appointment | None, command: MoveAppointment) -> bool:
    rejected = isinstance(old, (NotYet, Page)) and command.move in old.rejected
    return rejected or (known is not None and known.move == command.move)


def _obstacle(known: Appointment, new: Page, slot: Slot, command: MoveAppointment) -> str:
    if known.status not in ("booked", "displaced"):
        return f"The appointment is {known.status} already"
    if command.practice not in (known.booked.practice, _home(known)):
        return "The appointment is another practice's"
    if new.practice != (command.to_practice or command.practice):
        return "The slot is at another practice"
    if slot.start != command.to_start:
        return "The slot is at another time than was planned"
    if _taken(new, slot, command.now):
        return "The slot has been taken"
    if slot.kept_for != "anyone":
        return f"The slot is kept for {slot.kept_for}"
    if slot.start <= command.now:
        return "The slot has begun already"
    if slot.minutes < known.booked.minutes:
        return "The slot is shorter than the appointment"
    return ""


def _taken(new: Page, slot: Slot, now: datetime) -> bool:
    taker = new.takers.get(slot.id)
    hold = new.holds.get(taker or "")
    return taker is not None and (hold is None or hold.lasts(now))


def _home(known: Appointment) -> str:
    """The practice whose patient it is: what a move has put at another practice was booked on behalf of this one."""
    before = known.booked
    return before.booked_by if before.move and before.booked_by != REBOOKING else before.practice


def _moved(known: Appointment, slot: Slot, command: MoveAppointment) -> list[BookingEvent]:
    before, home, at = known.booked, _home(known), command.to_practice or command.practice
    after = AppointmentBooked(
        session=command.to_session,
        practice=at,
        appointment=command.to_appointment,
        slots=(slot.id,),
        start=slot.start,
        minutes=slot.minutes,
        patient=before.patient,
        details=before.details,
        textable=before.textable,
        booked_at=command.now,
        priority=before.priority,
        booked_by=REBOOKING if at == home else home,
        replaces=before.appointment,
        move=command.move,
    )
    return [after, _given_up(known, after, command)]


def _given_up(known: Appointment, after: AppointmentBooked, command: MoveAppointment) -> AppointmentMoved:
    before = known.booked
    return AppointmentMoved(
        session=before.session,
        practice=command.practice,
        appointment=before.appointment,
        start=before.start,
        patient=before.patient.id,
        move=command.move,
        outage=command.outage,
        to_appointment=after.appointment,
        to_session=after.session,
        to_slots=after.slots,
        to_start=after.start,
        to_minutes=after.minutes,
        textable=before.textable,
        slots=known.slots,
        to_practice=command.to_practice,
    )


def _rejected(command: MoveAppointment, reason: str) -> list[BookingEvent]:
    return [
        MoveRejected(
            session=command.from_session,
            practice=command.practice,
            appointment=command.appointment,
            move=command.move,
            outage=command.outage,
            reason=reason,
        )
    ]
