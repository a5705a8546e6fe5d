"""What booking remembers in order to decide: the practice as a whole, and each page of its diary."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec import structs

from services.booking.commands import Status
from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
    BookingEvent,
    CancelledBy,
    MoveRejected,
    PatientArrived,
    PracticeFrozen,
    PracticeRegistered,
    PracticeReopened,
    SessionPublished,
    Slot,
    SlotsAdded,
    SlotsWithdrawn,
)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nobody has registered this practice or published this session. Moves can have been rejected all the same."""

    version: int = 0
    rejected: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice that keeps its diary here; frozen while any outage lasts."""

    registered: PracticeRegistered
    outages: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Held:
    """An appointment as it was booked, where it stands now, and the version of the stream that brought it there."""

    booked: AppointmentBooked
    status: Status
    version: int
    move: str = ""

    @property
    def to_come(self) -> bool:
        """Whether the patient is still expected."""
        return self.status in ("booked", "arrived")


@dataclass(frozen=True, slots=True)
class Page:
    """A published session: its slots, who has them, and every appointment it ever held."""

    version: int
    practice: str
    slots: Mapping[str, Slot]
    takers: Mapping[str, str]
    appointments: Mapping[str, Held]
    rejected: frozenset[str]


State = NotYet | Practice | Page


def slot_end(slot: Slot) -> datetime:
    """When the next slot may begin."""
    return slot.start + timedelta(minutes=slot.minutes)


def cancelled(held: Held, by: CancelledBy, reason: str) -> AppointmentCancelled:
    """The event that calls the appointment off and frees its slots."""
    booked = held.booked
    return AppointmentCancelled(
        session=booked.session,
        practice=booked.practice,
        appointment=booked.appointment,
        cancelled_by=by,
        reason=reason,
        slots=booked.slots,
    )


def evolve(state: State, event: BookingEvent) -> State:
    """The state after the event."""
    match event:
        case PracticeRegistered() | PracticeFrozen() | PracticeReopened():
            return _evolve_practice(state, event)
        case MoveRejected(move=move) if not isinstance(state, Practice):
            return replace(state, version=state.version + 1, rejected=state.rejected | {move})
        case SessionPublished(practice=practice, slots=slots) if isinstance(state, NotYet):
            return Page(state.version + 1, practice, {slot.id: slot for slot in slots}, {}, {}, state.rejected)
        case _ if isinstance(state, Page):
            return _evolve_page(state, state.version + 1, event)
        case _:
            return state


def _evolve_practice(state: State, event: PracticeRegistered | PracticeFrozen | PracticeReopened) -> State:
    match state, event:
        case Practice(), PracticeRegistered():
            return replace(state, registered=event)
        case _, PracticeRegistered():
            return Practice(event)
        case Practice(outages=outages), PracticeFrozen(outage=outage):
            return replace(state, outages=outages | {outage})
        case Practice(outages=outages, over=over), PracticeReopened(outage=outage):
            return replace(state, outages=outages - {outage}, over=over | {outage})
        case _:
            return state


def _evolve_page(page: Page, version: int, event: BookingEvent) -> Page:
    match event:
        case SlotsAdded(slots=slots):
            return replace(page, version=version, slots={**page.slots, **{slot.id: slot for slot in slots}})
        case SlotsWithdrawn(slots=gone):
            left = {id: slot for id, slot in page.slots.items() if id not in gone}
            return replace(page, version=version, slots=left)
        case AppointmentBooked(appointment=appointment, slots=taken):
            takers = {**page.takers, **dict.fromkeys(taken, appointment)}
            return _with(page, Held(event, "booked", version), takers)
        case AppointmentAmended(appointment=appointment, details=details):
            held = page.appointments[appointment]
            amended = structs.replace(held.booked, details=details)
            return _with(page, Held(amended, held.status, version))
        case AppointmentCancelled(appointment=appointment):
            return _with(page, _settled(page, appointment, "cancelled", version), _without(page, appointment))
        case AppointmentMoved(appointment=appointment, move=move):
            return _with(page, _settled(page, appointment, "moved", version, move), _without(page, appointment))
        case PatientArrived(appointment=appointment):
            return _with(page, _settled(page, appointment, "arrived", version))
        case AppointmentFulfilled(appointment=appointment):
            return _with(page, _settled(page, appointment, "fulfilled", version))
        case AppointmentMissed(appointment=appointment):
            return _with(page, _settled(page, appointment, "noshow", version))
        case _:
            return replace(page, version=version)


def _settled(page: Page, appointment: str, status: Status, version: int, move: str = "") -> Held:
    return Held(page.appointments[appointment].booked, status, version, move)


def _without(page: Page, appointment: str) -> Mapping[str, str]:
    return {slot: taker for slot, taker in page.takers.items() if taker != appointment}


def _with(page: Page, held: Held, takers: Mapping[str, str] | None = None) -> Page:
    """The page with this appointment as it stands now, at the version that brought it there."""
    appointments = {**page.appointments, held.booked.appointment: held}
    taken = page.takers if takers is None else takers
    return replace(page, version=held.version, takers=taken, appointments=appointments)
