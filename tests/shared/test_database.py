"""Connections that the engine closed, as all are when it restarts, are noticed before anybody is refused for one."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database import Driver, driver, open_engine
from tests.harness import Servers
from tests.shared.toys.practices import BLUEPRINT
from tests.waiting import DEADLINE


async def test_the_next_to_ask_gets_a_new_connection(servers: Servers) -> None:
    engine = open_engine(await servers.database(BLUEPRINT))
    try:
        async with engine.begin() as one, engine.begin() as other:
            closed = [await _begun(one), await _begun(other)]
        await _close_all(engine, closed)
        async with engine.begin() as one, engine.begin() as other:
            assert [await connection.scalar(text("SELECT 1")) for connection in (one, other)] == [1, 1]
    finally:
        await engine.dispose()


async def _begun(connection: AsyncConnection) -> Driver:
    await connection.execute(text("SELECT 1"))
    return await driver(connection)


async def _close_all(engine: AsyncEngine, connections: list[Driver]) -> None:
    """What a restart does to them; returns when the driver has heard of it."""
    heard = [asyncio.Event() for _ in connections]
    for connection, event in zip(connections, heard, strict=True):
        connection.add_termination_listener(lambda _, event=event: event.set())
    killer = open_engine(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))
    async with killer.begin() as last_word:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        await last_word.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    await killer.dispose()
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(event.wait() for event in heard))
