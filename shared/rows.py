"""Writes the changes that folding gives, a table at a time, however many rows, in a few statements.

Rows travel as one JSON document: measured, that costs a tenth of the time here that arrays of each column do, and the
engine little more.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import driver
from shared.project import Change, Patch, Put, Remove, coalesce

Columns = Sequence[Column[Any]]


async def apply(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Write the changes, in the transaction that `connection` has begun.

    Within each table rows are removed first, then patched, then put, so that what a unique index guards can pass from
    one row to another.
    """
    for table, rows in coalesce(changes).items():
        await _remove(connection, table, [change.key for change in rows.values() if isinstance(change, Remove)])
        await _patch(connection, table, [change for change in rows.values() if isinstance(change, Patch)])
        await _put(connection, table, [change.row for change in rows.values() if isinstance(change, Put)])


async def _remove(connection: AsyncConnection, table: Table, keys: Sequence[Mapping[str, Any]]) -> None:
    columns = list(table.primary_key)
    statement = f"DELETE FROM {table.name} AS t USING {_records(connection, columns)} AS r WHERE {_same(columns)}"
    await _run(connection, statement, keys)


async def _patch(connection: AsyncConnection, table: Table, patches: Sequence[Patch]) -> None:
    by_columns: dict[tuple[str, ...], list[Patch]] = {}
    for patch in patches:
        by_columns.setdefault(tuple(sorted(patch.values)), []).append(patch)
    for names, alike in by_columns.items():
        keys, changed = list(table.primary_key), [table.c[name] for name in names]
        settled = ", ".join(f"{_name(c)} = r.{_name(c)}" for c in changed)
        records = _records(connection, keys + changed)
        statement = f"UPDATE {table.name} AS t SET {settled} FROM {records} AS r WHERE {_same(keys)}"
        await _run(connection, statement, [{**patch.key, **patch.values} for patch in alike])


async def _put(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    columns, keys = list(table.columns), list(table.primary_key)
    settled = ", ".join(f"{_name(c)} = excluded.{_name(c)}" for c in columns if not c.primary_key)
    statement = (
        f"INSERT INTO {table.name} ({_names(columns)}) SELECT * FROM {_records(connection, columns)} AS r "
        f"ON CONFLICT ({_names(keys)}) DO {f'UPDATE SET {settled}' if settled else 'NOTHING'}"
    )
    await _run(connection, statement, rows)


async def _run(connection: AsyncConnection, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await (await driver(connection)).execute(statement, msgspec.json.encode(rows).decode())


def _records(connection: AsyncConnection, columns: Columns) -> str:
    typed = ", ".join(f"{_name(c)} {c.type.compile(dialect=connection.dialect)}" for c in columns)
    return f"ROWS FROM (json_to_recordset($1::json) AS ({typed}))"


def _same(keys: Columns) -> str:
    return " AND ".join(f"t.{_name(c)} = r.{_name(c)}" for c in keys)


def _name(column: Column[Any]) -> str:
    return f'"{column.name}"'


def _names(columns: Columns) -> str:
    return ", ".join(map(_name, columns))
