"""Requests that say what became of the lost appointments: the file of a day on paper."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy import RowMapping

from services.rebooking import views
from services.rebooking.guarding import Name
from services.rebooking.paper import read_paper
from services.rebooking.reconciliation import (
    Found,
    LostAppointment,
    by_rule,
    match_paper,
)
from services.rebooking.recording import Reconciled, reconcilable, reconciled, record
from services.rebooking.sheet import lost_appointments
from shared.describing import CSV_FILE
from shared.http import Answered, CallerDep, OperatorOnly, RunningDep
from shared.records import BadRows
from shared.refusals import Refusal
from shared.service import Running

LARGEST_FILE = 64 * 1024 * 1024

router = APIRouter(prefix="/v1/outages", tags=["reconciliation"])


@router.post("/{outage}/reconciliation", dependencies=[OperatorOnly], openapi_extra=CSV_FILE)
async def reconcile(
    outage: str,
    request: Request,
    service: RunningDep,
    caller: CallerDep,
    rest: Literal["displaced", "unknown"] = "unknown",
    practice: Annotated[str, Query(max_length=20)] = "",
    typed_by: Annotated[Name, Query()] = "",
) -> Reconciled:
    """Take over who was seen on paper (CSV: practice,start,nhs_number,outcome[,at]), all of it or nothing.

    The lists of the continuity pack are such files. With `rest=displaced` all others are decided by rule: same-day
    demand goes to triage, the rest is displaced. With `practice` it is all about that practice alone.
    """
    text, now = _text(await _body(request)), service.clock.now()
    async with service.engine.connect() as connection:
        declared = reconcilable(await views.outage_of(connection, outage))
        if practice and practice not in declared.practices:
            raise Refusal(f"{practice} is not a practice of this outage", code="unknown-practice", where="practice")
        rows = await lost_appointments(connection, declared, now, practice)
    about = (practice,) if practice else declared.practices
    typed, ruled = await asyncio.to_thread(_from_paper, service, text, about, rows, rest == "displaced", now)
    outcomes = await record(service, outage, typed, ruled, typed_by or caller.client)
    return await reconciled(service, declared, outcomes, practice)


def _from_paper(
    service: Running,
    text: str,
    practices: Sequence[str],
    rows: Sequence[RowMapping],
    rest_is_displaced: bool,
    now: datetime,
) -> tuple[list[Found], list[Found]]:
    """What the paper says, and what the rule says of the rest."""
    lost = [LostAppointment(**row) for row in rows]
    paper, faults = read_paper(text, practices, now)
    found, more = match_paper(paper, lost, lambda number: service.keys.pseudonym("patient", number), now)
    if faults or more:
        raise BadRows([*faults, *more])
    named = {each.finding.appointment for each in found}
    return found, list(by_rule(lost, named)) if rest_is_displaced else []


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FILE:
            raise Answered(413, f"The file is longer than {LARGEST_FILE:,} bytes")
    return bytes(body)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as unreadable:
        line = body.count(b"\n", 0, unreadable.start) + 1
        raise Refusal("The file is not UTF-8 text", code="not-utf-8", where=f"line {line}") from None
