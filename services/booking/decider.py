"""The rules of the diary: which command looks at what, and who decides it; the practice's own rules are here."""

from collections.abc import Mapping, Sequence

from services.booking.changing import amend, cancel, decline, mark, settle
from services.booking.commands import (
    AmendAppointment,
    BookAppointment,
    BookingCommand,
    CancelAppointment,
    ConfirmHold,
    DeclineAppointment,
    ExpireHolds,
    FreezePractice,
    HoldSlots,
    ImportSession,
    MarkAppointment,
    MoveAppointment,
    OpenPractice,
    OpenSession,
    PublishSession,
    RegisterPractice,
    ReleaseHold,
    ReopenPractice,
    RescheduleAppointment,
    SettleAppointment,
    WithdrawSlots,
)
from services.booking.folding import evolve
from services.booking.holding import confirm, expire, hold, release
from services.booking.moving import move
from services.booking.paging import import_session, open_session, publish
from services.booking.rescheduling import reschedule
from services.booking.states import NotYet, Practice, State
from services.booking.taking import book
from services.booking.withdrawing import withdraw
from shared.decider import Decider
from shared.events.booking import (
    ALL_INFLOW,
    BookingEvent,
    PracticeFrozen,
    PracticeOpened,
    PracticeRegistered,
    PracticeReopened,
)
from shared.refusals import NotFound

_OfPractice = RegisterPractice | OpenPractice | FreezePractice | ReopenPractice
_OfPage = (
    OpenSession
    | WithdrawSlots
    | ReleaseHold
    | ExpireHolds
    | AmendAppointment
    | CancelAppointment
    | MarkAppointment
    | SettleAppointment
    | DeclineAppointment
)


def touches(command: BookingCommand) -> Sequence[str]:
    """The streams a command looks at."""
    match command:
        case BookAppointment() | HoldSlots() | ConfirmHold():
            return (f"practice/{command.practice}", f"session/{command.session}")
        case RegisterPractice() | OpenPractice() | FreezePractice() | ReopenPractice():
            return (f"practice/{command.practice}",)
        case PublishSession(sheet) | ImportSession(sheet):
            return (f"practice/{sheet.practice}", f"session/{sheet.session}")
        case RescheduleAppointment(practice=practice, from_session=old, to_session=new):
            return (f"practice/{practice}", f"session/{old}", f"session/{new}")
        case MoveAppointment(from_session=old, to_session=new):
            return (f"session/{old}", f"session/{new}")
        case _:
            return (f"session/{command.session}",)


def decide(states: Mapping[str, State], command: BookingCommand) -> Sequence[BookingEvent]:
    """What happens, or `[]` where it has happened already."""
    touched = touches(command)
    first, last = states[touched[0]], states[touched[-1]]
    match command:
        case BookAppointment():
            return book(first, last, command)
        case HoldSlots():
            return hold(first, last, command)
        case ConfirmHold():
            return confirm(first, last, command)
        case RegisterPractice() | OpenPractice() | FreezePractice() | ReopenPractice():
            return _decide_practice(first, command)
        case PublishSession():
            return publish(first, last, command)
        case ImportSession():
            return import_session(first, last, command)
        case RescheduleAppointment():
            return reschedule(first, states[touched[1]], last, command)
        case MoveAppointment():
            return move(first, last, command)
        case _:
            return _decide_page(first, command)


def _decide_practice(practice: State, command: _OfPractice) -> list[BookingEvent]:
    match command:
        case RegisterPractice():
            return _register(practice, command)
        case OpenPractice():
            return _open(practice, command)
        case FreezePractice():
            return _freeze(practice, command)
        case ReopenPractice():
            return _reopen(practice, command)


def _decide_page(page: State, command: _OfPage) -> list[BookingEvent]:
    match command:
        case OpenSession():
            return open_session(page, command)
        case WithdrawSlots():
            return withdraw(page, command)
        case ReleaseHold():
            return release(page, command)
        case ExpireHolds():
            return expire(page, command)
        case AmendAppointment():
            return amend(page, command)
        case CancelAppointment():
            return cancel(page, command)
        case MarkAppointment():
            return mark(page, command)
        case SettleAppointment():
            return settle(page, command)
        case DeclineAppointment():
            return decline(page, command)


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


def _open(state: State, command: OpenPractice) -> list[BookingEvent]:
    if not isinstance(state, Practice):
        raise NotFound("No such practice is registered here", code="unknown-practice", where="practice")
    if state.opening == command.opening:
        return []
    return [PracticeOpened(practice=command.practice, opening=command.opening)]


def _freeze(state: State, command: FreezePractice) -> list[BookingEvent]:
    """A practice whose diary is kept elsewhere has nothing to freeze, and an outage that is over freezes no more."""
    if not isinstance(state, Practice) or command.outage in state.over:
        return []
    keeps_out = tuple(kind for kind in ALL_INFLOW if kind in command.keeps_out)
    if state.outages.get(command.outage) == keeps_out:
        return []
    return [PracticeFrozen(practice=command.practice, outage=command.outage, keeps_out=keeps_out)]


def _reopen(state: State, command: ReopenPractice) -> list[BookingEvent]:
    if not isinstance(state, Practice) or command.outage not in state.outages:
        return []
    return [PracticeReopened(practice=command.practice, outage=command.outage)]


decider: Decider[State, BookingCommand, BookingEvent] = Decider(NotYet(), touches, decide, evolve)
