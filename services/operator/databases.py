"""The services' databases, as far as the operator minds: that they are there, and whether they are empty."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from services.operator.settings import OperatorSettings
from shared.refusals import Unavailable


async def ensure_database(settings: OperatorSettings, service: str) -> bool:
    """Make the service's database unless it is there; returns whether it was made."""
    async with connected(settings.database_url()) as server:
        if await _exists(server, service):
            return False
        await server.execute(f'CREATE DATABASE "{service}"')
        return True


async def is_empty(settings: OperatorSettings, service: str) -> bool:
    """Whether the service's log has gone: its database, its tables, or all events in them."""
    try:
        async with connected(settings.database_url(service)) as database:
            if await database.fetchval("SELECT to_regclass('events')") is None:
                return True
            return not await database.fetchval("SELECT EXISTS (SELECT FROM events)")
    except asyncpg.InvalidCatalogNameError:
        return True


async def _exists(server: "asyncpg.Connection[asyncpg.Record]", name: str) -> bool:
    return await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name) is not None


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection meanwhile. Raises `Unavailable` if the server does not answer."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except asyncpg.InvalidCatalogNameError:
        raise
    except (OSError, asyncpg.PostgresError) as problem:
        raise Unavailable(
            f"PostgreSQL does not answer ({problem}); is `daybook up` running?", code="database-down"
        ) from None
    try:
        yield connection
    finally:
        await connection.close()
