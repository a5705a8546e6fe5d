"""The web pages of a continuity pack: a sheet to print for each practice and day, and the page that leads to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from services.operator.continuity_sheets import BOXES, Sheet
from services.operator.day_lists import MOST_DAYS

_LINES_OF_A_PAGE = 19
"""So many fit on a sheet of A4. Those under the last appointment are for whoever comes without one."""

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Listed:
    """A sheet as the index names it. `file` is its path without the ending."""

    day: str
    booked: int
    file: str


@dataclass(frozen=True, slots=True)
class Contents:
    """One practice's sheets."""

    ods_code: str
    name: str
    sheets: tuple[Listed, ...]


def sheet_html(sheet: Sheet) -> str:
    """The sheet; printed, each session begins a page of its own."""
    return _pages().get_template("sheet.html").render(sheet=sheet, boxes=BOXES, of_a_page=_LINES_OF_A_PAGE)


def index_html(as_of: str, practices: Sequence[Contents]) -> str:
    """Where to find whose sheets. It names no patient."""
    ordered = sorted(practices, key=lambda each: (each.name.casefold(), each.ods_code))
    page = _pages().get_template("continuity.html")
    return page.render(as_of=as_of, practices=ordered, looked_ahead=MOST_DAYS)


@cache
def _pages() -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape())
