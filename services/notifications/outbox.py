"""What the sender has to do, read from the tables: what is due, and what was tried without a known outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.tables import appointments, messages


@dataclass(frozen=True, slots=True)
class Due:
    """A message still to be sent. `attempt` counts the attempts so far; `still_true`: its appointment stands."""

    message: str
    number: str
    patient: str
    sealed: str
    attempt: int
    appointment_start: datetime
    still_true: bool


async def read_due(connection: AsyncConnection, limit: int) -> Sequence[Due]:
    """Planned messages, the soonest appointment first."""
    rows = await connection.execute(
        _MESSAGES.where(messages.c.state == "planned")
        .order_by(messages.c.appointment_start, messages.c.id)
        .limit(limit)
    )
    return [Due(**row._mapping) for row in rows]


async def read_tried(connection: AsyncConnection) -> Sequence[Due]:
    """Messages that were, or may have been, at the gateway when their sender ended."""
    rows = await connection.execute(_MESSAGES.where(messages.c.state.in_(("attempted", "unknown"))))
    return [Due(**row._mapping) for row in rows]


_MESSAGES = select(
    messages.c.id.label("message"),
    messages.c.number,
    messages.c.patient,
    messages.c.sealed,
    messages.c.attempt,
    messages.c.appointment_start,
    func.coalesce(appointments.c.status == "booked", False).label("still_true"),
).select_from(messages.outerjoin(appointments, appointments.c.id == messages.c.appointment))
