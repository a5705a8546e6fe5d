"""Requests of operators about an outage: declare it, end it, reconcile it, and watch the backlog fall."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import backlog, views
from services.rebooking.commands import DeclareOutage, EndOutage
from services.rebooking.demand import lost_appointments
from services.rebooking.outages import nothing_to_reconcile
from services.rebooking.paper import read_paper
from services.rebooking.reconciliation import Found, LostAppointment, by_rule, in_transactions, match_paper
from shared.clock import parse_instant
from shared.describing import CSV_FILE
from shared.execute import Order
from shared.http import OperatorOnly, RunningDep
from shared.ids import new_id
from shared.records import BadRows
from shared.refusals import Conflict, Refusal
from shared.service import Running

router = APIRouter(prefix="/v1/outages", tags=["outages"], dependencies=[OperatorOnly])

_DECLARING = 7_190_724
"""The advisory lock of whoever declares an outage, so that no two can overlap unseen."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Declaration(_Body):
    """An instant without offset is London's. Leave `ended_at` out while the end is unknown."""

    name: str = Field(min_length=1, max_length=200)
    practices: list[str] | Literal["all"]
    started_at: str
    ended_at: str | None = None
    declared_by: str = Field(default="", max_length=200)


class Ending(_Body):
    """When the systems came back; now, if left out."""

    ended_at: str | None = None


_NOW = Ending()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many appointments were reconciled just now, by outcome, and of how many nothing is known yet."""

    recorded: int
    outcomes: dict[str, int]
    unaccounted: int


@router.post("", status_code=201)
async def declare(body: Declaration, service: RunningDep) -> views.OutageAtStake:
    """Say that practices have no working system. Booking lets no new appointments in there until it ends."""
    now = service.clock.now()
    async with service.engine.begin() as connection:
        if not await connection.scalar(select(func.pg_try_advisory_xact_lock(_DECLARING))):
            raise Conflict("Another outage is just being declared: look at it, then try again", code="being-declared")
        command = DeclareOutage(
            outage=new_id(),
            name=body.name,
            practices=await _practices(connection, body.practices),
            started_at=parse_instant(body.started_at, "started_at"),
            ended_at=parse_instant(body.ended_at, "ended_at") if body.ended_at else None,
            declared_by=body.declared_by,
            now=now,
        )
        await _require_apart(connection, command)
        await service.executor.execute(command)
    return await _facts(service, command.outage)


@router.get("")
async def list_outages(service: RunningDep) -> list[views.Outage]:
    """All outages, the newest first; among them, of the kind `withdrawal`, the sessions withdrawn with patients."""
    async with service.engine.connect() as connection:
        return await views.all_outages(connection)


@router.get("/{outage}")
async def show_outage(outage: str, service: RunningDep) -> views.OutageAtStake:
    """The outage, and how many appointments it takes, by practice, hour and priority."""
    return await _facts(service, outage)


@router.post("/{outage}/end")
async def end_outage(outage: str, service: RunningDep, body: Ending = _NOW) -> views.OutageAtStake:
    """Say that the systems are back."""
    now = service.clock.now()
    ended_at = parse_instant(body.ended_at, "ended_at") if body.ended_at else now
    await service.executor.execute(EndOutage(outage, ended_at, now))
    return await _facts(service, outage)


@router.post("/{outage}/reconciliation", openapi_extra=CSV_FILE)
async def reconcile(
    outage: str, request: Request, service: RunningDep, rest: Literal["displaced", "unknown"] = "unknown"
) -> Reconciled:
    """Take over who was seen on paper (CSV: practice,start,nhs_number,outcome[,at]), all of it or nothing.

    With `rest=displaced` all others are decided by rule: same-day demand goes to triage, the rest is displaced.
    """
    text, now = _text(await request.body()), service.clock.now()
    async with service.engine.connect() as connection:
        declared = await views.outage_of(connection, outage)
        if declared.kind == "withdrawal":
            raise nothing_to_reconcile()
        rows = await lost_appointments(connection, declared, now)
    found = await asyncio.to_thread(_findings, service, text, declared, rows, rest == "displaced")
    outcomes: Counter[str] = Counter()
    for together in in_transactions(outage, found):
        orders = [Order(dated.command, occurred_at=dated.at) for dated in together]
        recorded = await service.executor.execute_together(orders)
        outcomes.update(each.event.outcome for each in recorded)
    async with service.engine.connect() as connection:
        stands = await backlog.progress(connection, declared, now)
    return Reconciled(outcomes.total(), dict(outcomes), stands.unaccounted)


@router.get("/{outage}/progress")
async def show_progress(outage: str, service: RunningDep) -> backlog.Progress:
    """How far the recovery has come."""
    async with service.engine.connect() as connection:
        declared = await views.outage_of(connection, outage)
        return await backlog.progress(connection, declared, service.clock.now())


@router.get("/{outage}/unplaced")
async def list_unplaced(outage: str, service: RunningDep) -> list[backlog.LeftWaiting]:
    """Every displaced appointment that has not been moved, and why."""
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        return await backlog.left_waiting(connection, outage)


@router.get("/{outage}/calls")
async def list_calls(outage: str, service: RunningDep) -> list[backlog.Call]:
    """Everyone who is to be telephoned, and why."""
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        return await backlog.to_call(connection, outage)


async def _facts(service: Running, outage: str) -> views.OutageAtStake:
    async with service.engine.connect() as connection:
        return await views.outage_at_stake(connection, outage, service.clock.now())


async def _practices(connection: AsyncConnection, asked: Sequence[str] | Literal["all"]) -> tuple[str, ...]:
    registered = await views.registered_practices(connection)
    if asked == "all":
        return tuple(registered)
    if unknown := sorted(set(asked) - set(registered)):
        raise Refusal(
            f"No practice keeps a diary here under {', '.join(unknown)}", code="unknown-practice", where="practices"
        )
    return tuple(sorted(set(asked)))


async def _require_apart(connection: AsyncConnection, command: DeclareOutage) -> None:
    out = await views.practices_out_already(connection, command.practices, command.started_at, command.ended_at)
    if out:
        listed = ", ".join(f"{practice} ({name})" for practice, name in out.items())
        raise Conflict(
            f"Another outage covers these practices in that time: {listed}",
            code="overlapping-outage",
            where="practices",
        )


def _findings(
    service: Running, text: str, outage: views.Outage, rows: Sequence[RowMapping], rest_is_displaced: bool
) -> list[Found]:
    now = service.clock.now()
    lost = [LostAppointment(**row) for row in rows]
    paper, faults = read_paper(text, outage.practices, now)
    found, more = match_paper(paper, lost, lambda number: service.keys.pseudonym("patient", number), now)
    if faults or more:
        raise BadRows([*faults, *more])
    if rest_is_displaced:
        found += by_rule(lost, {each.finding.appointment for each in found})
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as unreadable:
        line = body.count(b"\n", 0, unreadable.start) + 1
        raise Refusal("The file is not UTF-8 text", code="not-utf-8", where=f"line {line}") from None
