"""Given what happened, when something is asked, then what follows; and the page of the diary the tests speak of."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from services.booking.commands import Asker, BookAppointment, BookingCommand, MoveAppointment, Sheet
from services.booking.decider import decider
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentMoved,
    BookingEvent,
    CancelledBy,
    HoldReleased,
    KeptFor,
    Opening,
    Patient,
    PracticeFrozen,
    PracticeOpened,
    PracticeRegistered,
    SessionPublished,
    Slot,
    SlotsHeld,
)
from tests.deciding import Given

NOW = datetime(2024, 7, 19, 12, 0, tzinfo=UTC)
MONDAY = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
ANN = Patient(id="ann", sealed="ann, sealed")
BOB = Patient(id="bob", sealed="bob, sealed")


OWN = Asker("practice", "A1")
"""The practice's own system."""
CLINIC = Asker("public", "U1", "urgent-care", "Harbour Clinic", "01632 960111")
"""Another organisation."""


def given(*past: BookingEvent) -> Given[BookingCommand, BookingEvent]:
    return Given(decider, past)


REGISTERED = PracticeRegistered(practice="A1", name="Harbour Surgery")
OPENED = PracticeOpened(practice="A1", opening=Opening())
FROZEN = PracticeFrozen(practice="A1", outage="friday")


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


def published(
    session: str = "monday", *slots: Slot, practice: str = "A1", opening: Opening | None = None
) -> SessionPublished:
    return SessionPublished(
        session=session,
        practice=practice,
        name="Morning",
        clinician="Dr Jones",
        clinician_role="GP",
        location="Room 1",
        slots=slots or morning(),
        opening=opening,
    )


def sheet(*slots: Slot, session: str = "monday") -> Sheet:
    return Sheet(session, "A1", "Morning", "Dr Jones", "GP", "Room 1", slots or morning())


def booked(
    appointment: str = "ann's",
    *slots: Slot,
    session: str = "monday",
    patient: Patient = ANN,
    booked_by: str = "A1",
    booked_at: datetime = NOW,
    replaces: str = "",
    move: str = "",
    **others: Any,
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
        booked_at=booked_at,
        booked_by="rebooking" if move else booked_by,
        replaces=replaces,
        move=move,
        **others,
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
        "asker": OWN,
        "now": NOW,
    }
    return BookAppointment(**(usual | others))  # type: ignore[arg-type]


SOON = NOW + timedelta(minutes=10)
"""When the holds of the tests end."""


def held(appointment: str = "held", *slots: Slot, **others: Any) -> SlotsHeld:
    taken = slots or morning()[:1]
    usual: dict[str, Any] = {
        "session": "monday",
        "practice": "A1",
        "appointment": appointment,
        "slots": tuple(slot.id for slot in taken),
        "start": taken[0].start,
        "minutes": sum(slot.minutes for slot in taken),
        "until": SOON,
        "held_at": NOW,
        "held_by": "A1",
    }
    return SlotsHeld(**(usual | others))


def released(reason: Literal["expired", "given-up", "withdrawn"], appointment: str = "held") -> HoldReleased:
    return HoldReleased(session="monday", practice="A1", appointment=appointment, reason=reason, slots=("first",))


def cancelled(by: CancelledBy, reason: str, **others: Any) -> AppointmentCancelled:
    usual: dict[str, Any] = {"session": "monday", "practice": "A1", "appointment": "ann's", "slots": ("first",)}
    return AppointmentCancelled(cancelled_by=by, reason=reason, **(usual | others))


def displaced(*slots: str) -> AppointmentDisplaced:
    return AppointmentDisplaced(
        session="monday",
        practice="A1",
        appointment="ann's",
        patient="ann",
        start=MONDAY,
        minutes=10,
        withdrawal="withdrawal",
        reason="Dr Jones is ill",
        session_name="Morning",
        slots=slots or ("first",),
    )


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
