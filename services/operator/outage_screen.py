"""An outage as an operator reads it: since when, who can still book, what is at stake, how far its recovery is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.columns import Columns
from rich.text import Text

from services.operator.screen import bars, fact_sheet, out, plain
from shared.clock import in_london

_WHO = {"practice": "the practices themselves", "nhs-111": "NHS 111", "public": "all others"}


def print_outage(facts: Mapping[str, Any]) -> None:
    """All of it, the most important first."""
    screen = out()
    screen.print(Text(facts["name"], style="bold"), Text(facts["outage"], style="dim"), soft_wrap=True)
    for sentence in _sentences(facts):
        screen.print(sentence, soft_wrap=True, markup=False)
    stake = facts["at_stake"]
    by_hour = {f"{hour[5:]}": number for hour, number in stake["by_hour"].items()}
    screen.print()
    screen.print(
        Columns(
            [
                bars("hour", by_hour),
                bars("priority", {level or "none": number for level, number in _by_priority(stake)}),
                bars("practice", stake["by_practice"], most=12),
            ],
            padding=(0, 4),
        )
    )
    if "progress" in facts:
        screen.print(fact_sheet(facts["progress"], "Recovery"))


def print_outages(found: Sequence[Mapping[str, Any]]) -> None:
    """All of them, the newest first."""
    if not found:
        out().print("No outage has been declared.")
        return
    table = plain("outage", "name", "since", "until", figures=["practices"])
    for each in found:
        until = when(each["ended_at"]) if each["ended_at"] else "not over"
        table.add_row(
            Text(each["outage"], overflow="fold"),
            Text(each["name"]),
            when(each["started_at"]),
            "withdrawn" if each["kind"] == "withdrawal" else until,
            f"{len(each['practices']):,}",
        )
    out().print(table)


def _sentences(facts: Mapping[str, Any]) -> Iterator[str]:
    stake = facts["at_stake"]
    if facts["kind"] == "withdrawal":
        yield f"A session withdrawn on {when(facts['started_at'])}."
    else:
        ended = f"until {when(facts['ended_at'])}" if facts["ended_at"] else "and not over"
        yield f"Since {when(facts['started_at'])}, {ended}."
        if not facts["ended_at"]:
            yield _inflow(facts["keeps_out"])
    if facts["automatic"]:
        yield f"Capacity that appears later goes to those who still wait, at once, as {facts['automatic_by']} said."
    practices = len(stake["by_practice"])
    where = "one practice" if practices == 1 else f"{practices:,} practices"
    yield f"{stake['appointments']:,} appointments at {where} are at stake."


def _inflow(keeps_out: list[str]) -> str:
    if not keeps_out:
        return "Everybody can go on booking there."
    let_in = [words for who, words in _WHO.items() if who not in keeps_out]
    return f"New bookings there can be made by {' and '.join(let_in)} alone." if let_in else "Nobody can book there."


def _by_priority(stake: Mapping[str, Any]) -> list[tuple[str, int]]:
    """From the highest; without any, last."""
    counted = {str(level): number for level, number in stake["by_priority"].items()}
    return [
        ("" if level == "0" else level, counted[level]) for level in sorted(counted, key=lambda each: int(each) or 10)
    ]


def when(instant: str) -> str:
    """Friday 19 July 2024, 08:30, as a clock in London shows it."""
    return f"{in_london(datetime.fromisoformat(instant)):%A %-d %B %Y, %H:%M}"
