"""Reads the wording from files, a set of templates for each language, and refuses a set that breaks a rule."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from services.notifications.content_rules import Draft, Fault, clinical_words, faults_of_template, faults_of_text
from services.notifications.segments import size
from services.notifications.wording import TEMPLATES, Notice, Wordings, fill, in_words, pattern_of
from shared.refusals import Refusal

ENGLISH = "en"
MADE_UP = Notice(
    first_name="Margaret",
    practice="Northgate Medical Practice",
    start=datetime(2024, 9, 18, 9, 30, tzinfo=UTC),
    place="Mill Lane Surgery, Deal CT14 6AA",
)
"""Values as long as they usually are, on one of the longest days, for looking at a template."""

_SHIPPED = Path(__file__).parent / "templates"
_CLINICAL = _SHIPPED / "clinical_words.txt"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Source:
    """One template as it stands in its file."""

    name: str
    file: Path
    text: str

    def faults(self, clinical: re.Pattern[str]) -> list[Fault]:
        """What is wrong with it; as a whole, only if no line of it is."""
        where = f"{self.file.parent.name}/{self.file.name}"
        if faults := faults_of_template(where, Draft(self.text, TEMPLATES[self.name], clinical)):
            return faults
        text = self.written()
        return [Fault(where, 1, rule) for rule in faults_of_text(text, size(text))]

    def written(self, code: str = "") -> str:
        """As a patient would read it, with values that are made up."""
        told = {"first_name": MADE_UP.first_name, "practice": MADE_UP.practice, "when": in_words(MADE_UP.start)}
        return fill(pattern_of(self.text), told | {"place": MADE_UP.place}, code=code)


def load(directory: Path | None, language: str) -> Wordings:
    """The templates of this language: those in `directory`, else ours; in English where the language has none.

    A directory holds a folder for each language (`en/moved.txt`). Raises `Refusal` that names every file and line that
    breaks a rule, and what to do.
    """
    clinical = forbidden_words()
    sources = read_sources(directory, language)
    if faults := [fault for source in sources.values() for fault in source.faults(clinical)]:
        listed = "; ".join(map(str, faults))
        raise Refusal(f"The wording breaks its rules. {listed}", code="bad-template", where=faults[0].template)
    return Wordings({name: pattern_of(source.text) for name, source in sources.items()})


def read_sources(directory: Path | None, language: str) -> Mapping[str, Source]:
    """Every template, from the first place that has it. Raises `Refusal` if a file cannot be read, or is none."""
    if not _LANGUAGE.fullmatch(language):
        raise Refusal(
            f"“{language}” is not the name of a set of templates: write it as en, cy or en-large",
            code="bad-language",
            where="language",
        )
    places = [place / each for each in dict.fromkeys((language, ENGLISH)) for place in _places(directory)]
    if directory is not None:
        _require_known(directory, [place for place in places if place.parent == directory])
    return {name: _source(name, places) for name in TEMPLATES}


def forbidden_words() -> re.Pattern[str]:
    """The pattern of the words that are clinical."""
    return clinical_words(_CLINICAL.read_text(encoding="utf-8"))


def _places(directory: Path | None) -> Iterator[Path]:
    if directory is not None:
        yield directory
    yield _SHIPPED


def _require_known(directory: Path, sets: Sequence[Path]) -> None:
    """A file whose name is misspelt would be left out, and nobody would notice."""
    kept = [file for place in sets if place.is_dir() for file in sorted(place.iterdir())]
    found = [file for file in kept if not file.name.startswith(".")]
    if not found:
        listed = " or ".join(f"{place.name}/moved.txt" for place in sets)
        raise Refusal(
            f"{directory} holds no templates: put them there as {listed}", code="no-templates", where="templates"
        )
    for file in found:
        if file.suffix == ".txt" and file.stem in TEMPLATES:
            continue
        meant = get_close_matches(file.stem, TEMPLATES, 1)
        which = f"is {meant[0]}.txt meant?" if meant else "there are " + ", ".join(f"{name}.txt" for name in TEMPLATES)
        raise Refusal(
            f"{file.parent.name}/{file.name} is no template: {which}", code="unknown-template", where=str(file)
        )


def _source(name: str, places: Sequence[Path]) -> Source:
    file = next(file for place in places if (file := place / f"{name}.txt").is_file())
    try:
        return Source(name, file, file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as unreadable:
        raise Refusal(f"{file} cannot be read: {unreadable}", code="bad-template", where=str(file)) from None
