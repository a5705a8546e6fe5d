"""A text that came in becomes what it means: an answer, a wish for silence, or something for a person to read."""

import re
from collections.abc import Mapping, Sequence

from services.notifications.commands import Command, RecordReply, RecordUnmatchedReply, SuppressNumber
from services.notifications.replies import ReplyText, SentMessage, answer_of, answered, candidates
from services.notifications.views import is_reply_known, read_sent_messages
from shared.events.notifications import Answer
from shared.ids import derived_id
from shared.refusals import Refusal
from shared.service import Running

SILENCE: Mapping[Answer, str] = {
    "stop": "The patient's telephone answered STOP: no more texts",
    "wrong-number": "Whoever has this telephone says it is not the patient's",
}
"""The answers after which a number is left in peace, and why a person then has to telephone."""


async def take_in(running: Running, inbound: str, source: str, text: str) -> None:
    """Take in the text that the provider calls `inbound`; once, however often it is brought."""
    reply = derived_id("reply", inbound)
    number = running.keys.pseudonym("number", e164(source))
    async with running.engine.connect() as connection:
        if await is_reply_known(connection, reply):
            return
        sent = await read_sent_messages(connection, number)
    await running.executor.execute_together(await _understand(running, reply, number, text, sent))


async def _understand(
    running: Running, reply: str, number: str, text: str, sent: Sequence[SentMessage]
) -> Sequence[Command]:
    now = running.clock.now()
    answer, one = answer_of(text), answered(sent, now)
    key = (await running.keys.find({one.patient})).get(one.patient) if one else None
    commands: list[Command] = []
    if one and key:
        commands.append(RecordReply(one.message, reply, answer, key.seal(ReplyText(text))))
    if reason := SILENCE.get(answer):
        commands.append(SuppressNumber(number, reason, tuple(each.message for each in sent if not each.over)))
    if not commands:
        maybe = tuple(each.message for each in candidates(sent, now))
        sealed = (await running.keys.ensure({number}))[number].seal(ReplyText(text))
        commands.append(RecordUnmatchedReply(number, reply, maybe, sealed))
    return commands


def e164(source: str) -> str:
    """The sender's number as the pseudonyms know it; Notify leaves out the plus. Raises `Refusal`."""
    if not re.fullmatch(r"\+?[0-9]{3,15}", source):
        raise Refusal("The sender is not a telephone number", code="not-a-number", where="source_number")
    digits = source.removeprefix("+")
    return f"+44{digits[1:]}" if digits.startswith("0") else f"+{digits}"
