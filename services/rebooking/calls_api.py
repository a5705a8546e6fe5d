"""Requests of those who telephone: the call list, on the screen or printed, who takes a call, and what came of it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import BaseModel, ConfigDict, Field

from services.rebooking import views
from services.rebooking.call_list import IN_WORDS, CallList, CallRows, PatientToCall, call_rows, in_words, to_call
from services.rebooking.commands import ClaimCall, RecordCall
from services.rebooking.guarding import Name, OwnPractice, outage_at
from services.rebooking.patients import patients
from services.rebooking.plan_api import RulesDep
from shared.clock import written
from shared.events.rebooking import CallOutcome
from shared.http import RunningDep
from shared.refusals import Conflict, NotFound
from shared.scopes import MAY_READ, MAY_WRITE
from shared.seal import Details
from shared.service import Running

LONGEST_NOTE = 500

_HERE = Path(__file__).parent
_PAGES = Environment(
    loader=FileSystemLoader([_HERE / "templates", _HERE / "desk"]),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_NOTHING_FROM_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

router = APIRouter(prefix="/v1/outages/{outage}/practices/{practice}", tags=["calls"])

Caller = Annotated[Name, Field(min_length=1)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ClaimForm(_Body):
    """`by` is who is about to telephone."""

    by: Caller


class CallForm(_Body):
    """What came of a call, and what there is to remember of it; the note is sealed with the patient's own key."""

    outcome: CallOutcome
    note: str = Field(default="", max_length=LONGEST_NOTE, pattern=r"^[^\x00-\x08\x0b-\x1f]*$")
    by: Caller


@router.get("/calls", dependencies=[MAY_READ])
async def read_calls(outage: str, practice: OwnPractice, response: Response, service: RunningDep) -> CallList:
    """Whom the practice is to telephone, and why, with names, numbers, the new time in words and what was tried."""
    response.headers["Cache-Control"] = "no-store"
    return await _call_list(service, outage, practice)


@router.get("/calls.html", dependencies=[MAY_READ], response_class=HTMLResponse)
async def print_calls(outage: str, practice: OwnPractice, service: RunningDep) -> HTMLResponse:
    """The same to be printed, with room to write what came of each call."""
    listed = await _call_list(service, outage, practice)
    page = _PAGES.get_template("calls.html").render(
        listed=listed, as_of=in_words(service.clock.now()), outcomes=IN_WORDS
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _NOTHING_FROM_OUTSIDE}
    return HTMLResponse(page, headers=headers)


@router.post("/calls/{appointment}/claim", dependencies=[MAY_WRITE])
async def claim_call(
    outage: str, practice: OwnPractice, appointment: str, form: ClaimForm, service: RunningDep, rules: RulesDep
) -> PatientToCall:
    """Take a call on, so that nobody else makes it meanwhile. `appointment` is the lost one."""
    await _rows(service, outage, practice, appointment)
    now = service.clock.now()
    until = now + timedelta(minutes=rules.claim_minutes)
    await service.executor.execute(ClaimCall(outage, practice, appointment, form.by, now, until))
    return await _call(service, outage, practice, appointment)


@router.post("/calls/{appointment}/outcome", dependencies=[MAY_WRITE])
async def record_call(
    outage: str, practice: OwnPractice, appointment: str, form: CallForm, service: RunningDep, rules: RulesDep
) -> PatientToCall:
    """Write down what came of a call. `appointment` is the lost one."""
    rows = await _rows(service, outage, practice, appointment)
    note = await _sealed(service, rows.calls[0]["patient"], form.note)
    now = service.clock.now()
    await service.executor.execute(
        RecordCall(outage, practice, appointment, form.outcome, form.by, note, now, rules.fresh_offers)
    )
    return await _call(service, outage, practice, appointment)


async def _call_list(service: Running, outage: str, practice: str) -> CallList:
    now = service.clock.now()
    async with service.engine.connect() as connection:
        declared = await outage_at(connection, outage, practice)
        name = await views.practice_name(connection, practice) or ""
        rows = await call_rows(connection, outage, practice)
    known = await patients(service.keys, rows.patients)
    return CallList(outage, declared.name, practice, name, written(now), to_call(rows, known, now))


async def _rows(service: Running, outage: str, practice: str, appointment: str) -> CallRows:
    """The one call. Raises `NotFound` unless the practice has, or had, to make it."""
    async with service.engine.connect() as connection:
        await outage_at(connection, outage, practice)
        rows = None if "\0" in appointment else await call_rows(connection, outage, practice, appointment)
    if rows is None or not rows.calls:
        raise NotFound("There is no such call to make here", code="unknown-call", where="appointment")
    return rows


async def _call(service: Running, outage: str, practice: str, appointment: str) -> PatientToCall:
    rows = await _rows(service, outage, practice, appointment)
    [call] = to_call(rows, await patients(service.keys, rows.patients), service.clock.now())
    return call


async def _sealed(service: Running, patient: str, note: str) -> str:
    """The note as only the patient's key opens it. Never a new key: an erased patient stays erased."""
    if not note:
        return ""
    key = (await service.keys.find({patient})).get(patient)
    if key is None:
        raise Conflict("This patient has been erased: no note can be kept", code="erased", where="note")
    return key.seal(Details(comment=note))
