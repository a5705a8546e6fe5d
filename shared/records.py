"""CSV files read strictly: a known header, numbered lines, and every cell converted or its fault named."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct, structs

from shared.refusals import Refusal

T = TypeVar("T")


class Fault(Struct, frozen=True):
    """What is wrong with one row. Lines are counted from 1, the header."""

    line: int
    field: str
    reason: str


class Record(Struct, frozen=True, gc=False):
    """One line of a file, its cells beside the columns they belong to."""

    line: int
    columns: Sequence[str]
    cells: Sequence[str]

    def convert(self, converters: Mapping[str, Callable[[str], Any]]) -> tuple[dict[str, Any], list[Fault]]:
        """The value of each cell that its column's converter takes, and the faults of the others."""
        values: dict[str, Any] = {}
        faults: list[Fault] = []
        for column, cell in zip(self.columns, self.cells, strict=True):
            try:
                values[column] = converters[column](cell)
            except Refusal as refusal:
                faults.append(Fault(self.line, column, refusal.message))
        return values, faults


class BadRows(Refusal):
    """A file that was refused whole, with what is wrong in each of its lines."""

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


def read_records(text: str, columns: Sequence[str], optional: Sequence[str] = ()) -> Iterator[Record | Fault]:
    """The lines that are not blank. Raises `Refusal` if the first names other columns than these and the optional."""
    lines = _lines(text)
    header = next(lines, Fault(1, "", ""))
    names = [] if isinstance(header, Fault) else [name.strip() for name in header[1]]
    _check_header(names, columns, optional)
    for found in lines:
        if isinstance(found, Fault):
            yield found
        elif len(found[1]) != len(names):
            yield Fault(found[0], "", f"The row has {len(found[1])} fields, the header {len(names)}")
        else:
            yield Record(found[0], names, found[1])


def stripped(convert: Callable[[str], T]) -> Callable[[str], T]:
    """Converts a cell without the blanks around it."""
    return lambda cell: convert(cell.strip())


def required(column: str, text: str) -> str:
    """The text, which must not be empty."""
    if not text:
        raise Refusal("This must not be empty", code="missing", where=column)
    return text


def whole(least: int, most: int, text: str) -> int:
    """A whole number in these bounds."""
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise Refusal(f"This must be a whole number from {least} to {most}", code="bad-number")
    return int(text)


def _lines(text: str) -> Iterator[tuple[int, list[str]] | Fault]:
    """Each with the number of the line where it begins."""
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


def _check_header(header: Sequence[str], columns: Sequence[str], optional: Sequence[str]) -> None:
    faults = {
        "missing": [column for column in columns if column not in header],
        "unknown": [column or "(no name)" for column in header if column not in (*columns, *optional)],
        "there twice": sorted({column for column in header if header.count(column) > 1}),
    }
    if any(faults.values()):
        said = "; ".join(f"{what}: {', '.join(names)}" for what, names in faults.items() if names)
        raise Refusal(f"The first line must name the file's columns; {said}", code="bad-header", where="line 1")
