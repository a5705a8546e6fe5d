"""`daybook plan`: where the lost appointments are to go, and the yes that begins their moves."""

from typing import Annotated, Any

import typer

from services.operator.asking import ask
from services.operator.naming import AtPractice, By, OutageId, ods_code, outage_path, who
from services.operator.plan_screen import print_capacity, print_plan, print_unplaced
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import operator_settings

plan_commands = typer.Typer(help="Where the lost appointments are to go.", no_args_is_help=True)


@plan_commands.command()
def propose(
    outage: OutageId = "",
    practice: Annotated[list[str] | None, typer.Option(help="ODS code; more than once for more; none for all.")] = None,
    json: AsJson = False,
) -> None:
    """Compute the best plan for everyone who waits, and print it with its hash."""
    settings = operator_settings()
    body = {"practices": [ods_code(each) for each in practice]} if practice else {}
    plan = ask(settings, "rebooking", "POST", f"{outage_path(settings, outage)}/plan", json=body)
    show_json(plan) if json else print_plan(plan)


@plan_commands.command(name="show")
def show_plan(outage: OutageId = "", json: AsJson = False) -> None:
    """The newest plan: who is placed by when, who waits longest, and what found no place."""
    settings = operator_settings()
    plan = ask(settings, "rebooking", "GET", f"{outage_path(settings, outage)}/plan")
    show_json(plan) if json else print_plan(plan)


@plan_commands.command()
def unplaced(outage: OutageId = "", json: AsJson = False) -> None:
    """Every appointment that found no place, and why."""
    settings = operator_settings()
    found = ask(settings, "rebooking", "GET", f"{outage_path(settings, outage)}/plan/unplaced")
    show_json(found) if json else print_unplaced(found)


@plan_commands.command()
def capacity(
    outage: OutageId = "",
    practice: AtPractice = "",
    days: Annotated[int, typer.Option(min=1, help="The next so many working days.")] = 5,
    json: AsJson = False,
) -> None:
    """What one more session would do, by practice and day."""
    settings = operator_settings()
    query: dict[str, str | int] = {"days": days, **({"practice": ods_code(practice)} if practice else {})}
    found = ask(settings, "rebooking", "GET", f"{outage_path(settings, outage)}/plan/capacity", params=query)
    show_json(found) if json else print_capacity(found)


@plan_commands.command()
def approve(
    hash_: Annotated[
        str, typer.Argument(metavar="HASH", help="The hash of the plan, or of one practice's part of it.")
    ],
    outage: OutageId = "",
    automatic: Annotated[
        bool, typer.Option("--automatic", help="What appears later goes to those who still wait without asking again.")
    ] = False,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say yes to a plan. Its moves begin at once."""
    settings = operator_settings()
    body = {"hash": hash_, "approved_by": who(by), **({"automatic": True} if automatic else {})}
    answer = ask(settings, "rebooking", "POST", f"{outage_path(settings, outage)}/approval", json=body)
    show_json(answer) if json else out().print(_sentences(answer), markup=False, soft_wrap=True)


def _sentences(answer: dict[str, Any]) -> str:
    said = f"Approved at {len(answer['practices']):,} practices; the moves begin."
    if again := answer["replanned"]:
        moved = ", ".join(f"{ods} ({number:,})" for ods, number in again["practices"].items())
        said += (
            f"\nThe diary has moved at {moved}: a new plan has been made for these alone. Look at it, then approve "
            f"{again['hash']}"
        )
    return said
