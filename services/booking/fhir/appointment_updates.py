"""Changing an appointment: confirmed, amended, cancelled, marked. Prepared here, and carried out anywhere."""

import re
from collections.abc import Sequence

from services.booking.changing import changed_since
from services.booking.commands import (
    AmendAppointment,
    BookingCommand,
    CancelAppointment,
    ConfirmHold,
    MarkAppointment,
    ReleaseHold,
)
from services.booking.fhir import claims, resources
from services.booking.fhir.appointment_creates import sealed
from services.booking.fhir.change_form import Amendment, Cancellation, Marking, Nothing, Release, read_change
from services.booking.fhir.desk import Desk
from services.booking.fhir.forms import BookingForm
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.writing import Prepared, answered, asker_of, check_booker, own_row, require_own_practice
from services.booking.fhir.written import about, answer, changed_row, rendered
from services.booking.rows import AppointmentRow
from shared.events.envelope import Recorded
from shared.refusals import Conflict, Refusal
from shared.seal import Details, PatientBlock, opened


async def prepare_update(desk: Desk, ask: Ask, appointment: str) -> Prepared:
    """The one change that the body asks for. Whose appointment it is comes before everything else."""
    row = await own_row(desk, ask.caller, appointment)
    version = seen_version(ask, row)
    _check_seen(ask, row, version)
    current = await rendered(desk, row)
    change = read_change(ask.body, current, made_up=desk.service.settings.made_up_numbers, base=ask.base)
    match change:
        case Nothing():
            return answered(answer(ask, row, current))
        case BookingForm():
            return _written(desk, ask, row, await _confirmation(desk, ask, row, version, change))
        case Amendment(details):
            return _written(desk, ask, row, await _amendment(desk, ask, row, version, details))
        case Marking(mark):
            require_own_practice(ask.caller, row)
            return _written(desk, ask, row, MarkAppointment(row.session, appointment, version, mark, ask.now))
        case Cancellation() | Release() if current["status"] == "cancelled":
            return answered(answer(ask, row, current))
        case Cancellation(by, reason):
            command = CancelAppointment(row.session, appointment, version, by, reason, ask.now)
            return _written(desk, ask, row, command)
        case Release():
            return _written(desk, ask, row, ReleaseHold(row.session, appointment, version, ask.now))


def _check_seen(ask: Ask, row: AppointmentRow, version: int) -> None:
    """Raises `Conflict` if the caller has not seen the newest version, whatever it asks for.

    But for a cancellation sent a second time, because its first answer was lost: that is harmless.
    """
    status = ask.body.get("status") if isinstance(ask.body, dict) else None
    if row.status == "released" and status == "booked":
        raise Conflict("The hold is over: book the slots anew if they are still free", code="hold-expired")
    if version != row.version and not (row.status in ("cancelled", "released") and status == "cancelled"):
        raise changed_since()


def seen_version(ask: Ask, row: AppointmentRow) -> int:
    """The version that the caller says it has seen; 0, which is never one, if it is not the newest."""
    if ask.if_match is None:
        raise Refusal("Say which version you read: If-Match with its ETag", code="if-match-missing", where="If-Match")
    tags = re.findall(r'(?:W/)?"([^"]*)"', ask.if_match)
    return row.version if str(row.version) in tags else 0


async def _confirmation(desk: Desk, ask: Ask, row: AppointmentRow, version: int, form: BookingForm) -> ConfirmHold:
    check_booker(ask.caller, form.booker)
    asker = asker_of(ask.caller, row.practice, form.booker)
    claims.check(form.claims, resources.appointment(row, None, None))
    patient = await sealed(desk, form)
    return ConfirmHold(
        practice=row.practice,
        session=row.session,
        appointment=row.appointment,
        version=version,
        patient=patient.block,
        details=patient.details,
        textable=form.textable,
        asker=asker,
        now=ask.now,
        priority=form.priority,
        identifier=form.identifier,
    )


async def _amendment(desk: Desk, ask: Ask, row: AppointmentRow, version: int, details: Details) -> AmendAppointment:
    key = (await desk.service.keys.find([row.patient])).get(row.patient)
    if key is None or opened(key, row.sealed, PatientBlock) is None:
        raise Refusal("The patient has been erased, and with them the text", code="patient-erased", where="Appointment")
    return AmendAppointment(row.session, row.appointment, version, key.seal(details), ask.now)


def _written(desk: Desk, ask: Ask, row: AppointmentRow, command: BookingCommand) -> Prepared:
    async def finish(recorded: Sequence[Recorded]) -> Answer:
        mine = about(recorded, row.appointment)
        after = changed_row(row, mine) if mine else await own_row(desk, ask.caller, row.appointment)
        return answer(ask, after, await rendered(desk, after))

    return Prepared(row.practice, (command,), finish)
