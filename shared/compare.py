"""Compares a rebuilt table with the live one: by a digest that does not depend on order, then row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

LIVE = "public"
BESIDE = "rebuilding"
"""The schema in which tables are made again."""

DIFFERENCES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class TableResult:
    """A table's rows and digest; what the live table has and the rebuilt has not, and the reverse."""

    rows: int
    digest: str
    equal: bool = True
    differences: Sequence[str] = ()


async def digests(
    connection: AsyncConnection, tables: Sequence[Table], schema: str = LIVE
) -> Mapping[str, TableResult]:
    """What the tables of this schema hold at this moment."""
    return {table.name: await _digest(connection, table, schema) for table in tables}


async def compare(connection: AsyncConnection, tables: Sequence[Table]) -> Mapping[str, TableResult]:
    """The rebuilt tables against the live ones, in one transaction."""
    results = {}
    for table in tables:
        live, made = await _digest(connection, table, LIVE), await _digest(connection, table, BESIDE)
        equal = live.digest == made.digest
        differences = () if equal else await _differences(connection, table)
        results[table.name] = TableResult(made.rows, made.digest, equal, differences)
    return results


async def _digest(connection: AsyncConnection, table: Table, schema: str) -> TableResult:
    """The number of rows, and a digest that does not depend on their order."""
    rows, total = (
        await connection.execute(
            text(f"SELECT count(*), coalesce(sum(hash_record_extended(t, 0)), 0)::text FROM {schema}.{table.name} AS t")
        )
    ).one()
    return TableResult(rows, f"{rows}:{int(total) % 2**64:016x}")


async def _differences(connection: AsyncConnection, table: Table) -> Sequence[str]:
    live, made = f"{LIVE}.{table.name}", f"{BESIDE}.{table.name}"
    rows = await connection.execute(
        text(
            f"(SELECT 'live only: ' || t::text FROM (SELECT * FROM {live} EXCEPT SELECT * FROM {made}) AS t"
            f" ORDER BY 1 LIMIT {DIFFERENCES_SHOWN}) UNION ALL "
            f"(SELECT 'log only: ' || t::text FROM (SELECT * FROM {made} EXCEPT SELECT * FROM {live}) AS t"
            f" ORDER BY 1 LIMIT {DIFFERENCES_SHOWN})"
        )
    )
    return list(rows.scalars())
