"""A campaign as people read it: in sentences, in figures, and message by message."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from services.operator.screen import bars, out, plain
from services.operator.story_screen import KINDS, when

_FIGURES = ("planned", "waiting", "accepted", "delivered", "silent", "failed", "unknown", "segments")
_AT_PROVIDER = ("accepted", "delivered", "silent", "failed", "unknown")


def print_campaign(found: Mapping[str, Any]) -> None:
    """The news of the moves in sentences, then every kind of message beside the others."""
    screen = out()
    if not found["by_kind"]:
        screen.print("No text about such an outage has been planned.")
        return
    for sentence in _sentences(found):
        screen.print(sentence, soft_wrap=True, markup=False)
    screen.print("", _by_kind(found["by_kind"]), "")
    if found["by_provider"]:
        screen.print(_by_provider(found["by_provider"]), "")
    if found["replies"]:
        screen.print(bars("answers", found["replies"]), "")
    if found["failures"]:
        reasons = {f"{each['reason']} ({each['failure']})": each["messages"] for each in found["failures"]}
        screen.print(bars("did not arrive, because", reasons))


def print_messages(found: Mapping[str, Any]) -> None:
    """One page of a campaign."""
    if not found["messages"]:
        out().print("There is none.")
        return
    table = plain("message", "practice", "kind", "appointment", "state", "tried", "provider", "why")
    for each in found["messages"]:
        cells = (each["practice"], KINDS[each["kind"]], when(each["appointment_start"]), each["state"])
        row = (each["message"], *cells, str(each["attempts"]), each["provider"], each["detail"])
        table.add_row(*map(_whole, row))
    out().print(table)
    if found["after"]:
        out().print(f"There are more: --after {found['after']}", soft_wrap=True)


def _whole(cell: str) -> Text:
    """On several lines rather than cut short: an id has to be copied, and `confirmation: kept` is not `cancelled`."""
    return Text(cell, overflow="fold")


def _sentences(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{found['planned']:,} patients are told of a new time: {found['delivered']:,} telephones have the text, "
        f"{found['waiting']:,} texts wait to be sent, {found['failed']:,} did not arrive "
        f"({found['outdated']:,} because there was nothing left to tell)."
    )
    if found["unknown"]:
        yield f"Of {found['unknown']:,} nobody knows whether they were sent: daybook messages unknown"
    if found["silent"]:
        yield f"Of {found['silent']:,} nothing was heard after they were sent."
    if found["calls"]:
        yield f"{found['calls']:,} calls are wanted of people instead: daybook outage calls"
    pence = sum(figures["cost_pence"] for figures in found["by_kind"].values())
    yield f"All texts of this outage have cost £{pence / 100:,.2f} before VAT."


def _by_kind(kinds: Mapping[str, Any]) -> Table:
    table = plain("kind", figures=[*_FIGURES, "cost"])
    for kind, figures in kinds.items():
        numbers = (f"{figures[name]:,}" for name in _FIGURES)
        table.add_row(_whole(KINDS.get(kind, kind)), *numbers, f"£{figures['cost_pence'] / 100:,.2f}")
    return table


def _by_provider(providers: Mapping[str, Any]) -> Table:
    table = plain("new times through", figures=_AT_PROVIDER)
    for provider, figures in providers.items():
        table.add_row(provider, *(f"{figures[name]:,}" for name in _AT_PROVIDER))
    return table
