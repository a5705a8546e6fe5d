"""Folds booking's events into its tables: the diary as it stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.booking.states import lasting, slot_end
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
    SlotsAdded,
    SlotsHeld,
    SlotsWithdrawn,
)
from shared.events.envelope import Recorded
from shared.project import Change, Patch, Put, Remove, row_of

__all__ = ["metadata", "project"]

_Practice = row_of(practices)
_Opening = row_of(openings)
_Freeze = row_of(frozen)
_Session = row_of(sessions)
_Slot = row_of(slots)
_Appointment = row_of(appointments)
_Taken = row_of(occupancy)

_OF_NOBODY: Mapping[str, Any] = {
    **dict.fromkeys(("patient", "sealed", "details", "identifier", "once"), ""),
    **dict.fromkeys(("booked_by_name", "booked_by_telephone", "move", "replaces", "replaced_by", "reason"), ""),
    "textable": False,
    "priority": 0,
}
"""What a hold has in place of what belongs to a patient."""

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


def project(recorded: Recorded) -> Iterable[Change]:
    """The changes one event makes."""
    event: BookingEvent = recorded.event
    match event:
        case AppointmentBooked():
            return (_booked(recorded, event), *_taken(event, None))
        case SessionPublished() | SessionOpened() | SlotsAdded() | SlotsWithdrawn():
            return _of_session(event)
        case SlotsHeld():
            return (_held(recorded, event), *_taken(event, event.until))
        case PracticeRegistered() | PracticeOpened() | PracticeFrozen() | PracticeReopened():
            return (_of_practice(event),)
        case MoveRejected():
            return ()
        case _:
            return (_changed(recorded, event.appointment, _news(event)), *_freed(event))


def _of_practice(event: _OfPractice) -> Change:
    match event:
        case PracticeRegistered():
            return _practice(event)
        case PracticeOpened(practice=practice, opening=opening):
            return Put(openings, _Opening(practice=practice, opening=opening))
        case PracticeFrozen(practice=practice, outage=outage, keeps_out=keeps_out):
            return Put(frozen, _Freeze(practice=practice, outage=outage, keeps_out=keeps_out))
        case PracticeReopened(practice=practice, outage=outage):
            return Remove(frozen, {"practice": practice, "outage": outage})


def _of_session(event: _OfSession) -> Sequence[Change]:
    match event:
        case SessionPublished():
            ends = [slot_end(slot) for slot in event.slots]
            return [_session(event, max(ends)), *_slots(event, ends)]
        case SessionOpened(session=session, opening=opening):
            return [Patch(sessions, {"session": session}, {"opening": opening})]
        case SlotsAdded():
            return [*_span(event), *_slots(event, map(slot_end, event.slots))]
        case SlotsWithdrawn(slots=gone):
            return [*_span(event), *[Patch(slots, {"slot": slot}, {"withdrawn": True}) for slot in gone]]


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
        _Practice(
            practice=event.practice,
            name=event.name,
            town=event.town,
            postcode=event.postcode,
            telephone=event.telephone,
            nhs111_slots_per_day=event.nhs111_slots_per_day,
        ),
    )


def _session(event: SessionPublished, end: datetime) -> Put:
    return Put(
        sessions,
        _Session(
            session=event.session,
            practice=event.practice,
            name=event.name,
            clinician=event.clinician,
            clinician_role=event.clinician_role,
            location=event.location,
            start=min([slot.start for slot in event.slots]),
            end=end,
            opening=event.opening,
        ),
    )


def _slots(event: SessionPublished | SlotsAdded, ends: Iterable[datetime]) -> Sequence[Put]:
    return [
        Put(
            slots,
            _Slot(
                slot=slot.id,
                session=event.session,
                practice=event.practice,
                start=slot.start,
                end=end,
                minutes=slot.minutes,
                channel=slot.channel,
                service_type=slot.service_type,
                kept_for=slot.kept_for,
                withdrawn=False,
            ),
        )
        for slot, end in zip(event.slots, ends, strict=True)
    ]


def _booked(recorded: Recorded, event: AppointmentBooked) -> Put:
    return Put(
        appointments,
        _Appointment(
            appointment=event.appointment,
            session=event.session,
            practice=event.practice,
            slots=event.slots,
            start=event.start,
            end=event.start + lasting(event.minutes),
            minutes=event.minutes,
            patient=event.patient.id,
            sealed=event.patient.sealed,
            details=event.details,
            textable=event.textable,
            status="booked",
            priority=event.priority,
            booked_at=event.booked_at,
            booked_by=event.booked_by,
            identifier=event.identifier,
            replaces=event.replaces,
            move=event.move,
            replaced_by="",
            reason="",
            booked_by_name=event.booked_by_name,
            booked_by_telephone=event.booked_by_telephone,
            once=event.once,
            until=None,
            version=recorded.version,
            changed_at=recorded.recorded_at,
        ),
    )


def _held(recorded: Recorded, event: SlotsHeld) -> Put:
    held = _Appointment(
        **_OF_NOBODY,
        appointment=event.appointment,
        session=event.session,
        practice=event.practice,
        slots=event.slots,
        start=event.start,
        end=event.start + lasting(event.minutes),
        minutes=event.minutes,
        status="held",
        booked_at=event.held_at,
        booked_by=event.held_by,
        until=event.until,
        version=recorded.version,
        changed_at=recorded.recorded_at,
    )
    return Put(appointments, held)


def _changed(recorded: Recorded, appointment: str, values: dict[str, Any]) -> Patch:
    version = {"version": recorded.version, "changed_at": recorded.recorded_at}
    return Patch(appointments, {"appointment": appointment}, values | version)


def _taken(event: AppointmentBooked | SlotsHeld, until: datetime | None) -> Sequence[Put]:
    return [Put(occupancy, _Taken(appointment=event.appointment, slot=slot, until=until)) for slot in event.slots]


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
