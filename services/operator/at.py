"""`daybook at`: an appointment, a session or an outage as it was at an instant, as far as was known then."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from services.operator.asking import ask
from services.operator.naming import OutageId, instant, outage_path, thing_id
from services.operator.screen import AsJson, fact_sheet, out, plain, show_json
from services.operator.settings import operator_settings
from shared.story import day_and_time

at_commands = typer.Typer(help="As it was at an instant, as far as was known then.", no_args_is_help=True)

At = Annotated[str, typer.Option("--at", metavar="TIME", help="2024-07-19T09:10, London time, or with an offset.")]


@at_commands.command()
def appointment(
    id: Annotated[str, typer.Argument(metavar="APPOINTMENT", help="As every list names it.")],
    at: At,
    json: AsJson = False,
) -> None:
    """Where an appointment stood, and what was written down of that time later."""
    _show("booking", f"/v1/appointments/{thing_id(id, 'an appointment')}", at, as_json=json)


@at_commands.command()
def session(
    id: Annotated[str, typer.Argument(metavar="SESSION", help="As its Schedule names it.")],
    at: At,
    json: AsJson = False,
) -> None:
    """A session slot by slot, and who had which."""
    _show("booking", f"/v1/sessions/{thing_id(id, 'a session')}", at, as_json=json)


@at_commands.command()
def outage(at: At, id: OutageId = "", json: AsJson = False) -> None:
    """What had been said of an outage, and how many stood where."""
    path = outage_path(operator_settings(), thing_id(id, "an outage") if id else "")
    _show("rebooking", f"{path}/at", at, as_json=json)


def _show(service: str, path: str, at: str, *, as_json: bool) -> None:
    found = ask(operator_settings(), service, "GET", path, params={"at": instant(at, "--at")})
    if as_json:
        show_json(found)
        return
    later = found.pop("recorded_later")
    slots = found.pop("slots") if found.pop("appointments", None) is not None else None
    screen = out()
    screen.print(fact_sheet(_spoken(found)))
    if slots is not None:
        screen.print(_slots(slots))
    for words in _later(later):
        screen.print(Text(words), soft_wrap=True)


def _spoken(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same with its instants as people say them."""
    return {name: _said(value) for name, value in facts.items()}


def _said(value: Any) -> Any:
    if not isinstance(value, str) or "T" not in value or not value[:4].isdecimal():
        return value
    try:
        return day_and_time(datetime.fromisoformat(value))
    except ValueError:
        return value


def _slots(slots: Sequence[Mapping[str, Any]]) -> Any:
    table = plain("start", "minutes", "kept for", "status", "appointment")
    for slot in slots:
        start = day_and_time(datetime.fromisoformat(slot["start"]))
        table.add_row(start, str(slot["minutes"]), slot["kept_for"], slot["status"], slot["appointment"] or "")
    return table


def _later(later: Any) -> list[str]:
    if isinstance(later, Mapping):
        return [f"Written down later: {number:,} {outcome}" for outcome, number in later.items()]
    return [f"Written down later, {_said(each['recorded_at'])}: {each['words']}" for each in later]
