"""Given what happened, when something is asked, then what follows; and the page of the diary the tests speak of."""

from datetime import UTC, datetime, timedelta

from services.booking.commands import BookAppointment, BookingCommand, MoveAppointment, Sheet
from services.booking.decider import decider
from shared.events.booking import (
    AppointmentBooked,
    AppointmentMoved,
    BookingEvent,
    KeptFor,
    Patient,
    PracticeRegistered,
    SessionPublished,
    Slot,
)
from tests.deciding import Given

NOW = datetime(2024, 7, 19, 12, 0, tzinfo=UTC)
MONDAY = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
ANN = Patient(id="ann", sealed="ann, sealed")
BOB = Patient(id="bob", sealed="bob, sealed")


def given(*past: BookingEvent) -> Given[BookingCommand, BookingEvent]:
    return Given(decider, past)


REGISTERED = PracticeRegistered(practice="A1", name="Harbour Surgery")


def slot(
    name: str,
    start: datetime,
    minutes: int = 10,
    kept_for: KeptFor = "anyone",
    service_type: str = "",
) -> Slot:
    return Slot(id=name, start=start, minutes=minutes, kept_for=kept_for, service_type=service_type)


def morning(start: datetime = MONDAY) -> tuple[Slot, Slot, Slot]:
    """Three slots that adjoin: `first`, `second`, `third`."""
    return tuple(slot(name, start + timedelta(minutes=10 * n)) for n, name in enumerate(("first", "second", "third")))  # type: ignore[return-value]


def published(session: str = "monday", *slots: Slot, practice: str = "A1") -> SessionPublished:
    return SessionPublished(
        session=session,
        practice=practice,
        name="Morning",
        clinician="Dr Jones",
        clinician_role="GP",
        location="Room 1",
        slots=slots or morning(),
    )


def sheet(*slots: Slot, session: str = "monday") -> Sheet:
    return Sheet(session, "A1", "Morning", "Dr Jones", "GP", "Room 1", slots or morning())


def booked(
    appointment: str = "ann's",
    *slots: Slot,
    session: str = "monday",
    patient: Patient = ANN,
    replaces: str = "",
    move: str = "",
) -> AppointmentBooked:
    taken = slots or morning()[:1]
    return AppointmentBooked(
        session=session,
        practice="A1",
        appointment=appointment,
        slots=tuple(slot.id for slot in taken),
        start=taken[0].start,
        minutes=sum(slot.minutes for slot in taken),
        patient=patient,
        details="details, sealed",
        textable=True,
        booked_at=NOW,
        booked_by="rebooking" if move else "reception",
        replaces=replaces,
        move=move,
    )


def book(appointment: str = "ann's", *slots: Slot, **others: object) -> BookAppointment:
    taken = slots or morning()[:1]
    usual: dict[str, object] = {
        "appointment": appointment,
        "practice": "A1",
        "session": "monday",
        "slots": tuple(slot.id for slot in taken),
        "start": taken[0].start,
        "end": taken[-1].start + timedelta(minutes=taken[-1].minutes),
        "patient": ANN,
        "details": "details, sealed",
        "textable": True,
        "caller": "public",
        "now": NOW,
        "booked_by": "reception",
    }
    return BookAppointment(**(usual | others))  # type: ignore[arg-type]


LATER = slot("later", TUESDAY)
"""The slot that appointments are moved to, in the session `tuesday`."""


def ask_to_move(move: str = "move", **others: object) -> MoveAppointment:
    usual: dict[str, object] = {
        "move": move,
        "outage": "outage",
        "practice": "A1",
        "appointment": "ann's",
        "from_session": "monday",
        "to_session": "tuesday",
        "to_slot": "later",
        "to_start": TUESDAY,
        "to_appointment": "ann's new one",
        "now": NOW,
    }
    return MoveAppointment(**(usual | others))  # type: ignore[arg-type]


def moved(move: str = "move") -> AppointmentMoved:
    return AppointmentMoved(
        session="monday",
        practice="A1",
        appointment="ann's",
        start=MONDAY,
        patient="ann",
        move=move,
        outage="outage",
        to_appointment="ann's new one",
        to_session="tuesday",
        to_slots=("later",),
        to_start=TUESDAY,
        to_minutes=10,
        textable=True,
        slots=("first",),
    )
