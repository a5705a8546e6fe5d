"""A made-up history of booking, as long as one likes, that comes to the same state however long it is.

A diary is published and its first slots are booked. After that nothing is new: patients arrive, descriptions are
amended, slots are held and given back, for years; the same rows change again and again.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle

from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    BookingEvent,
    HoldReleased,
    Patient,
    PatientArrived,
    PracticeRegistered,
    SessionPublished,
    Slot,
    SlotsHeld,
)
from shared.events.envelope import Recorded, encoded, with_body

PRACTICES, SESSIONS, SLOTS, BOOKED = 20, 500, 20, 15
"""Practices and sessions; slots of each session, and how many of these are booked."""

_BEGAN = datetime(2014, 7, 21, 8, 0, tzinfo=UTC)
_MINUTES = 10
_SEALED = "c2VhbGVkIGJ5IG5vYm9keSwgb25seSBhcyBsb25nIGFzIHRoZSByZWFsIG9uZXMgYXJlIGluIGEgY291bnR5IG9mIHBhdGllbnRz"
"""As long as what is sealed in earnest; nobody opens it here."""


def history() -> Iterator[Recorded]:
    """One event after another, without end, as both copies of the log have them."""
    versions: Counter[str] = Counter()
    happenings = chain(_beginning(), cycle([_with_bytes(event) for turn in range(BOOKED) for event in _turn(turn)]))
    for position, (event, data) in enumerate(happenings, 1):
        stream, at = event.stream, _BEGAN + timedelta(seconds=position)
        versions[stream] += 1
        yield with_body(
            Recorded(
                position=position,
                version=versions[stream],
                id=f"00000000-0000-7000-8000-{position:012x}",
                service="booking",
                stream=stream,
                practice=event.practice,
                recorded_at=at,
                occurred_at=at,
                event=event,
            ),
            data,
        )


def _beginning() -> Iterator[tuple[BookingEvent, bytes]]:
    for number in range(PRACTICES):
        yield _with_bytes(PracticeRegistered(practice=f"MADEUP{number:03}", name=f"Surgery {number}"))
    for number in range(SESSIONS):
        yield _with_bytes(_session(number))
        for slot in range(BOOKED):
            yield _with_bytes(_booking(number, slot))


def _turn(turn: int) -> Iterator[BookingEvent]:
    """Something happens to a booked and to a free slot of each session."""
    booked, free = turn % BOOKED, BOOKED + turn % (SLOTS - BOOKED)
    for number in range(SESSIONS):
        session, practice = f"session-{number}", _practice(number)
        appointment, hold = f"appointment-{number}-{booked}", f"hold-{number}"
        slots, start = (_slot(number, free),), _start(number, free)
        yield PatientArrived(session=session, practice=practice, appointment=appointment)
        yield AppointmentAmended(session=session, practice=practice, appointment=appointment, details=_SEALED)
        yield SlotsHeld(
            session=session,
            practice=practice,
            appointment=hold,
            slots=slots,
            start=start,
            minutes=_MINUTES,
            until=start,
            held_at=start - timedelta(hours=1),
        )
        yield HoldReleased(session=session, practice=practice, appointment=hold, reason="given-up", slots=slots)


def _session(number: int) -> SessionPublished:
    return SessionPublished(
        session=f"session-{number}",
        practice=_practice(number),
        name=f"Morning {number}",
        clinician=f"Dr {number}",
        clinician_role="GP",
        location="Room 1",
        slots=tuple(Slot(id=_slot(number, at), start=_start(number, at), minutes=_MINUTES) for at in range(SLOTS)),
    )


def _booking(number: int, at: int) -> AppointmentBooked:
    return AppointmentBooked(
        session=f"session-{number}",
        practice=_practice(number),
        appointment=f"appointment-{number}-{at}",
        slots=(_slot(number, at),),
        start=_start(number, at),
        minutes=_MINUTES,
        patient=Patient(id=f"patient-{number}-{at}", sealed=_SEALED),
        details=_SEALED,
        textable=True,
        booked_at=_BEGAN,
    )


def _with_bytes(event: BookingEvent) -> tuple[BookingEvent, bytes]:
    """Encoded once, however often it happens."""
    return event, encoded(event)


def _practice(number: int) -> str:
    return f"MADEUP{number % PRACTICES:03}"


def _slot(number: int, at: int) -> str:
    return f"slot-{number}-{at}"


def _start(number: int, at: int) -> datetime:
    return datetime(2034, 7, 21, 8, 0, tzinfo=UTC) + timedelta(days=number, minutes=_MINUTES * at)
