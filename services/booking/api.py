"""Booking's plain API: practices, to whom they are open, the diary as a file, the day list, and counts."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from msgspec import structs

from services.booking.bodies import read_text
from services.booking.commands import OpenPractice
from services.booking.fhir.resources import local
from services.booking.guarding import Guard, GuardDep, needs
from services.booking.importing import EVENTS_TOGETHER, import_diary
from services.booking.opening_form import OpeningForm, read_opening, shown
from services.booking.practices import read_practices
from services.booking.rows import AppointmentRow
from services.booking.session_views import practice_opening
from services.booking.views import all_practices, day_list, figures
from shared.clock import LONDON, parse_instant
from shared.describing import CSV_FILE
from shared.http import OperatorOnly, RunningDep
from shared.seal import DataKey, Details, PatientBlock, opened
from shared.service import Running

LARGEST_FILE = 64 * 1024 * 1024
_EVER = ("0001-01-02T00:00+00:00", "9999-12-30T00:00+00:00")

router = APIRouter(prefix="/v1", tags=["booking"])


@router.post("/practices", dependencies=[OperatorOnly], openapi_extra=CSV_FILE)
async def register_practices(request: Request, service: RunningDep) -> dict[str, int]:
    """Register the practices of a CSV file, or correct what is known of them. For operators."""
    commands = read_practices(await read_text(request, LARGEST_FILE))
    for start in range(0, len(commands), EVENTS_TOGETHER):
        await service.executor.execute_together(commands[start : start + EVENTS_TOGETHER])
    return {"registered": len(commands)}


@router.get("/practices", dependencies=[needs("Schedule", "s")])
async def list_practices(service: RunningDep, guard: GuardDep) -> list[dict[str, Any]]:
    """Every practice, and from whom outages keep new appointments; to a practice's own system, that one alone."""
    async with service.engine.connect() as connection:
        return [asdict(row) for row in await all_practices(connection) if guard.caller.belongs_to(row.practice)]


@router.get("/practices/{practice}/opening", dependencies=[needs("Schedule", "r")])
async def read_practice_opening(practice: str, service: RunningDep, guard: GuardDep) -> dict[str, Any]:
    """To whom the practice's slots are open where a session does not say otherwise; `null`: to nobody else."""
    guard.require_own(practice)
    return await _practice_opening(service, guard, practice)


@router.put("/practices/{practice}/opening", dependencies=[needs("Schedule", "u")])
async def open_practice(practice: str, form: OpeningForm, service: RunningDep, guard: GuardDep) -> dict[str, Any]:
    """Say to whom the practice's slots are open from now on, where a session does not say otherwise."""
    guard.require_own(practice)
    opening = read_opening(form)
    await _practice_opening(service, guard, practice)
    await service.executor.execute(OpenPractice(practice, opening))
    return await _practice_opening(service, guard, practice)


@router.post("/diary", dependencies=[needs("Schedule", "c"), needs("Appointment", "c")], openapi_extra=CSV_FILE)
async def take_diary(request: Request, service: RunningDep, guard: GuardDep, keep_good: bool = False) -> dict[str, Any]:
    """Import a diary file. With one bad row nothing is stored, unless `keep_good`; a file sent twice is taken once.

    To a practice's own system every other practice's rows are bad ones.
    """
    imported = await import_diary(service, await read_text(request, LARGEST_FILE), guard.caller, keep_good=keep_good)
    return asdict(imported) | {"refused": [structs.asdict(fault) for fault in imported.refused]}


@router.get("/day-list", dependencies=[needs("Appointment", "s")])
async def read_day_list(
    practice: str, date: date, response: Response, service: RunningDep, guard: GuardDep
) -> list[dict[str, Any]]:
    """The practice's list for a day, with names and telephones, to be read and printed; outages do not close it."""
    guard.require_own(practice)
    start = datetime.combine(date, time(), LONDON).astimezone(UTC)
    end = datetime.combine(date + timedelta(days=1), time(), LONDON).astimezone(UTC)
    async with service.engine.connect() as connection:
        await guard.require_registered(connection, practice)
        rows = await day_list(connection, practice, start, end)
    keys = await service.keys.find({row.patient for row in rows})
    response.headers["Cache-Control"] = "no-store"
    return [_listed(row, keys) for row in rows]


@router.get("/figures", dependencies=[OperatorOnly])
async def read_figures(
    service: RunningDep,
    start: Annotated[str, Query(alias="from")] = _EVER[0],
    end: Annotated[str, Query(alias="to")] = _EVER[1],
) -> dict[str, Any]:
    """Counts from the tables as they stand: what starts in the stretch by status, and what must be nought.

    For operators.
    """
    since, until = parse_instant(start), parse_instant(end)
    async with service.engine.connect() as connection:
        return asdict(await figures(connection, since, until))


async def _practice_opening(service: Running, guard: Guard, practice: str) -> dict[str, Any]:
    async with service.engine.connect() as connection:
        await guard.require_registered(connection, practice)
        opening = await practice_opening(connection, practice)
    return {"practice": practice, "opening": None if opening is None else shown(opening)}


def _listed(row: AppointmentRow, keys: Mapping[str, DataKey]) -> dict[str, Any]:
    """A line of the day list. An erased patient has a line too: somebody may yet come."""
    key = keys.get(row.patient)
    patient, details = opened(key, row.sealed, PatientBlock), opened(key, row.details, Details)
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
        "patient": structs.asdict(patient) if patient else None,
        "details": structs.asdict(details) if details else None,
    }
