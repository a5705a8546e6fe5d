"""The closing report as a page to be read and printed, with the chart of the burn-down in it."""

from datetime import date, datetime
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from services.rebooking.burn_down import BurnDown
from services.rebooking.report_facts import Report
from shared.clock import in_london

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page_of(report: Report, backlog: BurnDown) -> str:
    """The whole page, which needs nothing from outside."""
    picture = picture_of(report.name, backlog, "svg").decode()
    # Of outlines and figures: no letter of a name stands in it as text.
    chart = Markup(picture[picture.index("<svg") :])
    page = _PAGES.get_template("report.html")
    return page.render(report=report, backlog=backlog, chart=chart, at=_at, on=_on, figure=_figure)


def picture_of(name: str, backlog: BurnDown, kind: Literal["svg", "png"]) -> bytes:
    """The chart. What draws it takes as long to import as all the rest, and is not wanted in every process."""
    from services.rebooking.chart import draw

    return draw(name, backlog, kind)


def _at(instant: datetime | None) -> str:
    """As the clock on a surgery's wall showed it."""
    return "not yet" if instant is None else f"{in_london(instant):%A %-d %B %Y, %H:%M}"


def _on(day: date) -> str:
    return f"{day:%a %-d %b %Y}"


def _figure(number: int) -> str:
    return f"{number:,}"
