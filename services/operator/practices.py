"""`daybook practice`: to whom a practice's slots are open."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.operator.asking import ask
from services.operator.screen import AsJson, show
from services.operator.settings import operator_settings
from shared.refusals import Refusal

practice_commands = typer.Typer(help="What is settled for a whole practice.", no_args_is_help=True)


@practice_commands.callback()
def _practice() -> None:
    """Keeps `open` a word of its own while it is the only one."""


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
    path = f"/v1/practices/{quote(practice.strip().upper(), safe='')}/opening"
    answer = ask(operator_settings(), "booking", "PUT", path, json={"closed": True} if closed else opening)
    show(answer, as_json=json)
