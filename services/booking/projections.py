"""Folds booking's events into its tables: the diary as it stands."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from services.booking.states import slot_end
from services.booking.tables import appointments, frozen, metadata, occupancy, openings, practices, sessions, slots
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
from shared.project import Change, Patch, Put, Remove

__all__ = ["metadata", "project"]


_OfPractice = PracticeRegistered | PracticeOpened | PracticeFrozen | PracticeReopened
_OfSession = SessionPublished | SessionOpened | SlotsAdded | SlotsWithdrawn
_Change = (
    AppointmentAmended
    | AppointmentCancelled
    | AppointmentMoved
    | AppointmentDisplaced
    | AppointmentEnteredInError
    | HoldReleased
    | PatientArrived
    | AppointmentFulfilled
    | AppointmentMissed
)


def project(recorded: Recorded) -> Iterator[Change]:
    """The changes one event makes."""
    event: BookingEvent = recorded.event
    match event:
        case AppointmentBooked() | SlotsHeld():
            yield _booked(recorded, event) if isinstance(event, AppointmentBooked) else _held(recorded, event)
            yield from _taken(event)
        case PracticeRegistered() | PracticeOpened() | PracticeFrozen() | PracticeReopened():
            yield _of_practice(event)
        case SessionPublished() | SessionOpened() | SlotsAdded() | SlotsWithdrawn():
            yield from _of_session(event)
        case MoveRejected():
            pass
        case _:
            yield _changed(recorded, event.appointment, _news(event))
            yield from _freed(event)


def _of_practice(event: _OfPractice) -> Change:
    match event:
        case PracticeRegistered():
            return _practice(event)
        case PracticeOpened(practice=practice, opening=opening):
            return Put(openings, {"practice": practice, "opening": opening})
        case PracticeFrozen(practice=practice, outage=outage, keeps_out=keeps_out):
            return Put(frozen, {"practice": practice, "outage": outage, "keeps_out": keeps_out})
        case PracticeReopened(practice=practice, outage=outage):
            return Remove(frozen, {"practice": practice, "outage": outage})


def _of_session(event: _OfSession) -> Iterator[Change]:
    match event:
        case SessionPublished():
            yield _session(event)
            yield from [_slot(event, slot) for slot in event.slots]
        case SessionOpened(session=session, opening=opening):
            yield Patch(sessions, {"session": session}, {"opening": opening})
        case SlotsAdded():
            yield from _span(event)
            yield from [_slot(event, slot) for slot in event.slots]
        case SlotsWithdrawn(slots=gone):
            yield from _span(event)
            yield from (Patch(slots, {"slot": slot}, {"withdrawn": True}) for slot in gone)


def _span(event: SlotsAdded | SlotsWithdrawn) -> Iterator[Patch]:
    """From when to when the session runs now; the first events of their kinds did not say."""
    if event.session_start and event.session_end:
        span = {"start": event.session_start, "end": event.session_end}
        yield Patch(sessions, {"session": event.session}, span)


def _news(event: _Change) -> dict[str, Any]:
    """What the event says of its appointment, by column."""
    match event:
        case AppointmentAmended(details=details):
            return {"details": details}
        case AppointmentCancelled(reason=reason, replaced_by=after):
            return {"status": "cancelled", "reason": reason, "replaced_by": after}
        case AppointmentMoved(to_appointment=after):
            return {"status": "moved", "replaced_by": after}
        case AppointmentDisplaced():
            return {"status": "displaced"}
        case AppointmentEnteredInError():
            return {"status": "entered-in-error"}
        case HoldReleased():
            return {"status": "released"}
        case PatientArrived():
            return {"status": "arrived"}
        case AppointmentFulfilled():
            return {"status": "fulfilled"}
        case AppointmentMissed():
            return {"status": "noshow"}


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
            "start": min([slot.start for slot in event.slots]),
            "end": max([slot_end(slot) for slot in event.slots]),
            "opening": event.opening,
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
            "withdrawn": False,
        },
    )


def _booked(recorded: Recorded, event: AppointmentBooked) -> Put:
    booked = {
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
        "booked_by_name": event.booked_by_name,
        "booked_by_telephone": event.booked_by_telephone,
        "once": event.once,
        "until": None,
    }
    return _appointment(recorded, event, booked)


def _held(recorded: Recorded, event: SlotsHeld) -> Put:
    held = {
        "patient": "",
        "sealed": "",
        "details": "",
        "textable": False,
        "status": "held",
        "priority": 0,
        "booked_at": event.held_at,
        "booked_by": event.held_by,
        "identifier": "",
        "replaces": "",
        "move": "",
        "booked_by_name": "",
        "booked_by_telephone": "",
        "once": "",
        "until": event.until,
    }
    return _appointment(recorded, event, held)


def _appointment(recorded: Recorded, event: AppointmentBooked | SlotsHeld, others: dict[str, Any]) -> Put:
    # In place: by the hundred thousand, a third copy of the row is felt.
    others |= {
        "appointment": event.appointment,
        "session": event.session,
        "practice": event.practice,
        "slots": event.slots,
        "start": event.start,
        "end": event.start + timedelta(minutes=event.minutes),
        "minutes": event.minutes,
        "replaced_by": "",
        "reason": "",
        "version": recorded.version,
        "changed_at": recorded.recorded_at,
    }
    return Put(appointments, others)


def _changed(recorded: Recorded, appointment: str, values: dict[str, Any]) -> Patch:
    version = {"version": recorded.version, "changed_at": recorded.recorded_at}
    return Patch(appointments, {"appointment": appointment}, values | version)


def _taken(event: AppointmentBooked | SlotsHeld) -> Sequence[Put]:
    until = event.until if isinstance(event, SlotsHeld) else None
    taken = {"appointment": event.appointment, "until": until}
    return [Put(occupancy, {"slot": slot, **taken}) for slot in event.slots]


def _freed(event: _Change) -> Iterator[Remove]:
    match event:
        case (
            AppointmentCancelled(appointment=appointment, slots=freed)
            | AppointmentMoved(appointment=appointment, slots=freed)
            | AppointmentDisplaced(appointment=appointment, slots=freed)
            | AppointmentEnteredInError(appointment=appointment, slots=freed)
            | HoldReleased(appointment=appointment, slots=freed)
        ):
            yield from (Remove(occupancy, {"appointment": appointment, "slot": slot}) for slot in freed)
        case _:
            pass
