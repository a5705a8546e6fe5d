"""Reads the file of who was seen on paper: strictly, naming the line and the field of everything that is wrong."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import parse_instant
from shared.events.rebooking import Outcome
from shared.nhs import nhs_number
from shared.records import Fault, read_records, stripped
from shared.refusals import Refusal

COLUMNS = ("practice", "start", "nhs_number", "outcome")
OPTIONAL = ("at",)

OUTCOMES: tuple[Outcome, ...] = ("attended", "missed", "cancelled", "triage", "displaced")
"""What the paper can say. That an appointment was rescheduled, the diary itself shows."""


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One line: what became of the appointment that this patient had then. `at` is when that was, if it says so."""

    line: int
    practice: str
    start: datetime
    nhs_number: str
    outcome: Outcome
    at: datetime | None = None


def read_paper(text: str, practices: Collection[str], now: datetime) -> tuple[list[PaperRow], list[Fault]]:
    """The good lines and the faults of the others. Raises `Refusal` if the first line does not name the columns."""
    converters = {column: stripped(convert) for column, convert in _converters(practices, now).items()}
    rows: list[PaperRow] = []
    faults: list[Fault] = []
    for found in read_records(text, COLUMNS, OPTIONAL):
        if isinstance(found, Fault):
            faults.append(found)
            continue
        values, wrong = found.convert(converters)
        faults += wrong
        rows += [] if wrong else [PaperRow(line=found.line, **values)]
    return rows, faults


def _converters(practices: Collection[str], now: datetime) -> Mapping[str, Callable[[str], Any]]:
    return {
        "practice": lambda text: _practice(text, practices),
        "start": parse_instant,
        "nhs_number": lambda text: nhs_number(text.replace(" ", "")),
        "outcome": _outcome,
        "at": lambda text: _past(text, now) if text else None,
    }


def _practice(text: str, practices: Collection[str]) -> str:
    if text not in practices:
        raise Refusal(f"“{text}” is not a practice of this outage", code="unknown-practice")
    return text


def _outcome(text: str) -> str:
    if text not in OUTCOMES:
        raise Refusal(f"“{text}” is none of {', '.join(OUTCOMES)}", code="bad-outcome")
    return text


def _past(text: str, now: datetime) -> datetime:
    instant = parse_instant(text)
    if instant > now:
        raise Refusal("This is in the future", code="in-future")
    return instant
