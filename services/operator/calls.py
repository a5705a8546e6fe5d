"""`daybook outage calls` and `daybook outage call`: whom people have to telephone, and what came of it."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from services.operator.asking import ask, fetch
from services.operator.naming import AtPractice, By, OutageId, outage_path, practice_path, save, who
from services.operator.screen import AsJson, bars, out, show_json
from services.operator.settings import operator_settings
from shared.events.rebooking import CallOutcome
from shared.refusals import Refusal

call_commands = typer.Typer(help="Take a call on, and say what came of it.", no_args_is_help=True)

Appointment = Annotated[str, typer.Argument(help="The lost appointment, as `daybook outage calls --json` names it.")]
OfPractice = Annotated[str, typer.Option("--practice", metavar="ODS", help="The practice whose patient it is.")]


def calls(
    outage: OutageId = "",
    practice: AtPractice = "",
    print_: Annotated[
        Path | None, typer.Option("--print", metavar="FILE.html", help="Write the practice's list, to be printed.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Whom to telephone: how many at each practice; with --practice, who, where and why."""
    settings = operator_settings()
    if not practice:
        if print_:
            raise Refusal("a list to print is one practice's: say which with --practice", code="which-practice")
        needed = ask(settings, "rebooking", "GET", f"{outage_path(settings, outage)}/calls")
        show_json(needed) if json else _print_counts(needed)
        return
    path = practice_path(settings, outage, practice)
    if print_:
        save(print_, fetch(settings, "rebooking", f"{path}/calls.html"))
        return
    listed = ask(settings, "rebooking", "GET", f"{path}/calls")
    show_json(listed) if json else _print_list(listed)


@call_commands.command()
def claim(
    appointment: Appointment, practice: OfPractice, outage: OutageId = "", by: By = "", json: AsJson = False
) -> None:
    """Take a call on, so that nobody else makes it meanwhile."""
    settings = operator_settings()
    path = f"{practice_path(settings, outage, practice)}/calls/{appointment}/claim"
    call = ask(settings, "rebooking", "POST", path, json={"by": who(by)})
    show_json(call) if json else out().print(_claimed(call), markup=False, soft_wrap=True)


@call_commands.command()
def made(
    appointment: Appointment,
    outcome: Annotated[CallOutcome, typer.Argument(help="What came of it.")],
    practice: OfPractice,
    outage: OutageId = "",
    note: Annotated[str, typer.Option(help="What there is to remember; sealed with the patient's own key.")] = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say what came of a call. After `no-answer` and `left-message` it stays on the list."""
    settings = operator_settings()
    path = f"{practice_path(settings, outage, practice)}/calls/{appointment}/outcome"
    call = ask(settings, "rebooking", "POST", path, json={"outcome": outcome, "note": note, "by": who(by)})
    stays = "It stays on the list." if call["state"] == "needed" else "It is off the list."
    show_json(call) if json else out().print(f"Written down. {stays}")


def _print_counts(needed: list[dict[str, Any]]) -> None:
    if not needed:
        out().print("Nobody is to be telephoned.")
        return
    counts = dict(sorted(Counter(call["practice"] for call in needed).items(), key=lambda each: -each[1]))
    out().print(f"To be telephoned: {len(needed):,}, by practice:")
    out().print(bars("practice", counts, most=len(counts)))


def _print_list(listed: dict[str, Any]) -> None:
    title = f"{listed['name']} ({listed['practice']}), {listed['outage_name']}: {len(listed['calls']):,} to telephone"
    table = Table("appointment", "name", "telephone", "why", "new time", "tried", "taken on by", title=title)
    for call in listed["calls"]:
        name = "(erased)" if call["erased"] else f"{call['family_name']}, {call['given_name']}"
        tried = "; ".join(f"{each['outcome']} ({each['made_by']})" for each in call["attempts"])
        cells = (call["appointment"], name, call["telephone"] or "none", call["reason"], call["new_time"], tried)
        table.add_row(*cells, call["claimed_by"] or "")
    out().print(table)


def _claimed(call: dict[str, Any]) -> str:
    new = f" The new time is {call['new_time']}." if call["new_time"] else ""
    return f"Yours until {call['claimed_until'][11:16]}: {call['telephone'] or 'no number'}. {call['reason']}.{new}"
