"""What a patient's text means, and which message it answers. Where there is doubt, a person reads it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from msgspec import Struct

from services.notifications.commands import Subject
from shared.events.notifications import Answer, MessageKind

ASKING: tuple[MessageKind, ...] = ("moved", "reminder-3", "reminder-1")
"""The messages that take an answer. The others confirm one, and what is answered to them is about the same."""


class ReplyText(Struct, frozen=True):
    """What is sealed in a reply: every word of it."""

    text: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent to the number a reply comes from, when it was tried last, and what it is about.

    `over`: the practice has written down since whether the patient came. `superseded`: the appointment has moved on,
    and the patient may not have heard of that.
    """

    message: str
    about: Subject
    tried_at: datetime
    appointment_start: datetime
    over: bool = False
    superseded: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether an answer to it can still be acted on."""
        return not self.superseded and self.may_be_meant(now)

    def may_be_meant(self, now: datetime) -> bool:
        """Whether an answer may be to it: as far as the patient knows, its appointment is to come."""
        return not self.over and self.appointment_start > now


@dataclass(frozen=True, slots=True)
class CameIn:
    """A text that came in: the pseudonym of number and text, when it came, and whether it was matched to a message."""

    words: str
    at: datetime
    matched: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says, and the code in it, which names the message it answers; empty if there is none."""

    answer: Answer
    code: str = ""


_ANSWERS: Mapping[str, Answer] = {
    "1": "keep",
    "one": "keep",
    "keep": "keep",
    "keep it": "keep",
    "yes": "keep",
    "2": "another-time",
    "two": "another-time",
    "another": "another-time",
    "another time": "another-time",
    "change": "another-time",
    "3": "cancel",
    "three": "cancel",
    "cancel": "cancel",
    "cancel it": "cancel",
    "stop": "stop",
    "stop all": "stop",
    "stopall": "stop",
    "unsubscribe": "stop",
    "opt out": "stop",
    "optout": "stop",
    "end": "stop",
    "quit": "stop",
    "revoke": "stop",
    "start": "start",
    "unstop": "start",
    "wrong number": "wrong-number",
    "wrong person": "wrong-number",
    "not me": "wrong-number",
}
"""Only a text that says one of these and nothing else is acted on; “1 but not before noon” is for a person.

Among them are the words by which Twilio ends and begins texts; but a bare “cancel” speaks of the appointment, and “yes”
is no wish for texts.
"""


def needs_reading(answer: Answer, outage: str) -> bool:
    """Whether a person has to read an answer, since nothing follows from it by itself.

    Who wants another time gets it from the recovery their appointment belongs to; outside one, from the practice, which
    also has to find out the right number of whoever has another.
    """
    return answer == "unclear" or (answer in ("another-time", "wrong-number") and not outage)


_POLITE = re.compile(r"\b(please|pls|thanks|thank you|thx|ta)\b")
_NOT_WORDS = re.compile(r"[^a-z0-9]+")
_CODE = re.compile(r"[1-9][0-9]{3}")
_JOINED = re.compile(r"([123])([1-9][0-9]{3})")


def read(text: str) -> Said:
    """What the text says, politeness aside: `Reply 1, please` has a word too many, `1 please!` has not.

    A code comes first or last, as in `2 4821`, or follows the number at once. Alone it says nothing.
    """
    words = _POLITE.sub(" ", _NOT_WORDS.sub(" ", text.lower())).split()
    match words:
        case [*said, code] if _CODE.fullmatch(code):
            return Said(_answer(said), code)
        case [code, *said] if _CODE.fullmatch(code):
            return Said(_answer(said), code)
        case [both] if joined := _JOINED.fullmatch(both):
            return Said(_answer([joined[1]]), joined[2])
        case _:
            return Said(_answer(words))


def _answer(words: Sequence[str]) -> Answer:
    return _ANSWERS.get(" ".join(words), "unclear")


def code_of(message: str) -> str:
    """The four digits by which a patient can name the message: derived, so that they are stored nowhere."""
    return str(1000 + crc32(message.encode()) % 9000)


def answered(sent: Sequence[SentMessage], now: datetime, code: str = "") -> SentMessage | None:
    """The one message this can be an answer to, of which `sent` has the newest first.

    There is one if all that may be meant, and have this code if there is one, are about the same appointment to come.
    """
    meant = [each for each in sent if each.may_be_meant(now) and code in ("", code_of(each.message))]
    one = len({each.about.appointment for each in meant}) == 1
    return meant[0] if one and meant[0].is_open(now) else None


def candidates(sent: Sequence[SentMessage], now: datetime) -> Sequence[SentMessage]:
    """For a person who reads what no one message explains: those that may be meant, or else those answered too late."""
    return [message for message in sent if message.may_be_meant(now)] or sent


def is_same_text(
    earlier: CameIn, came_in: Sequence[CameIn], answer: Answer, sent: Sequence[SentMessage], now: datetime
) -> bool:
    """Whether the same words a moment later are the same text, under another id.

    Not if something else was asked or said in between; nor if several are asked on that telephone and nobody knows who
    has answered, for another of them may say the same.
    """
    if any(at > earlier.at for at in (*(each.tried_at for each in sent), *(each.at for each in came_in))):
        return False
    asked = {each.about.appointment for each in sent if each.may_be_meant(now)}
    return earlier.matched or answer in ("stop", "start") or len(asked) <= 1
