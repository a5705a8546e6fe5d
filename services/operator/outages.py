"""`daybook outage` and `daybook plan`: a lost day, from its declaration to the approval of its plan."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from services.operator.asking import ask
from services.operator.imports import CSV, read_file
from services.operator.screen import AsJson, show
from services.operator.settings import OperatorSettings, operator_settings
from shared.clock import parse_instant
from shared.refusals import NotFound, Refusal

outage_commands = typer.Typer(help="A day without a system: declare it, reconcile it, end it.", no_args_is_help=True)
plan_commands = typer.Typer(help="Where the lost appointments are to go.", no_args_is_help=True)

OutageId = Annotated[
    str, typer.Argument(help="The outage, or the withdrawal of a session; may be left out while there is only one.")
]
By = Annotated[str, typer.Option("--by", help="Who says so, if not the user of this machine.")]


@outage_commands.command()
def declare(
    name: Annotated[str, typer.Argument(help="What people call it: “Friday 19 July”.")],
    began: Annotated[str, typer.Option("--from", help="Since when: 2024-07-19T07:00, London time.")],
    ended: Annotated[str, typer.Option("--to", help="Until when, if it is over.")] = "",
    practice: Annotated[list[str] | None, typer.Option(help="ODS code; more than once for more; none for all.")] = None,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say that practices have no working system. They take no new bookings until it ends."""
    body = {
        "name": name,
        "practices": practice or "all",
        "declared_by": by or getpass.getuser(),
        "started_at": _instant(began, "--from"),
    }
    if ended:
        body["ended_at"] = _instant(ended, "--to")
    show(ask(operator_settings(), "rebooking", "POST", "/v1/outages", json=body), as_json=json)


@outage_commands.command(name="list")
def list_outages(json: AsJson = False) -> None:
    """All outages, and the withdrawals of sessions that patients had appointments in."""
    show(ask(operator_settings(), "rebooking", "GET", "/v1/outages"), as_json=json, title="Outages")


@outage_commands.command(name="show")
def show_outage(outage: OutageId = "", json: AsJson = False) -> None:
    """What is at stake in an outage, and how far its recovery has come."""
    settings = operator_settings()
    path = _path(settings, outage)
    facts = ask(settings, "rebooking", "GET", path)
    progress = ask(settings, "rebooking", "GET", f"{path}/progress")
    show({**facts, "progress": progress}, as_json=json)


@outage_commands.command()
def reconcile(
    file: Annotated[Path, typer.Argument(help="CSV: practice,start,nhs_number,outcome[,at]")],
    outage: OutageId = "",
    rest: Annotated[str, typer.Option(help="What those not in the file are: displaced or unknown.")] = "unknown",
    json: AsJson = False,
) -> None:
    """Say what became of the appointments of the lost day: who was seen on paper, who cancelled."""
    settings = operator_settings()
    path = f"{_path(settings, outage)}/reconciliation"
    answer = ask(settings, "rebooking", "POST", path, params={"rest": rest}, content=read_file(file), headers=CSV)
    show(answer, as_json=json)


@outage_commands.command()
def end(
    outage: OutageId = "",
    at: Annotated[str, typer.Option("--at", help="When the systems came back: 2024-07-21T22:00, London time.")] = "",
    json: AsJson = False,
) -> None:
    """Say that the systems are back. The practices take bookings again."""
    settings = operator_settings()
    body = {"ended_at": _instant(at, "--at")} if at else {}
    show(ask(settings, "rebooking", "POST", f"{_path(settings, outage)}/end", json=body), as_json=json)


@plan_commands.command()
def propose(outage: OutageId = "", json: AsJson = False) -> None:
    """Compute the best plan for all displaced appointments, and print its hash."""
    settings = operator_settings()
    show(ask(settings, "rebooking", "POST", f"{_path(settings, outage)}/plan"), as_json=json, title="Plan")


@plan_commands.command(name="show")
def show_plan(outage: OutageId = "", json: AsJson = False) -> None:
    """The plan as proposed, and what found no place."""
    settings = operator_settings()
    show(ask(settings, "rebooking", "GET", f"{_path(settings, outage)}/plan"), as_json=json, title="Plan")


@plan_commands.command()
def approve(
    hash_: Annotated[str, typer.Argument(metavar="HASH", help="The hash of the plan that you have read.")],
    outage: OutageId = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say yes to a plan. Its moves begin at once."""
    settings = operator_settings()
    path = f"{_path(settings, outage)}/approval"
    show(
        ask(settings, "rebooking", "POST", path, json={"hash": hash_, "approved_by": by or getpass.getuser()}),
        as_json=json,
    )


def _path(settings: OperatorSettings, outage: str) -> str:
    return f"/v1/outages/{outage or _only_outage(settings)}"


def _only_outage(settings: OperatorSettings) -> str:
    """A withdrawal is meant only where there is no outage."""
    known: list[dict[str, Any]] = ask(settings, "rebooking", "GET", "/v1/outages")
    outages = [each for each in known if each["kind"] == "outage"] or known
    match outages:
        case []:
            raise NotFound("no outage has been declared", code="no-outage", where="OUTAGE")
        case [only]:
            return str(only["outage"])
        case _:
            names = ", ".join(f"{each['outage']} ({each['name']})" for each in outages)
            raise Refusal(f"there are several outages, so say which: {names}", code="which-outage", where="OUTAGE")


def _instant(text: str, option: str) -> str:
    try:
        return parse_instant(text).isoformat()
    except Refusal as refusal:
        raise Refusal(f"{option}: {refusal.message}", code=refusal.code, where=option) from None
