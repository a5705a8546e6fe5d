"""What a patient reads: the practice by name, the new time in words, one thing to do, and nothing clinical."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from string import Template

from msgspec import Struct

from services.notifications.segments import is_gsm
from shared.clock import in_london
from shared.refusals import Refusal

MOVED_VARIABLES = frozenset({"first_name", "practice", "when"})
MOVED_AWAY_VARIABLES = MOVED_VARIABLES | {"place"}

_TYPED: Mapping[str, str] = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2026": "...",
    "`": "'",
}
"""Curly quotes, dashes and the like, as a typewriter has them."""


class Text(Struct, frozen=True):
    """What is sealed in a planned message: to whom (E.164), and every word."""

    to: str
    body: str


@dataclass(frozen=True, slots=True)
class MovedNotice:
    """What the text about a moved appointment has to say. `practice` is the patient's own; `place` another, if it is
    there that they are seen.
    """

    first_name: str
    practice: str
    start: datetime
    place: str = ""


def moved(notice: MovedNotice) -> str:
    """The text that tells a patient of the new time, and of the new place if there is one."""
    told = {"first_name": notice.first_name, "practice": notice.practice, "when": in_words(notice.start)}
    if notice.place:
        return fill(_template("moved_away.txt", MOVED_AWAY_VARIABLES), told | {"place": notice.place})
    return fill(_template("moved.txt", MOVED_VARIABLES), told)


@cache
def _template(name: str, variables: frozenset[str]) -> Template:
    """The wording of this file in `templates/`."""
    text = files("services.notifications").joinpath("templates", name).read_text("utf-8")
    return checked(text.strip(), variables, name=name)


def checked(text: str, variables: frozenset[str], *, name: str) -> Template:
    """The template, if it uses each of these variables and no other. Raises `Refusal` naming what is wrong."""
    template = Template(text)
    if not template.is_valid():
        raise Refusal("A stray $ in the template: write $$ for the sign", code="bad-template", where=name)
    used = frozenset(template.get_identifiers())
    if unknown := sorted(used - variables):
        raise Refusal(f"The template has no variable called {', '.join(unknown)}", code="bad-template", where=name)
    if missing := sorted(variables - used):
        raise Refusal(f"The template leaves out {', '.join(missing)}", code="bad-template", where=name)
    return template


def fill(template: Template, values: Mapping[str, str]) -> str:
    """The template with these values, in letters that every telephone shows and that keep a text short."""
    return template.substitute({name: plain(value) for name, value in values.items()})


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
    typed = _TYPED.get(character)
    if typed is not None:
        return typed
    base = unicodedata.normalize("NFD", character)[0]
    return base if is_gsm(base) else character
