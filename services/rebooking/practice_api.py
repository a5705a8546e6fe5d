"""Requests of a practice about its patients: the day list, and when and how somebody can be seen."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.rebooking import views
from services.rebooking.commands import NoteConstraints
from services.rebooking.day_list import DayList, day_by_day, listed_rows
from services.rebooking.guarding import Name, OwnPractice, outage_at
from services.rebooking.patients import patients
from shared.clock import london_date, written
from shared.events.booking import Channel
from shared.events.rebooking import Constraints, HalfOfDay
from shared.http import CallerDep, RunningDep
from shared.scopes import MAY_READ, MAY_WRITE

MOST_DAYS = 14
_EARLIEST, _LATEST = date(2000, 1, 1), date(2199, 12, 1)

router = APIRouter(prefix="/v1", tags=["practices"])


class ConstraintsForm(BaseModel):
    """When and how a patient can be seen at all; what is left out is all the same to them. 1 is Monday."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    not_before: date | None = None
    not_after: date | None = None
    weekdays: frozenset[int] = Field(default=frozenset(), max_length=7)
    half_of_day: HalfOfDay | None = None
    channels: frozenset[Channel] = frozenset()
    clinician: Name = ""
    noted_by: Name = ""


@router.get("/practices/{practice}/day-list", dependencies=[MAY_READ])
async def read_day_list(
    practice: OwnPractice,
    response: Response,
    service: RunningDep,
    first: Annotated[date | None, Query(alias="from", ge=_EARLIEST, le=_LATEST)] = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 1,
) -> DayList:
    """The practice's lists from a day on, today if none is said, with names and telephones; outages do not close it."""
    now = service.clock.now()
    first = first or london_date(now)
    async with service.engine.connect() as connection:
        name = await views.practice_name(connection, practice) or ""
        rows = await listed_rows(connection, practice, first, days)
    known = await patients(service.keys, (row["patient"] for row in rows if row["patient"]))
    response.headers["Cache-Control"] = "no-store"
    return DayList(practice, name, written(now), day_by_day(rows, known, first, days))


@router.put("/outages/{outage}/practices/{practice}/appointments/{appointment}/constraints", dependencies=[MAY_WRITE])
async def note_constraints(
    outage: str, practice: OwnPractice, appointment: str, form: ConstraintsForm, service: RunningDep, caller: CallerDep
) -> ConstraintsForm:
    """Write down when and how this patient can be seen, in place of what was noted before; the next plan obeys."""
    async with service.engine.connect() as connection:
        await outage_at(connection, outage, practice)
    noted_by = form.noted_by.strip() or caller.client
    await service.executor.execute(NoteConstraints(outage, practice, appointment, _constraints(form), noted_by))
    return form


def _constraints(form: ConstraintsForm) -> Constraints:
    return Constraints(
        not_before=form.not_before,
        not_after=form.not_after,
        weekdays=tuple(sorted(form.weekdays)),
        half_of_day=form.half_of_day,
        channels=tuple(sorted(form.channels)),
        clinician=form.clinician.strip(),
    )
