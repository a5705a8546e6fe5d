"""Folding events into tables: an event becomes changes of rows, and the changes of many events are written together.

A projection is a pure function from one recorded event to changes. It never reads the clock or a table, and never
raises on a strange fact, so folding the log again gives the same rows.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from msgspec import Struct, defstruct
from msgspec.structs import replace
from sqlalchemy import Column, Table

from shared.events.envelope import Recorded


class Put(Struct, frozen=True, gc=False):
    """This whole row, a `row_of(table)`, stands, in place of any with its primary key."""

    table: Table
    row: Struct


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
    at_hand: dict[Table, tuple[dict[Any, Change], Callable[[Struct], Any], Callable[[Mapping[str, Any]], Any]]] = {}
    for change in changes:
        table = change.table
        found = at_hand.get(table)
        if found is None:
            found = at_hand[table] = tables.setdefault(table, {}), key_of_row(table), key_of(table)
        rows, of_row, of_named = found
        key = of_row(change.row) if isinstance(change, Put) else of_named(change.key)
        earlier = rows.setdefault(key, change)
        if earlier is not change:
            rows[key] = _after(earlier, change)
    return tables


@cache
def row_of(table: Table) -> type[Struct]:
    """Makes the rows of the table, each of all its columns, by their names. As JSON they are arrays."""
    columns = [(name, Any) for name in _names(table.columns)]
    return defstruct(table.name, columns, kw_only=True, array_like=True, frozen=True, gc=False)


@cache
def key_of_row(table: Table) -> Callable[[Struct], Any]:
    """Takes the values of the primary key out of a row."""
    return attrgetter(*_names(table.primary_key))


@cache
def key_of(table: Table) -> Callable[[Mapping[str, Any]], Any]:
    """Takes them out of what names them; they come to the same key."""
    return itemgetter(*_names(table.primary_key))


def _names(columns: Iterable[Column[Any]]) -> Sequence[str]:
    """The very strings that keywords are: two that are merely equal take several times as long to tell so."""
    return [sys.intern(str(column.name)) for column in columns]


def _after(earlier: Change, change: Change) -> Change:
    if not isinstance(change, Patch):
        return change
    match earlier:
        case Put():
            return Put(earlier.table, replace(earlier.row, **change.values))
        case Patch():
            return Patch(earlier.table, earlier.key, {**earlier.values, **change.values})
        case Remove():
            return earlier
