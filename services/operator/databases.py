"""The services' databases, as far as the operator minds: that they are there, and whether they are empty."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import URL, make_url

from services.operator.settings import OperatorSettings
from shared.clock import Clock
from shared.refusals import Conflict, Refusal, Unavailable

_ALWAYS_THERE = "postgres"
"""The database of every server, from which others are made."""


async def ensure_database(settings: OperatorSettings, service: str) -> bool:
    """Make the service's database, on the server where it has its place, unless it is there; returns whether it was.

    Raises `Refusal` if its user may not make it.
    """
    url = make_url(settings.database_url(service))
    try:
        async with connected(_text(url)):
            return False
    except asyncpg.InvalidCatalogNameError:
        pass
    async with connected(_text(url.set(database=_ALWAYS_THERE))) as server:
        try:
            await server.execute(f'CREATE DATABASE "{url.database}"')
        except asyncpg.InsufficientPrivilegeError:
            raise Refusal(
                f"there is no database {url.database} for {service} at {url.host}, and the user {url.username} may not "
                f"make it: have it made there, with this user as its owner, and try again",
                code="no-database",
                where=service,
            ) from None
    return True


async def is_empty(settings: OperatorSettings, service: str) -> bool:
    """Whether the service's log has gone: its database, its tables, or all that they had recorded and followed."""
    try:
        async with connected(settings.database_url(service)) as database:
            if await database.fetchval("SELECT to_regclass('events')") is None:
                return True
            return not await database.fetchval(_USED)
    except asyncpg.InvalidCatalogNameError:
        return True


async def set_aside(settings: OperatorSettings, service: str) -> str:
    """Give the service's database another name, and return that. Raises `Conflict` if somebody is connected to it."""
    url = make_url(settings.database_url(service))
    name = f"{url.database}_set_aside_{Clock().now():%Y%m%d_%H%M%S}"
    async with connected(_text(url.set(database=_ALWAYS_THERE))) as server:
        try:
            await server.execute(f'ALTER DATABASE "{url.database}" RENAME TO "{name}"')
        except asyncpg.ObjectInUseError:
            raise Conflict(
                f"somebody is connected to the database of {service}: stop {service}, and try again",
                code="database-in-use",
                where=service,
            ) from None
    return name


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


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


_USED = "SELECT EXISTS (SELECT FROM events) OR EXISTS (SELECT FROM checkpoint WHERE sequence > 0)"
