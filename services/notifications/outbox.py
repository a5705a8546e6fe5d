"""What the sender has to do, read from the tables: what is due, and what was tried without a known outcome."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.gateways import Provider
from services.notifications.pacing import HOUR
from services.notifications.tables import messages
from shared.database import among, reader
from shared.events.notifications import MessageKind


@dataclass(frozen=True, slots=True)
class Due:
    """A message that is still to be sent, or whose last attempt is of unknown outcome.

    `attempt` is the last one, `provider` and `attempted_at` are its own; `unknowns` counts those whose outcome was
    unknown. `wrote_last`: through whom this number was written to last.
    """

    message: str
    kind: MessageKind
    number: str
    patient: str
    appointment: str
    sealed: str
    appointment_start: datetime
    attempt: int
    unknowns: int
    provider: Provider
    attempted_at: datetime | None
    wrote_last: str = ""


async def read_due(
    connection: AsyncConnection,
    lanes: Sequence[int],
    limit: int,
    *,
    beside: Collection[str] = (),
    resting: Collection[str] = (),
) -> Sequence[Due]:
    """Planned messages of these lanes, lane after lane, in each the soonest appointment first.

    Without those in hand (`beside`), and without those to numbers that are to have no more for now (`resting`).
    """
    due: list[Due] = []
    for lane in lanes:
        if len(due) < limit:
            rows = await connection.execute(_planned(lane, beside, resting).limit(limit - len(due)))
            due += [Due(**row._mapping) for row in rows]
    return due


def _planned(lane: int, beside: Collection[str], resting: Collection[str]) -> Any:
    return (
        _MESSAGES.add_columns(_WROTE_LAST)
        .where(messages.c.state == "planned", messages.c.lane == lane)
        .where(not_(among(messages.c.id, beside)), not_(among(messages.c.number, resting)))
        .order_by(messages.c.appointment_start, messages.c.id)
    )


async def read_tried(connection: AsyncConnection) -> Sequence[Due]:
    """Messages that were, or may have been, at a provider when their sender ended."""
    rows = await connection.execute(_MESSAGES.where(messages.c.state.in_(("attempted", "unknown"))))
    return [Due(**row._mapping) for row in rows]


_MESSAGES = select(
    messages.c.id.label("message"),
    messages.c.kind,
    messages.c.number,
    messages.c.patient,
    messages.c.appointment,
    messages.c.sealed,
    messages.c.appointment_start,
    messages.c.attempt,
    messages.c.unknowns,
    messages.c.provider,
    messages.c.attempted_at,
)

_earlier = messages.alias("earlier")
_WROTE_LAST = func.coalesce(
    select(_earlier.c.provider)
    .where(_earlier.c.number == messages.c.number, _earlier.c.accepted_at.is_not(None))
    .order_by(_earlier.c.accepted_at.desc())
    .limit(1)
    .scalar_subquery(),
    "",
).label("wrote_last")


async def read_status(connection: AsyncConnection, appointment: str) -> str:
    """The status of this appointment at this moment."""
    found: str | None = await (await reader(connection)).fetchval(_STATUS, appointment)
    return found or ""


_STATUS = "SELECT status FROM appointments WHERE id = $1"

_WENT_OUT = or_(messages.c.accepted_at.is_not(None), messages.c.state.in_(("attempted", "unknown")))


async def read_last_hour(connection: AsyncConnection, now: datetime) -> Sequence[tuple[datetime, str]]:
    """When which telephone number was written to within the last hour, the oldest first."""
    rows = await connection.execute(
        select(messages.c.attempted_at, messages.c.number)
        .where(messages.c.attempted_at > now - HOUR, _WENT_OUT)
        .order_by(messages.c.attempted_at)
    )
    return [(row.attempted_at, row.number) for row in rows]


async def read_sent_since(connection: AsyncConnection, since: datetime) -> dict[str, int]:
    """How many messages each provider was handed since then."""
    rows = await connection.execute(
        select(messages.c.provider, func.count().label("sent"))
        .where(messages.c.attempted_at >= since, _WENT_OUT)
        .group_by(messages.c.provider)
    )
    return {row.provider: row.sent for row in rows}


@dataclass(frozen=True, slots=True)
class Unheard:
    """A message that its provider took, and of which nothing was heard for too long."""

    message: str
    attempt: int
    provider: Provider
    provider_id: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nothing need be heard of a message."""

    after: timedelta
    """That long, if its appointment is far away;"""
    before: timedelta
    """but no longer than until so long before its appointment,"""
    at_least: timedelta
    """and in any case so long."""


async def read_unheard(
    connection: AsyncConnection, patience: Patience, now: datetime, provider: Provider, limit: int
) -> Sequence[Unheard]:
    """Messages that this provider took and of which something should have been heard, the longest first.

    Once the appointment has begun nobody need be told any more, and so nobody need find out.
    """
    taken, start = messages.c.accepted_at, messages.c.appointment_start
    near = and_(taken <= now - patience.at_least, start <= now + patience.before)
    rows = await connection.execute(
        select(messages.c.id.label("message"), messages.c.attempt, messages.c.provider, messages.c.provider_id)
        .where(messages.c.state == "accepted", messages.c.provider == provider)
        .where(start > now, or_(taken <= now - patience.after, near))
        .order_by(taken, messages.c.id)
        .limit(limit)
    )
    return [Unheard(**row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages of a lane wait, and the oldest's plan."""

    count: int
    since: datetime | None


async def read_waiting(connection: AsyncConnection) -> dict[int, Waiting]:
    """The planned messages of each lane that has any."""
    rows = await connection.execute(
        select(messages.c.lane, func.count().label("waiting"), func.min(messages.c.planned_at).label("since"))
        .where(messages.c.state == "planned")
        .group_by(messages.c.lane)
    )
    return {row.lane: Waiting(row.waiting, row.since) for row in rows}


async def read_unknowns(connection: AsyncConnection) -> int:
    """How many messages are of unknown outcome."""
    return await connection.scalar(select(func.count()).where(messages.c.state == "unknown")) or 0
