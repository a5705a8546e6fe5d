"""Writes the changes that folding gives, a table at a time, however many rows, in a few statements.

Rows travel as one JSON document: measured, that costs a tenth of the time here that arrays of each column do, and the
engine little more.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import driver
from shared.project import Change, Patch, Put, coalesce

Columns = Sequence[Column[Any]]
Row = Mapping[str, Any]

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


async def apply(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Write the changes, in the transaction that `connection` has begun.

    Within each table rows are removed first, then patched, then put, so that what a unique index guards can pass from
    one row to another.
    """
    for table, rows in coalesce(changes).items():
        removed, patched, put = _sorted_out(rows.values())
        await _run(connection, _removal(table), removed)
        for names, alike in patched.items():
            await _run(connection, _update(table, names), alike)
        await _run(connection, _insertion(table), put)


def _sorted_out(changes: Iterable[Change]) -> tuple[list[Row], dict[tuple[str, ...], list[Row]], list[Row]]:
    """The keys of rows to remove; keys and values of those to patch, by the names of the values; the rows to put."""
    removed: list[Row] = []
    patched: dict[tuple[str, ...], list[Row]] = {}
    put: list[Row] = []
    for change in changes:
        if isinstance(change, Put):
            put.append(change.row)
        elif isinstance(change, Patch):
            patched.setdefault(tuple(change.values), []).append({**change.key, **change.values})
        else:
            removed.append(change.key)
    return removed, patched, put


async def _run(connection: AsyncConnection, statement: str, rows: Sequence[Row]) -> None:
    if rows:
        await (await driver(connection)).execute(statement, msgspec.json.encode(rows).decode())


@cache
def _removal(table: Table) -> str:
    columns = list(table.primary_key)
    return f"DELETE FROM {table.name} AS t USING {_records(columns)} AS r WHERE {_same(columns)}"


@cache
def _update(table: Table, names: tuple[str, ...]) -> str:
    keys, changed = list(table.primary_key), [table.c[name] for name in names]
    settled = ", ".join(f"{_name(c)} = r.{_name(c)}" for c in changed)
    return f"UPDATE {table.name} AS t SET {settled} FROM {_records(keys + changed)} AS r WHERE {_same(keys)}"


@cache
def _insertion(table: Table) -> str:
    columns, keys = list(table.columns), list(table.primary_key)
    settled = ", ".join(f"{_name(c)} = excluded.{_name(c)}" for c in columns if not c.primary_key)
    return (
        f"INSERT INTO {table.name} ({_names(columns)}) SELECT * FROM {_records(columns)} AS r "
        f"ON CONFLICT ({_names(keys)}) DO {f'UPDATE SET {settled}' if settled else 'NOTHING'}"
    )


def _records(columns: Columns) -> str:
    typed = ", ".join(f"{_name(c)} {c.type.compile(dialect=_POSTGRESQL)}" for c in columns)
    return f"ROWS FROM (json_to_recordset($1::json) AS ({typed}))"


def _same(keys: Columns) -> str:
    return " AND ".join(f"t.{_name(c)} = r.{_name(c)}" for c in keys)


def _name(column: Column[Any]) -> str:
    return f'"{column.name}"'


def _names(columns: Columns) -> str:
    return ", ".join(map(_name, columns))
