"""What waits for a person: messages of which nobody knows whether they were sent, and texts that no rule explains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.replies import ReplyText, code_of
from services.notifications.tables import appointments, messages, practices, replies
from services.notifications.views import STORIES, Story, facts_of, read_stories
from services.notifications.wording import Text, in_words
from shared.database import among
from shared.events.notifications import Answer, MessageKind
from shared.seal import DataKey, Keys, PatientBlock, opened

LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Story):
    """A message that may have been sent or not, since when, and to which telephone; none if the patient was erased.

    The provider knows it by its `reference`, or else by the telephone and the time.
    """

    since: datetime | None
    telephone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A message that a reply may be an answer to, and what was answered before about the same appointment.

    `when` is the appointment's time in words, `status` whether it still stands, `text` what the patient was sent, and
    `code` what they may name it by. First name and text are missing once the patient is erased.
    """

    message: str
    kind: MessageKind
    practice: str
    practice_name: str
    first_name: str | None
    appointment: str
    appointment_start: datetime
    when: str
    status: str
    state: str
    text: str | None
    code: str
    answered: Answer | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenReply:
    """A text for a person to read. `message` is the one it answers, if that is known; `answer` what it was taken for.

    The text is missing once whoever could open it has been erased.
    """

    reply: str
    received_at: datetime
    minutes: int
    text: str | None
    message: str
    answer: Answer | None
    candidates: Sequence[Candidate]


async def read_unknown(connection: AsyncConnection, keys: Keys) -> Sequence[Unknown]:
    """The messages that may have been sent or not, the soonest appointment first."""
    wanted = messages.c.state == "unknown"
    asked = STORIES.where(wanted).order_by(messages.c.appointment_start, messages.c.id).limit(LONGEST)
    found = await read_stories(connection, asked)
    texts = await _texts(connection, keys, [each.message for each in found])
    return [Unknown(**facts_of(each), since=each.attempted_at, telephone=_telephone(texts, each)) for each in found]


async def read_replies(
    connection: AsyncConnection, keys: Keys, now: datetime, practice: str = ""
) -> Sequence[OpenReply]:
    """The texts that wait to be read, the oldest first; with `practice`, those that can concern no other practice."""
    asked = select(replies).where(replies.c.open, *(_only(practice) if practice else ()))
    rows = (await connection.execute(asked.order_by(replies.c.received_at, replies.c.id).limit(LONGEST))).mappings()
    return await _opened(connection, keys, now, rows.all())


async def concerns_only(connection: AsyncConnection, practice: str, reply: str) -> bool:
    """Whether there is, or was, such a reply to read, and it can concern no other practice."""
    # PostgreSQL would not even look for a NUL character.
    asked = select(replies.c.id).where(replies.c.id == reply.replace("\0", " "), *_only(practice))
    return await connection.scalar(asked) is not None


def _only(practice: str) -> Sequence[ColumnElement[bool]]:
    return replies.c.practices != _NOBODYS, replies.c.practices.contained_by([practice])


async def _opened(
    connection: AsyncConnection, keys: Keys, now: datetime, rows: Sequence[RowMapping]
) -> Sequence[OpenReply]:
    about = {row["id"]: _about(row) for row in rows}
    ids = {message for each in about.values() for message in each}
    told = {
        row["id"]: row for row in (await connection.execute(_CANDIDATES.where(among(messages.c.id, ids)))).mappings()
    }
    before = await _answered_before(connection, {row["appointment"] for row in told.values()})
    known = await keys.find({row["number"] for row in rows} | {row["patient"] for row in told.values()})
    return [
        OpenReply(
            reply=row["id"],
            received_at=row["received_at"],
            minutes=int((now - row["received_at"]).total_seconds() // 60),
            text=_text(row, told, known),
            message=row["message"],
            answer=row["answer"] or None,
            candidates=[_candidate(told[each], before, known, row) for each in about[row["id"]] if each in told],
        )
        for row in rows
    ]


def _about(row: RowMapping) -> Sequence[str]:
    return [row["message"]] if row["message"] else row["candidates"]


def _text(row: RowMapping, told: Mapping[str, RowMapping], known: Mapping[str, DataKey]) -> str | None:
    """What matches a message is sealed with its patient's key, what matches none with the number's."""
    answers = told.get(row["message"])
    key = known.get(answers["patient"] if answers else row["number"])
    words = opened(key, row["sealed"], ReplyText)
    return words.text if words else None


def _candidate(
    row: RowMapping, before: Mapping[str, Sequence[RowMapping]], known: Mapping[str, DataKey], reply: RowMapping
) -> Candidate:
    key = known.get(row["patient"])
    others = [each for each in before.get(row["appointment"], ()) if each["id"] != reply["id"]]
    last = others[-1] if others else None
    who, text = opened(key, row["patient_sealed"], PatientBlock), opened(key, row["sealed"], Text)
    return Candidate(
        **{name: row[name] for name in _SHOWN},
        message=row["id"],
        first_name=who.given_name if who else None,
        when=in_words(row["appointment_start"]),
        text=text.body if text else None,
        code=code_of(row["id"]),
        answered=last["answer"] if last else None,
        answered_at=last["received_at"] if last else None,
    )


_NOBODYS = literal([], JSONB)
_SHOWN = ("kind", "practice", "practice_name", "appointment", "appointment_start", "status", "state")
_CANDIDATES = (
    select(
        *(messages.c[name] for name in ("id", "kind", "practice", "patient", "appointment", "sealed", "state")),
        messages.c.appointment_start,
        appointments.c.status,
        appointments.c.sealed.label("patient_sealed"),
        practices.c.name.label("practice_name"),
    )
    .join(appointments, appointments.c.id == messages.c.appointment)
    .join(practices, practices.c.ods_code == messages.c.practice)
)


async def _answered_before(connection: AsyncConnection, about: set[Any]) -> Mapping[str, Sequence[RowMapping]]:
    """The answers to these appointments, the oldest first."""
    asked = select(replies.c.id, replies.c.appointment, replies.c.answer, replies.c.received_at)
    rows = await connection.execute(
        asked.where(among(replies.c.appointment, about)).order_by(replies.c.received_at, replies.c.id)
    )
    found: dict[str, list[RowMapping]] = {}
    for row in rows.mappings():
        found.setdefault(row["appointment"], []).append(row)
    return found


async def _texts(connection: AsyncConnection, keys: Keys, ids: Sequence[str]) -> Mapping[str, Text]:
    """What these messages say, and to whom; one is missing if its patient has been erased."""
    asked = select(messages.c.id, messages.c.patient, messages.c.sealed).where(among(messages.c.id, ids))
    rows = (await connection.execute(asked)).all()
    known = await keys.find({row.patient for row in rows})
    texts = {row.id: opened(known.get(row.patient), row.sealed, Text) for row in rows}
    return {message: text for message, text in texts.items() if text}


def _telephone(texts: Mapping[str, Text], story: Story) -> str | None:
    text = texts.get(story.message)
    return text.to if text else None
