"""Whom a plan would move, and to when: what patients would be told of, before anybody has said yes or moved them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.demand_rows import ASKS_AGAIN
from services.rebooking.tables import appointments, moves, placements, plans, recoveries


@dataclass(frozen=True, slots=True)
class Notice:
    """An appointment that is to give way: the lost one, or the one in its place that did not suit; and its new time.

    `sealed` is who the patient is, and opens with the patient's own key. `to_practice` is empty at their own practice.
    """

    appointment: str
    patient: str
    practice: str
    to_practice: str
    to_start: datetime
    sealed: str


@dataclass(frozen=True, slots=True)
class Notices:
    """Some of them, those of a practice together; `after` asks for the next, and is null when there are no more."""

    notices: Sequence[Notice]
    after: str | None


async def notices(
    connection: AsyncConnection, outage: str, practice: str, after: str, limit: int, now: datetime
) -> Notices:
    """So many of those whom a plan would move that can still be approved, or has been and has not moved them yet."""
    gives_way = appointments.alias("gives_way")
    place = (placements.c.practice, placements.c.appointment)
    found = await connection.execute(
        select(
            gives_way.c.appointment,
            gives_way.c.patient,
            placements.c.practice,
            placements.c.to_practice,
            placements.c.to_start,
            gives_way.c.sealed,
            placements.c.appointment.label("lost"),
        )
        .join(plans, _same(plans.c.outage, plans.c.practice, plans.c.plan))
        .join(recoveries, _same(recoveries.c.outage, recoveries.c.appointment))
        .join(
            gives_way,
            gives_way.c.appointment == func.coalesce(func.nullif(placements.c.standing, ""), placements.c.appointment),
        )
        .where(
            placements.c.outage == outage,
            *([placements.c.practice == practice] if practice else []),
            *([tuple_(*place) > tuple_(*after.split("/", 1))] if after else []),
            _can_be_approved(now),
            _unmoved(outage),
        )
        .order_by(*place)
        .limit(limit + 1)
    )
    rows = found.all()
    page = rows[:limit]
    return Notices(
        [Notice(*row[:-1]) for row in page], f"{page[-1].practice}/{page[-1].lost}" if len(rows) > limit else None
    )


def _same(*columns: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(*(placements.c[column.key or ""] == column for column in columns))


def _can_be_approved(now: datetime) -> ColumnElement[bool]:
    return or_(and_(plans.c.state == "proposed", plans.c.expires_at > now), plans.c.state == "approved")


def _unmoved(outage: str) -> ColumnElement[bool]:
    """Booking has neither been asked for this place, nor given it: who asked for another time has still the last."""
    requested = select(moves.c.appointment).where(moves.c.outage == outage, moves.c.state == "requested")
    return or_(
        recoveries.c.state == "planned",
        and_(
            ASKS_AGAIN,
            recoveries.c.standing == placements.c.standing,
            placements.c.appointment.not_in(requested),
        ),
    )
