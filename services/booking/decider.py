"""The rules of the diary: what may be published, booked, cancelled and moved, and what is said when it may not."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from services.booking.commands import (
    BookAppointment,
    BookingCommand,
    CancelAppointment,
    DeclineAppointment,
    FreezePractice,
    ImportSession,
    MoveAppointment,
    PublishSession,
    RegisterPractice,
    ReopenPractice,
    SettleAppointment,
)
from services.booking.keeping import may_use
from services.booking.moving import move
from services.booking.paging import import_session, publish
from services.booking.states import Held, NotYet, Page, Practice, State, cancelled, evolve, slot_end
from shared.decider import Decider
from shared.events.booking import (
    AppointmentBooked,
    AppointmentFulfilled,
    AppointmentMissed,
    BookingEvent,
    PracticeFrozen,
    PracticeRegistered,
    PracticeReopened,
    Slot,
)
from shared.refusals import Conflict, NotFound, Refusal


def touches(command: BookingCommand) -> Sequence[str]:
    """The streams a command looks at."""
    match command:
        case RegisterPractice(practice) | FreezePractice(practice) | ReopenPractice(practice):
            return (f"practice/{practice}",)
        case PublishSession(sheet) | ImportSession(sheet):
            return (f"practice/{sheet.practice}", f"session/{sheet.session}")
        case BookAppointment(practice=practice, session=session):
            return (f"practice/{practice}", f"session/{session}")
        case MoveAppointment(from_session=old, to_session=new):
            return (f"session/{old}", f"session/{new}")
        case CancelAppointment(session) | SettleAppointment(session) | DeclineAppointment(session):
            return (f"session/{session}",)


def decide(states: Mapping[str, State], command: BookingCommand) -> Sequence[BookingEvent]:
    """What happens, or `[]` where it has happened already."""
    first, last = (states[stream] for stream in (touches(command)[0], touches(command)[-1]))
    match command:
        case RegisterPractice():
            return _register(first, command)
        case FreezePractice():
            return _freeze(first, command)
        case ReopenPractice():
            return _reopen(first, command)
        case PublishSession():
            return publish(first, last, command)
        case ImportSession():
            return import_session(first, last, command)
        case BookAppointment():
            return _book(first, last, command)
        case CancelAppointment():
            return _cancel(first, command)
        case SettleAppointment():
            return _settle(first, command)
        case DeclineAppointment():
            return _decline(first, command)
        case MoveAppointment():
            return move(first, last, command)


def _register(state: State, command: RegisterPractice) -> list[BookingEvent]:
    registered = PracticeRegistered(
        practice=command.practice,
        name=command.name,
        town=command.town,
        postcode=command.postcode,
        telephone=command.telephone,
        nhs111_slots_per_day=command.nhs111_slots_per_day,
    )
    return [] if isinstance(state, Practice) and state.registered == registered else [registered]


def _freeze(state: State, command: FreezePractice) -> list[BookingEvent]:
    """A practice whose diary is kept elsewhere has nothing to freeze, and an outage that is over freezes no more."""
    if not isinstance(state, Practice) or command.outage in state.outages | state.over:
        return []
    return [PracticeFrozen(practice=command.practice, outage=command.outage)]


def _reopen(state: State, command: ReopenPractice) -> list[BookingEvent]:
    if not isinstance(state, Practice) or command.outage not in state.outages:
        return []
    return [PracticeReopened(practice=command.practice, outage=command.outage)]


def _book(practice: State, page: State, command: BookAppointment) -> list[BookingEvent]:
    if not isinstance(page, Page) or not isinstance(practice, Practice):
        raise _unknown_slot()
    if command.appointment in page.appointments:
        return []
    slots = _adjoining(page, command.slots)
    _check_times(slots, command)
    _check_open(practice, page, slots, command)
    return [
        AppointmentBooked(
            session=command.session,
            practice=page.practice,
            appointment=command.appointment,
            slots=command.slots,
            start=slots[0].start,
            minutes=sum(slot.minutes for slot in slots),
            patient=command.patient,
            details=command.details,
            textable=command.textable,
            booked_at=command.now,
            priority=command.priority,
            booked_by=command.booked_by,
            identifier=command.identifier,
        )
    ]


def _adjoining(page: Page, ids: Sequence[str]) -> list[Slot]:
    if not ids or any(id not in page.slots for id in ids):
        raise _unknown_slot()
    slots = [page.slots[id] for id in ids]
    for earlier, later in pairwise(slots):
        alike = (earlier.channel, earlier.service_type) == (later.channel, later.service_type)
        if slot_end(earlier) != later.start or not alike:
            raise Refusal(
                "Several slots are booked together only if each begins where the one before it ends, by the same "
                "channel and for the same service",
                code="slots-do-not-adjoin",
                where="Appointment.slot",
            )
    return slots


def _check_times(slots: Sequence[Slot], command: BookAppointment) -> None:
    start, end = slots[0].start, slot_end(slots[-1])
    for where, asked, have in (("start", command.start, start), ("end", command.end, end)):
        if asked != have:
            raise Refusal(
                f"The appointment's {where} is not that of its slots, {have.isoformat()}",
                code="times-differ",
                where=f"Appointment.{where}",
            )
    if start <= command.now:
        raise Refusal("The slot has begun already", code="slot-in-the-past", where="Appointment.start")


def _check_open(practice: Practice, page: Page, slots: Iterable[Slot], command: BookAppointment) -> None:
    if practice.outages:
        raise Conflict(
            "The practice takes no new appointments while its systems are down; ask again once it has reopened, or "
            "another practice",
            code="practice-frozen",
            where="Appointment.slot",
        )
    for slot in slots:
        if not may_use(command.caller, slot.kept_for, slot.start, command.now):
            raise Refusal(f"The slot is kept for {slot.kept_for}", code="slot-kept", where="Appointment.slot")
        if slot.id in page.takers:
            raise Conflict("The slot has been taken", code="slot-taken", where="Appointment.slot")


def _unknown_slot() -> Refusal:
    return Refusal("There is no such slot", code="unknown-slot", where="Appointment.slot")


def _cancel(page: State, command: CancelAppointment) -> list[BookingEvent]:
    held = _held(page, command.appointment)
    if held is None:
        raise NotFound("There is no such appointment", code="unknown-appointment")
    if held.status == "cancelled":
        return []
    if held.version != command.version:
        raise Conflict(
            "The appointment has changed since you read it; read it again", code="version-mismatch", where="If-Match"
        )
    if not held.to_come:
        raise Refusal(f"The appointment is {held.status} and cannot be cancelled", code="not-booked", where="status")
    if held.booked.start <= command.now:
        raise Refusal("It is too late to cancel: the appointment has begun", code="too-late", where="Appointment.start")
    return [cancelled(held, command.cancelled_by, command.reason)]


def _settle(page: State, command: SettleAppointment) -> list[BookingEvent]:
    held = _held(page, command.appointment)
    if held is None or not held.to_come:
        return []
    session, practice = held.booked.session, held.booked.practice
    match command.outcome:
        case "attended":
            return [AppointmentFulfilled(session=session, practice=practice, appointment=command.appointment)]
        case "missed":
            return [AppointmentMissed(session=session, practice=practice, appointment=command.appointment)]
        case "cancelled":
            return [cancelled(held, "practice", "other")]


def _decline(page: State, command: DeclineAppointment) -> list[BookingEvent]:
    """An answer that comes once the appointment has begun cancels nothing: whether the patient came is seen there."""
    held = _held(page, command.appointment)
    if held is None or not held.to_come or held.booked.start <= command.now:
        return []
    return [cancelled(held, "patient", "pat")]


def _held(page: State, appointment: str) -> Held | None:
    return page.appointments.get(appointment) if isinstance(page, Page) else None


decider: Decider[State, BookingCommand, BookingEvent] = Decider(NotYet(), touches, decide, evolve)
