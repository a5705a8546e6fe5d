"""Outages and withdrawals as operators see them: which there are, where, and what is at stake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.eligibility import STANDING
from services.rebooking.tables import appointments, outage_practices, outages, practices, recoveries
from shared.clock import LONDON, in_london, london_date
from shared.events.booking import Inflow
from shared.events.rebooking import Kind
from shared.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage as it was declared, and its end once it is known; or a withdrawal, which began and ended at once.

    Until it ends, its practices take no new bookings from those whom `keeps_out` names. With `automatic`, capacity that
    appears later is given to those who still wait without asking again; `automatic_by` said so.
    """

    outage: str
    name: str
    practices: Sequence[str]
    started_at: datetime
    ended_at: datetime | None
    declared_by: str
    declared_at: datetime
    kind: Kind
    keeps_out: Sequence[Inflow]
    automatic: bool
    automatic_by: str

    def until(self, now: datetime) -> datetime:
        """Up to when appointments are lost: its end, or, while that is unknown, the end of today in London."""
        if self.ended_at is not None:
            return self.ended_at
        return datetime.combine(london_date(now) + timedelta(days=1), time(), LONDON)


@dataclass(frozen=True, slots=True)
class AtStake:
    """How many appointments an outage takes, by practice, by hour in London, by priority."""

    appointments: int
    by_practice: Mapping[str, int]
    by_hour: Mapping[str, int]
    by_priority: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class OutageAtStake(Outage):
    """An outage, and what it takes."""

    at_stake: AtStake


async def practice_name(connection: AsyncConnection, practice: str) -> str | None:
    """What the practice is called; None if none keeps a diary under this code."""
    name: str | None = await connection.scalar(select(practices.c.name).where(practices.c.practice == practice))
    return name


async def practice_names(connection: AsyncConnection) -> Mapping[str, str]:
    """What every practice is called that keeps a diary."""
    found = await connection.execute(select(practices.c.practice, practices.c.name).order_by(practices.c.practice))
    return {row.practice: row.name for row in found}


async def all_outages(connection: AsyncConnection, practice: str = "") -> list[Outage]:
    """Every outage and every withdrawal, the newest first; with `practice`, those of that practice."""
    of_practice = select(outage_practices.c.outage).where(outage_practices.c.practice == practice)
    found = await connection.execute(
        select(outages)
        .where(*([outages.c.outage.in_(of_practice)] if practice else []))
        .order_by(outages.c.started_at.desc(), outages.c.outage)
    )
    return [Outage(**row) for row in found.mappings()]


async def outage_of(connection: AsyncConnection, outage: str) -> Outage:
    """The outage. Raises `NotFound`."""
    # PostgreSQL would not even look for a NUL character.
    asked = select(outages).where(outages.c.outage == outage.replace("\0", " "))
    row = (await connection.execute(asked)).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such outage", code="unknown-outage", where="outage")
    return Outage(**row)


async def practices_out_already(
    connection: AsyncConnection, asked: Sequence[str], started_at: datetime, ended_at: datetime | None
) -> Mapping[str, str]:
    """Which of these practices another outage covers in that time, each with that outage's name."""
    overlaps = [
        outages.c.kind == "outage",
        or_(outages.c.ended_at.is_(None), outages.c.ended_at > started_at),
        *([] if ended_at is None else [outages.c.started_at < ended_at]),
    ]
    found = await connection.execute(
        select(outage_practices.c.practice, outages.c.name)
        .join(outages, outages.c.outage == outage_practices.c.outage)
        .where(outage_practices.c.practice.in_(asked), *overlaps)
        .order_by(outage_practices.c.practice)
    )
    return {row.practice: row.name for row in found}


def taken_by(outage: Outage, now: datetime) -> ColumnElement[bool]:
    """Which of `appointments`, beside its row in `recoveries` if it has one, the outage takes.

    A withdrawal takes just those that it displaced, and each of them has its row.
    """
    if outage.kind == "withdrawal":
        return recoveries.c.outcome.is_not(None)
    return and_(
        appointments.c.practice.in_(outage.practices),
        appointments.c.start >= outage.started_at,
        appointments.c.start < outage.until(now),
        or_(appointments.c.status.in_(STANDING), recoveries.c.outcome.is_not(None)),
    )


def recovery_of(outage: str) -> ColumnElement[bool]:
    """Joins an appointment to its row in `recoveries`."""
    return and_(recoveries.c.outage == outage, recoveries.c.appointment == appointments.c.appointment)


async def unaccounted(connection: AsyncConnection, outage: Outage, now: datetime, practice: str = "") -> int:
    """Of how many appointments that it takes, or takes at this practice, nothing is known yet."""
    here = [appointments.c.practice == practice] if practice else []
    counted = (
        select(func.count())
        .select_from(appointments.outerjoin(recoveries, recovery_of(outage.outage)))
        .where(taken_by(outage, now), recoveries.c.outcome.is_(None), *here)
    )
    return await connection.scalar(counted) or 0


async def at_stake(connection: AsyncConnection, outage: Outage, now: datetime) -> AtStake:
    """What the outage takes, as far as the diaries are known."""
    hour = func.date_trunc("hour", appointments.c.start).label("hour")
    groups = (appointments.c.practice, hour, appointments.c.priority)
    found = await connection.execute(
        select(*groups, func.count().label("number"))
        .select_from(appointments.outerjoin(recoveries, recovery_of(outage.outage)))
        .where(taken_by(outage, now))
        .group_by(*groups)
        .order_by(hour, appointments.c.practice, appointments.c.priority)
    )
    by_practice: dict[str, int] = {}
    by_hour: dict[str, int] = {}
    by_priority: dict[int, int] = {}
    for practice, began, priority, number in found:
        clock = f"{in_london(began):%Y-%m-%d %H:00}"
        by_practice[practice] = by_practice.get(practice, 0) + number
        by_hour[clock] = by_hour.get(clock, 0) + number
        by_priority[priority] = by_priority.get(priority, 0) + number
    return AtStake(
        sum(by_practice.values()), dict(sorted(by_practice.items())), by_hour, dict(sorted(by_priority.items()))
    )


async def outage_at_stake(connection: AsyncConnection, outage: str, now: datetime) -> OutageAtStake:
    """The outage with what it takes. Raises `NotFound`."""
    declared = await outage_of(connection, outage)
    facts = {field.name: getattr(declared, field.name) for field in fields(declared)}
    return OutageAtStake(**facts, at_stake=await at_stake(connection, declared, now))
