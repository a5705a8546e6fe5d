"""The rules for a hold: slots kept a few minutes for somebody who is about to book them."""

from datetime import datetime, timedelta

from services.booking.changing import changed_since, check_version, unknown_appointment
from services.booking.commands import ConfirmHold, ExpireHolds, HoldSlots, ReleaseHold
from services.booking.states import Hold, Page, Practice, State, released
from services.booking.taking import check_not_kept_out, check_times, diary, make_way, minutes_of, visible
from shared.events.booking import AppointmentBooked, BookingEvent, SlotsHeld
from shared.refusals import Conflict, Refusal

LONGEST_HOLD = timedelta(minutes=30)


def hold(practice: State, page: State, command: HoldSlots) -> list[BookingEvent]:
    """The hold, until the instant asked for or the start of its slots; who may hold is who may book."""
    practice, page = diary(practice, page, command.practice)
    if command.appointment in page.holds or command.appointment in page.appointments:
        return []
    slots = visible(practice, page, command.slots, command.asker, command.now)
    check_times(slots, command.start, command.end)
    _check_until(command.until, command.now)
    ended = make_way(practice, page, slots, command.asker, command.now)
    held = SlotsHeld(
        session=command.session,
        practice=page.practice,
        appointment=command.appointment,
        slots=command.slots,
        start=slots[0].start,
        minutes=minutes_of(slots),
        until=min(command.until, slots[0].start),
        held_at=command.now,
        held_by=command.asker.organisation,
    )
    return [*ended, held]


def confirm(practice: State, page: State, command: ConfirmHold) -> list[BookingEvent]:
    """The appointment that comes of the hold; only whoever holds it can confirm it, and once is enough."""
    if not isinstance(page, Page) or not isinstance(practice, Practice) or page.practice != command.practice:
        raise unknown_appointment()
    if _confirmed_before(page, command):
        return []
    hold = page.holds.get(command.appointment)
    if hold is None or hold.held.held_by != command.asker.organisation:
        raise unknown_appointment()
    if not hold.lasts(command.now):
        raise Conflict(
            "The hold is over, and its slots are free for others; book them anew if they still are",
            code="hold-expired",
            where="Appointment.status",
        )
    check_version(hold.version, command.version)
    check_not_kept_out(practice, command.asker)
    return [_booked(hold.held, command)]


def release(page: State, command: ReleaseHold) -> list[BookingEvent]:
    """The end of the hold; nothing if it is over already."""
    hold = _hold(page, command.appointment)
    if hold.released:
        return []
    check_version(hold.version, command.version)
    return [released(hold, "given-up", command.now)]


def expire(page: State, command: ExpireHolds) -> list[BookingEvent]:
    """The end of every hold of the page whose time is over."""
    if not isinstance(page, Page):
        return []
    over = (hold for hold in page.holds.values() if not hold.released and not hold.lasts(command.now))
    return [released(hold, "given-up", command.now) for hold in over]


def _check_until(until: datetime, now: datetime) -> None:
    if until <= now:
        raise Refusal("The hold would be over already", code="hold-in-the-past", where="until")
    if until > now + LONGEST_HOLD:
        minutes = LONGEST_HOLD // timedelta(minutes=1)
        raise Refusal(f"Slots are held for {minutes} minutes at most", code="hold-too-long", where="until")


def _confirmed_before(page: Page, command: ConfirmHold) -> bool:
    """Raises `Conflict` if it was confirmed for another patient, or if more than that has happened since."""
    known = page.appointments.get(command.appointment)
    if known is None:
        return False
    if known.booked.booked_by != command.asker.organisation:
        raise unknown_appointment()
    if known.status != "booked" or known.booked.patient.id != command.patient.id:
        raise changed_since()
    return True


def _hold(page: State, appointment: str) -> Hold:
    """Raises `NotFound` if there never was such a hold, and `Conflict` if it has been booked meanwhile."""
    if isinstance(page, Page) and appointment in page.holds:
        return page.holds[appointment]
    if isinstance(page, Page) and appointment in page.appointments:
        raise changed_since()
    raise unknown_appointment()


def _booked(held: SlotsHeld, command: ConfirmHold) -> AppointmentBooked:
    return AppointmentBooked(
        session=held.session,
        practice=held.practice,
        appointment=held.appointment,
        slots=held.slots,
        start=held.start,
        minutes=held.minutes,
        patient=command.patient,
        details=command.details,
        textable=command.textable,
        booked_at=command.now,
        priority=command.priority,
        booked_by=command.asker.organisation,
        identifier=command.identifier,
        booked_by_name=command.asker.name,
        booked_by_telephone=command.asker.telephone,
    )
