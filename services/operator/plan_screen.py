"""A plan as whoever has to say yes reads it: who is placed by when, who waits longest, and what found no place."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from services.operator.screen import bar, bars, out, plain, right
from shared.clock import in_london

_WAITS = ("placed", "no place", "average", "longest")
_LONGEST_SHOWN = 10
_UNPLACED_SHOWN = 40
_SESSIONS_SHOWN = 20


def print_plan(plan: Mapping[str, Any]) -> None:
    """All that there is to know before saying yes, the most important first."""
    screen = out()
    for sentence in _sentences(plan):
        screen.print(sentence, soft_wrap=True)
    screen.print(_by_class(plan["by_class"]), "")
    screen.print(Columns([_by_day(plan), _fairness(plan["fairness"])], padding=(0, 4)), "")
    screen.print(_longest(plan["practices"]), "")
    if plan["reasons"]:
        screen.print(bars("no place, because", plan["reasons"]), "")
    screen.print(_how_to_approve(plan), soft_wrap=True)


def print_unplaced(found: Sequence[Mapping[str, Any]]) -> None:
    """The first of them; everybody is in `--json`."""
    if not found:
        out().print("Everyone has a place.")
        return
    table = plain("practice", "lost", "priority", "channel", "appointment", "why", title="Without a place")
    for each in found[:_UNPLACED_SHOWN]:
        cells = (each["practice"], _when(each["start"]), str(each["priority"] or "-"), each["channel"])
        table.add_row(*map(Text, (*cells, each["appointment"], each["reason"])))
    out().print(table)
    if len(found) > _UNPLACED_SHOWN:
        out().print(f"… and {len(found) - _UNPLACED_SHOWN:,} more (all of them with --json)")


def _sentences(plan: Mapping[str, Any]) -> Iterator[Text]:
    states = {part["state"] for part in plan["practices"]}
    yield Text.assemble(("Plan ", "bold"), (plan["hash"], "bold"), f"  {' and '.join(sorted(states))}")
    everybody = plan["placed"] + plan["unplaced"]
    average, longest = _days(plan["mean_wait_hours"]), _days(plan["longest_wait_hours"])
    yield Text(
        f"{plan['placed']:,} of {everybody:,} find a place, {plan['unplaced']:,} do not. From the time they lost they "
        f"wait {average} on average, and {longest} at worst."
    )


def _how_to_approve(plan: Mapping[str, Any]) -> Text:
    if any(part["state"] == "proposed" for part in plan["practices"]):
        return Text(
            f"It can be approved until {_when(plan['expires_at'])}, in London: daybook plan approve {plan['hash']}\n"
            "For one practice alone, give the hash of its part (daybook plan show --json)."
        )
    return Text("There is nothing to approve in it any more.", style="dim")


def _by_class(classes: Sequence[Mapping[str, Any]]) -> Table:
    table = plain("class", title="By class, the highest first: how long they wait", figures=_WAITS)
    table.add_column("who waits longest", overflow="fold")
    for each in classes:
        waits = (_days(each["mean_wait_hours"]), _days(each["longest_wait_hours"]))
        longest = each["longest"]
        whose = f"{longest['practice']}, {longest['appointment']}" if longest else ""
        table.add_row(Text(each["name"]), *_counts(each), *(waits if each["placed"] else ("", "")), Text(whose))
    return table


def _by_day(plan: Mapping[str, Any]) -> Table:
    table = plain("placed on", "", "", "by then")
    everybody, most = plan["placed"] + plan["unplaced"], max(plan["by_day"].values(), default=0)
    for day, number in plan["by_day"].items():
        share = f"{100 * plan['placed_by'][day] / everybody:.0f} %"
        table.add_row(_day(day), right(f"{number:,}"), bar(number, most), right(share))
    return table


def _fairness(fairness: Mapping[str, Any]) -> Table:
    table = plain("who waits", figures=_WAITS)
    alike = {
        **fairness["by_channel"],
        "with a mobile": fairness["with_mobile"],
        "without a mobile": fairness["without_mobile"],
    }
    for name, waits in alike.items():
        hours = (_days(waits["mean_wait_hours"]), _days(waits["longest_wait_hours"]))
        table.add_row(name, *_counts(waits), *(hours if waits["placed"] else ("", "")))
    return table


def _longest(practices: Sequence[Mapping[str, Any]]) -> Table:
    """The practices whose patients fare worst; what they are all like is in the sentences above."""
    worst = sorted(practices, key=lambda each: (-each["unplaced"], -each["longest_wait_hours"], each["practice"]))
    title = f"Where they wait longest, of {len(practices):,} practices"
    table = plain("practice", title=title, figures=_WAITS)
    table.add_column("state")
    for each in worst[:_LONGEST_SHOWN]:
        waits = (_days(each["mean_wait_hours"]), _days(each["longest_wait_hours"]))
        table.add_row(each["practice"], *_counts(each), *waits, each["state"])
    return table


def _counts(alike: Mapping[str, Any]) -> tuple[str, str]:
    return f"{alike['placed']:,}", f"{alike['unplaced']:,}"


def _days(hours: float) -> str:
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.0f} h"


def _day(day: str) -> str:
    return f"{date.fromisoformat(day):%a %-d %b}"


def _when(instant: str) -> str:
    return f"{in_london(datetime.fromisoformat(instant)):%a %-d %b, %H:%M}"


def print_capacity(found: Sequence[Mapping[str, Any]]) -> None:
    """What one more session would do, where it would do most first; all of them are in `--json`."""
    if not found:
        out().print("Nobody waits here, so one more session would do nothing.")
        return
    figures = ("placed", "days saved", "longest", "then")
    table = plain("practice", "on", "one more", title="What one more session would do", figures=figures)
    table.add_column("of them")
    worth_most = sorted(
        found, key=lambda each: (-each["more_placed"], -each["days_saved"], each["practice"], each["day"])
    )
    for each in worth_most[:_SESSIONS_SHOWN]:
        waits = (f"{each[f'longest_wait_days_{when}']:.1f} days" for when in ("before", "after"))
        classes = ", ".join(f"{number:+,} {name}" for name, number in each["more_by_class"].items())
        session = (each["practice"], _day(each["day"]), each["role"])
        table.add_row(
            *map(Text, session), f"{each['more_placed']:,}", f"{each['days_saved']:,.1f}", *waits, Text(classes)
        )
    out().print(table)
    if len(found) > _SESSIONS_SHOWN:
        out().print(f"… and {len(found) - _SESSIONS_SHOWN:,} more (all of them with --json)")
