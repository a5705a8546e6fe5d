"""The rules for taking slots out of a session: whom it displaces is looked at first, and nobody is forgotten."""

from collections.abc import Collection, Sequence
from datetime import datetime

from services.booking.commands import WithdrawSlots
from services.booking.states import Appointment, Page, State, released, slot_end
from shared.events.booking import AppointmentDisplaced, BookingEvent, Slot, SlotsWithdrawn
from shared.refusals import Conflict, NotFound, Refusal


def withdraw(page: State, command: WithdrawSlots) -> list[BookingEvent]:
    """The slots that are gone, the holds and the appointments that go with them; `[]` if all are gone already."""
    if not isinstance(page, Page) or page.practice != command.practice:
        raise NotFound("There is no such session", code="no-such-session", where="session")
    going = _going(page, command)
    if not going:
        return []
    takers = dict.fromkeys(page.takers[slot.id] for slot in going if slot.id in page.takers)
    displaced = [known for id in takers if (known := page.appointments.get(id)) is not None and known.to_come]
    _check_confirmed(page, len(displaced), command)
    return [
        _withdrawn(page, going, command),
        *(released(page.holds[id], "withdrawn", command.now) for id in takers if id in page.holds),
        *(_displaced(page, known, command) for known in displaced),
    ]


def _going(page: Page, command: WithdrawSlots) -> Sequence[Slot]:
    if not command.slots:
        return [slot for slot in page.slots.values() if not _begun(page, slot, command.now)]
    if any(id not in page.slots and id not in page.withdrawn for id in command.slots):
        raise Refusal("There is no such slot in the session", code="unknown-slot", where="slots")
    named = [slot for slot in page.slots.values() if slot.id in command.slots]
    if any(_begun(page, slot, command.now) for slot in named):
        raise Refusal("A slot, or the appointment in it, has begun already", code="slot-in-the-past", where="slots")
    return named


def _begun(page: Page, slot: Slot, now: datetime) -> bool:
    """An appointment of several slots begins with the first, and then has them all."""
    known = page.appointments.get(page.takers.get(slot.id, ""))
    return min(slot.start, known.booked.start if known else slot.start) <= now


def _check_confirmed(page: Page, patients: int, command: WithdrawSlots) -> None:
    if not patients or command.confirmed == page.version:
        return
    if command.confirmed is not None:
        raise Conflict(
            "The session has changed since you looked at whom this displaces; look again",
            code="withdrawal-changed",
            where="confirmation",
        )
    have = "1 patient has" if patients == 1 else f"{patients} patients have"
    raise Conflict(
        f"{have} an appointment in these slots and would have to be rebooked; look at who they are, and confirm",
        code="confirmation-needed",
        where="confirmation",
    )


def _withdrawn(page: Page, going: Collection[Slot], command: WithdrawSlots) -> SlotsWithdrawn:
    gone = {slot.id for slot in going}
    left = [slot for slot in page.slots.values() if slot.id not in gone]
    start = min(slot.start for slot in left or going)
    return SlotsWithdrawn(
        session=command.session,
        practice=page.practice,
        slots=tuple(slot.id for slot in going),
        reason=command.reason,
        session_start=start,
        session_end=max(map(slot_end, left), default=start),
    )


def _displaced(page: Page, known: Appointment, command: WithdrawSlots) -> AppointmentDisplaced:
    booked = known.booked
    return AppointmentDisplaced(
        session=booked.session,
        practice=booked.practice,
        appointment=booked.appointment,
        patient=booked.patient.id,
        start=booked.start,
        minutes=booked.minutes,
        withdrawal=command.withdrawal,
        reason=command.reason,
        session_name=page.name,
        slots=known.slots,
    )
