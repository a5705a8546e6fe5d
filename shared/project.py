"""Folding events into tables: an event becomes changes of rows, and the changes of many events are written together.

A projection is a pure function from one recorded event to changes. It never reads the clock or a table, and never
raises on a strange fact, so folding the log again gives the same rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Table

from shared.events.envelope import Recorded


@dataclass(frozen=True, slots=True)
class Put:
    """This whole row stands, in place of any with its primary key."""

    table: Table
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """These columns of the row with this primary key change; if there is no such row, nothing does."""

    table: Table
    key: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """The row with this primary key is gone."""

    table: Table
    key: Mapping[str, Any]


Change = Put | Patch | Remove
Projection = Callable[[Recorded], Iterable[Change]]
Key = tuple[Any, ...]


def coalesce(changes: Iterable[Change]) -> dict[Table, dict[Key, Change]]:
    """The last word on each row: what many changes, in order, come to."""
    tables: dict[Table, dict[Key, Change]] = {}
    for change in changes:
        rows = tables.setdefault(change.table, {})
        key = _key(change)
        rows[key] = _after(rows.get(key), change)
    return tables


def _key(change: Change) -> Key:
    named = change.row if isinstance(change, Put) else change.key
    return tuple([named[name] for name in _key_names(change.table)])


@cache
def _key_names(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.primary_key)


def _after(earlier: Change | None, change: Change) -> Change:
    if not isinstance(change, Patch):
        return change
    match earlier:
        case None:
            return change
        case Put(table, row):
            return Put(table, {**row, **change.values})
        case Patch(table, key, values):
            return Patch(table, key, {**values, **change.values})
        case Remove():
            return earlier
