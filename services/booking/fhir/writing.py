"""How a write is carried out: prepared first, then decided and committed together with others, then answered.

A write by itself and one in a transaction are prepared and answered by the same code; only what is committed together
differs.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.booking.appointment_search import may_see
from services.booking.changing import unknown_appointment
from services.booking.commands import Asker, BookingCommand
from services.booking.fhir.alternatives import Run, Wanted, free_slots, nearest
from services.booking.fhir.conditional import Once, booked_before
from services.booking.fhir.contained import Booker
from services.booking.fhir.desk import Desk, Place
from services.booking.fhir.forms import LOGICAL_ID
from services.booking.fhir.interactions import Answer, Ask
from services.booking.keeping import standing, verdict
from services.booking.rows import AppointmentRow
from services.booking.views import appointment_row
from shared.access import Caller, Forbidden
from shared.events.envelope import Recorded
from shared.refusals import Conflict, Refusal


@dataclass(frozen=True, slots=True)
class Prepared:
    """A write whose commands are ready. `finish` makes the answer out of what was recorded.

    `wanted` are the slots it wants, so that others can be offered in their stead; `once` is what it may happen under
    but once.
    """

    practice: str
    commands: Sequence[BookingCommand]
    finish: Callable[[Sequence[Recorded]], Awaitable[Answer]]
    wanted: Wanted | None = None
    asker: Asker | None = None
    once: Once | None = None


class SlotTaken(Conflict):
    """Somebody else was faster; these runs of slots are still free."""

    def __init__(self, refusal: Conflict, alternatives: Sequence[Run]) -> None:
        super().__init__(refusal.message, code="slot-taken", where=refusal.where or "Appointment.slot")
        self.alternatives = alternatives


async def carry_out(desk: Desk, ask: Ask, prepared: Prepared) -> Answer:
    """The write by itself."""
    try:
        recorded = await desk.service.executor.execute_together(prepared.commands) if prepared.commands else ()
    except Refusal as refusal:
        if prepared.once and (before := await booked_before(desk, ask, prepared.once)):
            return before
        raise await with_alternatives(desk, ask, prepared, refusal) from None
    return await prepared.finish(recorded)


async def with_alternatives(desk: Desk, ask: Ask, prepared: Prepared, refusal: Refusal) -> Refusal:
    """The refusal; if it is that a slot has gone, then with the nearest that have not."""
    gone = refusal.code == "slot-taken" or (refusal.code == "lost-race" and refusal.where == "occupancy_slot")
    if not (gone and isinstance(refusal, Conflict) and prepared.wanted and prepared.asker):
        return refusal
    async with desk.service.engine.connect() as connection:
        candidates = await free_slots(connection, prepared.wanted, prepared.asker, ask.now)
    return SlotTaken(refusal, nearest(prepared.wanted, candidates))


def answered(found: Answer) -> Prepared:
    """A write that needs not be made, since its answer is known."""

    async def finish(_: Sequence[Recorded]) -> Answer:
        return found

    return Prepared(found.practice, (), finish)


async def places_for(desk: Desk, ask: Ask, slots: Sequence[str], booker: Booker) -> tuple[Sequence[Place], Asker]:
    """The slots, and who asks for them. Raises the same `Refusal` for one that is not there for the asker as for none.

    The decider looks again. But what is done before it does would tell a stranger of a slot that is not theirs.
    """
    check_booker(ask.caller, booker)
    found = await desk.places.find(slots)
    places = [found[slot] for slot in slots if slot in found]
    if len(places) < len(slots) or not all(_is_there(ask, place, booker) for place in places):
        raise Refusal("There is no such slot", code="unknown-slot", where="Appointment.slot")
    return places, asker_of(ask.caller, places[0].practice, booker)


def _is_there(ask: Ask, place: Place, booker: Booker) -> bool:
    asker = asker_of(ask.caller, place.practice, booker)
    if place.withdrawn or asker.standing == "practice":
        return not place.withdrawn
    return verdict(asker, place.kept_for, place.start, place.opening, ask.now) in ("available", "begun")


def wanted_of(place: Place, slots: Sequence[str]) -> Wanted:
    """So many slots like this one, from its start on."""
    return Wanted(place.practice, place.start, len(slots), place.channel, place.service_type)


def check_booker(caller: Caller, booker: Booker) -> None:
    """Raises `Refusal` if somebody else than the caller is said to book; an operator may book for anyone."""
    if booker.code not in ("", caller.organisation) and not caller.operates:
        why = "The booking organisation must be the one that your token names"
        raise Refusal(why, code="other-organisation", where="Appointment.contained.identifier")
    if booker.type not in ("", caller.organisation_type) and not caller.operates:
        why = "The booking organisation's type must be the one that your token names"
        raise Refusal(why, code="other-organisation", where="Appointment.contained.type")


def asker_of(caller: Caller, practice: str, booker: Booker) -> Asker:
    """Who asks for something of this practice, by the token, and by what they said of themselves."""
    return Asker(
        standing=standing(caller, practice),
        organisation=booker.code or caller.organisation,
        organisation_type=caller.organisation_type,
        name=booker.name,
        telephone=booker.telephone,
    )


async def own_row(desk: Desk, caller: Caller, appointment: str) -> AppointmentRow:
    """The appointment, if it is the caller's practice's or was booked by the caller's organisation.

    Raises the same `NotFound` for any other as for one that there is not, after the same look.
    """
    if not LOGICAL_ID.fullmatch(appointment):
        raise unknown_appointment()
    async with desk.service.engine.connect() as connection:
        row = await appointment_row(connection, appointment)
    if row is None or not may_see(caller, row):
        raise unknown_appointment()
    return row


def require_own_practice(caller: Caller, row: AppointmentRow) -> None:
    """Raises `Forbidden` for what only the practice can know."""
    if not caller.belongs_to(row.practice):
        raise Forbidden(
            "Only the practice marks who arrived, was seen or did not come", code="not-yours-to-mark", where="status"
        )
