"""`daybook practice`: to whom a practice's slots are open, and who is coming."""

from datetime import date
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from services.operator.asking import ask
from services.operator.continuity_sheets import Sheet, sheets
from services.operator.day_lists import MOST_DAYS, ask_days
from services.operator.naming import ods_code
from services.operator.screen import AsJson, out, show, show_json
from services.operator.settings import operator_settings
from shared.refusals import Refusal

practice_commands = typer.Typer(help="What is settled for a whole practice.", no_args_is_help=True)


@practice_commands.command(name="open")
def open_practice(
    practice: Annotated[str, typer.Argument(metavar="ODS", help="The practice.")],
    type_: Annotated[list[str] | None, typer.Option("--type", help="Only organisations of this type.")] = None,
    organisation: Annotated[list[str] | None, typer.Option(help="Only this organisation (ODS code).")] = None,
    days_ahead: Annotated[int | None, typer.Option(help="Slots of at most so many days ahead.")] = None,
    closes_minutes: Annotated[int, typer.Option(help="Until so many minutes before a slot starts.")] = 0,
    closed: Annotated[bool, typer.Option("--closed", help="To nobody but the practice itself.")] = False,
    json: AsJson = False,
) -> None:
    """Open a practice's slots to other organisations, or close them: all that was said of it before is replaced.

    Slots kept for somebody stay kept, and a session that says something itself goes by that.
    """
    opening: dict[str, Any] = {
        "organisation_types": type_ or [],
        "organisations": organisation or [],
        "days_ahead": days_ahead,
        "closes_minutes": closes_minutes,
    }
    if closed and (type_ or organisation or days_ahead is not None or closes_minutes):
        raise Refusal("--closed is to nobody, so it goes with none of the others", code="closed", where="--closed")
    path = f"/v1/practices/{ods_code(practice)}/opening"
    answer = ask(operator_settings(), "booking", "PUT", path, json={"closed": True} if closed else opening)
    show(answer, as_json=json)


@practice_commands.command(name="day-list")
def day_list(
    practice: Annotated[str, typer.Argument(metavar="ODS", help="The practice.")],
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="From this day on (today): 2024-07-22.")] = "",
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="So many days.")] = 1,
    json: AsJson = False,
) -> None:
    """Who is coming, with telephone numbers; from rebooking's copy of the diary, so while booking is away too."""
    settings = operator_settings()
    listed = ask_days(settings, ods_code(practice), _date(first) if first else None, days)
    if json:
        show_json(listed)
        return
    out().print(f"{listed.name} ({listed.practice})", style="bold", markup=False)
    for sheet in sheets(listed):
        _print_sheet(sheet)


def _print_sheet(sheet: Sheet) -> None:
    out().print(f"{sheet.day}: {sheet.booked} booked, as of {sheet.as_of}", markup=False)
    for page in sheet.pages:
        title = Text(", ".join(part for part in (page.clinician, page.name, page.location) if part))
        table = Table("time", "patient", "telephone", "for", "note", title=title, title_justify="left")
        for line in page.lines:
            who = "\n".join(part for part in (line.name, line.known_by) if part)
            table.add_row(*(Text(cell) for cell in (line.time, who, line.telephone, line.about, line.note)))
        out().print(table)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refusal(f"--from: “{text}” is not a date such as 2024-07-22", code="bad-date", where="--from") from None
