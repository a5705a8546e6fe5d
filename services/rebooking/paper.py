"""Reads the file of who was seen on paper: strictly, naming the line and the field of everything that is wrong."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.clock import london_date, parse_instant
from shared.events.rebooking import Outcome
from shared.nhs import nhs_number
from shared.records import Fault, Record, read_records, stripped
from shared.refusals import Refusal

COLUMNS = ("practice", "start", "nhs_number", "outcome")
OPTIONAL = ("at",)
PRINTED = (
    "session",
    "clinician",
    "clinician_role",
    "location",
    "service_type",
    "channel",
    "minutes",
    "status",
    "given_name",
    "family_name",
    "birth_date",
    "telephone",
    "priority",
    "appointment",
)
"""What the lists of the continuity pack say besides, so that one of them can be filled in and sent as it is."""

OUTCOMES: tuple[Outcome, ...] = ("attended", "missed", "cancelled", "elsewhere", "triage", "displaced")
"""What the paper can say. That an appointment was rescheduled, the diary itself shows."""

_TIME = re.compile(r"\d{1,2}:\d{2}")


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One line: what became of the appointment that this patient had then. `at` is when that was, if it says so."""

    line: int
    practice: str
    start: datetime
    nhs_number: str
    outcome: Outcome
    at: datetime | None = None

    @property
    def place(self) -> str:
        return f"line {self.line}"


def read_paper(text: str, practices: Collection[str], now: datetime) -> tuple[list[PaperRow], list[Fault]]:
    """The good lines and the faults of the others; a line where the outcome was left empty says nothing.

    Raises `Refusal` if the first line does not name the columns.
    """
    converters = {column: stripped(convert) for column, convert in _converters(practices).items()}
    rows: list[PaperRow] = []
    faults: list[Fault] = []
    for found in read_records(text, COLUMNS, (*OPTIONAL, *PRINTED)):
        if isinstance(found, Fault):
            faults.append(found)
        elif _is_silent(found):
            continue
        else:
            row, wrong = _read(found, converters, now)
            rows += [] if row is None else [row]
            faults += wrong
    return rows, faults


def _read(
    record: Record, converters: Mapping[str, Callable[[str], Any]], now: datetime
) -> tuple[PaperRow | None, list[Fault]]:
    values, faults = record.convert(converters)
    if faults:
        return None, faults
    try:
        at = happened(values.get("at", ""), values["start"], now)
    except Refusal as refusal:
        return None, [Fault(record.line, "at", refusal.message)]
    return PaperRow(record.line, **{column: values[column] for column in COLUMNS}, at=at), []


def happened(text: str, start: datetime, now: datetime, where: str = "at") -> datetime | None:
    """When it happened: a time (of the day of `start`) or a date and time, London's; None if that was left empty.

    Raises `Refusal` if it is neither, or still to come.
    """
    if not text:
        return None
    if _TIME.fullmatch(text):
        text = f"{london_date(start)}T{text:0>5}"
    instant = parse_instant(text, where)
    if instant > now:
        raise Refusal("This is in the future", code="in-future", where=where)
    return instant


def _is_silent(record: Record) -> bool:
    """Whether the line says neither what became of the appointment nor when: nobody has written on it."""
    cells = dict(zip(record.columns, record.cells, strict=True))
    return not cells["outcome"].strip() and not cells.get("at", "").strip()


def _converters(practices: Collection[str]) -> Mapping[str, Callable[[str], Any]]:
    return {
        **dict.fromkeys((*OPTIONAL, *PRINTED), str),
        "practice": lambda text: _practice(text, practices),
        "start": parse_instant,
        "nhs_number": lambda text: nhs_number(text.replace(" ", "")),
        "outcome": _outcome,
    }


def _practice(text: str, practices: Collection[str]) -> str:
    if text in practices:
        return text
    if len(practices) == 1:
        raise Refusal(f"This is about {', '.join(practices)} alone, not about “{text}”", code="unknown-practice")
    raise Refusal(f"“{text}” is not a practice of this outage", code="unknown-practice")


def _outcome(text: str) -> str:
    if text.lower() not in OUTCOMES:
        raise Refusal(f"“{text}” is none of {', '.join(OUTCOMES)}", code="bad-outcome")
    return text.lower()
