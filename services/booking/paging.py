"""The rules for a page of the diary: how it is published, extended, and taken over with its appointments."""

from collections.abc import Iterable
from itertools import pairwise

from services.booking.commands import Entry, ImportSession, OpenSession, PublishSession, Sheet
from services.booking.folding import evolve
from services.booking.states import Appointment, NotYet, Page, Practice, State, cancelled, released, slot_end
from shared.events.booking import (
    AppointmentBooked,
    AppointmentFulfilled,
    AppointmentMissed,
    BookingEvent,
    Opening,
    PatientArrived,
    SessionOpened,
    SessionPublished,
    Slot,
    SlotsAdded,
)
from shared.refusals import Conflict, NotFound, Refusal


def publish(practice: State, page: State, command: PublishSession) -> list[BookingEvent]:
    """The session, or the slots of it that are new or had been withdrawn; all of them still to come."""
    sheet = command.sheet
    written = _written(practice, page, sheet, sheet.slots, command.opening)
    for slot in (slot for event in written for slot in event.slots):
        if slot.start <= command.now:
            raise Refusal("A slot has begun already", code="slot-in-the-past", where=_where(sheet, slot))
    if command.opening is None or not isinstance(page, Page):
        return [*written]
    return [*written, *_opened(page, sheet.session, command.opening)]


def open_session(page: State, command: OpenSession) -> list[BookingEvent]:
    """To whom the session is open from now on, if that is news."""
    if not isinstance(page, Page) or page.practice != command.practice:
        raise NotFound("There is no such session", code="no-such-session", where="session")
    return [*_opened(page, command.session, command.opening)]


def import_session(practice: State, page: State, command: ImportSession) -> list[BookingEvent]:
    """The session or its new slots, and what has become of its appointments since they were last imported.

    What Daybook itself has ended (a cancellation, a move, a withdrawal) stays ended: the file is older than that.
    """
    sheet = command.sheet
    withdrawn = page.withdrawn if isinstance(page, Page) else frozenset()
    slots = tuple(slot for slot in sheet.slots if slot.id not in withdrawn)
    events: list[BookingEvent] = []
    for written in _written(practice, page, sheet, slots):
        events.append(written)
        page = evolve(page, written)
    for entry in command.entries:
        while isinstance(page, Page) and (event := _next(page, command, entry)) is not None:
            events.append(event)
            page = evolve(page, event)
    return events


def _written(
    practice: State, page: State, sheet: Sheet, slots: tuple[Slot, ...], opening: Opening | None = None
) -> list[SessionPublished | SlotsAdded]:
    if not isinstance(practice, Practice):
        raise Refusal(f"No practice {sheet.practice} is registered here", code="unknown-practice", where="practice")
    known = page.slots if isinstance(page, Page) else {}
    for slot in slots:
        if slot.id in known and known[slot.id] != slot:
            raise Conflict("The slot is in the diary, but differs", code="slot-differs", where=_where(sheet, slot))
    fresh = tuple(slot for slot in slots if slot.id not in known)
    _check_apart(sheet, {**known, **{slot.id: slot for slot in fresh}}.values())
    if not fresh:
        return []
    if isinstance(page, NotYet):
        return [_published(sheet, opening)]
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


def _opened(page: Page, session: str, opening: Opening | None) -> list[SessionOpened]:
    return [] if page.opening == opening else [SessionOpened(session=session, practice=page.practice, opening=opening)]


def _published(sheet: Sheet, opening: Opening | None) -> SessionPublished:
    return SessionPublished(
        session=sheet.session,
        practice=sheet.practice,
        name=sheet.name,
        clinician=sheet.clinician,
        clinician_role=sheet.clinician_role,
        location=sheet.location,
        slots=sheet.slots,
        opening=opening,
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


def _next(page: Page, command: ImportSession, entry: Entry) -> BookingEvent | None:
    """The one event that brings the page nearer to what the entry says, if any is wanting."""
    known = page.appointments.get(entry.appointment)
    if known is None:
        return _taken(page, command, entry)
    return _settled(known, entry) if known.to_come and known.status != entry.status else None


def _taken(page: Page, command: ImportSession, entry: Entry) -> BookingEvent:
    """The entry's appointment, or first the end of a hold in its way whose time is over."""
    if entry.slot in page.withdrawn:
        where = next((_where(command.sheet, slot) for slot in command.sheet.slots if slot.id == entry.slot), "slots")
        raise Conflict("The slot was withdrawn", code="slot-withdrawn", where=where)
    slot = page.slots[entry.slot]
    taker = page.takers.get(slot.id)
    if taker is None:
        return _booked(slot, command.sheet, entry)
    hold = page.holds.get(taker)
    if hold is not None and not hold.lasts(command.now):
        return released(hold, "given-up", command.now)
    what = "Somebody is just booking the slot" if hold else "Another appointment has the slot"
    raise Conflict(what, code="slot-taken", where=_where(command.sheet, slot))


def _booked(slot: Slot, sheet: Sheet, entry: Entry) -> AppointmentBooked:
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


def _settled(known: Appointment, entry: Entry) -> BookingEvent | None:
    session, practice, appointment = known.booked.session, known.booked.practice, entry.appointment
    match entry.status:
        case "arrived":
            return PatientArrived(session=session, practice=practice, appointment=appointment)
        case "fulfilled":
            return AppointmentFulfilled(session=session, practice=practice, appointment=appointment)
        case "noshow":
            return AppointmentMissed(session=session, practice=practice, appointment=appointment)
        case "cancelled":
            return cancelled(known, "practice", "other")
        case "booked":
            return None
