"""The FHIR R4 API of the diary: find a slot, book it, read the appointment, cancel it."""

import re
from typing import Annotated, Any, get_args
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.booking import fhir
from services.booking.bodies import read_body, require_media_type
from services.booking.capability import capability_statement
from services.booking.commands import BookAppointment, Caller, CancelAppointment
from services.booking.fhir import Json
from services.booking.forms import BookingForm, read_booking, read_cancellation
from services.booking.rows import AppointmentRow
from services.booking.slot_params import Asked, read_parameters
from services.booking.slot_search import find_slots, slot_row
from services.booking.views import appointment_row, session_rows
from shared.clock import london_date
from shared.events.booking import Patient
from shared.http import RunningDep
from shared.ids import new_id
from shared.refusals import NotFound, Refusal
from shared.seal import Details, PatientBlock
from shared.service import Running

BASE = "/fhir/R4"
MEDIA_TYPE = "application/fhir+json"
LARGEST_RESOURCE = 256 * 1024

router = APIRouter(prefix=BASE, tags=["FHIR R4"])


def fhir_response(resource: Json, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The resource as it goes out: never to be stored on the way."""
    return Response(
        msgspec.json.encode(resource),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )


def caller(request: Request) -> Caller:
    """Who asks, by the header `Daybook-Caller`; the public if it does not say."""
    known: dict[str, Caller] = {kind: kind for kind in get_args(Caller)}
    sent = request.headers.get("Daybook-Caller", "public")
    if sent not in known:
        raise Refusal(f"The caller must be one of {', '.join(known)}", code="bad-header", where="Daybook-Caller")
    return known[sent]


CallerDep = Annotated[Caller, Depends(caller)]


@router.get("/metadata")
async def metadata(service: RunningDep) -> Response:
    """What this API can do."""
    return fhir_response(capability_statement(london_date(service.clock.now()).isoformat()))


@router.get("/Slot")
async def search_slots(request: Request, service: RunningDep, asked_by: CallerDep) -> Response:
    """Slots wholly inside at most 14 days: `start=ge…`, `end=le…`, `status`, `schedule`, a practice, `_include`."""
    asked = read_parameters(request.query_params.multi_items(), asked_by, service.clock.now())
    async with service.engine.connect() as connection:
        found = await find_slots(connection, asked.search)
        wanted = {row.session for row in found.rows} if asked.with_schedules else set()
        schedules = await session_rows(connection, wanted) if wanted else []
    base = _base(request)
    entries = [fhir.entry(base, fhir.slot(row), "match") for row in found.rows]
    entries += [fhir.entry(base, fhir.schedule(row), "include") for row in schedules]
    return fhir_response(fhir.bundle(found.total, _links(base, asked, found.total), entries))


@router.get("/Slot/{id}")
async def read_slot(id: str, service: RunningDep) -> Response:
    """One slot."""
    async with service.engine.connect() as connection:
        row = await slot_row(connection, id)
    if row is None:
        raise NotFound("There is no such slot", code="no-such-slot")
    return fhir_response(fhir.slot(row))


@router.get("/Schedule/{id}")
async def read_schedule(id: str, service: RunningDep) -> Response:
    """One session."""
    async with service.engine.connect() as connection:
        rows = await session_rows(connection, [id])
    if not rows:
        raise NotFound("There is no such session", code="no-such-session")
    return fhir_response(fhir.schedule(rows[0]))


@router.post("/Appointment", status_code=201)
async def book(request: Request, service: RunningDep, asked_by: CallerDep) -> Response:
    """Book one slot, or several that adjoin, for the contained patient."""
    form = read_booking(await _json(request), made_up=service.settings.made_up_numbers)
    command = await _booking(service, form, asked_by)
    await service.executor.execute(command)
    row = await _row(service, command.appointment)
    location = f"{_base(request)}/Appointment/{row.appointment}"
    resource = fhir.appointment(row, form.patient, form.details)
    return fhir_response(resource, 201, {"ETag": fhir.etag(row), "Location": location})


@router.get("/Appointment/{id}")
async def read_appointment(id: str, service: RunningDep) -> Response:
    """One appointment, with its patient."""
    row = await _row(service, id)
    return fhir_response(await _resource(service, row), headers={"ETag": fhir.etag(row)})


@router.put("/Appointment/{id}")
async def cancel(id: str, request: Request, service: RunningDep) -> Response:
    """Cancel: the appointment as it was read, with status `cancelled` and a `cancelationReason`. Needs If-Match."""
    version = _if_match(request)
    sent = await _json(request)
    row = await _row(service, id)
    form = read_cancellation(sent, await _resource(service, row))
    await service.executor.execute(
        CancelAppointment(
            session=row.session,
            appointment=id,
            version=version,
            cancelled_by=form.cancelled_by,
            reason=form.reason,
            now=service.clock.now(),
        )
    )
    after = await _row(service, id)
    return fhir_response(await _resource(service, after), headers={"ETag": fhir.etag(after)})


async def _booking(service: Running, form: BookingForm, asked_by: Caller) -> BookAppointment:
    async with service.engine.connect() as connection:
        slot = await slot_row(connection, form.slots[0]) if form.slots else None
    if slot is None:
        raise Refusal("There is no such slot", code="unknown-slot", where="Appointment.slot")
    patient = service.keys.pseudonym("patient", form.patient.nhs_number)
    key = (await service.keys.ensure([patient]))[patient]
    return BookAppointment(
        appointment=new_id(),
        practice=slot.practice,
        session=slot.session,
        slots=form.slots,
        start=form.start,
        end=form.end,
        patient=Patient(id=patient, sealed=key.seal(form.patient)),
        details=key.seal(form.details),
        textable=form.textable,
        caller=asked_by,
        now=service.clock.now(),
        priority=form.priority,
        booked_by=form.booked_by,
        identifier=form.identifier,
    )


async def _row(service: Running, appointment: str) -> AppointmentRow:
    async with service.engine.connect() as connection:
        row = await appointment_row(connection, appointment)
    if row is None:
        raise NotFound("There is no such appointment", code="unknown-appointment")
    return row


async def _resource(service: Running, row: AppointmentRow) -> Json:
    key = (await service.keys.find([row.patient])).get(row.patient)
    if key is None:
        return fhir.appointment(row, None, None)
    return fhir.appointment(row, key.open(row.sealed, PatientBlock), key.open(row.details, Details))


def _if_match(request: Request) -> int:
    sent = request.headers.get("If-Match")
    if sent is None:
        raise Refusal("Say which version you read: If-Match with its ETag", code="if-match-missing", where="If-Match")
    found = re.fullmatch(r'(?:W/)?"(\d{1,9})"', sent)
    return int(found[1]) if found else 0


async def _json(request: Request) -> Any:
    require_media_type(request, MEDIA_TYPE, "application/json")
    try:
        return msgspec.json.decode(await read_body(request, LARGEST_RESOURCE))
    except msgspec.DecodeError as malformed:
        raise Refusal(f"The body is not JSON: {malformed}", code="bad-json") from None


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{BASE}"


def _links(base: str, asked: Asked, total: int) -> dict[str, str]:
    links = {"self": f"{base}/Slot?{urlencode(asked.used)}"}
    after = asked.search.offset + asked.search.count
    if after < total:
        others = [(name, value) for name, value in asked.used if name != "_offset"]
        links["next"] = f"{base}/Slot?{urlencode([*others, ('_offset', str(after))])}"
    return links
