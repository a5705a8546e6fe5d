"""What a text to a patient may say: the practice by name, one thing to do, nothing clinical, no date but in words."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from string import Template

from services.notifications.links import LINK, LINK_RULE, is_allowed
from services.notifications.segments import Size
from shared.nhs import nhs_number
from shared.refusals import Refusal

LONGEST, MOST_SEGMENTS = 918, 3

TYPED: Mapping[str, str] = {
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


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a template, in which line, and what to do."""

    template: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.template}, line {self.line}: {self.rule}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A template before anybody has looked at it: its words, what it may name, and the words that are clinical."""

    text: str
    variables: Collection[str]
    clinical: re.Pattern[str]


Found = Iterator[tuple[int, str]]
"""Where in the text, and what."""

OPTIONAL = frozenset({"code"})
"""A template that asks for no number needs no code behind it."""

_ASKED = re.compile(
    r"(?:^|[.!?] +|[,;:] |\bplease |\bor |\band )"
    r"((?:reply|text|call|phone|ring|telephone|visit|click|tap|go to|contact|email|log in|download|fill in)\b"
    r"(?! you\b))",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s|$)|$)", re.MULTILINE)
_ANSWERED = re.compile(r"\b(?:reply|text|send)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w$.:/-])\d(?![\w.:/-]|\$code\b|\$\{code\}| (?:minute|hour|day|week))")
_CODE = re.compile(r"(?<!\d)(?:\$code\b|\$\{code\})")
_NETWORKS = (
    "stop",
    "stopall",
    "end",
    "quit",
    "cancel",
    "unsubscribe",
    "revoke",
    "optout",
    "start",
    "unstop",
    "yes",
    "info",
)
_TAKEN = re.compile(
    rf"\b(?i:reply|text|send)\W+(?P<word>(?i:{'|'.join(_NETWORKS)}))\b|\b(?P<loud>{'|'.join(_NETWORKS).upper()})\b"
)
_PERSONAL = re.compile(
    r"\b(nhs number|date of birth|birth ?date|your (?:full )?(?:name|address|birthday|age)|postcode|password|passcode|"
    r"passport|bank (?:details|account)|card number|account number|sort code|national insurance)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|"
    r"\b(?:january|february|march|april|june|july|august|september|october|november|december)\b|"
    r"\b\d{1,2}(?:st|nd|rd|th)? may\b|\bmay \d|\b20\d\d\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2} ?[ap]m\b|"
    r"\b\d{1,4}[/.-]\d{1,2}(?:[/.-]\d{1,4})?\b|\b(?:today|tomorrow|midday|midnight)\b",
    re.IGNORECASE,
)
_NUMERIC_DATE = re.compile(r"(?<!\d)\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}(?!\d)")
_TEN_DIGITS = re.compile(r"(?<!\d)\d(?:[ -]?\d){9}(?!\d)")
_FIVE_DIGITS = re.compile(r"\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d")
_JOINT = re.compile(r"[/.-](?=[\w/])")
_NAMELESS = frozenset(",;:. ")


def clinical_words(listed: str) -> re.Pattern[str]:
    """The pattern that finds the words of this list: one a line, `*` for any ending, `#` before a remark."""
    words = [line.strip() for line in listed.splitlines() if line.strip() and not line.startswith("#")]
    each = (re.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else "") for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(each)})(?!\w)", re.IGNORECASE)


def faults_of_template(name: str, draft: Draft) -> list[Fault]:
    """Everything in which the template breaks a rule, from its first line to its last."""
    found = sorted({each for rule in _RULES for each in rule(draft)})
    return [Fault(name, draft.text.count("\n", 0, at) + 1, rule) for at, rule in found]


def faults_of_text(text: str, size: Size) -> list[str]:
    """In what a finished text breaks a rule, whatever the names in it brought with them; the text itself stays out."""
    found = []
    if text[:1] in _NAMELESS:
        found.append("it begins with no name")
    # Two quick looks, which nearly every text passes, spare it the slow ones.
    if _FIVE_DIGITS.search(text) and any(_is_nhs_number(match[0]) for match in _TEN_DIGITS.finditer(text)):
        found.append("it holds an NHS number")
    if _JOINT.search(text):
        found += _joined(text)
    if len(text) > LONGEST:
        found.append(f"it is longer than {LONGEST} characters")
    if size.segments > MOST_SEGMENTS:
        found.append(f"it takes more than {MOST_SEGMENTS} segments")
    return found


def _joined(text: str) -> Iterator[str]:
    if _NUMERIC_DATE.search(text):
        yield "it holds a date in figures"
    if not all(is_allowed(match[0]) for match in LINK.finditer(text)):
        yield LINK_RULE


def _variables(draft: Draft) -> Found:
    template, known = Template(draft.text), ", ".join(f"${name}" for name in sorted(draft.variables))
    used = set()
    for match in template.pattern.finditer(draft.text):
        if match["invalid"] is not None:
            yield match.start(), "a stray $: write $$ for the sign"
        elif name := match["named"] or match["braced"]:
            used.add(name)
            if name not in draft.variables:
                yield match.start(), f"there is no variable ${name} here, only {known}"
    for name in sorted({*draft.variables} - used - OPTIONAL):
        yield 0, f"${name} is missing: put it where it is to be read"


def _beginning(draft: Draft) -> Found:
    if not draft.text.startswith(("$first_name", "${first_name}")):
        yield 0, "it has to begin with $first_name, so that whoever reads it knows whom it is for"


def _one_action(draft: Draft) -> Found:
    for match in [*_ASKED.finditer(draft.text)][1:]:
        yield match.start(1), f"it asks for a second thing (“{match[1]}”): ask for one thing to do, in one sentence"
    for at in [at for at, character in enumerate(draft.text) if character == "?"][1:]:
        yield at, "it asks a second question: ask one, or none"


def _numbered_answers(draft: Draft) -> Found:
    for sentence in _SENTENCE.finditer(draft.text):
        if _ANSWERED.search(sentence[0]):
            for number in _NUMBER.finditer(sentence[0]):
                yield sentence.start() + number.start(), _number_rule(number[0], draft.variables)
    for code in _CODE.finditer(draft.text):
        yield code.start(), "$code has to stand right behind the number to reply, as in 3$code"


def _number_rule(number: str, variables: Collection[str]) -> str:
    if "code" not in variables:
        return "this text confirms an answer and takes none: leave the numbers out"
    return f"write {number}$code: where two texts wait for an answer, the code tells which is meant"


def _words_networks_take(draft: Draft) -> Found:
    for match in _TAKEN.finditer(draft.text):
        word = match["word"] or match["loud"]
        yield (
            match.end() - len(word),
            f"“{word}” alone is for networks, which stop or start all texts: ask for a number",
        )


def _personal_details(draft: Draft) -> Found:
    for match in _PERSONAL.finditer(draft.text):
        yield match.start(), f"“{match[0]}”: never ask for personal details, nor name them"


def _clinical_detail(draft: Draft) -> Found:
    for match in draft.clinical.finditer(draft.text):
        yield match.start(), f"“{match[0]}” is clinical: whoever sees the telephone would read it"


def _dates(draft: Draft) -> Found:
    for match in _DATE.finditer(LINK.sub(lambda link: " " * len(link[0]), draft.text)):
        yield match.start(), f"“{match[0]}”: dates and times come from $when alone, in words"


def _links(draft: Draft) -> Found:
    for match in LINK.finditer(draft.text):
        if not is_allowed(match[0]):
            yield match.start(), LINK_RULE


def _letters(draft: Draft) -> Found:
    for at, character in enumerate(draft.text):
        if character in TYPED:
            yield at, f"write {TYPED[character]} instead of {character}: one such letter more than halves what fits"


_RULES: tuple[Callable[[Draft], Found], ...] = (
    _variables,
    _beginning,
    _one_action,
    _numbered_answers,
    _words_networks_take,
    _personal_details,
    _clinical_detail,
    _dates,
    _links,
    _letters,
)


def _is_nhs_number(digits: str) -> bool:
    try:
        nhs_number(re.sub(r"\D", "", digits))
    except Refusal:
        return False
    return True
