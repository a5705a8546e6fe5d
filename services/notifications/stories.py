"""A message's whole story, step by step from the log, and all that one patient was sent and answered, opened."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.conversations import message_stream
from services.notifications.replies import ReplyText
from services.notifications.steps import Step, step_of
from services.notifications.tables import calls, messages, replies
from services.notifications.views import STORIES, Story, facts_of, read_stories, read_story
from services.notifications.wording import Text
from shared.database import among
from shared.events.notifications import Answer
from shared.log import read_streams
from shared.refusals import NotFound
from shared.seal import DataKey, Keys, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeStory(Story):
    """One message, and all that happened to it, in the order in which it was written down."""

    history: Sequence[Step]


@dataclass(frozen=True, slots=True)
class Words:
    """What a patient wrote, when, and what it was taken to mean. The text is missing once the patient is erased."""

    reply: str
    received_at: datetime
    answer: Answer
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStory(WholeStory):
    """The same with its words and those of the answers: all missing, like the telephone, once the patient is erased."""

    telephone: str | None
    text: str | None
    answers: Sequence[Words]


@dataclass(frozen=True, slots=True)
class Call:
    """Why somebody was to telephone the patient."""

    raised_at: datetime
    practice: str
    appointment: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A text from a telephone of the patient's that no one message explains: maybe theirs, maybe another's who has it.

    So its words are not told here; `open`: somebody still has to read it.
    """

    reply: str
    received_at: datetime
    open: bool
    resolved_by: str


@dataclass(frozen=True, slots=True)
class Told:
    """Everything one patient was sent and answered, the oldest first, and the calls that were wanted of people."""

    erased: bool
    messages: Sequence[OpenStory]
    unmatched: Sequence[Unmatched]
    calls: Sequence[Call]


async def whole_story(connection: AsyncConnection, message: str) -> WholeStory:
    """The story of this message. Raises `NotFound`."""
    # PostgreSQL would not even look for a NUL character.
    found = None if "\0" in message else await read_story(connection, message)
    if found is None:
        raise NotFound("There is no such message", code="unknown-message", where="message")
    steps = await _histories(connection, [message])
    return WholeStory(**facts_of(found), history=steps[message])


async def told(connection: AsyncConnection, keys: Keys, patient: str) -> Told:
    """Everything that this patient, a pseudonym, was sent; nothing, if there never was one."""
    of_patient = messages.c.patient == patient
    wanted = STORIES.where(of_patient).order_by(messages.c.planned_at, messages.c.id)
    found = await read_stories(connection, wanted)
    raised = await connection.execute(_CALLS.where(calls.c.patient == patient))
    listed = [Call(*row) for row in raised]
    if not (found or listed):
        return Told(False, [], [], [])
    steps = await _histories(connection, [each.message for each in found])
    rows = (
        await connection.execute(select(messages.c.id, messages.c.number, messages.c.sealed).where(of_patient))
    ).all()
    texts = {row.id: row.sealed for row in rows}
    answers = await _answers(connection, texts)
    key = (await keys.find({patient})).get(patient)
    opened = [_opened(each, steps[each.message], texts[each.message], answers, key) for each in found]
    from_there = await connection.execute(_UNMATCHED.where(among(replies.c.number, {row.number for row in rows})))
    return Told(key is None, opened, [Unmatched(*row) for row in from_there], listed)


_UNMATCHED = (
    select(replies.c.id, replies.c.received_at, replies.c.open, replies.c.resolved_by)
    .where(replies.c.message == "")
    .order_by(replies.c.received_at, replies.c.id)
)
_CALLS = select(calls.c.raised_at, calls.c.practice, calls.c.appointment, calls.c.reason).order_by(
    calls.c.raised_at, calls.c.id
)


def _opened(
    story: Story, history: Sequence[Step], sealed: str, answers: Mapping[str, Mapping[str, str]], key: DataKey | None
) -> OpenStory:
    text = opened(key, sealed, Text)
    words = answers.get(story.message, {})
    return OpenStory(
        **facts_of(story),
        history=history,
        telephone=text.to if text else None,
        text=text.body if text else None,
        answers=[
            Words(each.reply, each.received_at, each.answer, _read(words.get(each.reply, ""), key))
            for each in story.replies
        ],
    )


def _read(sealed: str, key: DataKey | None) -> str | None:
    words = opened(key, sealed, ReplyText)
    return words.text if words else None


async def _answers(connection: AsyncConnection, ids: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """The sealed words of the replies to these messages, by message and reply."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    asked = select(replies.c.message, replies.c.id, replies.c.sealed).where(among(replies.c.message, ids))
    for message, reply, sealed in await connection.execute(asked):
        found[message][reply] = sealed
    return found


async def _histories(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, Sequence[Step]]:
    streams = {message_stream(message): message for message in ids}
    found: dict[str, list[Step]] = {message: [] for message in ids}
    for recorded in await read_streams(connection, dict.fromkeys(streams, 0)):
        found[streams[recorded.stream]].append(step_of(recorded))
    return found
