"""What the commands print: tables for people, or the same facts as JSON for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_BAR = 16
"""How long the longest bar is."""

AsJson = Annotated[bool, typer.Option("--json", help="Print the facts as JSON, for programs.")]


def out() -> Console:
    """Where facts go. Made anew each time, because tests and pipes change it."""
    return Console(file=sys.stdout, highlight=False)


def err() -> Console:
    """Where progress and complaints go."""
    return Console(file=sys.stderr, highlight=False)


def show_json(facts: Any) -> None:
    typer.echo(msgspec.json.format(msgspec.json.encode(facts)).decode())


def show(facts: Any, *, as_json: bool, title: str = "") -> None:
    """Whatever a service answered: a list as a table, an object as a column of facts."""
    if as_json:
        show_json(facts)
    elif isinstance(facts, Mapping):
        out().print(fact_sheet(facts, title))
    elif isinstance(facts, list) and facts:
        out().print(table_of(facts, title))
    else:
        out().print(f"{title}: none" if title else "none")


def fact_sheet(facts: Mapping[str, Any], title: str = "") -> Table:
    """One fact a line; facts within facts are indented."""
    table = Table(title=title or None, show_header=False, box=None, title_justify="left", padding=(0, 2, 0, 0))
    for name, value in _flat(facts):
        table.add_row(name, value)
    return table


def table_of(rows: Sequence[Mapping[str, Any]], title: str = "") -> Table:
    """One row each, with the columns of the first; lists and objects within are left to `--json`."""
    columns = [name for name, value in rows[0].items() if not isinstance(value, list | dict)]
    table = Table(*(name.replace("_", " ") for name in columns), title=title or None, title_justify="left")
    for row in rows:
        table.add_row(*(_text(row.get(name)) for name in columns))
    return table


def plain(*columns: str, title: str = "", figures: Sequence[str] = ()) -> Table:
    """A table without lines, which leaves room for what is in it; `figures` are columns to the right of the others."""
    table = Table(
        *columns, title=title or None, title_justify="left", title_style="bold", box=None, header_style="dim",
        padding=(0, 2, 0, 0),
    )  # fmt: skip
    for name in figures:
        table.add_column(name, justify="right")
    return table


def bars(what: str, counts: Mapping[Any, int], most: int = 24) -> Table:
    """Counts beside bars as long as they are large; of more than `most`, the largest."""
    table = plain(what, "", "")
    shown = dict(sorted(counts.items(), key=lambda each: -each[1])[:most]) if len(counts) > most else counts
    largest = max(shown.values(), default=0)
    for label, number in shown.items():
        table.add_row(Text(str(label)), right(f"{number:,}"), bar(number, largest))
    if left := len(counts) - len(shown):
        table.add_row(f"{left:,} more", right(f"{sum(counts.values()) - sum(shown.values()):,}"), "")
    return table


def bar(number: int, largest: int) -> str:
    """As long as the number is large beside the largest."""
    return "▇" * round(_BAR * number / (largest or 1))


def right(text: str) -> Text:
    """At the right of its column, as figures are."""
    return Text(text, justify="right")


def _flat(facts: Mapping[str, Any], depth: int = 0) -> Iterable[tuple[str, str]]:
    for name, value in facts.items():
        label = "  " * depth + name.replace("_", " ")
        if isinstance(value, Mapping):
            yield label, ""
            yield from _flat(value, depth + 1)
        elif isinstance(value, list):
            yield (
                label,
                ", ".join(_text(item) for item in value) if _is_short(value) else f"{len(value):,} (see --json)",
            )
        else:
            yield label, _text(value)


def _is_short(values: Sequence[Any]) -> bool:
    return len(values) <= 12 and not any(isinstance(value, list | Mapping) for value in values)


def _text(value: Any) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case _:
            return str(value)
