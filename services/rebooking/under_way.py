"""What is under way in recoveries, so that nothing is proposed there meanwhile."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Select, and_, exists, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.tables import moves, placements, plans, recoveries
from services.rebooking.tries import Recovering


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Where moves have been asked for, and where a plan that places somebody lies before the operator.

    `proposed` says of each whether that plan is a follow-up.
    """

    requested: Collection[Recovering]
    proposed: Mapping[Recovering, bool]

    def blocks(self, recovering: Recovering, *, automatic: bool) -> bool:
        """Whether no follow-up may be proposed there now.

        Of follow-ups that wait for the operator there is one at a time for each outage, so that the newest plan shows
        all there is to approve. Where capacity is given away automatically, they wait for nobody.
        """
        if recovering in self.requested or self.proposed.get(recovering) is False:
            return True
        return not automatic and any(
            at[0] == recovering[0] for at, is_follow_up in self.proposed.items() if is_follow_up
        )


async def read_under_way(connection: AsyncConnection, now: datetime) -> UnderWay:
    """Everywhere, since it is little: moves and plans are soon answered."""
    requested: Any = await connection.execute(
        union(select(moves.c.outage, moves.c.practice).where(moves.c.state == "requested"), _about_to_be_requested())
    )
    places = exists().where(
        placements.c.outage == plans.c.outage,
        placements.c.practice == plans.c.practice,
        placements.c.plan == plans.c.plan,
    )
    proposed = await connection.execute(
        select(plans.c.outage, plans.c.practice, plans.c.follow_up).where(
            plans.c.state == "proposed", plans.c.expires_at > now, places
        )
    )
    return UnderWay(
        {(outage, practice) for outage, practice in requested},
        {(outage, practice): is_follow_up for outage, practice, is_follow_up in proposed},
    )


def _about_to_be_requested() -> Select[Any]:
    """Where a plan has been approved, and of somebody's place in it booking is yet to be asked."""
    planned = first(
        select(recoveries.c.outage, recoveries.c.practice, recoveries.c.appointment).where(
            recoveries.c.state == "planned"
        )
    )
    place = and_(placements.c.outage == planned.c.outage, placements.c.appointment == planned.c.appointment)
    of_plan = and_(
        plans.c.outage == placements.c.outage,
        plans.c.practice == placements.c.practice,
        plans.c.plan == placements.c.plan,
        plans.c.state == "approved",
    )
    return select(planned.c.outage, planned.c.practice).join(placements, place).join(plans, of_plan)


def first(question: Select[Any]) -> CTE:
    """Answered by itself before the rest: just after a county has been moved the engine knows too little of its tables
    to find a better order, and takes seconds."""
    return question.cte().prefix_with("MATERIALIZED")
