"""What a patient reads: the practice by name, the time in words, one thing to do, and nothing clinical."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from string import Template

from msgspec import Struct

from services.notifications.content_rules import TYPED
from services.notifications.segments import is_gsm
from shared.clock import in_london
from shared.events.notifications import MessageKind

_CONFIRMS = frozenset({"first_name", "practice", "when"})
_ASKS = _CONFIRMS | {"code"}
_SENDS_AWAY = _ASKS | {"place"}

TEMPLATES: Mapping[str, frozenset[str]] = {
    "moved": _ASKS,
    "moved_away": _SENDS_AWAY,
    "reminder-3": _ASKS,
    "reminder-3_away": _SENDS_AWAY,
    "reminder-1": _ASKS,
    "reminder-1_away": _SENDS_AWAY,
    "kept": _CONFIRMS,
    "asked": _CONFIRMS,
    "cancelled": _CONFIRMS,
}
"""Every template that there is, and what it may name. `…_away` is for who is to be seen at another surgery."""


class Text(Struct, frozen=True):
    """What is sealed in a planned message: to whom (E.164), and every word."""

    to: str
    body: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a text has to say. `practice` is the patient's own; `place` another, if it is there that they are seen.

    `code` follows the number to reply, with a space before it (` 4821`), where the patient's telephone has another text
    that waits for an answer.
    """

    first_name: str
    practice: str
    start: datetime
    place: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Wordings:
    """What texts are written from: the pattern of each template, by its name."""

    patterns: Mapping[str, str]

    def write(self, kind: MessageKind, notice: Notice) -> str:
        """The text of this kind that tells the patient so."""
        away = f"{kind}_away"
        told = {"first_name": notice.first_name, "practice": notice.practice, "when": in_words(notice.start)}
        if notice.place and away in self.patterns:
            return fill(self.patterns[away], told | {"place": notice.place}, code=notice.code)
        return fill(self.patterns[kind], told, code=notice.code)


def pattern_of(template: str) -> str:
    """The template as `fill` takes it: looked through for variables once, and not again for each of 34,000 texts."""
    named = Template(template.replace("%", "%%"))
    return named.substitute({name: f"%({name})s" for name in named.get_identifiers()})


def fill(pattern: str, values: Mapping[str, str], *, code: str = "") -> str:
    """The template with these values, in letters that every telephone shows and that keep a text short."""
    return pattern % ({name: plain(value) for name, value in values.items()} | {"code": code})


@lru_cache(maxsize=4096)
def in_words(start: datetime) -> str:
    """`Tuesday 23 July 2024 at 9:40am`, as the clock in the surgery will show it."""
    local = in_london(start)
    return f"{local:%A} {local.day} {local:%B} {local.year} at {clock_time(local.time())}"


def clock_time(wall: time) -> str:
    """`9:40am`, `2pm`, `midday`, `midnight`."""
    match (wall.hour, wall.minute):
        case (0, 0):
            return "midnight"
        case (12, 0):
            return "midday"
        case (hour, minute):
            minutes = f":{minute:02}" if minute else ""
            return f"{(hour - 1) % 12 + 1}{minutes}{'am' if hour < 12 else 'pm'}"


def plain(value: str) -> str:
    """The value in one line of GSM letters where it can be written so: one letter outside more than halves a text.

    `Zoë` becomes `Zoe`; a name in another script is left as it is, for a name is never guessed.
    """
    line = " ".join(value.split())
    return line if is_gsm(line) else "".join(map(_plain_character, line))


def _plain_character(character: str) -> str:
    if is_gsm(character):
        return character
    typed = TYPED.get(character)
    if typed is not None:
        return typed
    base = unicodedata.normalize("NFD", character)[0]
    return base if is_gsm(base) else character
