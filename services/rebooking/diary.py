"""Folds what booking and notifications published into rebooking's own copy of the diaries."""

from collections.abc import Iterable

from services.rebooking.tables import appointments, messages, practices, sessions, slots
from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
    BookingEvent,
    HoldReleased,
    MoveRejected,
    PatientArrived,
    PracticeFrozen,
    PracticeOpened,
    PracticeRegistered,
    PracticeReopened,
    SessionOpened,
    SessionPublished,
    Slot,
    SlotsAdded,
    SlotsHeld,
    SlotsWithdrawn,
)
from shared.events.envelope import Recorded
from shared.events.notifications import MessagePlanned
from shared.project import Change, Patch, Put


def project_booking(recorded: Recorded) -> Iterable[Change]:
    """Practices, sessions, slots and appointments, as far as planning needs them."""
    event: BookingEvent = recorded.event
    match event:
        case PracticeRegistered(practice=practice, name=name):
            return (Put(practices, {"practice": practice, "name": name}),)
        case SessionPublished():
            return (_session(event), *_slots(event))
        case SlotsAdded():
            return _slots(event)
        case SlotsWithdrawn(slots=withdrawn):
            return (Patch(slots, {"slot": slot}, {"withdrawn": True}) for slot in withdrawn)
        case SlotsHeld(appointment=appointment, slots=taken):
            return _hand(taken, appointment)
        case HoldReleased(slots=freed):
            return _hand(freed, None)
        case AppointmentBooked(appointment=appointment, slots=taken):
            return (_appointment(event), *_hand(taken, appointment))
        case AppointmentCancelled(appointment=appointment, slots=freed, replaced_by=replaced_by):
            return (_status(appointment, "rescheduled" if replaced_by else "cancelled"), *_hand(freed, None))
        case AppointmentDisplaced(appointment=appointment, slots=lost):
            return (_status(appointment, "displaced"), *_hand(lost, None))
        case AppointmentEnteredInError(appointment=appointment, slots=freed):
            return (_status(appointment, "entered-in-error"), *_hand(freed, None))
        case AppointmentMoved(appointment=appointment, slots=freed):
            return (_status(appointment, "moved"), *_hand(freed, None))
        case PatientArrived(appointment=appointment):
            return (_status(appointment, "arrived"),)
        case AppointmentFulfilled(appointment=appointment):
            return (_status(appointment, "fulfilled"),)
        case AppointmentMissed(appointment=appointment):
            return (_status(appointment, "missed"),)
        case PracticeFrozen() | PracticeReopened() | PracticeOpened() | SessionOpened():
            return ()
        case AppointmentAmended() | MoveRejected():
            return ()


def project_notifications(recorded: Recorded) -> Iterable[Change]:
    """Only what a later failure of a message does not say itself: which appointment it is about."""
    match recorded.event:
        case MessagePlanned(message=message, outage=outage, practice=practice, appointment=appointment):
            row = {"message": message, "outage": outage, "practice": practice, "appointment": appointment}
            return (Put(messages, row),)
        case _:
            return ()


def _session(event: SessionPublished) -> Put:
    return Put(
        sessions,
        {
            "session": event.session,
            "practice": event.practice,
            "name": event.name,
            "clinician": event.clinician,
            "clinician_role": event.clinician_role,
            "location": event.location,
        },
    )


def _slots(event: SessionPublished | SlotsAdded) -> tuple[Put, ...]:
    return tuple(_slot(event, slot) for slot in event.slots)


def _slot(event: SessionPublished | SlotsAdded, slot: Slot) -> Put:
    return Put(
        slots,
        {
            "slot": slot.id,
            "session": event.session,
            "practice": event.practice,
            "start": slot.start,
            "minutes": slot.minutes,
            "channel": slot.channel,
            "service_type": slot.service_type,
            "kept_for": slot.kept_for,
            "appointment": None,
            "withdrawn": False,
        },
    )


def _appointment(event: AppointmentBooked) -> Put:
    return Put(
        appointments,
        {
            "appointment": event.appointment,
            "session": event.session,
            "practice": event.practice,
            "slot": next(iter(event.slots), ""),
            "patient": event.patient.id,
            "start": event.start,
            "minutes": event.minutes,
            "priority": event.priority,
            "booked_at": event.booked_at,
            "status": "booked",
        },
    )


def _hand(taken: Iterable[str], appointment: str | None) -> Iterable[Patch]:
    return (Patch(slots, {"slot": slot}, {"appointment": appointment}) for slot in taken)


def _status(appointment: str, status: str) -> Patch:
    return Patch(appointments, {"appointment": appointment}, {"status": status})
