"""What an approval means: which parts of a plan its hash names, and under which of them the diary has moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.demand_rows import PROMISED
from services.rebooking.eligibility import MOVABLE
from services.rebooking.tables import appointments, outages, placements, plans, slots
from shared.refusals import Conflict


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A part of a plan that a hash names."""

    practice: str
    plan: str
    part: str
    state: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts to approve, and at which practices how many places of the plan no longer hold."""

    plan: str
    parts: Sequence[NamedPart]
    moved: Mapping[str, int]


async def asked_for(connection: AsyncConnection, outage: str, hash_: str, now: datetime) -> Asked:
    """What the hash names, as far as it still holds. Raises `Conflict` if none of it does.

    Parts that have been approved already, or are out of date, are left out where others are not.
    """
    named = await _named(connection, outage, hash_)
    if not named:
        raise await _unknown(connection, hash_)
    if any(part.expires_at <= now and part.state != "approved" for part in named):
        raise Conflict(
            "This plan has expired, since the diary goes on changing: propose a new one",
            code="plan-expired",
            where="hash",
        )
    proposed = [part for part in named if part.state == "proposed"]
    moved = await _moved_under(connection, outage, named[0].plan, [part.practice for part in proposed])
    holding = [part for part in proposed if part.practice not in moved]
    if moved and not holding:
        raise _stale(moved)
    # Where nothing is left to approve, the rules say why not.
    return Asked(named[0].plan, holding or named, moved)


def _stale(moved: Mapping[str, int]) -> Conflict:
    listed = ", ".join(f"{practice} ({number})" for practice, number in moved.items())
    return Conflict(
        f"The diary has moved under this plan, so some places no longer hold, at {listed}. Propose a new plan",
        code="stale-plan",
        where="hash",
    )


async def _unknown(connection: AsyncConnection, hash_: str) -> Conflict:
    whose = await connection.scalar(
        select(outages.c.name)
        .join(plans, plans.c.outage == outages.c.outage)
        .where(or_(plans.c.plan == hash_, plans.c.part == hash_))
        .limit(1)
    )
    if whose is None:
        return Conflict("No plan of this outage has this hash", code="unknown-plan", where="hash")
    return Conflict(
        f"This is the hash of a plan for another outage, {whose}: approve it there", code="foreign-plan", where="hash"
    )


async def _named(connection: AsyncConnection, outage: str, hash_: str) -> list[NamedPart]:
    """All of a plan, or one part of it; a part that was proposed again counts as proposed last."""
    found = await connection.execute(
        select(plans.c.practice, plans.c.plan, plans.c.part, plans.c.state, plans.c.expires_at)
        .where(plans.c.outage == outage, or_(plans.c.plan == hash_, plans.c.part == hash_))
        .order_by(plans.c.proposed_at.desc(), plans.c.practice)
    )
    parts = [NamedPart(**row) for row in found.mappings()]
    return [part for part in parts if part.plan == hash_] or parts[:1]


async def _moved_under(
    connection: AsyncConnection, outage: str, plan: str, practices: Sequence[str]
) -> Mapping[str, int]:
    """At which of these practices how many placements no longer hold: the slot has gone, or nobody needs it."""
    gives_way = func.coalesce(func.nullif(placements.c.standing, ""), placements.c.appointment)
    found = await connection.execute(
        select(placements.c.practice, func.count().label("number"))
        .outerjoin(slots, slots.c.slot == placements.c.to_slot)
        .outerjoin(appointments, appointments.c.appointment == gives_way)
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
