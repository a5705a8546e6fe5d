"""What people and the edges ask of the tables: how a campaign stands, one message's story, whose reply this may be."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.replies import SentMessage
from services.notifications.tables import appointments, calls, messages, practices, replies
from shared.database import among
from shared.events.notifications import Answer


@dataclass(frozen=True, slots=True)
class Addressee:
    """An appointment that a move made, and all that the wording needs. The patient is still sealed.

    `practice_name` is that of the patient's own practice; `place` another's, and where it is, if they are seen there.
    """

    appointment: str
    patient: str
    sealed: str
    practice_name: str
    start: datetime
    place: str = ""


async def read_addressees(connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, Addressee]:
    """These appointments, by id, as far as they stand: one that was moved again or cancelled is not told of."""
    home = practices.alias("home")
    rows = await connection.execute(
        select(appointments, practices.c.name, practices.c.town, practices.c.postcode, home.c.name.label("own_name"))
        .join(practices, practices.c.ods_code == appointments.c.practice)
        .join(home, home.c.ods_code == appointments.c.home, isouter=True)
        .where(among(appointments.c.id, ids), appointments.c.status == "booked")
    )
    return {row.id: _addressee(row) for row in rows}


def _addressee(row: Row[Any]) -> Addressee:
    if row.own_name is None:
        return Addressee(row.id, row.patient, row.sealed, row.name, row.start)
    place = f"{row.name}, {row.town} {row.postcode}".rstrip(" ,")
    return Addressee(row.id, row.patient, row.sealed, row.own_name, row.start, place)


async def read_sent_messages(connection: AsyncConnection, number: str) -> Sequence[SentMessage]:
    """The messages tried to this number, the newest first; but for those whose appointment was called off, or moved
    on: their patients have heard of that, or will.
    """
    over = appointments.c.status.in_(("fulfilled", "missed"))
    rows = await connection.execute(
        select(messages.c.id, messages.c.patient, messages.c.appointment_start, over)
        .join(appointments, appointments.c.id == messages.c.appointment)
        .where(messages.c.number == number, messages.c.attempt > 0, or_(over, appointments.c.status == "booked"))
        .order_by(messages.c.planned_at.desc(), messages.c.id)
    )
    return [SentMessage(*row) for row in rows]


async def is_reply_known(connection: AsyncConnection, reply: str) -> bool:
    """Whether this text came in before."""
    return await connection.scalar(select(replies.c.id).where(replies.c.id == reply)) is not None


@dataclass(frozen=True, slots=True)
class Campaign:
    """How the messages of one outage stand. Those planned are all; the rest is how far they have come.

    `outdated` are among those that failed: there was nothing left to tell.
    """

    outage: str
    planned: int
    attempted: int
    accepted: int
    delivered: int
    failed: int
    outdated: int
    unknown: int
    segments: int
    calls: int
    replies: Mapping[Answer, int]


async def read_campaign(connection: AsyncConnection, outage: str) -> Campaign:
    """Counted from the rows at this moment."""
    state = messages.c.state
    counted = await connection.execute(
        select(
            func.count().label("planned"),
            func.count().filter(messages.c.attempt > 0).label("attempted"),
            func.count().filter(messages.c.accepted_at.is_not(None)).label("accepted"),
            func.count().filter(state == "delivered").label("delivered"),
            func.count().filter(state == "failed").label("failed"),
            func.count().filter(messages.c.failure == "outdated").label("outdated"),
            func.count().filter(state == "unknown").label("unknown"),
            func.coalesce(func.sum(messages.c.segments), 0).label("segments"),
        ).where(messages.c.outage == outage)
    )
    answers = await connection.execute(
        select(replies.c.answer, func.count().label("taken"))
        .where(replies.c.outage == outage)
        .group_by(replies.c.answer)
    )
    return Campaign(
        outage=outage,
        calls=await connection.scalar(select(func.count()).where(calls.c.outage == outage)) or 0,
        replies={row.answer: row.taken for row in answers},
        **counted.one()._mapping,
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, without its words: those are sealed."""

    reply: str
    answer: Answer
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """One message from plan to outcome, and what came back. Whom it went to and what it says stay sealed."""

    message: str
    practice: str
    kind: str
    outage: str
    appointment: str
    appointment_start: datetime
    state: str
    segments: int
    attempts: int
    provider: str
    reference: str
    provider_id: str
    failure: str
    detail: str
    planned_at: datetime
    attempted_at: datetime | None
    accepted_at: datetime | None
    settled_at: datetime | None
    replies: Sequence[Reply] = ()
    calls: Sequence[str] = ()


async def read_story(connection: AsyncConnection, message: str) -> Story | None:
    """The story of one message, if there is such a message."""
    found = (await connection.execute(_STORIES.where(messages.c.id == message))).one_or_none()
    if found is None:
        return None
    answers = await connection.execute(
        select(replies.c.id, replies.c.answer, replies.c.received_at)
        .where(replies.c.message == message)
        .order_by(replies.c.received_at, replies.c.id)
    )
    reasons = await connection.scalars(select(calls.c.reason).where(calls.c.message == message))
    return Story(**found._mapping, replies=[Reply(*row) for row in answers], calls=list(reasons))


async def read_unknown(connection: AsyncConnection, limit: int) -> Sequence[Story]:
    """The messages that may have been sent or not, the soonest appointment first: a person's worklist."""
    rows = await connection.execute(
        _STORIES.where(messages.c.state == "unknown").order_by(messages.c.appointment_start, messages.c.id).limit(limit)
    )
    return [Story(**row._mapping) for row in rows]


_STORIES = select(
    messages.c.id.label("message"),
    messages.c.practice,
    messages.c.kind,
    messages.c.outage,
    messages.c.appointment,
    messages.c.appointment_start,
    messages.c.state,
    messages.c.segments,
    messages.c.attempt.label("attempts"),
    messages.c.provider,
    messages.c.reference,
    messages.c.provider_id,
    messages.c.failure,
    messages.c.detail,
    messages.c.planned_at,
    messages.c.attempted_at,
    messages.c.accepted_at,
    messages.c.settled_at,
)
