"""`daybook outage`: a lost day, from its declaration to the closing report."""

from typing import Annotated, Any, Literal

import typer

from services.operator.asking import ask
from services.operator.backlog import backlog, chart, report
from services.operator.calls import call_commands, calls
from services.operator.naming import By, OutageId, instant, ods_code, outage_path, who
from services.operator.outage_screen import print_outage, print_outages
from services.operator.reconciling import reconcile
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import operator_settings
from shared.events.booking import ALL_INFLOW, Inflow
from shared.refusals import Refusal

outage_commands = typer.Typer(
    help="A day without a system: declare it, reconcile it, watch the backlog fall.", no_args_is_help=True
)

outage_commands.command()(reconcile)
outage_commands.command()(calls)
outage_commands.add_typer(call_commands, name="call")
outage_commands.command()(backlog)
outage_commands.command()(chart)
outage_commands.command()(report)

LetIn = Annotated[
    list[str] | None,
    typer.Option(metavar="|".join(ALL_INFLOW), help="Who can book there all the same; more than once for more."),
]


@outage_commands.command()
def declare(
    name: Annotated[str, typer.Argument(help="What people call it: “Friday 19 July”.")],
    began: Annotated[str, typer.Option("--from", help="Since when: 2024-07-19T07:00, London time.")],
    ended: Annotated[str, typer.Option("--to", help="Until when, if it is over.")] = "",
    practice: Annotated[list[str] | None, typer.Option(help="ODS code; more than once for more; none for all.")] = None,
    let_in: LetIn = None,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say that practices have no working system. They take no new bookings until it ends."""
    body: dict[str, Any] = {
        "name": name,
        "practices": [ods_code(each) for each in practice or ()] or "all",
        "declared_by": who(by),
        "started_at": instant(began, "--from"),
        "keeps_out": _kept_out(let_in),
    }
    if ended:
        body["ended_at"] = instant(ended, "--to")
    _print(ask(operator_settings(), "rebooking", "POST", "/v1/outages", json=body), as_json=json)


@outage_commands.command(name="list")
def list_outages(json: AsJson = False) -> None:
    """All outages, and the withdrawals of sessions that patients had appointments in."""
    found = ask(operator_settings(), "rebooking", "GET", "/v1/outages")
    show_json(found) if json else print_outages(found)


@outage_commands.command(name="show")
def show_outage(outage: OutageId = "", json: AsJson = False) -> None:
    """What is at stake in an outage, and how far its recovery has come."""
    settings = operator_settings()
    path = outage_path(settings, outage)
    facts = ask(settings, "rebooking", "GET", path)
    _print({**facts, "progress": ask(settings, "rebooking", "GET", f"{path}/progress")}, as_json=json)


@outage_commands.command()
def inflow(outage: OutageId = "", let_in: LetIn = None, by: By = "", json: AsJson = False) -> None:
    """Say anew who can book at the outage's practices while it lasts: those let in, and nobody else."""
    settings = operator_settings()
    body = {"keeps_out": _kept_out(let_in), "said_by": who(by)}
    _print(ask(settings, "rebooking", "POST", f"{outage_path(settings, outage)}/inflow", json=body), as_json=json)


@outage_commands.command()
def end(
    outage: OutageId = "",
    at: Annotated[str, typer.Option("--at", help="When the systems came back: 2024-07-21T22:00, London time.")] = "",
    json: AsJson = False,
) -> None:
    """Say that the systems are back. The practices take bookings again."""
    settings = operator_settings()
    body = {"ended_at": instant(at, "--at")} if at else {}
    _print(ask(settings, "rebooking", "POST", f"{outage_path(settings, outage)}/end", json=body), as_json=json)


@outage_commands.command(name="follow-up")
def follow_up(
    switch: Annotated[Literal["on", "off"], typer.Argument(help="on: at once, in order of priority; off: ask me.")],
    outage: OutageId = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say whether capacity that appears later goes to those who still wait without asking again."""
    settings = operator_settings()
    body = {"automatic": switch == "on", "said_by": who(by)}
    answer = ask(settings, "rebooking", "PUT", f"{outage_path(settings, outage)}/follow-up", json=body)
    if json:
        show_json(answer)
    else:
        goes = "goes to those who still wait, at once" if switch == "on" else "waits for your yes to a plan"
        out().print(f"Capacity that appears from now on {goes}.")


def _kept_out(let_in: list[str] | None) -> list[Inflow]:
    if unknown := sorted(set(let_in or ()) - set(ALL_INFLOW)):
        known = ", ".join(ALL_INFLOW)
        raise Refusal(f"--let-in: “{unknown[0]}” is none of {known}", code="bad-inflow", where="--let-in")
    return [each for each in ALL_INFLOW if each not in (let_in or ())]


def _print(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(facts)
    else:
        print_outage(facts)
