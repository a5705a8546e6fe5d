"""Twilio's opt-out: one word ends all texts from a number, another brings them back, before anybody reads either."""

from collections.abc import Mapping
from typing import Literal

Keyword = Literal["STOP", "START", "HELP"]
"""What kind of word it is, as Twilio tells the receiver of the text."""

WORDS: Mapping[str, Keyword] = {
    **dict.fromkeys(("STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"), "STOP"),
    **dict.fromkeys(("START", "YES", "UNSTOP"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}

ANSWERS: Mapping[Keyword, str] = {
    "STOP": "You will get no more texts from this number. Reply START to get them again.",
    "START": "You will get texts from this number again. Reply STOP to end them.",
    "HELP": "Reply STOP to get no more texts from this number.",
}
"""What Twilio writes back by itself."""


def keyword(text: str) -> Keyword | None:
    """What the text is to Twilio. Only a single word counts: “STOP please” is for people."""
    return WORDS.get(text.strip().upper())
