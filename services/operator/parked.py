"""`daybook parked`: events that a service could not fold, tried again, or left out for good."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from services.operator.asking import ask
from services.operator.rebuild import require_service
from services.operator.screen import AsJson, out, plain, show_json
from services.operator.settings import SERVICES, operator_settings

parked_commands = typer.Typer(
    help="Events that a service could not fold: each waits, with all that follow it in its stream.",
    no_args_is_help=True,
)

Service = Annotated[str, typer.Argument(help="booking, rebooking or notifications")]
Event = Annotated[str, typer.Argument(help="The event's id, as the list has it.")]
By = Annotated[str, typer.Option("--by", help="Who does this.")]


@parked_commands.command(name="list")
def list_parked(
    service: Annotated[str, typer.Argument(help="Only of this service.")] = "", json: AsJson = False
) -> None:
    """The events that wait, the first of each stream before those behind it, and those that were skipped.

    Exit code 1 if any wait.
    """
    if service:
        require_service(service)
    settings = operator_settings()
    found = {name: ask(settings, name, "GET", "/v1/parked") for name in ([service] if service else SERVICES)}
    show_json(found) if json else _print(found)
    if any(not each["skipped_by"] for listed in found.values() for each in listed):
        raise typer.Exit(1)


@parked_commands.command()
def retry(service: Service, event: Event, by: By, json: AsJson = False) -> None:
    """Fold the event, once what was wrong has been mended, and those that wait behind it."""
    require_service(service)
    released = ask(operator_settings(), service, "POST", f"/v1/parked/{quote(event, safe='')}/retry", json={"by": by})
    show_json(released) if json else _say(released)


@parked_commands.command()
def skip(
    service: Service,
    event: Event,
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Why it may be left out. Name no patient.")],
    json: AsJson = False,
) -> None:
    """Leave the event out for good, in every rebuild too, and fold those that wait behind it."""
    require_service(service)
    body = {"by": by, "reason": reason}
    released = ask(operator_settings(), service, "POST", f"/v1/parked/{quote(event, safe='')}/skip", json=body)
    show_json(released) if json else _say(released)


def _print(found: dict[str, Any]) -> None:
    if not any(found.values()):
        out().print("Every event has been folded.")
        return
    table = plain("service", "event", "stream", "of", "why", "since", "")
    for name, listed in found.items():
        for each in listed:
            skipped = f"skipped by {each['skipped_by']}: {each['skipped_because']}" if each["skipped_by"] else "waits"
            of = f"{each['source']} {each['position']:,}"
            cells = (name, each["event"], each["stream"], of, each["reason"], each["parked_at"], skipped)
            table.add_row(*map(_folded, cells))
    out().print(table)


def _say(released: dict[str, Any]) -> None:
    if released["skipped"]:
        out().print(f"Left out for good: {released['skipped']}", markup=False)
    out().print(f"Folded: {len(released['folded'])}")
    if released["waits"]:
        out().print(f"Still waits: {released['waits']}", markup=False)


def _folded(cell: str) -> Text:
    return Text(cell, overflow="fold")
