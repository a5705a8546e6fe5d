"""What people ask of the tables: a message's story, and those of an outage or a patient."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.tables import calls, messages, replies
from shared.database import among
from shared.events.notifications import Answer, MessageKind
from shared.refusals import NotFound

SendingState = Literal["planned", "attempted", "unknown", "accepted", "silent", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, without its words: those are sealed. `read_by` is who said what it means, where a person had to."""

    reply: str
    answer: Answer
    received_at: datetime
    read_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One message from plan to outcome, and what came back. Whom it went to and what it says stay sealed.

    `attempts` is how often it was tried, `unknowns` how many of those tries came to nothing certain.
    """

    message: str
    practice: str
    kind: MessageKind
    outage: str
    appointment: str
    appointment_start: datetime
    state: SendingState
    segments: int
    attempts: int
    unknowns: int
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


def facts_of(story: Story) -> dict[str, Any]:
    """Its fields, for a story that tells more."""
    return {field.name: getattr(story, field.name) for field in fields(Story)}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of many messages; the next come `after` this one, if there are more."""

    messages: Sequence[Story]
    after: str | None


async def read_story(connection: AsyncConnection, message: str) -> Story | None:
    """The story of one message, if there is such a message."""
    found = await read_stories(connection, STORIES.where(messages.c.id == message))
    return found[0] if found else None


async def read_stories(connection: AsyncConnection, wanted: Select[Any]) -> Sequence[Story]:
    """These stories (`STORIES`, narrowed down), in their order, with what came back."""
    rows = (await connection.execute(wanted)).mappings().all()
    ids = [row["message"] for row in rows]
    answers: defaultdict[str, list[Reply]] = defaultdict(list)
    for message, *answer in await connection.execute(_ANSWERS.where(among(replies.c.message, ids))):
        answers[message].append(Reply(*answer))
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for message, reason in await connection.execute(_REASONS.where(among(calls.c.message, ids))):
        reasons[message].append(reason)
    return [Story(**row, replies=answers[row["message"]], calls=reasons[row["message"]]) for row in rows]


async def read_page(
    connection: AsyncConnection, outage: str, *, state: str, practice: str, after: str, limit: int
) -> Page:
    """The messages of an outage, the soonest appointment first; with `state` or `practice`, those alone."""
    asked = STORIES.where(
        messages.c.outage == outage,
        *([messages.c.state == state] if state else []),
        *([messages.c.practice == practice] if practice else []),
        *([tuple_(*_ORDER) > await _place(connection, outage, after)] if after else []),
    )
    found = await read_stories(connection, asked.order_by(*_ORDER).limit(limit + 1))
    return Page(found[:limit], found[limit - 1].message if len(found) > limit else None)


async def _place(connection: AsyncConnection, outage: str, message: str) -> ColumnElement[Any]:
    """Where the message stands among those of its outage. Raises `NotFound`."""
    asked = select(*_ORDER).where(messages.c.id == message, messages.c.outage == outage)
    found = (await connection.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("The page before did not end with this message", code="unknown-message", where="after")
    return tuple_(*found)


_ORDER = (messages.c.appointment_start, messages.c.id)
_ANSWERS = select(
    replies.c.message, replies.c.id, replies.c.answer, replies.c.received_at, replies.c.resolved_by
).order_by(replies.c.received_at, replies.c.id)
_REASONS = select(calls.c.message, calls.c.reason).order_by(calls.c.raised_at, calls.c.id)

STORIES = select(
    messages.c.id.label("message"),
    messages.c.practice,
    messages.c.kind,
    messages.c.outage,
    messages.c.appointment,
    messages.c.appointment_start,
    messages.c.state,
    messages.c.segments,
    messages.c.attempt.label("attempts"),
    messages.c.unknowns,
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
