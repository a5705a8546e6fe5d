"""Requests of operators: declare an outage, reconcile it, have it planned, approve, and watch the backlog fall."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import backlog, plan_views, views
from services.rebooking.commands import ApprovePlan, DeclareOutage, EndOutage, ProposePlan
from services.rebooking.demand import Diary, lost_appointments, read_diary
from services.rebooking.eligibility import window
from services.rebooking.paper import read_paper
from services.rebooking.planning import Plan, make_plan
from services.rebooking.reconciliation import Found, LostAppointment, by_rule, in_transactions, match_paper
from services.rebooking.rules import Rules
from shared.clock import parse_instant
from shared.execute import Order
from shared.http import RunningDep
from shared.ids import new_id
from shared.records import BadRows
from shared.refusals import Conflict, Refusal
from shared.service import Running

router = APIRouter(prefix="/v1/outages", tags=["outages"])

_DECLARING = 7_190_724
"""The advisory lock of whoever declares an outage, so that no two can overlap unseen."""


def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.rules
    return rules


RulesDep = Annotated[Rules, Depends(_rules)]


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


class Approval(_Body):
    """`hash` names a whole plan, or one practice's part of it."""

    hash: str = Field(min_length=1)
    approved_by: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many appointments were reconciled just now, by outcome, and of how many nothing is known yet."""

    recorded: int
    outcomes: dict[str, int]
    unaccounted: int


@dataclass(frozen=True, slots=True)
class Approved:
    """The plan, and the practices whose moves now begin."""

    plan: str
    practices: list[str]


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
            started_at=_instant(body.started_at, "started_at"),
            ended_at=_instant(body.ended_at, "ended_at") if body.ended_at else None,
            declared_by=body.declared_by,
            now=now,
        )
        await _require_apart(connection, command)
        await service.executor.execute(command)
    return await _facts(service, command.outage)


@router.get("")
async def list_outages(service: RunningDep) -> list[views.Outage]:
    """All outages, the newest first."""
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
    ended_at = _instant(body.ended_at, "ended_at") if body.ended_at else now
    await service.executor.execute(EndOutage(outage, ended_at, now))
    return await _facts(service, outage)


@router.post("/{outage}/reconciliation")
async def reconcile(
    outage: str, request: Request, service: RunningDep, rest: Literal["displaced", "unknown"] = "unknown"
) -> Reconciled:
    """Take over who was seen on paper (CSV: practice,start,nhs_number,outcome[,at]), all of it or nothing.

    With `rest=displaced` all others are decided by rule: same-day demand goes to triage, the rest is displaced.
    """
    text, now = _text(await request.body()), service.clock.now()
    async with service.engine.connect() as connection:
        declared = await views.outage_of(connection, outage)
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


@router.post("/{outage}/plan", status_code=201)
async def propose_plan(outage: str, service: RunningDep, rules: RulesDep) -> plan_views.PlanSummary:
    """Compute the best plan for everyone who waits, and lay it before the operator; it takes the place of the last."""
    now = service.clock.now()
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        await views.outage_of(connection, outage)
        diary = await read_diary(connection, outage, rules, window(rules, now))
    # In a thread of its own, so that health, following and other requests go on meanwhile.
    plan = await asyncio.to_thread(_plan, rules, outage, diary, now)
    if not plan.parts:
        raise Conflict("Nobody waits for a place: reconcile the outage first", code="nothing-to-plan")
    await service.executor.execute_together(_proposals(plan))
    async with service.engine.connect() as connection:
        return await plan_views.current_plan(connection, outage)


@router.get("/{outage}/plan")
async def show_plan(outage: str, service: RunningDep) -> plan_views.PlanSummary:
    """The newest plan: how many are placed by when, the longest waits, each practice's part."""
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        return await plan_views.current_plan(connection, outage)


@router.post("/{outage}/approval", status_code=202)
async def approve(outage: str, body: Approval, service: RunningDep) -> Approved:
    """Say yes to a plan, or to one practice's part of it, by its hash. Its moves begin at once."""
    now = service.clock.now()
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        parts = await plan_views.approvable(connection, outage, body.hash)
        await _require_still(connection, outage, parts, now)
    asked = [part for part in parts if part.state != "approved"] or parts
    await service.executor.execute_together(
        [ApprovePlan(outage, part.practice, part.plan, part.part, body.approved_by, now) for part in asked]
    )
    return Approved(asked[0].plan, [part.practice for part in asked])


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


async def _require_still(
    connection: AsyncConnection, outage: str, parts: Sequence[plan_views.Approvable], now: datetime
) -> None:
    """A plan that could be approved otherwise is refused if the diary has moved under it."""
    if not parts:
        raise Conflict("No plan of this outage has this hash", code="unknown-plan", where="hash")
    waiting = [part.practice for part in parts if part.state == "proposed" and part.expires_at > now]
    moved = await plan_views.moved_under(connection, outage, parts[0].plan, waiting)
    if moved:
        listed = ", ".join(f"{practice} ({number})" for practice, number in moved.items())
        raise Conflict(
            f"The diary has moved under this plan, so some places no longer hold, at {listed}. Propose a new plan, or "
            "approve the other practices' parts",
            code="stale-plan",
            where="hash",
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


def _plan(rules: Rules, outage: str, diary: Diary, now: datetime) -> Plan:
    return make_plan(rules, outage, diary.patients(), diary.slots(), read_position=diary.read_position, now=now)


def _proposals(plan: Plan) -> list[ProposePlan]:
    return [
        ProposePlan(
            outage=plan.outage,
            practice=part.practice,
            plan=plan.hash,
            part=part.hash,
            read_position=plan.read_position,
            expires_at=plan.expires_at,
            placements=part.placements,
            unplaced=part.unplaced,
        )
        for part in plan.parts
    ]


def _instant(text: str, field: str) -> datetime:
    try:
        return parse_instant(text)
    except Refusal as refusal:
        raise Refusal(refusal.message, code=refusal.code, where=field) from None


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as unreadable:
        line = body.count(b"\n", 0, unreadable.start) + 1
        raise Refusal("The file is not UTF-8 text", code="not-utf-8", where=f"line {line}") from None
