"""What the sender has to do, read from the tables: what is due, and what was tried without a known outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.tables import messages
from shared.database import reader


@dataclass(frozen=True, slots=True)
class Due:
    """A message still to be sent. `attempt` counts the attempts so far."""

    message: str
    number: str
    patient: str
    sealed: str
    attempt: int
    appointment_start: datetime


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
)


async def is_still_true(connection: AsyncConnection, message: str) -> bool:
    """Whether the appointment that the message tells of stands, or was missed, maybe for want of the message."""
    return await (await reader(connection)).fetchval(_STATUS, message) in ("booked", "missed")


_STATUS = """
    SELECT appointments.status FROM messages JOIN appointments ON appointments.id = messages.appointment
    WHERE messages.id = $1
"""
