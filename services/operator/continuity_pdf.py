"""A continuity sheet as PDF: A4 lying on its side, one session after another, each beginning a page of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fpdf import FPDF
from fpdf.fonts import TTFFont

from services.operator.continuity_sheets import BOXES, Line, Page, Sheet
from services.operator.continuity_typeface import Typeface

_LEFT, _RIGHT, _BOTTOM = 10.0, 287.0, 195.5
_TABLE_TOP, _HEAD, _ROW, _LEAD, _PAD = 31.5, 8.0, 8.1, 3.6, 0.9
"""Millimetres, as all lengths here."""

_BOX, _BOX_COLUMN = 5.0, 17.0
_LEAST_EMPTY = 1
"""Lines for whoever comes without an appointment, on the last side of each session; mostly there is room for more."""

_COLUMNS = (
    ("Time", 16.0), ("Patient", 66.0), ("Telephone", 29.0), ("For", 44.0), *((box, _BOX_COLUMN) for box in BOXES),
    ("At", 15.0), ("Initials", 15.0), ("Note", 24.0),
)  # fmt: skip


def sheet_pdf(sheet: Sheet, face: Typeface) -> bytes:
    """The sheet, ready for the printer."""
    press = _Press(face)
    leaves = [leaf for page in sheet.pages for leaf in press.leaves(page)]
    for number, leaf in enumerate(leaves, 1):
        press.print_leaf(sheet, leaf, f"page {number} of {len(leaves)}")
    press.pdf.set_title(f"{sheet.practice}, {sheet.day}")
    return press.printed()


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table, its texts broken to their columns. `line` is None where a walk-in is written in."""

    line: Line | None
    name: Sequence[str]
    known_by: Sequence[str]
    about: Sequence[str]
    note: Sequence[str]

    @property
    def height(self) -> float:
        lines = max(len(self.name) + len(self.known_by), len(self.about), len(self.note))
        return max(_ROW, lines * _LEAD + _PAD)


_EMPTY = _Row(None, (), (), (), ())


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One side of paper: a session, or as much of it as fits. `part` says which, if there is more than one."""

    page: Page
    rows: Sequence[_Row]
    part: str


class _Press:
    """Breaks sessions to pages and prints them."""

    def __init__(self, face: Typeface) -> None:
        self.pdf = FPDF("L", "mm", "A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_line_width(0.2)
        self._width, self._printable = face.width, face.printable
        for style, path in face.files.items():
            self.pdf.add_font("sheet", style, path)

    def leaves(self, page: Page) -> list[_Leaf]:
        """The session's sides, the last filled up with empty lines, of which there is one at the least."""
        sides: list[list[_Row]] = [[]]
        for row in [*(self._row(line) for line in page.lines), *[_EMPTY] * _LEAST_EMPTY]:
            if sum(each.height for each in sides[-1]) + row.height > _BOTTOM - _TABLE_TOP - _HEAD:
                sides.append([])
            sides[-1].append(row)
        room = _BOTTOM - _TABLE_TOP - _HEAD - sum(row.height for row in sides[-1])
        sides[-1] += [_EMPTY] * int(room // _ROW)
        parts = [f"part {at} of {len(sides)}" if len(sides) > 1 else "" for at in range(1, len(sides) + 1)]
        return [_Leaf(page, rows, part) for rows, part in zip(sides, parts, strict=True)]

    def print_leaf(self, sheet: Sheet, leaf: _Leaf, number: str) -> None:
        self.pdf.add_page()
        self._heading(sheet, leaf)
        top = _TABLE_TOP
        self._head(top)
        top += _HEAD
        for row in leaf.rows:
            self._print_row(row, top)
            top += row.height
        self._columns(top)
        self._write(_LEFT, 201, 8, "Came = attended, did not come = missed, elsewhere = seen by somebody else.")
        self._write(_RIGHT, 201, 8, f"{sheet.ods_code}, {sheet.date}, {number}", align="R")

    def printed(self) -> bytes:
        """The whole, once every leaf is printed."""
        pdf = bytes(self.pdf.output())
        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.close()
        return pdf

    def _heading(self, sheet: Sheet, leaf: _Leaf) -> None:
        self._write(_LEFT, 16, 15, f"{sheet.practice} ({sheet.ods_code})", "B", width=150)
        self._write(_RIGHT, 16, 13, f"As of {sheet.as_of}", "B", align="R", width=125)
        what = ", ".join(part for part in (leaf.page.clinician, leaf.page.name, leaf.page.location, leaf.part) if part)
        self._write(_LEFT, 23, 12, sheet.day, "B")
        self._write(_RIGHT, 23, 9, f"{leaf.page.booked} booked", align="R")
        self._write(_LEFT, 29, 11, what, width=_RIGHT - _LEFT)

    def _head(self, top: float) -> None:
        self.pdf.set_fill_color(225)
        self.pdf.rect(_LEFT, top, _RIGHT - _LEFT, _HEAD, "F")
        for name, left, width in _places():
            lines = self._broken(name, width - 1, 7.5, "B")
            for at, line in enumerate(lines):
                centre = name in BOXES
                x = left + (width - self._width(line, 7.5, "B")) / 2 if centre else left + 1
                self._write(x, top + 3.6 + at * 3.4, 7.5, line, "B")

    def _print_row(self, row: _Row, top: float) -> None:
        self.pdf.line(_LEFT, top, _RIGHT, top)
        places = {name: left for name, left, _ in _places()}
        for box in BOXES:
            self.pdf.rect(places[box] + (_BOX_COLUMN - _BOX) / 2, top + (row.height - _BOX) / 2, _BOX, _BOX)
        if row.line is None:
            return
        self._write(places["Time"] + 1, top + 5.4, 11, row.line.time, "B")
        self._stack(places["Patient"] + 1, top, ((10, "B", row.name), (8, "", row.known_by)))
        self._write(places["Telephone"] + 1, top + 5.2, 9.5, row.line.telephone, width=27)
        self._stack(places["For"] + 1, top, ((8, "", row.about),))
        self._stack(places["Note"] + 1, top, ((8, "", row.note),))

    def _stack(self, x: float, top: float, texts: Sequence[tuple[float, str, Sequence[str]]]) -> None:
        y = top + _LEAD - 0.1
        for size, style, lines in texts:
            for line in lines:
                self._write(x, y, size, line, style)
                y += _LEAD

    def _columns(self, bottom: float) -> None:
        self.pdf.line(_LEFT, bottom, _RIGHT, bottom)
        for _, left, _width in _places():
            self.pdf.line(left, _TABLE_TOP, left, bottom)
        self.pdf.line(_RIGHT, _TABLE_TOP, _RIGHT, bottom)

    def _row(self, line: Line) -> _Row:
        return _Row(
            line,
            self._broken(line.name, 64, 10, "B"),
            self._broken(line.known_by, 64, 8),
            self._broken(line.about, 42, 8),
            self._broken(line.note, 22, 8),
        )

    def _broken(self, text: str, width: float, size: float, style: str = "") -> list[str]:
        """The text in lines of that width; nothing of it is cut off."""
        lines: list[str] = []
        for word in self._printable(text).split():
            if lines and self._width(longer := f"{lines[-1]} {word}", size, style) <= width:
                lines[-1] = longer
            else:
                lines += self._pieces(word, width, size, style)
        return lines

    def _pieces(self, word: str, width: float, size: float, style: str) -> list[str]:
        """A word in as many pieces as it needs to fit: hardly ever more than one."""
        pieces = [word]
        while len(pieces[-1]) > 1 and self._width(pieces[-1], size, style) > width:
            last = pieces[-1]
            fits = next(
                at for at in range(len(last) - 1, 0, -1) if at == 1 or self._width(last[:at], size, style) <= width
            )
            pieces[-1:] = [last[:fits], last[fits:]]
        return pieces

    def _write(
        self, x: float, y: float, size: float, text: str, style: str = "", *, align: str = "L", width: float = 0
    ) -> None:
        """One line of text; smaller, where it would be wider than there is room for."""
        text = self._printable(text)
        wide = self._width(text, size, style)
        if width and wide > width:
            size, wide = size * width / wide, width
        self.pdf.set_font("sheet", style, size)
        self.pdf.text(x - wide if align == "R" else x, y, text)


def _places() -> Iterator[tuple[str, float, float]]:
    """Each column's name, its left edge and its width."""
    left = _LEFT
    for name, width in _COLUMNS:
        yield name, left, width
        left += width
