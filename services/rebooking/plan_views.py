"""Plans as operators see them before they say yes: who is placed by when, who waits longest, and whether it is fair."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import plan_sums
from services.rebooking.fairness import Alike, Fairness, Waits, fairness, waits_of
from services.rebooking.plan_sums import Longest, WithoutPlace
from services.rebooking.rules import Rules
from services.rebooking.tables import plans
from shared.refusals import NotFound


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One practice's part of a plan: its hash, its state (proposed, approved, expired), and what it comes to."""

    practice: str
    part: str
    state: str
    placed: int
    unplaced: int
    longest_wait_hours: float
    mean_wait_hours: float


@dataclass(frozen=True, slots=True)
class ByClass:
    """What a plan comes to for the patients of one priority class, by its name, and who of them waits longest."""

    name: str
    priorities: Sequence[int]
    placed: int
    unplaced: int
    longest_wait_hours: float
    mean_wait_hours: float
    longest: Longest | None


@dataclass(frozen=True, slots=True)
class ByPriority:
    """What a plan comes to for the patients of one priority."""

    priority: int
    placed: int
    unplaced: int
    longest_wait_hours: float


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan: what to approve is `hash`, or the `part` of one practice.

    `by_day` is how many are placed on which day in London, `placed_by` how many by the end of it. `reasons` say how
    many found no place, and why. `follow_up`: made after an earlier plan had been carried out.
    """

    hash: str
    outage: str
    read_position: int
    proposed_at: datetime
    expires_at: datetime
    follow_up: bool
    placed: int
    unplaced: int
    longest_wait_hours: float
    mean_wait_hours: float
    by_class: Sequence[ByClass]
    by_priority: Sequence[ByPriority]
    by_day: Mapping[str, int]
    placed_by: Mapping[str, int]
    reasons: Mapping[str, int]
    fairness: Fairness
    practices: Sequence[PlanPart]


async def current_plan(connection: AsyncConnection, outage: str, now: datetime, rules: Rules) -> PlanSummary:
    """The newest plan of the outage. Raises `NotFound`."""
    parts = await _newest(connection, outage)
    plan = parts[0]["plan"]
    alike = await plan_sums.alike(connection, outage, plan)
    longest = await plan_sums.longest_waits(connection, outage, plan)
    days = await plan_sums.by_day(connection, outage, plan)
    fair, all_of_them = fairness(alike), waits_of(alike)
    return PlanSummary(
        hash=plan,
        outage=outage,
        read_position=parts[0]["read_position"],
        proposed_at=parts[0]["proposed_at"],
        expires_at=parts[0]["expires_at"],
        follow_up=parts[0]["follow_up"],
        placed=all_of_them.placed,
        unplaced=all_of_them.unplaced,
        longest_wait_hours=all_of_them.longest_wait_hours,
        mean_wait_hours=all_of_them.mean_wait_hours,
        by_class=_by_class(rules, alike, longest),
        by_priority=_by_priority(alike),
        by_day=days,
        placed_by=dict(zip(days, accumulate(days.values()), strict=True)),
        reasons=await plan_sums.reasons(connection, outage, plan),
        fairness=fair,
        practices=[_part(row, fair.by_practice.get(row["practice"], Waits()), now) for row in parts],
    )


async def unplaced_of(connection: AsyncConnection, outage: str) -> Sequence[WithoutPlace]:
    """Everyone for whom the newest plan of the outage has no place, and why. Raises `NotFound`."""
    parts = await _newest(connection, outage)
    return await plan_sums.without_place(connection, outage, parts[0]["plan"])


async def _newest(connection: AsyncConnection, outage: str) -> Sequence[RowMapping]:
    """The parts of the plan that was proposed last, in order of practice. Raises `NotFound`."""
    newest = select(plans.c.plan).where(plans.c.outage == outage)
    newest = newest.order_by(plans.c.proposed_at.desc(), plans.c.plan).limit(1)
    found = await connection.execute(
        select(plans)
        .where(plans.c.outage == outage, plans.c.plan == newest.scalar_subquery())
        .order_by(plans.c.practice)
    )
    parts = found.mappings().all()
    if not parts:
        raise NotFound("No plan has been proposed for this outage", code="no-plan", where="plan")
    return parts


def _part(row: RowMapping, waits: Waits, now: datetime) -> PlanPart:
    """A plan that nobody approved in time has expired, whether or not that has been written down yet."""
    late = row["state"] == "proposed" and row["expires_at"] <= now
    return PlanPart(
        practice=row["practice"],
        part=row["part"],
        state="expired" if late else row["state"],
        placed=waits.placed,
        unplaced=waits.unplaced,
        longest_wait_hours=waits.longest_wait_hours,
        mean_wait_hours=waits.mean_wait_hours,
    )


def _by_class(rules: Rules, alike: Sequence[Alike], longest: Mapping[int, Longest]) -> list[ByClass]:
    """The classes of which there is anybody, from the highest."""
    found = []
    for rank, each in enumerate(rules.classes):
        members = [some for some in alike if rules.rank(some.priority) == rank]
        waits = waits_of(members)
        if members:
            of_all = [longest[priority] for priority in sorted(each.priorities) if priority in longest]
            found.append(
                ByClass(
                    name=each.name,
                    priorities=each.priorities,
                    placed=waits.placed,
                    unplaced=waits.unplaced,
                    longest_wait_hours=waits.longest_wait_hours,
                    mean_wait_hours=waits.mean_wait_hours,
                    longest=max(of_all, key=lambda one: one.hours, default=None),
                )
            )
    return found


def _by_priority(alike: Sequence[Alike]) -> list[ByPriority]:
    """Priority 0 is none given, and comes last."""
    levels = Counter(some.priority for some in alike)
    found = []
    for priority in sorted(levels, key=lambda level: level or 10):
        waits = waits_of([some for some in alike if some.priority == priority])
        found.append(ByPriority(priority, waits.placed, waits.unplaced, waits.longest_wait_hours))
    return found
