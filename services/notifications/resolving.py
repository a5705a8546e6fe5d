"""What a person makes of a text that the rules would not act on: the answer that it is, and that it has been read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee, read_addressees
from services.notifications.commands import (
    Command,
    RecordReply,
    ReleaseNumber,
    ResolveReply,
    Subject,
    SuppressNumber,
    SuppressPair,
)
from services.notifications.confirmations import Answered, confirm
from services.notifications.conversations_rows import read_sent_messages, read_standing
from services.notifications.replies import ReplyText, SentMessage
from services.notifications.tables import messages, replies
from services.notifications.turns import Turns
from services.notifications.wording import Text
from shared.events.notifications import Answer
from shared.refusals import Conflict, NotFound, Refusal
from shared.seal import opened
from shared.service import Running

T = TypeVar("T")

STOPPED = "The patient wants no more texts"
NOT_THEIRS = "The telephone is not the patient's"

_OF_THE_NUMBER: tuple[Answer | None, ...] = (None, "stop", "start")
"""What a text can mean without answering a message."""
_NEEDS_THE_APPOINTMENT: tuple[Answer | None, ...] = ("keep", "another-time", "cancel")


@dataclass(frozen=True, slots=True)
class Meant:
    """The message that a text is said to answer. `sealed` is what it said, and to whom.

    `to_come`: its appointment stands, and has not begun; `addressee` is there if it will stand.
    """

    message: str
    about: Subject
    sealed: str
    to_come: bool
    addressee: Addressee | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that waits to be read. `subject` is whose key opens it; `waiting` what else that telephone may answer."""

    reply: str
    number: str
    words: str
    sealed: str
    subject: str
    meant: Meant | None
    waiting: Sequence[SentMessage]


async def resolve(
    running: Running, turns: Turns, reply: str, *, message: str | None, answer: Answer | None, by: str
) -> None:
    """Record that `by` has read this text, and that it answers this message so, if it answers one.

    Raises `NotFound` if there is no such text or message, `Conflict` if it was read already or the appointment is over,
    and `Refusal` if message and answer do not go together.
    """
    _require_sense(message, answer)
    async with turns.of(reply):
        await _resolve(running, reply, message, answer, by)


async def _resolve(running: Running, reply: str, message: str | None, answer: Answer | None, by: str) -> None:
    async with running.engine.connect() as connection:
        unread = await _look(connection, reply, message, running.clock.now())
    if unread.meant and not unread.meant.to_come and answer in _NEEDS_THE_APPOINTMENT:
        raise Conflict(
            "The appointment has begun, or stands no longer: telephone instead", code="too-late", where="message"
        )
    commands: list[Command] = []
    if unread.meant and answer and answer != "start":
        commands += await _answered(running, unread, unread.meant, answer, by)
    commands += _of_the_number(unread, answer)
    await running.executor.execute_together([*commands, ResolveReply(unread.number, reply, by)])


def _require_sense(message: str | None, answer: Answer | None) -> None:
    if message is None and answer not in _OF_THE_NUMBER:
        raise Refusal("Say which message the text answers", code="no-message", where="message")
    if message is not None and answer is None:
        raise Refusal("Say what the text answers", code="no-answer", where="answer")


async def _look(connection: AsyncConnection, reply: str, message: str | None, now: datetime) -> Unread:
    row = (await connection.execute(select(replies).where(replies.c.id == reply))).one_or_none()
    if row is None:
        raise NotFound("There is no such text", code="unknown-reply", where="reply")
    if not row.open:
        raise Conflict("This text has been read already", code="already-resolved", where="reply")
    own = await _message(connection, row.message) if row.message else None
    # Of a text that was matched before numbers were kept beside it, the message knows the number.
    number = row.number or (own.number if own else "")
    return Unread(
        reply=reply,
        number=number,
        words=row.words,
        sealed=row.sealed,
        subject=own.patient if own else number,
        meant=await _meant(connection, row, number, message, now) if message else None,
        waiting=[each for each in await read_sent_messages(connection, number, now) if each.is_open(now)],
    )


async def _meant(connection: AsyncConnection, reply: Row[Any], number: str, message: str, now: datetime) -> Meant:
    found = await _message(connection, message)
    if found.number != number and message not in reply.candidates:
        raise Conflict("This message went to another telephone", code="other-number", where="message")
    stands = (await read_addressees(connection, {found.appointment})).get(found.appointment)
    return Meant(
        message=message,
        about=Subject(found.practice, found.patient, found.appointment, found.move, found.outage),
        sealed=found.sealed,
        to_come=stands is not None and stands.start > now,
        addressee=await read_standing(connection, found.appointment),
    )


async def _message(connection: AsyncConnection, message: str) -> Row[Any]:
    found = (await connection.execute(select(messages).where(messages.c.id == message))).one_or_none()
    if found is None:
        raise NotFound("There is no such message", code="unknown-message", where="message")
    return found


async def _answered(running: Running, unread: Unread, meant: Meant, answer: Answer, by: str) -> Sequence[Command]:
    keys = await running.keys.find({unread.subject, meant.about.patient})
    key = _known(keys.get(meant.about.patient))
    words = _known(opened(keys.get(unread.subject), unread.sealed, ReplyText))
    told = _known(opened(key, meant.sealed, Text))
    taken = RecordReply(
        message=meant.message,
        reply=f"{unread.reply}.read",
        answer=answer,
        sealed=key.seal(words),
        number=unread.number,
        words=unread.words,
        read_by=by,
    )
    answered = Answered(meant.message, meant.about, told.to)
    return [taken, *confirm(running, answer, answered, meant.addressee, key)]


def _known(found: T | None) -> T:
    if found is None:
        raise Conflict("The patient's data was erased", code="erased", where="reply")
    return found


def _of_the_number(unread: Unread, answer: Answer | None) -> Sequence[Command]:
    match answer:
        case "stop":
            return [SuppressNumber(unread.number, STOPPED, tuple(each.message for each in unread.waiting))]
        case "start":
            return [ReleaseNumber(unread.number)]
        case "wrong-number" if unread.meant:
            patient = unread.meant.about.patient
            theirs = tuple(each.message for each in unread.waiting if each.about.patient == patient)
            return [SuppressPair(unread.number, patient, NOT_THEIRS, theirs)]
        case _:
            return []
