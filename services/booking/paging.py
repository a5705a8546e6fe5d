"""The rules for a page of the diary: how it is published, extended, and taken over with its appointments."""

from collections.abc import Iterable
from itertools import pairwise

from services.booking.commands import Entry, ImportSession, PublishSession, Sheet
from services.booking.states import Held, NotYet, Page, Practice, State, cancelled, evolve, slot_end
from shared.events.booking import (
    AppointmentBooked,
    AppointmentFulfilled,
    AppointmentMissed,
    BookingEvent,
    PatientArrived,
    SessionPublished,
    Slot,
    SlotsAdded,
)
from shared.refusals import Conflict, Refusal


def publish(practice: State, page: State, command: PublishSession) -> list[BookingEvent]:
    """The session, or the slots of it that are new; all of them still to come."""
    written = _written(practice, page, command.sheet)
    for slot in (slot for event in written for slot in event.slots):
        if slot.start <= command.now:
            raise Refusal("A slot has begun already", code="slot-in-the-past", where=_where(command.sheet, slot))
    return [*written]


def import_session(practice: State, page: State, command: ImportSession) -> list[BookingEvent]:
    """The session or its new slots, and what has become of its appointments since they were last imported.

    What Daybook itself has ended (a cancellation, a move) stays ended: the file is older than that.
    """
    events: list[BookingEvent] = []
    for written in _written(practice, page, command.sheet):
        events.append(written)
        page = evolve(page, written)
    for entry in command.entries:
        while isinstance(page, Page) and (event := _next(page, command.sheet, entry)) is not None:
            events.append(event)
            page = evolve(page, event)
    return events


def _written(practice: State, page: State, sheet: Sheet) -> list[SessionPublished | SlotsAdded]:
    if not isinstance(practice, Practice):
        raise Refusal(f"No practice {sheet.practice} is registered here", code="unknown-practice", where="practice")
    known = page.slots if isinstance(page, Page) else {}
    for slot in sheet.slots:
        if slot.id in known and known[slot.id] != slot:
            raise Conflict("The slot is in the diary, but differs", code="slot-differs", where=_where(sheet, slot))
    fresh = tuple(slot for slot in sheet.slots if slot.id not in known)
    _check_apart(sheet, {**known, **{slot.id: slot for slot in fresh}}.values())
    if not fresh:
        return []
    if isinstance(page, NotYet):
        return [_published(sheet)]
    whole = [*known.values(), *fresh]
    return [
        SlotsAdded(
            session=sheet.session,
            practice=sheet.practice,
            slots=fresh,
            session_start=min(slot.start for slot in whole),
            session_end=max(map(slot_end, whole)),
        )
    ]


def _published(sheet: Sheet) -> SessionPublished:
    return SessionPublished(
        session=sheet.session,
        practice=sheet.practice,
        name=sheet.name,
        clinician=sheet.clinician,
        clinician_role=sheet.clinician_role,
        location=sheet.location,
        slots=sheet.slots,
    )


def _check_apart(sheet: Sheet, slots: Iterable[Slot]) -> None:
    for earlier, later in pairwise(sorted(slots, key=lambda slot: slot.start)):
        if later.start < slot_end(earlier):
            raise Refusal(
                "The slot begins before the one ahead of it has ended", code="slots-overlap", where=_where(sheet, later)
            )


def _where(sheet: Sheet, slot: Slot) -> str:
    """The slot's place on the sheet; a slot that only the diary knows is called by its start."""
    return f"slots[{sheet.slots.index(slot)}].start" if slot in sheet.slots else f"slot at {slot.start.isoformat()}"


def _next(page: Page, sheet: Sheet, entry: Entry) -> BookingEvent | None:
    """The one event that brings the page nearer to what the entry says, if any is wanting."""
    held = page.appointments.get(entry.appointment)
    if held is None:
        return _booked(page, sheet, entry)
    return _settled(held, entry) if held.to_come and held.status != entry.status else None


def _booked(page: Page, sheet: Sheet, entry: Entry) -> AppointmentBooked:
    slot = page.slots[entry.slot]
    if slot.id in page.takers:
        raise Conflict("Another appointment has the slot", code="slot-taken", where=_where(sheet, slot))
    return AppointmentBooked(
        session=sheet.session,
        practice=sheet.practice,
        appointment=entry.appointment,
        slots=(slot.id,),
        start=slot.start,
        minutes=slot.minutes,
        patient=entry.patient,
        details=entry.details,
        textable=entry.textable,
        booked_at=entry.booked_at,
        priority=entry.priority,
        booked_by=entry.source,
    )


def _settled(held: Held, entry: Entry) -> BookingEvent | None:
    session, practice, appointment = held.booked.session, held.booked.practice, entry.appointment
    match entry.status:
        case "arrived":
            return PatientArrived(session=session, practice=practice, appointment=appointment)
        case "fulfilled":
            return AppointmentFulfilled(session=session, practice=practice, appointment=appointment)
        case "noshow":
            return AppointmentMissed(session=session, practice=practice, appointment=appointment)
        case "cancelled":
            return cancelled(held, "practice", "other")
        case "booked":
            return None
