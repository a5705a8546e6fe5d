"""Booking's plain API, for operators: practices, the diary as a file, sessions, the day list, and counts."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from msgspec import structs

from services.booking.bodies import read_text
from services.booking.commands import PublishSession
from services.booking.fhir import local
from services.booking.importing import EVENTS_TOGETHER, import_diary
from services.booking.known import elsewhere
from services.booking.practices import read_practices
from services.booking.rows import AppointmentRow
from services.booking.session_form import SessionForm, sheet
from services.booking.views import all_practices, day_list, figures
from shared.clock import LONDON, parse_instant
from shared.http import RunningDep
from shared.refusals import Conflict, NotFound
from shared.seal import DataKey, Details, PatientBlock

LARGEST_FILE = 64 * 1024 * 1024
_EVER = ("0001-01-02T00:00+00:00", "9999-12-30T00:00+00:00")

router = APIRouter(prefix="/v1", tags=["booking"])


@router.post("/practices")
async def register_practices(request: Request, service: RunningDep) -> dict[str, int]:
    """Register the practices of a CSV file, or correct what is known of them."""
    commands = read_practices(await read_text(request, LARGEST_FILE))
    for start in range(0, len(commands), EVENTS_TOGETHER):
        await service.executor.execute_together(commands[start : start + EVENTS_TOGETHER])
    return {"registered": len(commands)}


@router.get("/practices")
async def list_practices(service: RunningDep) -> list[dict[str, Any]]:
    """Every practice, and whether an outage keeps it frozen."""
    async with service.engine.connect() as connection:
        return [asdict(row) for row in await all_practices(connection)]


@router.post("/diary")
async def take_diary(request: Request, service: RunningDep, keep_good: bool = False) -> dict[str, Any]:
    """Import a diary file. With one bad row nothing is stored, unless `keep_good`; a file sent twice is taken once."""
    imported = await import_diary(service, await read_text(request, LARGEST_FILE), keep_good=keep_good)
    return asdict(imported) | {"refused": [structs.asdict(fault) for fault in imported.refused]}


@router.post("/sessions", status_code=201)
async def publish_session(form: SessionForm, response: Response, service: RunningDep) -> dict[str, Any]:
    """Publish a session, or add slots to one; 200 if all of it was there already."""
    page = sheet(form)
    async with service.engine.connect() as connection:
        if other := await elsewhere(connection, page):
            raise Conflict(other.in_words, code="session-overlaps", where="slots")
    recorded = await service.executor.execute(PublishSession(page, service.clock.now()))
    response.status_code = 201 if recorded else 200
    slots = [{"slot": slot.id, "start": local(slot.start), "kept_for": slot.kept_for} for slot in page.slots]
    return {"session": page.session, "slots": slots}


@router.get("/day-list")
async def read_day_list(practice: str, date: date, response: Response, service: RunningDep) -> list[dict[str, Any]]:
    """The practice's list for a day, with names and telephones, to be read and printed; outages do not close it."""
    start = datetime.combine(date, time(), LONDON).astimezone(UTC)
    end = datetime.combine(date + timedelta(days=1), time(), LONDON).astimezone(UTC)
    async with service.engine.connect() as connection:
        if practice not in {row.practice for row in await all_practices(connection)}:
            raise NotFound("No such practice is registered here", code="unknown-practice", where="practice")
        rows = await day_list(connection, practice, start, end)
    keys = await service.keys.find({row.patient for row in rows})
    response.headers["Cache-Control"] = "no-store"
    return [_listed(row, keys) for row in rows]


@router.get("/figures")
async def read_figures(
    service: RunningDep,
    start: Annotated[str, Query(alias="from")] = _EVER[0],
    end: Annotated[str, Query(alias="to")] = _EVER[1],
) -> dict[str, Any]:
    """Counts from the tables as they stand: what starts in the stretch by status, and what must be nought."""
    since, until = parse_instant(start), parse_instant(end)
    async with service.engine.connect() as connection:
        return asdict(await figures(connection, since, until))


def _listed(row: AppointmentRow, keys: Mapping[str, DataKey]) -> dict[str, Any]:
    """A line of the day list. An erased patient has a line too: somebody may yet come."""
    key = keys.get(row.patient)
    patient = structs.asdict(key.open(row.sealed, PatientBlock)) if key else None
    details = structs.asdict(key.open(row.details, Details)) if key else None
    return {
        "appointment": row.appointment,
        "start": local(row.start),
        "minutes": row.minutes,
        "session": row.session_name,
        "clinician": row.clinician,
        "clinician_role": row.clinician_role,
        "location": row.location,
        "channel": row.channel,
        "service_type": row.service_type,
        "status": row.status,
        "priority": row.priority,
        "patient": patient,
        "details": details,
    }
