"""`daybook outage backlog`, `chart` and `report`: who still waits, how the backlog falls, and what it came to."""

from pathlib import Path
from typing import Annotated

import typer

from services.operator.asking import ask, fetch
from services.operator.naming import AtPractice, OutageId, ods_code, outage_path, save
from services.operator.report_screen import print_backlog, print_report
from services.operator.screen import AsJson, show_json
from services.operator.settings import operator_settings
from shared.refusals import Refusal

_CHARTS = {".svg": "burndown.svg", ".png": "burndown.png"}


def backlog(
    outage: OutageId = "",
    practice: AtPractice = "",
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write it as CSV.")] = None,
    json: AsJson = False,
) -> None:
    """The backlog by day, practice and state, counted from the log."""
    settings = operator_settings()
    path = f"{outage_path(settings, outage)}/backlog"
    if csv:
        if practice:
            raise Refusal("the CSV file holds all practices, so --csv goes without --practice", code="all-practices")
        save(csv, fetch(settings, "rebooking", f"{path}.csv"))
        return
    query = {"practice": ods_code(practice)} if practice else {}
    found = ask(settings, "rebooking", "GET", path, params=query)
    show_json(found) if json else print_backlog(found)


def chart(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.svg or FILE.png")],
    outage: OutageId = "",
) -> None:
    """Draw how the backlog falls."""
    if (kind := file.suffix.lower()) not in _CHARTS:
        raise Refusal(f"{file} is neither .svg nor .png", code="bad-chart", where="FILE")
    settings = operator_settings()
    save(file, fetch(settings, "rebooking", f"{outage_path(settings, outage)}/{_CHARTS[kind]}"))


def report(
    outage: OutageId = "",
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as a page.")] = None,
    json: AsJson = False,
) -> None:
    """What the outage came to: the closing report, or how it stands so far."""
    settings = operator_settings()
    path = f"{outage_path(settings, outage)}/report"
    if html:
        save(html, fetch(settings, "rebooking", f"{path}.html"))
        return
    found = ask(settings, "rebooking", "GET", path)
    show_json(found) if json else print_report(found)
