"""What a patient's text means, and which message it answers. Where there is doubt, a person reads it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from shared.events.notifications import Answer


class ReplyText(Struct, frozen=True):
    """What is sealed in a reply: every word of it."""

    text: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was sent to the number a reply comes from, and what it is about.

    `over`: the practice has written down since whether the patient came.
    """

    message: str
    patient: str
    appointment_start: datetime
    over: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether an answer to it can still be acted on."""
        return not self.over and self.appointment_start > now


_ANSWERS: dict[str, Answer] = {
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
    "wrong number": "wrong-number",
    "wrong person": "wrong-number",
    "not me": "wrong-number",
}
"""Only a text that says one of these and nothing else is acted on; “1 but not before noon” is for a person."""

_POLITE = re.compile(r"\b(please|pls|thanks|thank you|thx|ta)\b")
_NOT_WORDS = re.compile(r"[^a-z0-9]+")


def answer_of(text: str) -> Answer:
    """What the text says, politeness aside: `Reply 1, please` has a word too many, `1 please!` has not."""
    words = _NOT_WORDS.sub(" ", text.lower())
    return _ANSWERS.get(" ".join(_POLITE.sub(" ", words).split()), "unclear")


def answered(sent: Sequence[SentMessage], now: datetime) -> SentMessage | None:
    """The one message this can be an answer to, if there is exactly one whose appointment is still to come."""
    match [message for message in sent if message.is_open(now)]:
        case [only]:
            return only
        case _:
            return None


def candidates(sent: Sequence[SentMessage], now: datetime) -> Sequence[SentMessage]:
    """For a person who reads what no one message explains: those still open, or else those answered too late."""
    return [message for message in sent if message.is_open(now)] or sent
