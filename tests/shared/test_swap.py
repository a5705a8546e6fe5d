"""Rebuilt tables take the place of the live ones at one moment, with all that is theirs, under a service at work."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking import app as booking_app
from services.notifications import app as notifications_app
from services.rebooking import app as rebooking_app
from shared.beside import drop, make, prepare, shut, swap
from shared.database import open_engine, reader
from shared.rebuild import Stage
from shared.refusals import Conflict
from shared.resuming import Begun
from shared.service import Blueprint, Running
from tests.harness import County, Servers
from tests.shared.test_rebuild import a_small_history, names, rebuilt
from tests.shared.toys import practices
from tests.shared.toys.practices import Register

_CATALOGUE = """
    SELECT c.relname, c.relkind, c.relpersistence, c.relreplident, c.reloptions, c.relacl::text,
           (SELECT array_agg((attname, format_type(atttypid, atttypmod), attnotnull, attstorage, attcompression,
                              pg_get_expr(adbin, adrelid))::text ORDER BY attnum)
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
           (SELECT array_agg((conname, contype, condeferrable, pg_get_constraintdef(oid))::text ORDER BY conname)
            FROM pg_constraint WHERE conrelid = c.oid),
           CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) END
    FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname IN ('rebuilding', 'retired')"


class Stopped(Exception):
    """The rebuild is broken off here."""


def stop_at(stage: Stage) -> Any:
    def hear(told: Begun | Stage) -> None:
        if told == stage:
            raise Stopped

    return hear


@pytest.fixture
async def booking(county: County) -> AsyncIterator[Running]:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await a_small_history(booking, county)
        yield booking


async def asked(booking: Running, question: str) -> Any:
    async with booking.engine.connect() as connection:
        return await connection.scalar(text(question))


async def run(booking: Running, statement: str) -> None:
    async with booking.engine.begin() as connection:
        await connection.execute(text(statement))


async def catalogue(connection: AsyncConnection) -> Mapping[str, tuple[Any, ...]]:
    return {row[0]: tuple(row) for row in await connection.execute(text(_CATALOGUE))}


@pytest.mark.parametrize(
    "blueprint",
    [booking_app.BLUEPRINT, rebooking_app.BLUEPRINT, notifications_app.BLUEPRINT],
    ids=lambda blueprint: str(blueprint.name),
)
async def test_the_tables_swapped_in_are_those_that_the_migrations_made_name_by_name(
    servers: Servers, blueprint: Blueprint
) -> None:
    engine = open_engine(await servers.database(blueprint))
    async with engine.begin() as connection:
        before = await catalogue(connection)
        for statements in (await make(connection, blueprint)).values():
            for again in statements:
                await connection.exec_driver_sql(again)
        await prepare(connection, blueprint.tables)
        await shut(connection, blueprint.tables)
        await swap(connection, blueprint.tables)
        await drop(connection)
        await connection.execute(text("RESET search_path"))
        after = await catalogue(connection)
    await engine.dispose()

    assert after == before
    assert {table.name for table in blueprint.tables} < after.keys()


async def test_a_service_at_work_goes_on_answering_and_writing_across_a_swap(booking: Running, county: County) -> None:
    swapped, before = asyncio.Event(), await asked(booking, "SELECT 'practices'::regclass::oid")

    async def write() -> int:
        written = 0
        while not swapped.is_set() or written < 20:
            await booking.executor.execute(Register(f"W{written}", f"Written {written}"))
            written += 1
        return written

    async def read() -> list[int]:
        async with booking.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            prepared = await (await reader(connection)).prepare("SELECT count(*) FROM practices WHERE name <> $1")
            seen: list[int] = []
            while not swapped.is_set() or len(seen) < 20:
                seen.append(await prepared.fetchval("Nowhere"))
                await asyncio.sleep(0)
            return seen

    work = asyncio.gather(write(), read())
    result = await rebuilt(county, booking)
    swapped.set()
    written, seen = await work

    assert result.equal
    assert await asked(booking, "SELECT 'practices'::regclass::oid") != before
    assert await asked(booking, "SELECT count(*) FROM practices") == 3 + written
    assert seen == sorted(seen), "nothing that was there is missing a moment later"
    assert (await rebuilt(county, booking, verify_only=True)).equal
    assert await asked(booking, _SCHEMAS) is None


async def swap_and_be_killed(booking: Running) -> None:
    async with booking.engine.begin() as connection:
        await prepare(connection, booking.blueprint.tables)
        await shut(connection, booking.blueprint.tables)
        await swap(connection, booking.blueprint.tables)
        ours = await connection.scalar(text("SELECT pg_backend_pid()"))
        await asked(booking, f"SELECT pg_terminate_backend({ours})")


async def test_killed_in_the_middle_of_a_swap_it_leaves_the_live_tables_as_they_were(
    booking: Running, county: County
) -> None:
    await run(booking, "UPDATE practices SET name = 'Elsewhere' WHERE practice = 'G3'")
    with pytest.raises(Stopped):
        await rebuilt(county, booking, hear=stop_at("swap"))
    with pytest.raises(DBAPIError):
        await swap_and_be_killed(booking)
    assert (await names(booking))[2] == "Elsewhere"

    again = await rebuilt(county, booking)

    assert (again.began_from, again.folded, again.equal) == ("interrupted", 0, False)
    assert (await names(booking))[2] == "Surgery G3"


async def test_a_reader_of_one_moment_sees_it_to_the_end_and_the_swap_waits(booking: Running, county: County) -> None:
    swapping = asyncio.Event()
    async with booking.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        await connection.execute(text("SELECT 1"))
        work = asyncio.create_task(
            rebuilt(county, booking, hear=lambda told: swapping.set() if told == "swap" else None)
        )
        await asyncio.wait_for(swapping.wait(), 20)
        await booking.executor.execute(Register("G4", "Surgery G4"))

        assert await connection.scalar(text("SELECT count(*) FROM practices")) == 3
        assert not work.done()
    result = await work

    assert (result.swapped, result.equal) == (True, True)
    assert await asked(booking, "SELECT count(*) FROM practices") == 4


async def test_what_hangs_on_the_tables_is_named_and_not_lost(booking: Running, county: County) -> None:
    await run(booking, "CREATE VIEW by_hand AS SELECT name FROM practices")

    with pytest.raises(Conflict, match="view by_hand: it hangs on tables that a rebuild replaces"):
        await rebuilt(county, booking)
    assert (await rebuilt(county, booking, verify_only=True)).equal


async def test_who_may_read_a_table_still_may(booking: Running, county: County) -> None:
    await run(booking, "GRANT SELECT ON practices TO pg_read_all_settings")
    before = await asked(booking, "SELECT relacl::text FROM pg_class WHERE oid = 'practices'::regclass")

    await rebuilt(county, booking)

    assert await asked(booking, "SELECT relacl::text FROM pg_class WHERE oid = 'practices'::regclass") == before
