"""Folding events into tables: an event becomes changes of rows, and the changes of many events are written together.

A projection is a pure function from one recorded event to changes. It never reads the clock or a table, and never
raises on a strange fact, so folding the log again gives the same rows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
