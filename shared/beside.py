"""The schema in which a service's tables are made again, and from which they are swapped in for the live ones.

The service's own migrations make it, so that tables, indexes and constraints have the very names and settings that
later migrations expect. All indexes but the primary keys are made when the rows are in.
"""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.compare import BESIDE, LIVE
from shared.database import driver
from shared.migrate import migrate_within
from shared.refusals import Conflict
from shared.service import Blueprint

RETIRED = "retired"
"""Where the tables go that were live until the swap; it is dropped right after."""

READERS_WAIT, WRITERS_WAIT = 0.5, 1.0
"""Seconds. So long at most a swap holds up everybody for the sake of one long reader, before it is put off. No longer
than the second after which the engine looks for deadlocks, and might end a reader of ours."""

_CANCELLED = "57014"
_LOOKED_AT_EVERY = 0.02


class Busy(Exception):
    """Somebody reads what is to be swapped, and does not end while the others can be made to wait."""


async def make(connection: AsyncConnection, blueprint: Blueprint) -> dict[str, list[str]]:
    """Make the tables, empty, in place of any left there; returns for each the statements that make its indexes and
    tell the engine how large it is. First comes the table for which that takes longest."""
    await drop(connection)
    await connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
    await look_beside(connection)
    await migrate_within(connection, blueprint.migrations)
    for name in (await connection.scalars(text(_OTHERS), {"ours": _names(blueprint.tables)})).all():
        await connection.exec_driver_sql(f"DROP TABLE {name}")
    put_off: dict[str, list[str]] = {}
    for table, away, again in (await connection.execute(text(_INDEXES))).all():
        await connection.exec_driver_sql(away)
        put_off.setdefault(table, []).append(again)
    for table in _names(blueprint.tables):
        put_off.setdefault(table, []).append(f"ANALYZE {BESIDE}.{table}")
    return put_off


async def look_beside(connection: AsyncConnection) -> None:
    """Until the transaction ends, a table's name means the one that is being made.

    Its commit does not wait for the disk: in a power cut, what was folded and how far that was are lost together.
    """
    await connection.execute(text(_LOOK))


async def drop(connection: AsyncConnection) -> None:
    """Leave nothing of the tables made here, nor of those that an earlier swap has put aside."""
    for schema in (BESIDE, RETIRED):
        await connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))


async def require_free(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Raises `Conflict` if something hangs on the live tables that no migration made: a swap would lose it."""
    if found := (await connection.scalars(text(_HANGING), {"names": _names(tables)})).all():
        raise Conflict(
            f"{', '.join(found)}: it hangs on tables that a rebuild replaces, and would be lost. Drop it and make it "
            "again afterwards, or compare only, with --verify",
            code="tables-not-free",
        )


async def wait_for_earlier_readers(connection: AsyncConnection) -> None:
    """Until no other transaction is left that has settled before now what it sees: in tables swapped in under it, it
    would miss what was folded last. Whoever waits for a lock sees what is there when he has it. Raises `Busy`."""
    moment = await connection.scalar(text("SELECT clock_timestamp()"))
    try:
        async with asyncio.timeout(WRITERS_WAIT):
            while await connection.scalar(text(_EARLIER), {"moment": moment}):
                await asyncio.sleep(_LOOKED_AT_EVERY)
                await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
    except TimeoutError:
        raise Busy from None


async def shut(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """From now on nobody else gets at the live tables, until the transaction ends. Raises `Busy`."""
    names = ", ".join(f'{LIVE}."{table.name}"' for table in tables)
    await connection.execute(text(f"SET LOCAL statement_timeout = {round(READERS_WAIT * 1000)}"))
    try:
        await connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", None) != _CANCELLED:
            raise
        raise Busy from None
    await connection.execute(text("SET LOCAL statement_timeout TO DEFAULT"))


async def prepare(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """All of a swap that nobody has to wait for: the rebuilt tables get the privileges of the live ones.

    Raises `Conflict` like `require_free`.
    """
    await require_free(connection, tables)
    for grant in (await connection.scalars(text(_GRANTS), {"names": _names(tables)})).all():
        await connection.exec_driver_sql(grant)
    await connection.execute(text(f"CREATE SCHEMA {RETIRED}"))


async def swap(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """The rebuilt tables become the live ones when the transaction is committed. One round trip, since all wait."""
    moves = (
        f'ALTER TABLE {LIVE}."{table.name}" SET SCHEMA {RETIRED}; ALTER TABLE {BESIDE}."{table.name}" SET SCHEMA {LIVE}'
        for table in tables
    )
    await (await driver(connection)).execute("; ".join([*moves, f"DROP SCHEMA {BESIDE} CASCADE"]))


def _names(tables: Sequence[Table]) -> list[str]:
    return [table.name for table in tables]


_LOOK = f"SELECT set_config('search_path', '{BESIDE}', true), set_config('synchronous_commit', 'off', true)"

_OTHERS = f"""
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname = '{BESIDE}' AND tablename <> ALL (:ours)
"""
"""What the migrations make beside the tables that are folded: the log itself, and the trail of accesses."""

_INDEXES = f"""
    WITH indexes AS (
        SELECT t.relname AS of_table, c.contype = 'x' AS is_slow,
               format('ALTER TABLE {BESIDE}.%I DROP CONSTRAINT %I', t.relname, c.conname) AS away,
               format('ALTER TABLE {BESIDE}.%I ADD CONSTRAINT %I %s',
                      t.relname, c.conname, pg_get_constraintdef(c.oid)) AS again
        FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid
        WHERE t.relnamespace = '{BESIDE}'::regnamespace AND c.contype IN ('u', 'x')
        UNION ALL
        SELECT t.relname, false, format('DROP INDEX {BESIDE}.%I', i.relname), pg_get_indexdef(i.oid)
        FROM pg_class AS i JOIN pg_index AS x ON x.indexrelid = i.oid JOIN pg_class AS t ON t.oid = x.indrelid
        WHERE i.relnamespace = '{BESIDE}'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.oid)
    )
    SELECT of_table, away, again FROM indexes
    WINDOW one AS (PARTITION BY of_table)
    ORDER BY bool_or(is_slow) OVER one DESC, count(*) OVER one DESC, of_table, away
"""
"""How each index but the primary keys is dropped, and how it is made again. An exclusion constraint takes longest by
far: each row is looked up."""

_HANGING = f"""
    WITH live AS (
        SELECT oid FROM pg_class WHERE relnamespace = '{LIVE}'::regnamespace AND relname = ANY (:names)
    )
    SELECT DISTINCT 'view ' || r.ev_class::regclass
    FROM pg_depend AS d JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM live)
    UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM live)
    UNION ALL SELECT 'foreign key ' || conname FROM pg_constraint
              WHERE contype = 'f' AND (conrelid IN (SELECT oid FROM live) OR confrelid IN (SELECT oid FROM live))
    UNION ALL SELECT 'policy ' || polname FROM pg_policy WHERE polrelid IN (SELECT oid FROM live)
    UNION ALL SELECT 'publication ' || p.pubname
              FROM pg_publication_rel AS o JOIN pg_publication AS p ON p.oid = o.prpubid
              WHERE o.prrelid IN (SELECT oid FROM live)
    ORDER BY 1
"""

_GRANTS = f"""
    SELECT format('GRANT %s ON {BESIDE}.%I TO %s', privilege_type, relname,
                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
           || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    FROM pg_class, aclexplode(relacl)
    WHERE relnamespace = '{LIVE}'::regnamespace AND relname = ANY (:names) AND grantee <> relowner
"""
"""What others than their owner may do with the live tables, as an administrator has said."""

_EARLIER = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND backend_xmin IS NOT NULL AND xact_start < :moment AND wait_event_type IS DISTINCT FROM 'Lock'
"""
