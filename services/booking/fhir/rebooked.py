"""Rescheduling as an operation: `POST Appointment/{id}/$reschedule`, one transaction for the new and the old."""

from collections.abc import Sequence

from services.booking.commands import RescheduleAppointment
from services.booking.fhir.appointment_updates import seen_version
from services.booking.fhir.change_form import Cancellation, read_reason
from services.booking.fhir.conditional import Once, Same, booked_before, key_name
from services.booking.fhir.contained import Booker
from services.booking.fhir.desk import Desk
from services.booking.fhir.forms import local_id
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.shapes import Coding, Concept, Parameter, Parameters, shaped
from services.booking.fhir.writing import Prepared, own_row, places_for, wanted_of
from services.booking.fhir.written import about, answer, blank_row, changed_row, rendered
from shared.events.booking import AppointmentBooked
from shared.events.envelope import Recorded
from shared.ids import new_id
from shared.refusals import Refusal
from shared.seal import DataKey


async def prepare_reschedule(desk: Desk, ask: Ask, appointment: str) -> Prepared:
    """Parameters with the new slots (`slot`, one or several) and the `reason` for which the old one is cancelled."""
    row = await own_row(desk, ask.caller, appointment)
    version = seen_version(ask, row)
    slots, why = _read(ask)
    (place, *_), asker = await places_for(desk, ask, slots, Booker())
    name = key_name(ask, appointment)
    command = RescheduleAppointment(
        practice=row.practice,
        from_session=row.session,
        appointment=appointment,
        version=version,
        to_session=place.session,
        to_slots=slots,
        to_appointment=new_id(),
        cancelled_by=why.cancelled_by,
        reason=why.reason,
        asker=asker,
        now=ask.now,
        once=name,
    )
    once = Once(name, _same(slots)) if name else None

    async def finish(recorded: Sequence[Recorded]) -> Answer:
        mine = about(recorded, command.to_appointment)
        if mine is not None:
            after = changed_row(blank_row(place, ask.now), mine)
            return answer(ask, after, await rendered(desk, after), 201)
        before = await booked_before(desk, ask, once) if once else None
        if before is None:
            raise RuntimeError("an appointment was neither rescheduled nor found to have been")
        return before

    return Prepared(row.practice, (command,), finish, wanted_of(place, slots), asker, once)


def _same(slots: Sequence[str]) -> Same:
    def same(booked: AppointmentBooked, _: DataKey | None) -> bool:
        return booked.slots == slots

    return same


def _read(ask: Ask) -> tuple[tuple[str, ...], Cancellation]:
    slots: list[str] = []
    reasons: list[Cancellation] = []
    for place, parameter in enumerate(shaped(ask.body, Parameters).parameter):
        where = f"Parameters.parameter[{place}]"
        if parameter.name == "slot" and parameter.value_reference is not None:
            slots.append(local_id(parameter.value_reference, "Slot", ask.base, where))
        elif parameter.name == "reason":
            reasons.append(read_reason(_concept(parameter), where))
        else:
            known = "It takes slot (valueReference) and reason (valueCodeableConcept)"
            raise Refusal(known, code="invalid-resource", where=where)
    if not slots or len(reasons) != 1:
        needed = "Name the new slots (slot) and one reason for which the old one is cancelled (reason)"
        raise Refusal(needed, code="invalid-resource", where="Parameters.parameter")
    return tuple(slots), reasons[0]


def _concept(parameter: Parameter) -> Concept:
    return parameter.value_codeable_concept or Concept(coding=(parameter.value_coding or Coding(),))
