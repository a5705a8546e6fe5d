"""Each service's database is made where it has its place, on whichever server that is."""

from pathlib import Path

import asyncpg
import pytest

from services.operator.databases import connected, ensure_database, is_empty, set_aside
from services.operator.settings import OperatorSettings, operator_settings
from shared.refusals import Refusal
from tests.harness import Servers


def told(home: Path, url: str) -> OperatorSettings:
    """Booking's database is there; whatever else there is, is on a server that nobody runs."""
    elsewhere = "postgresql://me@127.0.0.1:1/postgres"
    return operator_settings(
        {"DAYBOOK_HOME": str(home), "DAYBOOK_DATABASE_URL": elsewhere, "BOOKING_DATABASE_URL": url}
    )


async def test_a_database_is_made_under_its_own_name_once_and_is_empty(servers: Servers, tmp_path: Path) -> None:
    settings = told(tmp_path, servers.postgres.url("diary_of_made_up"))
    assert await is_empty(settings, "booking")

    assert await ensure_database(settings, "booking")
    assert not await ensure_database(settings, "booking")

    assert await is_empty(settings, "booking")
    await servers.drop(settings.database_url("booking"))


async def test_what_was_set_aside_is_kept(servers: Servers, tmp_path: Path) -> None:
    settings = told(tmp_path, servers.postgres.url("diary_to_keep"))
    await ensure_database(settings, "booking")

    kept = servers.postgres.url(await set_aside(settings, "booking"))

    assert await ensure_database(settings, "booking")
    async with connected(kept) as database:
        assert await database.fetchval("SELECT current_database()::text LIKE 'diary_to_keep_set_aside_2%'")
    await servers.drop(kept)
    await servers.drop(settings.database_url("booking"))


async def test_a_user_who_may_not_make_it_is_named(servers: Servers, tmp_path: Path) -> None:
    connection = await asyncpg.connect(servers.postgres.url("postgres"))
    await connection.execute("CREATE ROLE humble LOGIN PASSWORD 'for-tests'")
    url = servers.postgres.url("diary_of_nobody").replace("//daybook:", "//humble:")

    with pytest.raises(Refusal, match=r"no database diary_of_nobody for booking .*, and the user humble may not make"):
        await ensure_database(told(tmp_path, url), "booking")

    await connection.execute("DROP ROLE humble")
    await connection.close()
