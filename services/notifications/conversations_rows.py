"""Which messages a telephone number has, and may still answer, read from the tables."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee, read_addressees
from services.notifications.commands import Subject
from services.notifications.replies import ASKING, CameIn, SentMessage
from services.notifications.tables import appointments, messages, replies, suppressed_pairs
from shared.database import among

LATE = timedelta(days=30)
"""After its appointment, a text is hardly an answer to a message any more."""

NEVER_SENT = ("refused", "technical", "outdated")
"""The failures of messages that nobody can have read."""
UNDER_WAY = ("planned", "attempted", "unknown")
"""The states of messages that may still have to be sent."""


async def read_sent_messages(connection: AsyncConnection, number: str, now: datetime) -> Sequence[SentMessage]:
    """The messages tried to this number that take an answer, the newest first.

    Left out are those whose appointment was called off, or moved on, since their patients have heard of that, or will;
    unless the message about the move is still under way. Left out, too, are those about whoever was said not to have
    this number.
    """
    over = appointments.c.status.in_(("fulfilled", "missed"))
    superseded = and_(appointments.c.status == "moved", _move_under_way())
    rows = await connection.execute(
        select(messages, over.label("over"), superseded.label("superseded"))
        .join(appointments, appointments.c.id == messages.c.appointment)
        .where(*_read_by(number), messages.c.kind.in_(ASKING), messages.c.appointment_start > now - LATE)
        .where(or_(over, superseded, appointments.c.status == "booked"))
        .order_by(messages.c.planned_at.desc(), messages.c.id)
    )
    return [
        SentMessage(
            message=row.id,
            about=_about(row),
            tried_at=row.attempted_at,
            appointment_start=row.appointment_start,
            over=row.over,
            superseded=row.superseded,
        )
        for row in rows
    ]


async def read_written_to(connection: AsyncConnection, number: str) -> Collection[str]:
    """The patients written to at this number, but for those who were said not to have it."""
    return set(await connection.scalars(select(messages.c.patient).where(*_read_by(number)).distinct()))


async def read_sharing(connection: AsyncConnection, numbers: Mapping[str, str], now: datetime) -> Collection[str]:
    """Those of these appointments, each with its number, whose telephone is asked about another that is to come.

    A bare answer from there would not say which is meant.
    """
    rows = await connection.execute(
        select(messages.c.number, messages.c.appointment)
        .join(appointments, and_(appointments.c.id == messages.c.appointment, appointments.c.status == "booked"))
        .where(among(messages.c.number, set(numbers.values())), messages.c.kind.in_(ASKING))
        .where(messages.c.failure.not_in(NEVER_SENT), appointments.c.start > now)
    )
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for number, appointment in rows:
        asked[number].add(appointment)
    for appointment, number in numbers.items():
        asked[number].add(appointment)
    return {appointment for appointment, number in numbers.items() if len(asked[number]) > 1}


@dataclass(frozen=True, slots=True)
class Cancelling:
    """A message that was answered with a wish to cancel. `sealed` is what it said, and to whom."""

    message: str
    about: Subject
    sealed: str


async def read_cancelling(connection: AsyncConnection, ids: Collection[str]) -> Sequence[Cancelling]:
    """Of these appointments, those whose patients asked by a text to cancel them: which they answered last."""
    rows = await connection.execute(
        select(messages)
        .join(replies, replies.c.message == messages.c.id)
        .where(among(replies.c.appointment, ids), replies.c.answer == "cancel")
        .order_by(replies.c.received_at, replies.c.id)
    )
    last = {row.appointment: Cancelling(row.id, _about(row), row.sealed) for row in rows}
    return list(last.values())


async def read_standing(connection: AsyncConnection, appointment: str) -> Addressee | None:
    """The addressee of this appointment, if it stands, and will: a wish to cancel it may be on its way to booking."""
    if await read_cancelling(connection, {appointment}):
        return None
    return (await read_addressees(connection, {appointment})).get(appointment)


async def is_reply_known(connection: AsyncConnection, reply: str) -> bool:
    """Whether this text came in before."""
    return bool(await connection.scalar(select(exists().where(replies.c.id == reply))))


async def read_came_in(connection: AsyncConnection, number: str, since: datetime) -> Sequence[CameIn]:
    """What came from this number since then, the oldest first; not what a person read in it."""
    came = replies.c.received_at
    rows = await connection.execute(
        select(replies.c.words, came, replies.c.message)
        .where(replies.c.number == number, came >= since, ~replies.c.id.endswith(".read"))
        .order_by(came)
    )
    return [CameIn(words, at, bool(message)) for words, at, message in rows]


def _about(row: Row[Any]) -> Subject:
    return Subject(row.practice, row.patient, row.appointment, row.move, row.outage)


def _read_by(number: str) -> Sequence[ColumnElement[bool]]:
    parted = exists().where(
        suppressed_pairs.c.number == messages.c.number, suppressed_pairs.c.patient == messages.c.patient
    )
    # What was tried, but certainly not sent, is planned again.
    return messages.c.number == number, messages.c.state != "planned", messages.c.failure.not_in(NEVER_SENT), ~parted


def _move_under_way() -> ColumnElement[bool]:
    """Whether the patient of a message has yet to be sent one, at the same number, about a move."""
    newer = messages.alias("newer")
    return exists().where(
        newer.c.number == messages.c.number,
        newer.c.patient == messages.c.patient,
        newer.c.kind == "moved",
        newer.c.planned_at > messages.c.planned_at,
        newer.c.state.in_(UNDER_WAY),
    )
