"""How what booking remembers follows from what happened: each event turns one state into the next."""

from collections.abc import Mapping

from msgspec.structs import replace

from services.booking.commands import Status
from services.booking.states import Appointment, Hold, NotYet, Page, Practice, State
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

_PracticeEvent = PracticeRegistered | PracticeOpened | PracticeFrozen | PracticeReopened


def evolve(state: State, event: BookingEvent) -> State:
    """The state after the event."""
    match event:
        case PracticeRegistered() | PracticeOpened() | PracticeFrozen() | PracticeReopened():
            return _evolve_practice(state, event)
        case MoveRejected(move=move) if not isinstance(state, Practice):
            return replace(state, version=state.version + 1, rejected=state.rejected | {move})
        case SessionPublished() if isinstance(state, NotYet):
            return _published(state, event)
        case _ if isinstance(state, Page):
            return _evolve_page(state, state.version + 1, event)
        case _:
            return state


def _evolve_practice(state: State, event: _PracticeEvent) -> State:
    match state, event:
        case Practice(), PracticeRegistered():
            return replace(state, registered=event)
        case _, PracticeRegistered():
            return Practice(event)
        case Practice(), PracticeOpened(opening=opening):
            return replace(state, opening=opening)
        case Practice(outages=outages), PracticeFrozen(outage=outage, keeps_out=keeps_out):
            return replace(state, outages={**outages, outage: keeps_out})
        case Practice(outages=outages, over=over), PracticeReopened(outage=outage):
            left = {id: keeps_out for id, keeps_out in outages.items() if id != outage}
            return replace(state, outages=left, over=over | {outage})
        case _:
            return state


def _published(state: NotYet, event: SessionPublished) -> Page:
    return Page(
        version=state.version + 1,
        practice=event.practice,
        name=event.name,
        opening=event.opening,
        slots={slot.id: slot for slot in event.slots},
        rejected=state.rejected,
        takers={},
        appointments={},
        holds={},
        withdrawn=frozenset(),
    )


def _evolve_page(page: Page, version: int, event: BookingEvent) -> Page:
    match event:
        case AppointmentBooked():
            return _booked(page, version, event)
        case AppointmentAmended(appointment=appointment, details=details):
            known = page.appointments[appointment]
            amended = replace(known.booked, details=details)
            return _with(page, Appointment(amended, known.status, version), page.takers)
        case AppointmentCancelled(appointment=appointment):
            return _ended(page, appointment, "cancelled", version)
        case AppointmentMoved(appointment=appointment, move=move):
            return _ended(page, appointment, "moved", version, move)
        case AppointmentDisplaced(appointment=appointment):
            return _ended(page, appointment, "displaced", version)
        case AppointmentEnteredInError(appointment=appointment):
            return _ended(page, appointment, "entered-in-error", version)
        case PatientArrived(appointment=appointment):
            return _stands(page, appointment, "arrived", version)
        case AppointmentFulfilled(appointment=appointment):
            return _stands(page, appointment, "fulfilled", version)
        case AppointmentMissed(appointment=appointment):
            return _stands(page, appointment, "noshow", version)
        case SlotsHeld() | HoldReleased():
            return _evolve_holds(page, version, event)
        case _:
            return _evolve_slots(page, version, event)


def _booked(page: Page, version: int, event: AppointmentBooked) -> Page:
    appointment = event.appointment
    holds = page.holds
    if appointment in holds:
        holds = {id: hold for id, hold in holds.items() if id != appointment}
    takers = {**page.takers, **dict.fromkeys(event.slots, appointment)}
    appointments = {**page.appointments, appointment: Appointment(event, "booked", version)}
    return replace(page, version=version, takers=takers, appointments=appointments, holds=holds)


def _evolve_holds(page: Page, version: int, event: SlotsHeld | HoldReleased) -> Page:
    match event:
        case SlotsHeld(appointment=appointment, slots=slots):
            holds = {**page.holds, appointment: Hold(event, version)}
            takers: Mapping[str, str] = {**page.takers, **dict.fromkeys(slots, appointment)}
        case HoldReleased(appointment=appointment):
            holds = {**page.holds, appointment: Hold(page.holds[appointment].held, version, released=True)}
            takers = _without(page, appointment)
    return replace(page, version=version, takers=takers, holds=holds)


def _evolve_slots(page: Page, version: int, event: BookingEvent) -> Page:
    match event:
        case SlotsAdded(slots=slots):
            added = {slot.id: slot for slot in slots}
            return replace(page, version=version, slots={**page.slots, **added}, withdrawn=page.withdrawn - set(added))
        case SlotsWithdrawn(slots=gone):
            left = {id: slot for id, slot in page.slots.items() if id not in gone}
            return replace(page, version=version, slots=left, withdrawn=page.withdrawn.union(gone))
        case SessionOpened(opening=opening):
            return replace(page, version=version, opening=opening)
        case _:
            return replace(page, version=version)


def _stands(page: Page, appointment: str, status: Status, version: int) -> Page:
    return _with(page, Appointment(page.appointments[appointment].booked, status, version), page.takers)


def _ended(page: Page, appointment: str, status: Status, version: int, move: str = "") -> Page:
    """The page without it: what slots it had are free."""
    known = Appointment(page.appointments[appointment].booked, status, version, move)
    return _with(page, known, _without(page, appointment))


def _without(page: Page, appointment: str) -> Mapping[str, str]:
    return {slot: taker for slot, taker in page.takers.items() if taker != appointment}


def _with(page: Page, known: Appointment, takers: Mapping[str, str]) -> Page:
    """The page with this appointment as it stands now, at the version that brought it there."""
    appointments = {**page.appointments, known.booked.appointment: known}
    return replace(page, version=known.version, takers=takers, appointments=appointments)
