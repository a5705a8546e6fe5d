"""How the tables of notifications follow from its own events, and from booking's."""

from collections.abc import Iterable
from typing import Any

from services.notifications.tables import appointments, calls, messages, practices, replies, suppressed_numbers
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
from shared.events.notifications import (
    CallRaised,
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
    MessagePlanned,
    NotificationsEvent,
    NumberSuppressed,
    OutcomeUnknown,
    ReplyReceived,
    ReplyUnmatched,
    SendAttempted,
)
from shared.project import Change, Patch, Put


def project(recorded: Recorded) -> Iterable[Change]:
    """What one of our own events changes."""
    event: NotificationsEvent = recorded.event
    at = recorded.recorded_at
    match event:
        case MessagePlanned():
            yield Put(messages, _planned(event, recorded))
        case SendAttempted():
            yield _message(
                event.message,
                state="attempted",
                attempt=event.attempt,
                provider=event.provider,
                reference=event.reference,
                attempted_at=at,
            )
        case OutcomeUnknown():
            yield _message(event.message, state="unknown")
        case MessageAccepted():
            yield _message(
                event.message,
                state="accepted",
                reference=event.reference,
                provider_id=event.provider_id,
                accepted_at=at,
            )
        case MessageDelivered():
            yield _message(event.message, state="delivered", failure="", detail="", settled_at=at)
        case MessageFailed():
            yield _message(event.message, state="failed", failure=event.failure, detail=event.detail, settled_at=at)
        case ReplyReceived():
            yield Put(replies, _reply(event, recorded))
        case ReplyUnmatched():
            yield Put(replies, _unmatched(event, recorded))
        case NumberSuppressed():
            yield Put(suppressed_numbers, {"number": event.number, "reason": event.reason, "suppressed_at": at})
        case CallRaised():
            yield Put(calls, _call(event, recorded))


def project_booking(recorded: Recorded) -> Iterable[Change]:
    """What one of booking's events changes."""
    match recorded.event:
        case PracticeRegistered(practice=practice, name=name, town=town, postcode=postcode):
            yield Put(practices, {"ods_code": practice, "name": name, "town": town, "postcode": postcode})
        case AppointmentBooked() as booked if booked.move:
            yield Put(appointments, _appointment(booked))
        case AppointmentMoved(appointment=appointment, practice=home, to_practice=elsewhere, to_appointment=new):
            yield _status(appointment, "moved")
            if elsewhere:
                yield Patch(appointments, {"id": new}, {"home": home})
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


def _planned(event: MessagePlanned, recorded: Recorded) -> dict[str, Any]:
    return {
        "id": event.message,
        "practice": event.practice,
        "kind": event.kind,
        "patient": event.patient,
        "appointment": event.appointment,
        "move": event.move,
        "outage": event.outage,
        "number": event.number,
        "sealed": event.sealed,
        "segments": event.segments,
        "appointment_start": event.appointment_start,
        "state": "planned",
        "attempt": 0,
        "provider": "",
        "reference": "",
        "provider_id": "",
        "failure": "",
        "detail": "",
        "planned_at": recorded.recorded_at,
        "attempted_at": None,
        "accepted_at": None,
        "settled_at": None,
    }


def _message(message: str, **values: Any) -> Patch:
    return Patch(messages, {"id": message}, values)


def _appointment(event: AppointmentBooked) -> dict[str, Any]:
    return {
        "id": event.appointment,
        "practice": event.practice,
        "patient": event.patient.id,
        "sealed": event.patient.sealed,
        "start": event.start,
        "status": "booked",
        "home": "",
    }


def _status(appointment: str, status: str) -> Patch:
    return Patch(appointments, {"id": appointment}, {"status": status})


def _reply(event: ReplyReceived, recorded: Recorded) -> dict[str, Any]:
    return {
        "id": event.reply,
        "message": event.message,
        "outage": event.outage,
        "answer": event.answer,
        "number": "",
        "candidates": [],
        "sealed": event.sealed,
        "received_at": recorded.recorded_at,
    }


def _unmatched(event: ReplyUnmatched, recorded: Recorded) -> dict[str, Any]:
    return {
        "id": event.reply,
        "message": "",
        "outage": "",
        "answer": "",
        "number": event.number,
        "candidates": list(event.candidates),
        "sealed": event.sealed,
        "received_at": recorded.recorded_at,
    }


def _call(event: CallRaised, recorded: Recorded) -> dict[str, Any]:
    return {
        "id": recorded.id,
        "message": event.message,
        "practice": event.practice,
        "patient": event.patient,
        "appointment": event.appointment,
        "outage": event.outage,
        "reason": event.reason,
        "raised_at": recorded.recorded_at,
    }
