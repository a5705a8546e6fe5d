"""Requests of operators about an outage: declare it, say whom it keeps out, end it, and watch the backlog fall."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import backlog, views
from services.rebooking.commands import ChangeInflow, DeclareOutage, EndOutage
from services.rebooking.guarding import Name
from shared.clock import parse_instant
from shared.events.booking import ALL_INFLOW, Inflow
from shared.http import CallerDep, OperatorOnly, RunningDep
from shared.ids import new_id
from shared.refusals import Conflict, Refusal
from shared.service import Running

router = APIRouter(prefix="/v1/outages", tags=["outages"], dependencies=[OperatorOnly])

_DECLARING = 7_190_724
"""The advisory lock of whoever declares an outage, so that no two can overlap unseen."""

KeepsOut = Annotated[frozenset[Inflow], Field(description="Who can make no new bookings; those left out still can.")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Declaration(_Body):
    """An instant without offset is London's. Leave `ended_at` out while the end is unknown."""

    name: Annotated[Name, Field(min_length=1)]
    practices: list[str] | Literal["all"]
    started_at: str
    ended_at: str | None = None
    declared_by: Name = ""
    keeps_out: KeepsOut = frozenset(ALL_INFLOW)


class InflowChange(_Body):
    """From now on; an empty `keeps_out` lets everybody in again."""

    keeps_out: KeepsOut
    said_by: Name = ""


class Ending(_Body):
    """When the systems came back; now, if left out."""

    ended_at: str | None = None


_NOW = Ending()


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
            keeps_out=tuple(body.keeps_out),
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


@router.post("/{outage}/inflow")
async def change_inflow(outage: str, body: InflowChange, service: RunningDep, caller: CallerDep) -> views.OutageAtStake:
    """Say who can make no new bookings at the outage's practices while it lasts; everybody else can again."""
    command = ChangeInflow(outage, tuple(body.keeps_out), body.said_by.strip() or caller.client)
    await service.executor.execute(command)
    return await _facts(service, outage)


@router.post("/{outage}/end")
async def end_outage(outage: str, service: RunningDep, body: Ending = _NOW) -> views.OutageAtStake:
    """Say that the systems are back."""
    now = service.clock.now()
    ended_at = parse_instant(body.ended_at, "ended_at") if body.ended_at else now
    await service.executor.execute(EndOutage(outage, ended_at, now))
    return await _facts(service, outage)


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
    registered = await views.practice_names(connection)
    if asked == "all":
        return tuple(registered)
    if unknown := sorted(set(asked) - registered.keys()):
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
