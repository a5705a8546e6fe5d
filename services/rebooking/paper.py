"""Reads the file of who was seen on paper: strictly, naming the line and the field of everything that is wrong."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from msgspec import Struct, structs
from nhs_number.validate import is_valid

from shared.clock import parse_instant
from shared.events.rebooking import Outcome
from shared.refusals import Refusal

COLUMNS = ("practice", "start", "nhs_number", "outcome")
OPTIONAL = ("at",)


class Fault(Struct, frozen=True):
    """What is wrong with one line. Lines are counted from 1, the header."""

    line: int
    field: str
    reason: str


class BadPaper(Refusal):
    """The file was refused whole, with what is wrong in each of its lines."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        ordered = sorted(faults, key=lambda fault: fault.line)
        lines, first = len({fault.line for fault in faults}), ordered[0]
        super().__init__(
            f"{lines} {'line is' if lines == 1 else 'lines are'} wrong, and nothing was stored. "
            f"Line {first.line}: {first.reason}",
            code="bad-rows",
            where=f"line {first.line}, {first.field}" if first.field else f"line {first.line}",
        )
        self.errors = [structs.asdict(fault) for fault in ordered]


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
    lines = _lines(text)
    header = next(lines, (1, []))
    names = [] if isinstance(header, Fault) else [name.strip() for name in header[1]]
    _require_columns(names)
    converters = _converters(practices, now)
    rows: list[PaperRow] = []
    faults: list[Fault] = []
    for found in lines:
        if isinstance(found, Fault):
            faults.append(found)
        elif len(found[1]) != len(names):
            faults.append(Fault(found[0], "", f"It has {len(found[1])} fields, the first line has {len(names)}"))
        else:
            values, wrong = _convert(found[0], dict(zip(names, found[1], strict=True)), converters)
            faults += wrong
            rows += [] if wrong else [PaperRow(line=found[0], **values)]
    return rows, faults


def _converters(practices: Collection[str], now: datetime) -> Mapping[str, Callable[[str], Any]]:
    return {
        "practice": lambda text: _practice(text, practices),
        "start": parse_instant,
        "nhs_number": _nhs_number,
        "outcome": _outcome,
        "at": lambda text: _past(text, now) if text else None,
    }


def _convert(
    line: int, cells: Mapping[str, str], converters: Mapping[str, Callable[[str], Any]]
) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, cell in cells.items():
        try:
            values[name] = converters[name](cell.strip())
        except Refusal as refusal:
            faults.append(Fault(line, name, refusal.message))
    return values, faults


def _practice(text: str, practices: Collection[str]) -> str:
    if text not in practices:
        raise Refusal(f"“{text}” is not a practice of this outage", code="unknown-practice")
    return text


def _nhs_number(text: str) -> str:
    """The number as ten digits. What was written is left out of the complaint: it may be somebody's."""
    digits = text.replace(" ", "")
    if not (len(digits) == 10 and digits.isascii() and digits.isdigit()):
        raise Refusal("An NHS number has ten digits", code="bad-nhs-number")
    if not is_valid(digits):
        raise Refusal("The last digit of this NHS number does not fit the others", code="bad-nhs-number")
    return digits


def _outcome(text: str) -> str:
    if text not in get_args(Outcome):
        raise Refusal(f"“{text}” is none of {', '.join(get_args(Outcome))}", code="bad-outcome")
    return text


def _past(text: str, now: datetime) -> datetime:
    instant = parse_instant(text)
    if instant > now:
        raise Refusal("This is in the future", code="in-future")
    return instant


def _lines(text: str) -> Iterator[tuple[int, list[str]] | Fault]:
    """The lines that are not blank, each with the number of the line where it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as malformed:
            yield Fault(line, "", f"This is not CSV: {malformed}")
        else:
            if cells:
                yield line, cells


def _require_columns(names: Sequence[str]) -> None:
    missing = [column for column in COLUMNS if column not in names]
    unknown = [name or "(no name)" for name in names if name not in COLUMNS + OPTIONAL]
    twice = sorted({name for name in names if names.count(name) > 1})
    if missing or unknown or twice:
        wrong = (("missing", missing), ("unknown", unknown), ("there twice", twice))
        said = "; ".join(f"{what}: {', '.join(columns)}" for what, columns in wrong if columns)
        raise Refusal(
            f"The first line must name the columns {','.join(COLUMNS)} and may add {','.join(OPTIONAL)}; {said}",
            code="bad-header",
            where="line 1",
        )
