"""All that is kept can be lost in turn, and is made again while the others work: `make drill`, of a few practices."""

import asyncio

import asyncpg

from tests.journeys.losses import Drill, lived_through
from tests.journeys.meanwhile import clients_of
from tests.journeys.recovery import District, fill, plan
from tests.journeys.running import Daybook


def run_sql(daybook: Daybook, database: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(daybook.settings.database_url(database))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def test_each_database_and_then_the_brokers_store_is_destroyed_and_nothing_is_lost_or_sent(
    daybook: Daybook, district: District
) -> None:
    fill(daybook, district)
    recovery = lived_through(daybook, plan(daybook, district), print)

    run_sql(
        daybook,
        "rebooking",
        "UPDATE practices SET name = 'Nowhere' WHERE practice = (SELECT min(practice) FROM practices)",
    )
    mended = daybook.command("rebuild", "rebooking")
    assert (mended.returncode, "rebooking is NOT equal" in mended.stdout) == (1, True), mended.stderr
    assert "practices: live only:" in mended.stdout
    assert "Nowhere" in mended.stdout
    assert "Folding the log of rebooking" in mended.stderr

    def destroy(service: str) -> None:
        """Of rebooking an older copy comes back, which is worse than none."""
        if service == "rebooking":
            run_sql(daybook, service, "DELETE FROM events WHERE position > 9; UPDATE log_head SET position = 9")
        else:
            run_sql(daybook, "postgres", f"DROP DATABASE {service} WITH (FORCE)")

    Drill(daybook, recovery, clients_of(daybook, recovery, district.codes[-1]), print).run(destroy)
