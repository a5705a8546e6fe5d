"""Brings a service's database to the shape its code expects; each service has its own migrations."""

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.refusals import Refusal


def run_migrations() -> None:
    """All that a service's `env.py` has to do: alembic calls it with the connection that `migrate` opened."""
    connection: Any = context.config.attributes["connection"]
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def migrate(engine: AsyncEngine, migrations: Path) -> None:
    """Run the migrations that this database has not had yet, in one transaction."""
    async with engine.begin() as connection:
        await migrate_within(connection, migrations)


async def migrate_within(connection: AsyncConnection, migrations: Path) -> None:
    """The same in the transaction that `connection` has begun, for the schema that it looks into."""

    def upgrade(sync: Connection) -> None:
        config = _config(migrations)
        config.attributes["connection"] = sync
        command.upgrade(config, "head")

    await connection.run_sync(upgrade)


async def migrate_new(engine: AsyncEngine, migrations: Path) -> None:
    """Run them all on a database that has had none yet; any other stays as it is."""
    if await _revision(engine) is None:
        await migrate(engine, migrations)


async def require_migrated(engine: AsyncEngine, service: str, migrations: Path) -> None:
    """Raises `Refusal` if the database is not the one this code expects."""
    found = await _revision(engine)
    if found != (newest := _newest(migrations)):
        raise Refusal(
            f"the database of {service} is at migration {found or 'none'}, this version needs {newest}: "
            f"run `python -m services.{service} migrate`",
            code="not-migrated",
        )


async def _revision(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


@cache
def _newest(migrations: Path) -> str | None:
    """Read once: a program's migrations do not change while it runs."""
    return ScriptDirectory.from_config(_config(migrations)).get_current_head()


def _config(migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config
