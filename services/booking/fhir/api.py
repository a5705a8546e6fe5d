"""The FHIR R4 API of the diary: one route for each interaction, which asks, and answers, and knows no rule."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.booking.fhir import examples, reads
from services.booking.fhir.appointment_creates import prepare_create
from services.booking.fhir.appointment_updates import prepare_update
from services.booking.fhir.batches import process
from services.booking.fhir.capability import capability_statement
from services.booking.fhir.desk import Desk, desk_at
from services.booking.fhir.holds import prepare_hold
from services.booking.fhir.http import (
    BASE,
    LARGEST_BUNDLE,
    ask_of,
    format_of,
    read_ask,
    read_search,
    respond,
    respond_to_write,
)
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.reads import Kind
from services.booking.fhir.rebooked import prepare_reschedule
from services.booking.fhir.writing import carry_out
from services.booking.guarding import Guard, GuardDep
from shared.access import Action
from shared.clock import london_date
from shared.dependencies import caller
from shared.http import RunningDep

router = APIRouter(prefix=BASE, tags=["FHIR R4"])


@router.get("/metadata", openapi_extra=examples.answers(200, "CapabilityStatement"))
async def metadata(request: Request, service: RunningDep) -> Response:
    """What this API can do. Open to everyone."""
    format_of(request)
    return respond(request, Answer(capability_statement(london_date(service.clock.now()).isoformat())))


@router.post("", openapi_extra=examples.takes(examples.BATCH, examples.BATCH_ANSWER, 200, "Idempotency-Key"))
async def process_bundle(request: Request) -> Response:
    """Carry out a Bundle: a batch, each of whose entries stands by itself, or a transaction, all of it or nothing.

    50 entries at most. A transaction only writes, and makes room (PUT) before it books (POST).
    """
    desk = desk_at(request)
    ask = await read_ask(request, desk.service, await caller(request), most=LARGEST_BUNDLE)
    return respond(request, await process(desk, ask, request.state.also))


@router.post(
    "/Appointment",
    status_code=201,
    openapi_extra=examples.takes(examples.BOOKING, examples.BOOKED, 201, "If-None-Exist", "Idempotency-Key"),
)
async def book(request: Request) -> Response:
    """Book one slot, or several that adjoin, for the contained patient; with status `pending`, hold them.

    `If-None-Exist: identifier=system|value` books only what is not there yet; `Idempotency-Key` makes it safe to
    repeat. A slot that has gone is answered with 409 and the nearest ones that are free.
    """
    desk, ask = await _write(request, "c")
    return respond_to_write(request, ask, await carry_out(desk, ask, await prepare_create(desk, ask)))


@router.post(
    "/Appointment/$hold",
    status_code=201,
    openapi_extra=examples.takes(examples.HOLD, examples.HELD, 201, "Idempotency-Key"),
)
async def hold(request: Request) -> Response:
    """Keep slots for a patient who is about to be booked. `Expires` says how long; a PUT with status `booked` books."""
    desk, ask = await _write(request, "c")
    return respond_to_write(request, ask, await carry_out(desk, ask, await prepare_hold(desk, ask)))


@router.put(
    "/Appointment/{id}", openapi_extra=examples.takes(examples.CANCELLATION, examples.CANCELLED, 200, "If-Match")
)
async def update(id: str, request: Request) -> Response:
    """Change an appointment, sent whole as it was read, with If-Match.

    A status `cancelled` with a `cancelationReason` cancels it (or gives up a hold), `booked` confirms a hold, and
    `arrived`, `fulfilled`, `noshow`, `entered-in-error` are for its practice to say. With the same status,
    `description` and `comment` can be amended. Any other difference is refused by its name.
    """
    desk, ask = await _write(request, "u")
    return respond_to_write(request, ask, await carry_out(desk, ask, await prepare_update(desk, ask, id)))


@router.post(
    "/Appointment/{id}/$reschedule",
    status_code=201,
    openapi_extra=examples.takes(examples.RESCHEDULING, examples.RESCHEDULED, 201, "If-Match", "Idempotency-Key"),
)
async def reschedule(id: str, request: Request) -> Response:
    """Give the patient other slots of the same practice and give back the old ones, in one transaction. Needs If-Match.

    The new appointment says which it `replaces`; the old one is cancelled for the `reason` given.
    """
    desk, ask = await _write(request, "u")
    return respond_to_write(request, ask, await carry_out(desk, ask, await prepare_reschedule(desk, ask, id)))


async def _write(request: Request, action: Action) -> tuple[Desk, Ask]:
    """The desk, and what is asked there. (As dependencies, these would cost a tenth of the whole booking.)"""
    guard, desk = Guard(await caller(request), request), desk_at(request)
    guard.caller.require("Appointment", action)
    return desk, await read_ask(request, desk.service, guard.caller)


def _reads(kind: Kind, found: str, one: str) -> None:
    """The routes by which a resource is found and read; `found` and `one` say what, in words."""

    @router.get(f"/{kind}", summary=f"Search {kind}s", description=found, openapi_extra=examples.searches(kind))
    async def search(request: Request, service: RunningDep, guard: GuardDep) -> Response:
        guard.caller.require(kind, "s")
        ask = ask_of(request, service, guard.caller)
        return respond(request, await reads.search(service, ask, kind))

    @router.post(
        f"/{kind}/_search", summary=f"Search {kind}s by form", description=found, openapi_extra=examples.form(kind)
    )
    async def search_by_form(request: Request, service: RunningDep, guard: GuardDep) -> Response:
        guard.caller.require(kind, "s")
        ask = await read_search(request, service, guard.caller)
        return respond(request, await reads.search(service, ask, kind))

    @router.get(f"/{kind}/{{id}}", summary=f"Read a {kind}", description=one, openapi_extra=examples.answers(200, kind))
    async def read(id: str, request: Request, service: RunningDep, guard: GuardDep) -> Response:
        guard.caller.require(kind, "r")
        return respond(request, await reads.read(service, ask_of(request, service, guard.caller), kind, id))

    @router.get(
        f"/{kind}/{{id}}/_history",
        summary=f"What a {kind} has been",
        description=f"Every version of it, the newest first, straight from the log. {one}",
        openapi_extra=examples.answers(200, "Bundle"),
    )
    async def history(id: str, request: Request, service: RunningDep, guard: GuardDep) -> Response:
        guard.caller.require(kind, "r")
        return respond(request, await reads.history(service, ask_of(request, service, guard.caller), kind, id))

    @router.get(
        f"/{kind}/{{id}}/_history/{{version}}",
        summary=f"Read a version of a {kind}",
        description=one,
        openapi_extra=examples.answers(200, kind),
    )
    async def vread(id: str, version: str, request: Request, service: RunningDep, guard: GuardDep) -> Response:
        guard.caller.require(kind, "r")
        ask = ask_of(request, service, guard.caller)
        return respond(request, await reads.vread(service, ask, kind, id, version))


_reads(
    "Slot",
    "Slots wholly inside at most 14 days: `start=ge…`, `end=le…` and `status`, of one practice or session, or any.",
    "A slot that is open to the caller, or of its own practice.",
)
_reads(
    "Schedule",
    "Sessions, by practice and date.",
    "A session with slots that are open to the caller, or of its own practice.",
)
_reads(
    "Appointment",
    "A patient's appointments, or a practice's, by identifier, date or status.",
    "An appointment of the caller's own practice, or one that the caller's organisation booked.",
)
