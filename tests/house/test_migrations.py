"""Migrations: numbered without a gap, and together they make just the tables that the code expects."""

import re
from itertools import pairwise

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from services.booking.app import BLUEPRINT as BOOKING
from services.notifications.app import BLUEPRINT as NOTIFICATIONS
from services.rebooking.app import BLUEPRINT as REBOOKING
from shared.audit import METADATA as AUDIT_METADATA
from shared.database import LOG_METADATA, open_engine
from shared.service import Blueprint
from tests.harness import Servers

services = pytest.mark.parametrize("blueprint", [BOOKING, REBOOKING, NOTIFICATIONS], ids=lambda each: each.name)


@services
def test_migrations_are_numbered_without_a_gap_and_named_by_hand(blueprint: Blueprint) -> None:
    names = sorted(path.name for path in (blueprint.migrations / "versions").glob("*.py") if path.name[0] != "_")
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name) for name in names)


@services
def test_each_migration_follows_the_one_before(blueprint: Blueprint) -> None:
    scripts = list(ScriptDirectory(str(blueprint.migrations)).walk_revisions())
    assert all(later.down_revision == earlier.revision for later, earlier in pairwise(scripts))
    assert scripts[-1].down_revision is None


@services
async def test_a_migrated_database_has_the_tables_that_the_code_expects(servers: Servers, blueprint: Blueprint) -> None:
    expected = MetaData()
    for metadata in (LOG_METADATA, AUDIT_METADATA, blueprint.metadata):
        for table in metadata.tables.values():
            table.to_metadata(expected)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, expected))

    engine = open_engine(await servers.database(blueprint))
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()


@services
async def test_a_migrated_table_leaves_as_much_room_on_its_pages_as_the_code_says(
    servers: Servers, blueprint: Blueprint
) -> None:
    said = {table.name: table.dialect_options["postgresql"]["with"] or {} for table in blueprint.tables}

    engine = open_engine(await servers.database(blueprint))
    try:
        async with engine.connect() as connection:
            found = await connection.execute(text("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r'"))
            kept = {name: dict(each.split("=") for each in options or ()) for name, options in found}
        assert {name: kept[name] for name in said} == {
            name: {key: str(value) for key, value in options.items()} for name, options in said.items()
        }
    finally:
        await engine.dispose()
