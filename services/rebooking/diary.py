"""Folds what booking and notifications published into rebooking's own copy of the diaries."""

from collections.abc import Iterable, Sequence

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
from shared.events.notifications import MessageAccepted, MessagePlanned
from shared.project import Change, Patch, Put, row_of

_Practice = row_of(practices)
_Session = row_of(sessions)
_Slot = row_of(slots)
_Appointment = row_of(appointments)
_Message = row_of(messages)


def project_booking(recorded: Recorded) -> Iterable[Change]:
    """Practices, sessions, slots and appointments, as far as planning needs them."""
    event: BookingEvent = recorded.event
    match event:
        case AppointmentBooked(appointment=appointment, slots=taken):
            return (_appointment(event), *_hand(taken, appointment))
        case PracticeRegistered(practice=practice, name=name):
            return (Put(practices, _Practice(practice=practice, name=name, freed=recorded.position)),)
        case SessionPublished():
            return (_session(event), *_slots(event), _room(recorded))
        case SlotsAdded():
            return (*_slots(event), _room(recorded))
        case SlotsWithdrawn(slots=withdrawn):
            return (Patch(slots, {"slot": slot}, {"withdrawn": True}) for slot in withdrawn)
        case SlotsHeld(appointment=appointment, slots=taken):
            return _hand(taken, appointment)
        case HoldReleased(slots=freed):
            return _give_back(recorded, freed)
        case AppointmentCancelled(appointment=appointment, slots=freed, replaced_by=replaced_by):
            return (_status(appointment, "rescheduled" if replaced_by else "cancelled"), *_give_back(recorded, freed))
        case AppointmentDisplaced(appointment=appointment, slots=lost):
            return (_status(appointment, "displaced"), *_hand(lost, None))
        case AppointmentEnteredInError(appointment=appointment, slots=freed):
            return (_status(appointment, "entered-in-error"), *_give_back(recorded, freed))
        case AppointmentMoved(appointment=appointment, slots=freed):
            # What stood on a lost day gives nobody room; by the ten thousand it need not be looked at.
            back = _give_back(recorded, freed) if event.start > recorded.occurred_at else _hand(freed, None)
            return (_status(appointment, "moved"), *back)
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
    """Which appointment a message is about, since its failure does not say that itself, and when the patient was told.

    Reminders and confirmations tell nothing new. One that was taken twice, by the provider or another in its place, was
    told when it was taken last.
    """
    match recorded.event:
        case MessagePlanned(kind="moved", message=message, outage=outage, practice=practice, appointment=appointment):
            about = _Message(message=message, outage=outage, practice=practice, appointment=appointment, told_at=None)
            return (Put(messages, about),)
        case MessageAccepted(message=message):
            return (Patch(messages, {"message": message}, {"told_at": recorded.recorded_at}),)
        case _:
            return ()


def _session(event: SessionPublished) -> Put:
    return Put(
        sessions,
        _Session(
            session=event.session,
            practice=event.practice,
            name=event.name,
            clinician=event.clinician,
            clinician_role=event.clinician_role,
            location=event.location,
        ),
    )


def _slots(event: SessionPublished | SlotsAdded) -> Sequence[Put]:
    return [_slot(event, slot) for slot in event.slots]


def _slot(event: SessionPublished | SlotsAdded, slot: Slot) -> Put:
    return Put(
        slots,
        _Slot(
            slot=slot.id,
            session=event.session,
            practice=event.practice,
            start=slot.start,
            minutes=slot.minutes,
            channel=slot.channel,
            service_type=slot.service_type,
            kept_for=slot.kept_for,
            appointment=None,
            withdrawn=False,
        ),
    )


def _appointment(event: AppointmentBooked) -> Put:
    return Put(
        appointments,
        _Appointment(
            appointment=event.appointment,
            session=event.session,
            practice=event.practice,
            slot=next(iter(event.slots), ""),
            patient=event.patient.id,
            start=event.start,
            minutes=event.minutes,
            priority=event.priority,
            booked_at=event.booked_at,
            status="booked",
            sealed=event.patient.sealed,
            textable=event.textable,
        ),
    )


def _hand(taken: Iterable[str], appointment: str | None) -> Iterable[Patch]:
    return (Patch(slots, {"slot": slot}, {"appointment": appointment}) for slot in taken)


def _give_back(recorded: Recorded, freed: Iterable[str]) -> Iterable[Change]:
    return (*_hand(freed, None), _room(recorded))


def _room(recorded: Recorded) -> Patch:
    """The practice has free slots that it did not have before."""
    return Patch(practices, {"practice": recorded.practice}, {"freed": recorded.position})


def _status(appointment: str, status: str) -> Patch:
    return Patch(appointments, {"appointment": appointment}, {"status": status})
