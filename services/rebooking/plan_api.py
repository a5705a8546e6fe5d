"""Requests of operators about a plan: have one made, look at it, and approve it by its hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.rebooking import plan_views, proposals, views
from services.rebooking.approvals import asked_for
from services.rebooking.capacity import MarginalValue, value_of_capacity
from services.rebooking.commands import ApprovePlan, SetFollowUp
from services.rebooking.follow_up import automatic_as
from services.rebooking.guarding import Name
from services.rebooking.plan_sums import WithoutPlace
from services.rebooking.rules import Rules
from shared.http import CallerDep, OperatorOnly, RunningDep
from shared.refusals import Conflict, Refusal
from shared.service import Running

router = APIRouter(prefix="/v1/outages", tags=["plans"], dependencies=[OperatorOnly])


def _rules(request: Request) -> Rules:
    rules: Rules = request.app.state.rules
    return rules


RulesDep = Annotated[Rules, Depends(_rules)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Planning(_Body):
    """Which practices to plan for; all of the outage, if left out. The plans of the others stay as they are."""

    practices: Annotated[list[str], Field(min_length=1)] | None = None


class FollowUpChange(_Body):
    """Whether capacity that appears later is given to those who still wait without asking again."""

    automatic: bool
    said_by: Name = ""


class Approval(_Body):
    """`hash` names a whole plan, or one practice's part of it. `automatic`, if given, is as in `FollowUpChange`."""

    hash: str = Field(min_length=1, pattern=r"^[^\x00]*$")
    approved_by: Name = ""
    automatic: bool | None = None


_EVERYWHERE = Planning()


@dataclass(frozen=True, slots=True)
class FollowUpSetting:
    """What has been said about capacity that appears later, and by whom."""

    outage: str
    automatic: bool
    automatic_by: str


@dataclass(frozen=True, slots=True)
class Replanned:
    """The plan for the practices where the diary had moved, each with how many places no longer held there.

    It is approved already if the outage is followed up automatically; if not, it waits for a yes to this hash.
    """

    hash: str
    practices: Mapping[str, int]
    approved: bool


@dataclass(frozen=True, slots=True)
class Approved:
    """The plan, and the practices whose moves now begin."""

    plan: str
    practices: Sequence[str]
    replanned: Replanned | None = None


@router.post("/{outage}/plan", status_code=201)
async def propose_plan(
    outage: str, service: RunningDep, rules: RulesDep, body: Planning = _EVERYWHERE
) -> plan_views.PlanSummary:
    """Compute the best plan for everyone who waits, and lay it before the operator; it takes the place of the last."""
    async with service.engine.connect() as connection:
        declared = await views.outage_of(connection, outage)
    _require_of(declared, body.practices or (), "practices")
    plan = await proposals.planned(service, outage, body.practices or ())
    if not plan.parts:
        raise Conflict(
            "Nobody waits for a place. If the outage has not been reconciled, do that first", code="nothing-to-plan"
        )
    await proposals.propose_all(service, plan)
    async with service.engine.connect() as connection:
        return await plan_views.current_plan(connection, outage, service.clock.now(), rules)


@router.get("/{outage}/plan")
async def show_plan(outage: str, service: RunningDep, rules: RulesDep) -> plan_views.PlanSummary:
    """The newest plan: how many are placed by when, the longest waits, each practice's part."""
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        return await plan_views.current_plan(connection, outage, service.clock.now(), rules)


@router.get("/{outage}/plan/unplaced")
async def list_without_place(outage: str, service: RunningDep) -> Sequence[WithoutPlace]:
    """Everyone for whom the newest plan has no place, and why."""
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        return await plan_views.unplaced_of(connection, outage)


@router.get("/{outage}/plan/capacity")
async def show_capacity(
    outage: str,
    service: RunningDep,
    rules: RulesDep,
    practice: str = "",
    days: Annotated[int, Query(ge=1, le=20, description="Of so many of the next working days.")] = 5,
) -> Sequence[MarginalValue]:
    """What one more session would do, at this practice (or each where somebody waits), on each of the next days."""
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        declared = await views.outage_of(connection, outage)
        asked = [practice] if practice else []
        _require_of(declared, asked, "practice")
        return await value_of_capacity(connection, rules, outage, asked, days, service.clock.now())


@router.put("/{outage}/follow-up")
async def set_follow_up(outage: str, body: FollowUpChange, service: RunningDep, caller: CallerDep) -> FollowUpSetting:
    """Say whether capacity that appears later is given to those who still wait without asking again."""
    said_by = body.said_by.strip() or caller.client
    await service.executor.execute(SetFollowUp(outage, body.automatic, said_by))
    async with service.engine.connect() as connection:
        now = await views.outage_of(connection, outage)
    return FollowUpSetting(outage, now.automatic, now.automatic_by)


@router.post("/{outage}/approval", status_code=202)
async def approve(outage: str, body: Approval, service: RunningDep, caller: CallerDep) -> Approved:
    """Say yes to a plan, or to one practice's part of it, by its hash. Its moves begin at once.

    Practices where the diary has moved under the plan are planned for again instead, and only they.
    """
    now, by = service.clock.now(), body.approved_by.strip() or caller.client
    async with service.engine.connect() as connection:
        await views.outage_of(connection, outage)
        asked = await asked_for(connection, outage, body.hash, now)
    said = [] if body.automatic is None else [SetFollowUp(outage, body.automatic, by)]
    yes = [ApprovePlan(outage, part.practice, part.plan, part.part, by, now) for part in asked.parts]
    await service.executor.execute_together([*said, *yes])
    replanned = await _replan(service, outage, asked.moved) if asked.moved else None
    return Approved(asked.plan, [part.practice for part in asked.parts], replanned)


def _require_of(declared: views.Outage, asked: Sequence[str], where: str) -> None:
    if unknown := sorted({*asked} - {*declared.practices}):
        raise Refusal(f"Not of this outage: {', '.join(unknown)}", code="unknown-practice", where=where)


async def _replan(service: Running, outage: str, moved: Mapping[str, int]) -> Replanned | None:
    """None if nobody waits there any more, or everything has moved on once more."""
    plan = await proposals.planned(service, outage, moved.keys())
    async with service.engine.connect() as connection:
        declared = await views.outage_of(connection, outage)
    by = automatic_as(declared.automatic_by) if declared.automatic else ""
    proposed = await proposals.follow_up(service, plan, plan.parts, approved_by=by)
    if not proposed:
        return None
    return Replanned(plan.hash, {part.practice: moved[part.practice] for part in proposed}, approved=bool(by))
