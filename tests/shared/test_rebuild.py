"""Rebuilt equals live; a lost database comes back from the stream; nothing is reacted to twice."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from shared.broker import connect
from shared.database import open_engine
from shared.log import head_position, read_after
from shared.rebuild import rebuild
from shared.rebuilding import Progress, Result
from shared.refusals import Conflict, Unavailable
from shared.relay import Halted
from shared.restore import restore
from shared.service import Blueprint, Running
from tests.harness import County
from tests.shared.toys import outages, practices
from tests.shared.toys.practices import Freeze, Register
from tests.waiting import DEADLINE


async def rebuilt(
    county: County,
    running: Running,
    *,
    verify_only: bool = False,
    tell: Progress = lambda *_: None,
    **others: Any,
) -> Result:
    client = await connect(running.settings.nats_url, running.blueprint.name)
    try:
        return await rebuild(running.blueprint, running.engine, client, verify_only=verify_only, tell=tell, **others)
    finally:
        await client.close()


async def restored(county: County, blueprint: Blueprint, url: str) -> Result:
    client = await connect(county.servers.nats.url(blueprint.name), blueprint.name)
    engine = open_engine(url)
    try:
        return await restore(blueprint, engine, client, tell=lambda *_: None)
    finally:
        await engine.dispose()
        await client.close()


async def a_small_history(booking: Running, county: County) -> None:
    for code in ("G1", "G2", "G3"):
        await booking.executor.execute(Register(code, f"Surgery {code}"))
    await booking.executor.execute(Freeze("G1", "outage-1"))
    await booking.executor.execute(Freeze("G2", "outage-2"))
    await county.caught_up()


async def names(booking: Running) -> list[str]:
    async with booking.engine.connect() as connection:
        return list((await connection.execute(text("SELECT name FROM practices ORDER BY practice"))).scalars())


async def test_rebuilt_tables_equal_the_live_ones(county: County) -> None:
    async with (
        county.service(practices.BLUEPRINT, practices.Settings) as booking,
        county.service(outages.BLUEPRINT, outages.Settings) as rebooking,
    ):
        await a_small_history(booking, county)

        for service in (booking, rebooking):
            result = await rebuilt(county, service)

            assert result.equal
        assert {name: table.rows for name, table in result.tables.items()} == {"known_practices": 3, "outages": 2}


async def test_a_row_that_was_tampered_with_is_named_and_then_mended(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await a_small_history(booking, county)
        async with booking.engine.begin() as connection:
            await connection.execute(text("UPDATE practices SET name = 'Elsewhere' WHERE practice = 'G3'"))

        seen = await rebuilt(county, booking, verify_only=True)
        still = await names(booking)
        mended = await rebuilt(county, booking)
        after = await rebuilt(county, booking)

        assert seen.tables["practices"].differences == [
            'live only: (G3,Elsewhere,"")',
            'log only: (G3,"Surgery G3","")',
        ]
        assert (seen.equal, mended.equal, after.equal) == (False, False, True)
        assert (seen.swapped, mended.swapped, after.swapped) == (False, True, True)
        assert still == ["Surgery G1", "Surgery G2", "Elsewhere"], "to verify changes nothing"
        assert await names(booking) == ["Surgery G1", "Surgery G2", "Surgery G3"]


@pytest.mark.parametrize(
    ("lost", "what"),
    [
        ("position = 3", "event 3 of booking is missing from the log before 4: nothing is built on it"),
        ("position > 3", "the database of booking has lost its events after 3: nothing is built on it"),
    ],
    ids=["one", "the last"],
)
async def test_on_a_log_that_has_lost_events_nothing_is_built(county: County, lost: str, what: str) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await a_small_history(booking, county)
        async with booking.engine.begin() as connection:
            await connection.execute(text(f"DELETE FROM events WHERE {lost}"))

        with pytest.raises(Halted, match=what):
            await rebuilt(county, booking)

        assert await names(booking) == ["Surgery G1", "Surgery G2", "Surgery G3"]


async def test_a_rebuild_goes_on_beside_a_service_at_work_and_is_refused_twice_at_once(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await a_small_history(booking, county)
        async with booking.engine.connect() as elsewhere:
            await elsewhere.execute(text("SELECT pg_advisory_lock(:key)"), {"key": 0x0DA1B00D})

            with pytest.raises(Conflict, match="being rebuilt already"):
                await rebuilt(county, booking)


async def test_a_destroyed_database_is_restored_and_reacts_to_nothing_twice(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
            await a_small_history(booking, county)
            before = await rebuilt(county, rebooking)
        await county.lose_database(outages.BLUEPRINT)
        await booking.executor.execute(Freeze("G3", "outage-3"))

        settings = await county.settings(outages.BLUEPRINT, outages.Settings)
        result = await restored(county, outages.BLUEPRINT, settings.database_url)

        assert result.restored
        assert result.tables["outages"].digest == before.tables["outages"].digest
        async with county.service(outages.BLUEPRINT, outages.Settings) as again:
            await county.caught_up()
            async with again.engine.connect() as connection:
                assert await head_position(connection) == 3
                names = list((await connection.execute(select(outages.outages.c.outage).order_by(text("1")))).scalars())
        assert names == ["outage-1", "outage-2", "outage-3"]


async def test_the_log_comes_back_byte_for_byte(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await a_small_history(booking, county)
        async with booking.engine.connect() as connection:
            before = [recorded.body for recorded in await read_after(connection, 0, 100)]
    await county.lose_database(practices.BLUEPRINT)

    settings = await county.settings(practices.BLUEPRINT, practices.Settings)
    await restored(county, practices.BLUEPRINT, settings.database_url)

    engine = open_engine(settings.database_url)
    async with engine.connect() as connection:
        after = [recorded.body for recorded in await read_after(connection, 0, 100)]
    await engine.dispose()
    assert after == before


async def test_an_empty_database_beside_a_full_stream_takes_no_orders(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await booking.executor.execute(Register("G1", "Harbour Surgery"))
    await county.lose_database(practices.BLUEPRINT)

    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        with pytest.raises(Unavailable, match="daybook log restore booking --set-aside"):
            await booking.executor.execute(Register("G2", "Marsh Surgery"))
        with pytest.raises(Halted, match="the stream holds 1 events of booking, the database only 0"):
            await rebuilt(county, booking, verify_only=True)


async def test_a_database_with_events_is_not_restored_over(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await booking.executor.execute(Register("G1", "Harbour Surgery"))

        with pytest.raises(Conflict, match="not empty"):
            await restored(county, practices.BLUEPRINT, booking.settings.database_url)


async def test_a_follower_refuses_a_stream_that_was_made_again_under_it(county: County) -> None:
    async with (
        county.service(practices.BLUEPRINT, practices.Settings) as booking,
        county.service(outages.BLUEPRINT, outages.Settings) as rebooking,
    ):
        await a_small_history(booking, county)
        await county.servers.fresh_streams()

        assert "daybook log republish" in await gone_wrong(rebooking)


async def gone_wrong(running: Running) -> str:
    """Whoever of the two notices first."""
    async with asyncio.timeout(DEADLINE):
        while not (reason := running.relay.lost or running.follow.halted):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return reason
