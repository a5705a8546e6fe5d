"""What has fallen due: plans and answers out of time, and recoveries in which somebody still seeks a place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.commands import ExpirePlan, LapseOffer
from services.rebooking.demand_rows import ASKS_AGAIN, WAITS
from services.rebooking.tables import (
    calls,
    constraints,
    moves,
    outages,
    plans,
    practices,
    recoveries,
    unplaced,
)
from services.rebooking.tries import Recovering
from services.rebooking.under_way import first

TOGETHER = 1000
"""Answers that lapse at a time; the rest have a turn soon."""

_TO_CALL = exists().where(
    calls.c.outage == recoveries.c.outage, calls.c.appointment == recoveries.c.appointment, calls.c.state == "needed"
)
_SEEKS = or_(WAITS, and_(ASKS_AGAIN, ~_TO_CALL))


@dataclass(frozen=True, slots=True)
class Seeking:
    """Those who seek a place in one recovery: a number that changes when they do, and what its newest plan knew.

    `all_listed`: that plan names each of them as without a place. It was made at `planned_at`, of the diary as it was
    at `read_position` of booking's log.
    """

    mark: int
    all_listed: bool
    read_position: int
    planned_at: datetime


async def read_out_of_time(connection: AsyncConnection, now: datetime) -> Sequence[ExpirePlan | LapseOffer]:
    """What ends now."""
    found = await connection.execute(union_all(_expired(now), _lapsed(now)))
    return [
        ExpirePlan(outage, practice, name, now) if what == "plan" else LapseOffer(outage, practice, name, now)
        for what, outage, practice, name in found
    ]


async def read_seeking(connection: AsyncConnection) -> Mapping[Recovering, Seeking]:
    """Where somebody seeks a place, and a plan has been approved before, or a follow-up proposed: the first plan is for
    people to ask for."""
    found = await connection.execute(_seeking())
    return {(outage, practice): Seeking(*facts) for outage, practice, *facts in found}


async def read_freed(connection: AsyncConnection) -> Mapping[str, int]:
    """When each practice was last given free slots, as a position of booking's log."""
    found = await connection.execute(select(practices.c.practice, practices.c.freed))
    return {row.practice: row.freed for row in found}


async def read_automatic(connection: AsyncConnection, asked: Collection[str]) -> Mapping[str, str]:
    """Of these outages those whose capacity is given away without asking again, each with who said so."""
    found = await connection.execute(
        select(outages.c.outage, outages.c.automatic_by).where(outages.c.outage.in_(asked), outages.c.automatic)
    )
    return {row.outage: row.automatic_by for row in found}


async def read_listed(connection: AsyncConnection, outage: str, at: Collection[str]) -> Collection[str]:
    """Whose appointments are listed as without a place."""
    listed = select(unplaced.c.appointment).where(unplaced.c.outage == outage, unplaced.c.practice.in_(at))
    return set((await connection.scalars(listed)).all())


def _expired(now: datetime) -> Select[Any]:
    return select(literal("plan"), plans.c.outage, plans.c.practice, plans.c.plan).where(
        plans.c.state == "proposed", plans.c.expires_at <= now
    )


def _lapsed(now: datetime) -> Select[Any]:
    """Only of the appointment that now stands: about an earlier one nobody need answer any more."""
    late = first(
        select(moves.c.outage, moves.c.practice, moves.c.move, moves.c.appointment, moves.c.to_appointment).where(
            moves.c.state == "confirmed", moves.c.answer == "", moves.c.answer_by <= now
        )
    )
    stands = and_(
        recoveries.c.outage == late.c.outage,
        recoveries.c.appointment == late.c.appointment,
        recoveries.c.standing == late.c.to_appointment,
        recoveries.c.state == "moved",
    )
    lapsed = select(late.c.outage, late.c.practice, late.c.move).join(recoveries, stands).limit(TOGETHER).subquery()
    return select(literal("offer"), *lapsed.c)


def _seeking() -> Select[Any]:
    said = and_(constraints.c.outage == recoveries.c.outage, constraints.c.appointment == recoveries.c.appointment)
    listed = and_(unplaced.c.outage == recoveries.c.outage, unplaced.c.appointment == recoveries.c.appointment)
    who = func.concat_ws(
        " ", recoveries.c.appointment, recoveries.c.state, recoveries.c.standing, cast(constraints.c.constraints, Text)
    )
    seeking = first(
        select(
            recoveries.c.outage,
            recoveries.c.practice,
            func.sum(func.hashtext(who, type_=Integer)).label("mark"),
            func.bool_and(unplaced.c.appointment.is_not(None)).label("all_listed"),
        )
        .outerjoin(constraints, said)
        .outerjoin(unplaced, listed)
        .where(_SEEKS)
        .group_by(recoveries.c.outage, recoveries.c.practice)
    )
    return (
        select(*seeking.c, func.max(plans.c.read_position), func.max(plans.c.proposed_at))
        .join(plans, and_(plans.c.outage == seeking.c.outage, plans.c.practice == seeking.c.practice))
        .group_by(*seeking.c)
        .having(func.bool_or(or_(plans.c.state == "approved", plans.c.follow_up)))
    )
