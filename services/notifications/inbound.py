"""A text that came in becomes what it means: an answer, a wish for silence, or something for a person to read."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee
from services.notifications.commands import (
    Command,
    RecordReply,
    RecordUnmatchedReply,
    ReleaseNumber,
    ResolveReply,
    SuppressNumber,
    SuppressPair,
)
from services.notifications.confirmations import Answered, confirm
from services.notifications.conversations_rows import (
    is_reply_known,
    read_came_in,
    read_sent_messages,
    read_standing,
    read_written_to,
)
from services.notifications.replies import ReplyText, Said, SentMessage, answered, candidates, is_same_text, read
from services.notifications.turns import Turns
from shared.ids import derived_id
from shared.refusals import Refusal
from shared.service import Running

AGAIN = timedelta(minutes=2)
"""Within which the same words from the same number are the same text: a network may hand one over under two ids."""

STOPPED = "The patient's telephone answered STOP: no more texts"
NOT_THEIRS = "Whoever has this telephone says it is not the patient's"
BLOCKED = "The provider sends this telephone no more texts, because of a word that it answered with"
BY_RULE = "Daybook"
"""Who has read a text that speaks of the number alone."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text as it came in. `number` is the pseudonym of `mobile`, `words` that of number and text.

    `opt_out` is what it was to the provider, if that ends and begins texts by itself: STOP, START or HELP.
    """

    reply: str
    mobile: str
    number: str
    words: str
    text: str
    opt_out: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text says, and to which message, if to one. `addressee` is there if that one's appointment will stand.

    `sent` are the messages it may answer, `written_to` the patients who were written to at the number.
    """

    said: Said
    one: SentMessage | None
    sent: Sequence[SentMessage]
    written_to: Collection[str]
    addressee: Addressee | None


async def take_in(
    running: Running, turns: Turns, *, provider: str, inbound: str, source: str, text: str, opt_out: str = ""
) -> None:
    """Take in the text that the provider calls `inbound`; once, however often it is brought.

    Raises `Refusal` if the sender is no telephone number. From one that nobody was ever written to at, such as a
    landline or one abroad, the text is for a person to read.
    """
    mobile = e164(source)
    number = running.keys.pseudonym("number", mobile)
    words = running.keys.pseudonym("reply", f"{mobile} {' '.join(text.casefold().split())}")
    reply = derived_id("reply", provider, inbound)
    async with turns.of(number):
        came = Inbound(reply, mobile, number, words, text, opt_out, running.clock.now())
        async with running.engine.connect() as connection:
            if await is_reply_known(connection, reply):
                return
            meaning = await _understand(connection, came)
        if meaning is None:
            return
        await running.executor.execute_together(await _commands(running, came, meaning))


async def _understand(connection: AsyncConnection, came: Inbound) -> Meaning | None:
    """None if it is a text that came in before, under another id.

    If the patient was asked or said something else in between, it may be that or an answer, and nobody guesses which.
    """
    sent = await read_sent_messages(connection, came.number, came.now)
    came_in = await read_came_in(connection, came.number, came.now - AGAIN)
    before = next((each for each in reversed(came_in) if each.words == came.words), None)
    said = read(came.text)
    if before and is_same_text(before, came_in, said.answer, sent, came.now):
        return None
    if said.answer == "keep" and came.opt_out == "START" and not any(each.may_be_meant(came.now) for each in sent):
        said = Said("start")
    written_to = await read_written_to(connection, came.number)
    one = answered(sent, came.now, said.code)
    if before or said.answer == "start" or (said.answer == "wrong-number" and len(written_to) > 1):
        one = None
    return Meaning(
        said=said,
        one=one,
        sent=sent,
        written_to=written_to,
        addressee=await read_standing(connection, one.about.appointment) if one else None,
    )


async def _commands(running: Running, came: Inbound, meaning: Meaning) -> Sequence[Command]:
    one = meaning.one
    key = (await running.keys.find({one.about.patient})).get(one.about.patient) if one else None
    if one is None or key is None:
        return [*await _set_aside(running, came, meaning), *_of_the_number(came, meaning)]
    answer, sealed = meaning.said.answer, key.seal(ReplyText(came.text))
    taken = RecordReply(one.message, came.reply, answer, sealed, came.number, came.words)
    if consequences := _of_the_number(came, meaning):
        return [taken, *consequences]
    return [taken, *confirm(running, answer, Answered(one.message, one.about, came.mobile), meaning.addressee, key)]


async def _set_aside(running: Running, came: Inbound, meaning: Meaning) -> Sequence[Command]:
    """For a person to read, unless it says of the number all that there is to say."""
    maybe = candidates(meaning.sent, came.now)
    sealed = (await running.keys.ensure({came.number}))[came.number].seal(ReplyText(came.text))
    aside = RecordUnmatchedReply(
        number=came.number,
        reply=came.reply,
        candidates=tuple(each.message for each in maybe),
        sealed=sealed,
        practices=tuple(sorted({each.about.practice for each in maybe})),
        words=came.words,
    )
    read_already = meaning.said.answer in ("stop", "start")
    return [aside, ResolveReply(came.number, came.reply, BY_RULE)] if read_already else [aside]


def _of_the_number(came: Inbound, meaning: Meaning) -> Sequence[Command]:
    """What the text says of the number, whichever message it answers.

    A bare “cancel” means the appointment, but Twilio takes it for STOP, and blocks the number: so it is both, and a
    person telephones about all that is still open but that appointment.
    """
    waiting = [each for each in meaning.sent if each.is_open(came.now)]
    match meaning.said.answer:
        case "stop":
            return [SuppressNumber(came.number, STOPPED, _ids(waiting))]
        case "start":
            return [ReleaseNumber(came.number)]
        case "wrong-number" if len(meaning.written_to) == 1:
            return [SuppressPair(came.number, patient, NOT_THEIRS, _ids(waiting)) for patient in meaning.written_to]
        case answer if came.opt_out == "STOP":
            off = meaning.one.about.appointment if meaning.one and answer == "cancel" else ""
            others = [each for each in waiting if each.about.appointment != off]
            return [SuppressNumber(came.number, BLOCKED, _ids(others))]
        case _:
            return []


def _ids(messages: Sequence[SentMessage]) -> tuple[str, ...]:
    return tuple(each.message for each in messages)


def e164(source: str) -> str:
    """The sender's number as the pseudonyms know it; Notify leaves out the plus. Raises `Refusal`."""
    if not re.fullmatch(r"\+?[0-9]{3,15}", source):
        raise Refusal("The sender is not a telephone number", code="not-a-number", where="source_number")
    digits = source.removeprefix("+")
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return f"+44{digits[1:]}" if digits.startswith("0") else f"+{digits}"
