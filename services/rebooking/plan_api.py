"""Requests of operators about a plan: have one made, look at it, and approve it by its hash."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import plan_views, views
from services.rebooking.commands import ApprovePlan, ProposePlan
from services.rebooking.demand import Diary, read_diary
from services.rebooking.planning import Plan, make_plan
from services.rebooking.rules import Rules
from shared.http import OperatorOnly, RunningDep
from shared.refusals import Conflict

router = APIRouter(prefix="/v1/outages", tags=["plans"], dependencies=[OperatorOnly])


def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.rules
    return rules


RulesDep = Annotated[Rules, Depends(_rules)]


class Approval(BaseModel):
    """`hash` names a whole plan, or one practice's part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str = Field(min_length=1)
    approved_by: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Approved:
    """The plan, and the practices whose moves now begin."""

    plan: str
    practices: list[str]


@router.post("/{outage}/plan", status_code=201)
async def propose_plan(outage: str, service: RunningDep, rules: RulesDep) -> plan_views.PlanSummary:
    """Compute the best plan for everyone who waits, and lay it before the operator; it takes the place of the last."""
    now = service.clock.now()
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        await views.outage_of(connection, outage)
        diary = await read_diary(connection, outage, rules, now)
    # In a thread of its own, so that health, following and other requests go on meanwhile.
    plan = await asyncio.to_thread(_plan, rules, outage, diary, now)
    if not plan.parts:
        raise Conflict(
            "Nobody waits for a place. If the outage has not been reconciled, do that first", code="nothing-to-plan"
        )
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
