"""Booking an appointment: what is asked is prepared here, and carried out by itself or in a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.booking.commands import BookAppointment
from services.booking.fhir import claims, resources
from services.booking.fhir.conditional import (
    Once,
    booked_before,
    criterion,
    criterion_name,
    existing,
    key_name,
    same_booking,
)
from services.booking.fhir.desk import Desk
from services.booking.fhir.forms import BookingForm, read_booking
from services.booking.fhir.holds import prepare_hold
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.writing import Prepared, answered, own_row, places_for, wanted_of
from services.booking.fhir.written import about, answer, blank_row, changed_row
from shared.events.booking import Patient
from shared.events.envelope import Recorded
from shared.ids import new_id
from shared.refusals import NotFound, Refusal


async def prepare_create(desk: Desk, ask: Ask) -> Prepared:
    """A booking; or, with status pending, a hold."""
    if isinstance(ask.body, dict) and ask.body.get("status") == "pending":
        return await prepare_hold(desk, ask)
    form = read_booking(ask.body, made_up=desk.service.settings.made_up_numbers, base=ask.base)
    if identifier := criterion(ask):
        if form.identifier != identifier:
            why = "A create on the condition that an identifier is new must carry that identifier"
            raise Refusal(why, code="invalid-resource", where="Appointment.identifier")
        if found := await existing(desk, ask, identifier):
            return answered(found)
    return await _prepare_booking(desk, ask, form, identifier)


async def _prepare_booking(desk: Desk, ask: Ask, form: BookingForm, identifier: str) -> Prepared:
    once = _once(desk, ask, form, identifier)
    try:
        (place, *_), asker = await places_for(desk, ask, form.slots, form.booker)
    except Refusal:
        if once and (before := await booked_before(desk, ask, once)):
            return answered(before)
        raise
    if form.claims:
        claims.check(form.claims, resources.appointment(blank_row(place, ask.now), None, None))
    if form.replaces:
        await _check_replaced(desk, ask, form)
    # Nobody is given a key before all that can be said against the booking has been.
    patient = await sealed(desk, form)
    booking = BookAppointment(
        appointment=new_id(),
        practice=place.practice,
        session=place.session,
        slots=form.slots,
        start=form.start,
        end=form.end,
        patient=patient.block,
        details=patient.details,
        textable=form.textable,
        asker=asker,
        now=ask.now,
        priority=form.priority,
        identifier=form.identifier,
        replaces=form.replaces,
        once=once.name if once else "",
    )

    async def finish(recorded: Sequence[Recorded]) -> Answer:
        mine = about(recorded, booking.appointment)
        if mine is not None:
            row = changed_row(blank_row(place, ask.now), mine)
            return answer(ask, row, resources.appointment(row, form.patient, form.details), 201)
        before = await booked_before(desk, ask, once) if once else None
        if before is None:
            raise RuntimeError("a booking was neither made nor found")
        return before

    return Prepared(place.practice, (booking,), finish, wanted_of(place, form.slots), asker, once)


def _once(desk: Desk, ask: Ask, form: BookingForm, identifier: str) -> Once | None:
    if identifier:
        return Once(criterion_name(ask.caller, identifier))
    name = key_name(ask)
    asked = {
        "slots": form.slots,
        "priority": form.priority,
        "booked_by": form.booker.code or ask.caller.organisation,
        "booked_by_name": form.booker.name,
        "booked_by_telephone": form.booker.telephone,
        "identifier": form.identifier,
        "replaces": form.replaces,
    }
    return Once(name, same_booking(_pseudonym(desk, form), form.patient, form.details, asked)) if name else None


@dataclass(frozen=True, slots=True)
class Sealed:
    """What only the patient's own key opens: who they are, and the text."""

    block: Patient
    details: str


async def sealed(desk: Desk, form: BookingForm) -> Sealed:
    """The patient and the text of the form; a patient who has no key yet is given one."""
    patient = _pseudonym(desk, form)
    key = (await desk.keys.find((patient,)))[patient]
    return Sealed(Patient(id=patient, sealed=key.seal(form.patient)), key.seal(form.details))


async def _check_replaced(desk: Desk, ask: Ask, form: BookingForm) -> None:
    """Only an appointment that the caller may see, and of the same patient, can be said to be replaced."""
    try:
        row = await own_row(desk, ask.caller, form.replaces)
    except NotFound:
        row = None
    if row is None or row.patient != _pseudonym(desk, form):
        raise Refusal(
            "The appointment that this one replaces is not known, or is not this patient's",
            code="unknown-reference",
            where="Appointment.extension",
        )


def _pseudonym(desk: Desk, form: BookingForm) -> str:
    return desk.service.keys.pseudonym("patient", form.patient.nhs_number)
