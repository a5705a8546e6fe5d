"""Requests of a practice about the sheet of its lost day: read it, and type in what became of whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.rebooking import views
from services.rebooking.guarding import Name, OwnPractice, outage_at
from services.rebooking.paper import happened
from services.rebooking.patients import patients
from services.rebooking.reconciliation import LostAppointment, Said, Wrong, match_said
from services.rebooking.recording import Reconciled, reconcilable, reconciled, record
from services.rebooking.sheet import Sheet, lost_appointments, sheet_line, sheet_rows
from shared.clock import written
from shared.http import CallerDep, RunningDep
from shared.refusals import Refusal
from shared.scopes import MAY_READ, MAY_WRITE

MOST_FINDINGS = 1000

router = APIRouter(prefix="/v1/outages/{outage}/practices/{practice}", tags=["reconciliation"])


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FindingForm(_Body):
    """What became of one appointment. `at` is when: a date and time, or a time of its day; left out, when it began."""

    appointment: str = Field(max_length=200)
    outcome: Literal["attended", "missed", "cancelled", "elsewhere", "triage", "displaced"]
    at: str | None = Field(default=None, max_length=40)


class FindingsForm(_Body):
    """What became of appointments of one practice. `typed_by` is who writes it down; left out, the client."""

    typed_by: Name = ""
    findings: tuple[FindingForm, ...] = Field(min_length=1, max_length=MOST_FINDINGS)


class BadFindings(Refusal):
    """Findings that were refused whole, with what is wrong with each."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        first = wrong[0]
        super().__init__(
            f"{len(wrong)} of these findings {'is' if len(wrong) == 1 else 'are'} wrong, and nothing was stored. "
            f"{first.said.place}: {first.reason}",
            code="bad-findings",
            where=f"{first.said.place}.{first.field}",
        )
        self.errors = [
            {
                "where": f"{each.said.place}.{each.field}",
                "appointment": each.said.appointment,
                "field": each.field,
                "reason": each.reason,
            }
            for each in wrong
        ]


@router.get("/appointments", dependencies=[MAY_READ])
async def read_sheet(outage: str, practice: OwnPractice, response: Response, service: RunningDep) -> Sheet:
    """Every appointment that the outage takes at this practice, by time, and what is known by now of each."""
    now = service.clock.now()
    async with service.engine.connect() as connection:
        declared = await outage_at(connection, outage, practice)
        name = await views.practice_name(connection, practice) or ""
        rows = await sheet_rows(connection, declared, now, practice)
    known = await patients(service.keys, (row["patient"] for row in rows))
    response.headers["Cache-Control"] = "no-store"
    return Sheet(outage, declared.name, practice, name, written(now), [sheet_line(row, known) for row in rows])


@router.post("/findings", dependencies=[MAY_WRITE])
async def take_findings(
    outage: str, practice: OwnPractice, form: FindingsForm, service: RunningDep, caller: CallerDep
) -> Reconciled:
    """Take over what became of appointments of this practice, all of it or nothing."""
    now = service.clock.now()
    async with service.engine.connect() as connection:
        declared = reconcilable(await outage_at(connection, outage, practice))
        rows = await lost_appointments(connection, declared, now, practice)
    lost = [LostAppointment(**row) for row in rows]
    said, unreadable = _said(form.findings, {each.appointment: each.start for each in lost}, now)
    found, wrong = match_said(said, lost, now)
    if unreadable or wrong:
        raise BadFindings(sorted([*unreadable, *wrong], key=lambda each: each.said.number))
    outcomes = await record(service, outage, found, [], form.typed_by.strip() or caller.client)
    return await reconciled(service, declared, outcomes, practice)


def _said(
    forms: Sequence[FindingForm], starts: Mapping[str, datetime], now: datetime
) -> tuple[list[Said], list[Wrong]]:
    """What is said, with its times read; a time of an appointment that is not known is left to be named as such."""
    said: list[Said] = []
    wrong: list[Wrong] = []
    for number, form in enumerate(forms):
        each = Said(number, form.appointment, form.outcome)
        try:
            start = starts.get(form.appointment)
            said.append(replace(each, at=happened((form.at or "").strip(), start, now) if start else None))
        except Refusal as refusal:
            wrong.append(Wrong(each, "at", refusal.message))
    return said, wrong
