"""Folds what booking published into notifications' own copy of the appointments to come."""

from collections.abc import Iterable

from msgspec import Struct

from services.notifications.tables import appointments, practices
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
    PracticeRegistered,
)
from shared.events.envelope import Recorded
from shared.project import Change, Patch, Put, row_of

_Practice = row_of(practices)
_Appointment = row_of(appointments)


def project_booking(recorded: Recorded) -> Iterable[Change]:
    """What one of booking's events changes."""
    match recorded.event:
        case AppointmentBooked() as booked if booked.start > recorded.occurred_at:
            yield Put(appointments, _appointment(booked))
        case PracticeRegistered(practice=practice, name=name, town=town, postcode=postcode):
            yield Put(practices, _Practice(ods_code=practice, name=name, town=town, postcode=postcode))
        case AppointmentMoved() as moved:
            # Of what stood on a lost day nobody was told, nor will be; by the ten thousand it need not be looked at.
            if moved.start > recorded.occurred_at:
                yield _status(moved.appointment, "moved")
            home = moved.practice if moved.to_practice else ""
            yield Patch(appointments, {"id": moved.to_appointment}, {"outage": moved.outage, "home": home})
        case AppointmentCancelled(appointment=appointment):
            yield _status(appointment, "cancelled")
        case AppointmentFulfilled(appointment=appointment):
            yield _status(appointment, "fulfilled")
        case AppointmentMissed(appointment=appointment):
            yield _status(appointment, "missed")
        case AppointmentDisplaced(appointment=appointment):
            yield _status(appointment, "displaced")
        case AppointmentEnteredInError(appointment=appointment):
            yield _status(appointment, "entered-in-error")
        case _:
            return


def _appointment(event: AppointmentBooked) -> Struct:
    return _Appointment(
        id=event.appointment,
        practice=event.practice,
        patient=event.patient.id,
        sealed=event.patient.sealed,
        start=event.start,
        status="booked",
        home="",
        move=event.move,
        outage="",
        booked_at=event.booked_at,
    )


def _status(appointment: str, status: str) -> Patch:
    return Patch(appointments, {"id": appointment}, {"status": status})
