"""What happened in the diary, in words: each of booking's events as a sentence that names no patient."""

from collections.abc import Mapping, Sequence
from typing import assert_never

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
    Inflow,
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
from shared.story import day_and_time

_OfPractice = PracticeRegistered | PracticeOpened | PracticeFrozen | PracticeReopened
_OfSession = SessionPublished | SessionOpened | SlotsAdded | SlotsWithdrawn
_OnTheDay = PatientArrived | AppointmentFulfilled | AppointmentMissed

_WHO: Mapping[Inflow, str] = {
    "practice": "the practice's own system",
    "nhs-111": "NHS 111",
    "public": "other organisations",
}
_WHY_RELEASED = {"expired": "ran out", "given-up": "was given up", "withdrawn": "ended with its session"}


def words(event: BookingEvent, names: Mapping[str, str]) -> str:
    """The event as a sentence without its date. `names` are those of the practices, by code."""
    match event:
        case PracticeRegistered() | PracticeOpened() | PracticeFrozen() | PracticeReopened():
            return _of_practice(event, _named(event.practice, names))
        case SessionPublished() | SessionOpened() | SlotsAdded() | SlotsWithdrawn():
            return _of_session(event, _named(event.practice, names))
        case SlotsHeld(start=start, held_by=held_by):
            return f"held at {_named(event.practice, names)} for {day_and_time(start)} by {_asker(held_by, '', names)}"
        case HoldReleased(reason=reason):
            return f"the hold {_WHY_RELEASED[reason]}"
        case AppointmentBooked():
            return _booked(event, names)
        case AppointmentMoved(to_start=start, to_practice=elsewhere):
            at = f" at {_named(elsewhere, names)}" if elsewhere else ""
            return f"moved to {day_and_time(start)}{at}"
        case MoveRejected(reason=reason):
            return f"could not be moved: {reason}"
        case PatientArrived() | AppointmentFulfilled() | AppointmentMissed():
            return _on_the_day(event)
        case _:
            return _ended(event)


def _of_practice(event: _OfPractice, name: str) -> str:
    match event:
        case PracticeRegistered():
            return f"{name} keeps its diary here"
        case PracticeOpened():
            return f"{name} said anew to whom its slots are open"
        case PracticeFrozen(keeps_out=keeps_out):
            return f"{name} takes no new bookings from {_list([_WHO[each] for each in keeps_out]) or 'nobody'}"
        case PracticeReopened():
            return f"{name} takes new bookings again"
        case _:
            assert_never(event)


def _of_session(event: _OfSession, practice: str) -> str:
    match event:
        case SessionPublished(name=name, clinician=clinician, slots=slots):
            return f"session “{name}” of {clinician} published at {practice}, with {_slots(len(slots))}"
        case SessionOpened(opening=None):
            return "the session is open to whomever its practice is"
        case SessionOpened():
            return "the session has its own word on whom it is open to"
        case SlotsAdded(slots=slots):
            return f"{_slots(len(slots))} added to the session"
        case SlotsWithdrawn(slots=slots, reason=reason):
            return f"{_slots(len(slots))} withdrawn from the session: {reason}"
        case _:
            assert_never(event)


def _booked(event: AppointmentBooked, names: Mapping[str, str]) -> str:
    place = f"booked at {_named(event.practice, names)}"
    when = f"for {day_and_time(event.start)}, {event.minutes} minutes"
    if event.move:
        return f"{place} {when}, by the move"
    instead = ", in place of the one before" if event.replaces else ""
    return f"{place} by {_asker(event.booked_by, event.booked_by_name, names)} {when}{instead}"


def _on_the_day(event: _OnTheDay) -> str:
    match event:
        case PatientArrived():
            return "the patient is in the waiting room"
        case AppointmentFulfilled():
            return "the patient was seen"
        case AppointmentMissed():
            return "the patient did not come"
        case _:
            assert_never(event)


def _ended(
    event: AppointmentAmended | AppointmentCancelled | AppointmentDisplaced | AppointmentEnteredInError,
) -> str:
    match event:
        case AppointmentAmended():
            return "its description or comment was changed"
        case AppointmentCancelled(replaced_by=replaced_by) if replaced_by:
            return "given up for another time"
        case AppointmentCancelled(cancelled_by=by, reason=reason):
            return f"cancelled by the {by} ({reason})"
        case AppointmentDisplaced(reason=reason):
            return f"displaced, because its session was withdrawn: {reason}"
        case AppointmentEnteredInError():
            return "entered in error: there never was such an appointment"
        case _:
            assert_never(event)


def _named(practice: str, names: Mapping[str, str]) -> str:
    return names.get(practice) or practice


def _asker(code: str, given: str, names: Mapping[str, str]) -> str:
    """Who booked: as it called itself, or by its code. What was imported says where it came from."""
    return given or names.get(code) or code or "the practice"


def _slots(number: int) -> str:
    return "one slot" if number == 1 else f"{number} slots"


def _list(parts: Sequence[str]) -> str:
    return ", ".join(parts)
