"""Folds booking's events into its tables: the diary as it stands."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from services.booking.commands import Status
from services.booking.states import slot_end
from services.booking.tables import appointments, frozen, metadata, occupancy, practices, sessions, slots
from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
    BookingEvent,
    MoveRejected,
    PatientArrived,
    PracticeFrozen,
    PracticeRegistered,
    PracticeReopened,
    SessionPublished,
    Slot,
    SlotsAdded,
    SlotsWithdrawn,
)
from shared.events.envelope import Recorded
from shared.project import Change, Patch, Put, Remove

__all__ = ["metadata", "project"]


def project(recorded: Recorded) -> Iterator[Change]:
    """The changes one event makes."""
    event: BookingEvent = recorded.event
    match event:
        case PracticeRegistered():
            yield _practice(event)
        case PracticeFrozen(practice=practice, outage=outage):
            yield Put(frozen, {"practice": practice, "outage": outage})
        case PracticeReopened(practice=practice, outage=outage):
            yield Remove(frozen, {"practice": practice, "outage": outage})
        case SessionPublished():
            yield _session(event)
            yield from (_slot(event, slot) for slot in event.slots)
        case SlotsAdded(session=session, session_start=start, session_end=end):
            if start and end:
                yield Patch(sessions, {"session": session}, {"start": start, "end": end})
            yield from (_slot(event, slot) for slot in event.slots)
        case SlotsWithdrawn(slots=gone):
            yield from (Remove(slots, {"slot": slot}) for slot in gone)
        case AppointmentBooked(appointment=appointment, slots=taken):
            yield _booked(recorded, event)
            yield from (Put(occupancy, {"appointment": appointment, "slot": slot}) for slot in taken)
        case AppointmentAmended(appointment=appointment, details=details):
            yield _changed(recorded, appointment, {"details": details})
        case AppointmentCancelled(appointment=appointment, reason=reason, slots=freed):
            yield _changed(recorded, appointment, {"status": "cancelled", "reason": reason})
            yield from _freed(appointment, freed)
        case AppointmentMoved(appointment=appointment, to_appointment=after, slots=freed):
            yield _changed(recorded, appointment, {"status": "moved", "replaced_by": after})
            yield from _freed(appointment, freed)
        case PatientArrived(appointment=appointment):
            yield _settled(recorded, appointment, "arrived")
        case AppointmentFulfilled(appointment=appointment):
            yield _settled(recorded, appointment, "fulfilled")
        case AppointmentMissed(appointment=appointment):
            yield _settled(recorded, appointment, "noshow")
        case MoveRejected():
            pass


def _practice(event: PracticeRegistered) -> Put:
    return Put(
        practices,
        {
            "practice": event.practice,
            "name": event.name,
            "town": event.town,
            "postcode": event.postcode,
            "telephone": event.telephone,
            "nhs111_slots_per_day": event.nhs111_slots_per_day,
        },
    )


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
            "start": min(slot.start for slot in event.slots),
            "end": max(map(slot_end, event.slots)),
        },
    )


def _slot(event: SessionPublished | SlotsAdded, slot: Slot) -> Put:
    return Put(
        slots,
        {
            "slot": slot.id,
            "session": event.session,
            "practice": event.practice,
            "start": slot.start,
            "end": slot_end(slot),
            "minutes": slot.minutes,
            "channel": slot.channel,
            "service_type": slot.service_type,
            "kept_for": slot.kept_for,
        },
    )


def _booked(recorded: Recorded, event: AppointmentBooked) -> Put:
    return Put(
        appointments,
        {
            "appointment": event.appointment,
            "session": event.session,
            "practice": event.practice,
            "slots": event.slots,
            "start": event.start,
            "end": event.start + timedelta(minutes=event.minutes),
            "minutes": event.minutes,
            "patient": event.patient.id,
            "sealed": event.patient.sealed,
            "details": event.details,
            "textable": event.textable,
            "status": "booked",
            "priority": event.priority,
            "booked_at": event.booked_at,
            "booked_by": event.booked_by,
            "identifier": event.identifier,
            "replaces": event.replaces,
            "move": event.move,
            "replaced_by": "",
            "reason": "",
            "version": recorded.version,
            "changed_at": recorded.recorded_at,
        },
    )


def _settled(recorded: Recorded, appointment: str, status: Status) -> Patch:
    return _changed(recorded, appointment, {"status": status})


def _changed(recorded: Recorded, appointment: str, values: dict[str, Any]) -> Patch:
    version = {"version": recorded.version, "changed_at": recorded.recorded_at}
    return Patch(appointments, {"appointment": appointment}, values | version)


def _freed(appointment: str, freed: tuple[str, ...]) -> Iterator[Remove]:
    return (Remove(occupancy, {"appointment": appointment, "slot": slot}) for slot in freed)
