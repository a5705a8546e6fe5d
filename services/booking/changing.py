"""The rules for what becomes of an appointment: amended, cancelled, marked on its day, settled after a lost one."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from services.booking.commands import (
    AmendAppointment,
    CancelAppointment,
    DeclineAppointment,
    Mark,
    MarkAppointment,
    SettleAppointment,
    Status,
)
from services.booking.states import Appointment, Page, State, cancelled
from shared.clock import london_date
from shared.events.booking import (
    AppointmentAmended,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    BookingEvent,
    PatientArrived,
)
from shared.refusals import Conflict, NotFound, Refusal

_RESULT: Mapping[Mark, Status] = {
    "arrived": "arrived",
    "fulfilled": "fulfilled",
    "noshow": "noshow",
    "entered-in-error": "entered-in-error",
}
_MARKED_FROM: Mapping[Mark, AbstractSet[Status]] = {
    "arrived": {"booked", "noshow"},
    "fulfilled": {"booked", "arrived", "noshow"},
    "noshow": {"booked", "arrived"},
    "entered-in-error": {"booked", "arrived", "fulfilled", "noshow", "displaced"},
}
"""Which standings each mark can follow. Who was taken for missed may turn up after all."""


def amend(page: State, command: AmendAppointment) -> list[BookingEvent]:
    """The new text of an appointment to come."""
    known = appointment_on(page, command.appointment)
    check_version(known.version, command.version)
    if known.status != "booked":
        raise not_booked(known, "amended")
    if known.booked.start <= command.now:
        raise too_late("amend")
    if known.booked.details == command.details:
        return []
    booked = known.booked
    return [
        AppointmentAmended(
            session=booked.session,
            practice=booked.practice,
            appointment=booked.appointment,
            details=command.details,
        )
    ]


def cancel(page: State, command: CancelAppointment) -> list[BookingEvent]:
    """The end of an appointment to come, or of one that was displaced, whenever that would have been."""
    known = appointment_on(page, command.appointment)
    if known.status == "cancelled":
        return []
    check_version(known.version, command.version)
    if not known.owed:
        raise not_booked(known, "cancelled")
    if known.to_come and known.booked.start <= command.now:
        raise too_late("cancel")
    return [cancelled(known, command.cancelled_by, command.reason)]


def mark(page: State, command: MarkAppointment) -> list[BookingEvent]:
    """What the practice saw: that the patient came, was seen, or did not come; or that the entry was a mistake."""
    known = appointment_on(page, command.appointment)
    if known.status == _RESULT[command.mark]:
        return []
    check_version(known.version, command.version)
    if known.status not in _MARKED_FROM[command.mark]:
        raise not_booked(known, f"marked {command.mark}")
    _check_time(known, command)
    return [_marked(known, command.mark)]


def settle(page: State, command: SettleAppointment) -> list[BookingEvent]:
    """What became of an appointment of a lost day; what has ended otherwise stays as it is.

    Seen elsewhere is neither seen here nor missed: the patient made the appointment needless. HL7 has no reason for
    that. `pat`, the patient's own with nothing added, is the one that says nothing untrue.
    """
    known = _found(page, command.appointment)
    if known is None or not known.owed:
        return []
    match command.outcome:
        case "attended":
            return [_marked(known, "fulfilled")]
        case "missed":
            return [_marked(known, "noshow")]
        case "cancelled":
            return [cancelled(known, "practice", "other")]
        case "elsewhere":
            return [cancelled(known, "patient", "pat")]


def decline(page: State, command: DeclineAppointment) -> list[BookingEvent]:
    """An answer that comes once the appointment has begun cancels nothing: whether the patient came is seen there."""
    known = _found(page, command.appointment)
    if known is None or not known.owed or (known.to_come and known.booked.start <= command.now):
        return []
    return [cancelled(known, "patient", "pat")]


def appointment_on(page: State, appointment: str) -> Appointment:
    """Raises `NotFound` if the page has no such appointment, and `Refusal` if nobody was ever booked in it."""
    known = _found(page, appointment)
    if known is not None:
        return known
    if isinstance(page, Page) and appointment in page.holds:
        raise Refusal("Slots were held, but nobody has been booked into them", code="not-booked", where="status")
    raise unknown_appointment()


def check_version(newest: int, seen: int) -> None:
    """Raises `Conflict` if whoever asks has not seen the newest version."""
    if newest != seen:
        raise changed_since()


def changed_since() -> Conflict:
    """To whoever would change what has changed meanwhile."""
    return Conflict(
        "The appointment has changed since you read it; read it again", code="version-mismatch", where="If-Match"
    )


def unknown_appointment() -> NotFound:
    """To whoever names an appointment that is not there, or that is none of their business."""
    return NotFound("There is no such appointment", code="unknown-appointment")


def not_booked(known: Appointment, wish: str) -> Refusal:
    """To whoever wishes to change what has ended."""
    return Refusal(f"The appointment is {known.status} and cannot be {wish}", code="not-booked", where="status")


def too_late(wish: str) -> Refusal:
    """To whoever wishes to change what has begun."""
    return Refusal(f"It is too late to {wish}: the appointment has begun", code="too-late", where="Appointment.start")


def _found(page: State, appointment: str) -> Appointment | None:
    return page.appointments.get(appointment) if isinstance(page, Page) else None


def _check_time(known: Appointment, command: MarkAppointment) -> None:
    start, now = known.booked.start, command.now
    match command.mark:
        case "arrived" | "fulfilled" if london_date(now) < london_date(start):
            early = f"An appointment is marked {command.mark} on its day, not before"
        case "noshow" if now < start:
            early = "Nobody has missed an appointment that has not begun"
        case _:
            return
    raise Refusal(early, code="too-early", where="Appointment.status")


def _marked(known: Appointment, as_: Mark) -> BookingEvent:
    session, practice, appointment = known.booked.session, known.booked.practice, known.booked.appointment
    match as_:
        case "arrived":
            return PatientArrived(session=session, practice=practice, appointment=appointment)
        case "fulfilled":
            return AppointmentFulfilled(session=session, practice=practice, appointment=appointment)
        case "noshow":
            return AppointmentMissed(session=session, practice=practice, appointment=appointment)
        case "entered-in-error":
            return AppointmentEnteredInError(
                session=session, practice=practice, appointment=appointment, slots=known.slots
            )
