"""Folding events into tables: an event becomes changes of rows, and the changes of many events are written together.

A projection is a pure function from one recorded event to changes. It never reads the clock or a table, and never
raises on a strange fact, so folding the log again gives the same rows.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Table

from shared.events.envelope import Recorded


class Put(Struct, frozen=True, gc=False):
    """This whole row stands, in place of any with its primary key."""

    table: Table
    row: Mapping[str, Any]


class Patch(Struct, frozen=True, gc=False):
    """These columns of the row with this primary key change; if there is no such row, nothing does."""

    table: Table
    key: Mapping[str, Any]
    values: Mapping[str, Any]


class Remove(Struct, frozen=True, gc=False):
    """The row with this primary key is gone."""

    table: Table
    key: Mapping[str, Any]


Change = Put | Patch | Remove
Projection = Callable[[Recorded], Iterable[Change]]


Rows = dict[Table, dict[Any, Change]]
"""Of each table, the last word on each row, by its key."""


def coalesce(changes: Iterable[Change], tables: Rows | None = None) -> Rows:
    """The last word on each row: what many changes, in order, come to. With `tables`, these are what came before."""
    tables = {} if tables is None else tables
    at_hand: dict[Table, tuple[dict[Any, Change], Callable[[Mapping[str, Any]], Any]]] = {}
    for change in changes:
        table = change.table
        found = at_hand.get(table)
        if found is None:
            found = at_hand[table] = tables.setdefault(table, {}), key_of(table)
        rows, key_in = found
        key = key_in(change.row if isinstance(change, Put) else change.key)
        earlier = rows.setdefault(key, change)
        if earlier is not change:
            rows[key] = _after(earlier, change)
    return tables


@cache
def key_of(table: Table) -> Callable[[Mapping[str, Any]], Any]:
    """Takes the values of the primary key out of a row."""
    return itemgetter(*[column.name for column in table.primary_key])


def _after(earlier: Change, change: Change) -> Change:
    if not isinstance(change, Patch):
        return change
    match earlier:
        case Put(table, row):
            return Put(table, {**row, **change.values})
        case Patch(table, key, values):
            return Patch(table, key, {**values, **change.values})
        case Remove():
            return earlier
