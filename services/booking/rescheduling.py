"""The rules for rescheduling: the patient gets other slots and gives back the old ones, in one transaction."""

from collections.abc import Sequence

from services.booking.changing import appointment_on, check_version, not_booked, too_late, unknown_appointment
from services.booking.commands import RescheduleAppointment
from services.booking.states import Appointment, Page, State, cancelled
from services.booking.taking import asked_before, diary, make_way, minutes_of, visible
from shared.events.booking import AppointmentBooked, BookingEvent, Slot


def reschedule(practice: State, old: State, new: State, command: RescheduleAppointment) -> list[BookingEvent]:
    """The end of the old appointment, then the new one: whoever folds them in order has each slot with its taker.

    The old one's own slots are in nobody's way. The new one belongs to whoever booked the old one.
    """
    if isinstance(new, Page) and asked_before(new, command.to_appointment, command.once):
        return []
    known = _leaving(old, command)
    practice, page = diary(practice, new, command.practice)
    slots = visible(practice, page, command.to_slots, command.asker, command.now)
    leaving = command.appointment if command.from_session == command.to_session else ""
    ended = make_way(practice, page, slots, command.asker, command.now, leaving)
    given_up = cancelled(known, command.cancelled_by, command.reason, replaced_by=command.to_appointment)
    return [*ended, given_up, _booked(known, slots, command)]


def _leaving(old: State, command: RescheduleAppointment) -> Appointment:
    known = appointment_on(old, command.appointment)
    if known.booked.practice != command.practice:
        raise unknown_appointment()
    check_version(known.version, command.version)
    if known.status not in ("booked", "displaced"):
        raise not_booked(known, "rescheduled")
    if known.status == "booked" and known.booked.start <= command.now:
        raise too_late("reschedule")
    return known


def _booked(known: Appointment, slots: Sequence[Slot], command: RescheduleAppointment) -> AppointmentBooked:
    before = known.booked
    return AppointmentBooked(
        session=command.to_session,
        practice=before.practice,
        appointment=command.to_appointment,
        slots=command.to_slots,
        start=slots[0].start,
        minutes=minutes_of(slots),
        patient=before.patient,
        details=before.details,
        textable=before.textable,
        booked_at=command.now,
        priority=before.priority,
        booked_by=before.booked_by,
        replaces=before.appointment,
        booked_by_name=before.booked_by_name,
        booked_by_telephone=before.booked_by_telephone,
        once=command.once,
    )
