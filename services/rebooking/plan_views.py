"""Plans as operators see them: what they come to, and whether the diary has moved under them since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.demand import PROMISED
from services.rebooking.eligibility import MOVABLE
from services.rebooking.tables import (
    appointments,
    placements,
    plans,
    slots,
    unplaced,
)
from shared.refusals import NotFound


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One practice's part of a plan: its hash, its state, and what it comes to."""

    practice: str
    part: str
    state: str
    placed: int = 0
    unplaced: int = 0
    longest_wait_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class ByPriority:
    """What a plan comes to for the patients of one priority."""

    priority: int
    placed: int = 0
    unplaced: int = 0
    longest_wait_hours: float = 0.0


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan before its approval: what to approve is `hash`, or the `part` of one practice."""

    hash: str
    outage: str
    read_position: int
    proposed_at: datetime
    expires_at: datetime
    placed: int
    unplaced: int
    by_priority: Sequence[ByPriority]
    by_day: Mapping[str, int]
    practices: Sequence[PlanPart]


@dataclass(frozen=True, slots=True)
class Approvable:
    """A part of a plan that a hash names."""

    practice: str
    plan: str
    part: str
    state: str
    expires_at: datetime


async def approvable(connection: AsyncConnection, outage: str, hash_: str) -> list[Approvable]:
    """The parts that the hash names: all of a plan, or one; a part that was proposed again counts as proposed last."""
    found = await connection.execute(
        select(plans.c.practice, plans.c.plan, plans.c.part, plans.c.state, plans.c.expires_at)
        .where(plans.c.outage == outage, or_(plans.c.plan == hash_, plans.c.part == hash_))
        .order_by(plans.c.proposed_at.desc(), plans.c.practice)
    )
    parts = [Approvable(**row) for row in found.mappings()]
    return [part for part in parts if part.plan == hash_] or parts[:1]


async def moved_under(
    connection: AsyncConnection, outage: str, plan: str, practices: Sequence[str]
) -> Mapping[str, int]:
    """At which of these practices how many placements no longer hold: the slot has gone, or nobody needs it."""
    found = await connection.execute(
        select(placements.c.practice, func.count().label("number"))
        .outerjoin(slots, slots.c.slot == placements.c.to_slot)
        .outerjoin(appointments, appointments.c.appointment == placements.c.appointment)
        .where(
            placements.c.outage == outage,
            placements.c.plan == plan,
            placements.c.practice.in_(practices),
            or_(
                slots.c.slot.is_(None),
                slots.c.appointment.is_not(None),
                slots.c.withdrawn,
                slots.c.slot.in_(PROMISED),
                appointments.c.status.is_(None),
                appointments.c.status.not_in(MOVABLE),
            ),
        )
        .group_by(placements.c.practice)
        .order_by(placements.c.practice)
    )
    return {row.practice: row.number for row in found}


async def current_plan(connection: AsyncConnection, outage: str) -> PlanSummary:
    """The newest plan of the outage. Raises `NotFound`."""
    found = await connection.execute(
        select(plans)
        .where(plans.c.outage == outage, plans.c.state != "expired")
        .order_by(plans.c.proposed_at.desc(), plans.c.plan, plans.c.practice)
    )
    rows = found.mappings().all()
    if not rows:
        raise NotFound("No plan has been proposed for this outage", code="no-plan", where="plan")
    newest = [row for row in rows if row["plan"] == rows[0]["plan"]]
    return await _summary(connection, newest)


async def _summary(connection: AsyncConnection, parts: Sequence[RowMapping]) -> PlanSummary:
    first = parts[0]
    outage, plan = first["outage"], first["plan"]
    by_practice = {row["practice"]: PlanPart(row["practice"], row["part"], row["state"]) for row in parts}
    by_priority: dict[int, ByPriority] = {}
    for practice, priority, placed, left, hours in await _sums(connection, outage, plan):
        here, alike = by_practice[practice], by_priority.get(priority, ByPriority(priority))
        by_practice[practice] = _with(here, placed, left, hours)
        by_priority[priority] = _with(alike, placed, left, hours)
    return PlanSummary(
        hash=plan,
        outage=outage,
        read_position=first["read_position"],
        proposed_at=first["proposed_at"],
        expires_at=first["expires_at"],
        placed=sum(part.placed for part in by_practice.values()),
        unplaced=sum(part.unplaced for part in by_practice.values()),
        by_priority=[by_priority[priority] for priority in sorted(by_priority, key=lambda level: level or 10)],
        by_day=await _by_day(connection, outage, plan),
        practices=list(by_practice.values()),
    )


def _with(sums: Any, placed: int, left: int, hours: float) -> Any:
    return replace(
        sums,
        placed=sums.placed + placed,
        unplaced=sums.unplaced + left,
        longest_wait_hours=max(sums.longest_wait_hours, hours),
    )


async def _sums(connection: AsyncConnection, outage: str, plan: str) -> list[tuple[str, int, int, int, float]]:
    """Per practice and priority: how many are placed, how many not, and the longest wait in hours."""
    wait = func.extract("epoch", placements.c.to_start - appointments.c.start)
    placed = await connection.execute(
        select(placements.c.practice, placements.c.priority, func.count(), func.max(wait))
        .join(appointments, appointments.c.appointment == placements.c.appointment)
        .where(placements.c.outage == outage, placements.c.plan == plan)
        .group_by(placements.c.practice, placements.c.priority)
    )
    left = await connection.execute(
        select(unplaced.c.practice, unplaced.c.priority, func.count())
        .where(unplaced.c.outage == outage, unplaced.c.plan == plan)
        .group_by(unplaced.c.practice, unplaced.c.priority)
    )
    return [
        *((practice, priority, number, 0, round(float(wait) / 3600, 1)) for practice, priority, number, wait in placed),
        *((practice, priority, 0, number, 0.0) for practice, priority, number in left),
    ]


async def _by_day(connection: AsyncConnection, outage: str, plan: str) -> Mapping[str, int]:
    day = func.date(func.timezone("Europe/London", placements.c.to_start))
    found = await connection.execute(
        select(day, func.count())
        .where(placements.c.outage == outage, placements.c.plan == plan)
        .group_by(day)
        .order_by(day)
    )
    return {on.isoformat(): number for on, number in found}
