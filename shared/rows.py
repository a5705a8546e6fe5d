"""Writes the changes that folding gives, a table at a time, however many rows, in a few statements."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import columns_of, driver
from shared.project import Change, Key, Patch, Put, Remove, coalesce


async def apply(connection: AsyncConnection, changes: Iterable[Change]) -> None:
    """Write the changes, in the transaction that `connection` has begun.

    Within each table rows are removed first, then patched, then put, so that what a unique index guards can pass from
    one row to another.
    """
    for table, rows in coalesce(changes).items():
        await _remove(connection, table, [key for key, change in rows.items() if isinstance(change, Remove)])
        await _patch(connection, table, [change for change in rows.values() if isinstance(change, Patch)])
        await _put(connection, table, [change.row for change in rows.values() if isinstance(change, Put)])


async def _remove(connection: AsyncConnection, table: Table, keys: Sequence[Key]) -> None:
    if not keys:
        return
    columns = list(table.primary_key)
    matches = " AND ".join(f"t.{_name(c)} = gone.{_name(c)}" for c in columns)
    gone = f"{_unnest(connection, columns)} AS gone ({_names(columns)})"
    statement = f"DELETE FROM {table.name} AS t USING {gone} WHERE {matches}"
    await (await driver(connection)).execute(statement, *columns_of(keys, len(columns)))


async def _patch(connection: AsyncConnection, table: Table, patches: Sequence[Patch]) -> None:
    by_columns: dict[tuple[str, ...], list[Patch]] = {}
    for patch in patches:
        by_columns.setdefault(tuple(sorted(patch.values)), []).append(patch)
    for names, alike in by_columns.items():
        keys = list(table.primary_key)
        changed = [table.c[name] for name in names]
        matches = " AND ".join(f"t.{_name(c)} = new.{_name(c)}" for c in keys)
        statement = (
            f"UPDATE {table.name} AS t SET {', '.join(f'{_name(c)} = new.{_name(c)}' for c in changed)} "
            f"FROM {_unnest(connection, keys + changed)} AS new ({_names(keys + changed)}) WHERE {matches}"
        )
        rows = [{**patch.key, **patch.values} for patch in alike]
        await (await driver(connection)).execute(statement, *(_array(column, rows) for column in keys + changed))


async def _put(connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    columns = list(table.columns)
    others = [column for column in columns if not column.primary_key]
    settled = ", ".join(f"{_name(c)} = excluded.{_name(c)}" for c in others)
    statement = (
        f"INSERT INTO {table.name} ({_names(columns)}) SELECT * FROM {_unnest(connection, columns)} "
        f"ON CONFLICT ({_names(list(table.primary_key))}) DO {f'UPDATE SET {settled}' if others else 'NOTHING'}"
    )
    await (await driver(connection)).execute(statement, *(_array(column, rows) for column in columns))


def _array(column: Column[Any], rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    values = [row[column.name] for row in rows]
    if isinstance(column.type, JSONB):
        return [msgspec.json.encode(value).decode() for value in values]
    return values


def _name(column: Column[Any]) -> str:
    return f'"{column.name}"'


def _names(columns: Sequence[Column[Any]]) -> str:
    return ", ".join(map(_name, columns))


def _unnest(connection: AsyncConnection, columns: Sequence[Column[Any]]) -> str:
    arrays = (f"${n}::{c.type.compile(dialect=connection.dialect)}[]" for n, c in enumerate(columns, 1))
    return f"unnest({', '.join(arrays)})"
