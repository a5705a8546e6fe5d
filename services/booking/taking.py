"""The rules for taking slots: who may have which, together or alone, and what may lie in the way."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from services.booking.commands import Asker, BookAppointment, Standing
from services.booking.keeping import effective, verdict
from services.booking.states import Page, Practice, State, released, slot_end
from shared.events.booking import AppointmentBooked, BookingEvent, HoldReleased, Slot
from shared.refusals import Conflict, Refusal

_WHOM: Mapping[Standing, str] = {
    "practice": "its own system",
    "nhs-111": "NHS 111",
    "public": "other organisations",
}


def book(practice: State, page: State, command: BookAppointment) -> list[BookingEvent]:
    """The appointment, after the end of any hold in its way whose time is over."""
    practice, page = diary(practice, page, command.practice)
    if asked_before(page, command.appointment, command.once):
        return []
    slots = visible(practice, page, command.slots, command.asker, command.now)
    check_times(slots, command.start, command.end)
    ended = make_way(practice, page, slots, command.asker, command.now)
    booked = AppointmentBooked(
        session=command.session,
        practice=page.practice,
        appointment=command.appointment,
        slots=command.slots,
        start=slots[0].start,
        minutes=minutes_of(slots),
        patient=command.patient,
        details=command.details,
        textable=command.textable,
        booked_at=command.now,
        priority=command.priority,
        booked_by=command.asker.organisation,
        identifier=command.identifier,
        replaces=command.replaces,
        booked_by_name=command.asker.name,
        booked_by_telephone=command.asker.telephone,
        once=command.once,
    )
    return [*ended, booked]


def diary(practice: State, page: State, at: str) -> tuple[Practice, Page]:
    """The practice and its page. Raises `Refusal` if the practice with this ODS code has no such page here."""
    if not isinstance(practice, Practice) or not isinstance(page, Page) or page.practice != at:
        raise _unknown_slot()
    return practice, page


def asked_before(page: Page, appointment: str, once: str) -> bool:
    """Whether this appointment, or another under the same name of the request, stands on the page already."""
    if appointment in page.appointments:
        return True
    return once != "" and any(known.booked.once == once for known in page.appointments.values())


def visible(practice: Practice, page: Page, ids: Sequence[str], asker: Asker, now: datetime) -> Sequence[Slot]:
    """The slots, of which each begins where the one before it ends.

    Raises `Refusal`: to a stranger a slot that is not open is one that does not exist, whatever else is wrong.
    """
    if not ids or any(id not in page.slots for id in ids):
        raise _unknown_slot()
    slots = [page.slots[id] for id in ids]
    opening = effective(page.opening, practice.opening)
    for slot in slots:
        if verdict(asker, slot.kept_for, slot.start, opening, now) in ("available", "begun"):
            continue
        if asker.standing != "practice":
            raise _unknown_slot()
        raise Refusal(f"The slot is kept for {slot.kept_for}", code="slot-kept", where="Appointment.slot")
    _check_adjoining(slots)
    return slots


def check_times(slots: Sequence[Slot], start: datetime, end: datetime) -> None:
    """Raises `Refusal` unless start and end are those of the slots."""
    for where, asked, have in (("start", start, slots[0].start), ("end", end, slot_end(slots[-1]))):
        if asked != have:
            raise Refusal(
                f"The appointment's {where} is not that of its slots, {have.isoformat()}",
                code="times-differ",
                where=f"Appointment.{where}",
            )


def make_way(
    practice: Practice, page: Page, slots: Sequence[Slot], asker: Asker, now: datetime, leaving: str = ""
) -> list[HoldReleased]:
    """The end of the holds in the way whose time is over. The appointment `leaving` is in nobody's way.

    Raises `Refusal` if the slots have begun, and `Conflict` if the asker is kept out or somebody else has one.
    """
    if slots[0].start <= now:
        raise Refusal("The slot has begun already", code="slot-in-the-past", where="Appointment.start")
    check_not_kept_out(practice, asker)
    takers = dict.fromkeys(page.takers[slot.id] for slot in slots if slot.id in page.takers)
    return _ended_holds(page, (taker for taker in takers if taker != leaving), now)


def check_not_kept_out(practice: Practice, asker: Asker) -> None:
    """Raises `Conflict` while any outage of the practice keeps out those who stand as the asker does."""
    if practice.keeps_out(asker.standing):
        raise Conflict(
            f"While its systems are down the practice takes no new appointments from {_WHOM[asker.standing]}; ask "
            "again once it has reopened, or another practice",
            code="practice-frozen",
            where="Appointment.slot",
        )


def minutes_of(slots: Iterable[Slot]) -> int:
    """How long the slots are together."""
    return sum(slot.minutes for slot in slots)


def _ended_holds(page: Page, takers: Iterable[str], now: datetime) -> list[HoldReleased]:
    ended = []
    for taker in takers:
        hold = page.holds.get(taker)
        if hold is None:
            raise Conflict("The slot has been taken", code="slot-taken", where="Appointment.slot")
        if hold.lasts(now):
            raise Conflict(
                "The slot is being booked by somebody else; it may come free again in some minutes",
                code="slot-taken",
                where="Appointment.slot",
            )
        ended.append(released(hold, "given-up", now))
    return ended


def _check_adjoining(slots: Sequence[Slot]) -> None:
    for earlier, later in pairwise(slots):
        alike = (earlier.channel, earlier.service_type) == (later.channel, later.service_type)
        if slot_end(earlier) != later.start or not alike:
            raise Refusal(
                "Several slots are booked together only if each begins where the one before it ends, by the same "
                "channel and for the same service",
                code="slots-do-not-adjoin",
                where="Appointment.slot",
            )


def _unknown_slot() -> Refusal:
    return Refusal("There is no such slot", code="unknown-slot", where="Appointment.slot")
