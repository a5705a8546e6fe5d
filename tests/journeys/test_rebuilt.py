"""A service can be made again from the stream, while it works and after its database has gone."""

import asyncio

import asyncpg
import msgspec

from tests.journeys.recovery import District, approve, fill, finished, plan, require_all_went_to_plan
from tests.journeys.running import Daybook


def run_sql(daybook: Daybook, database: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(daybook.settings.database_url(database))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def test_a_working_service_is_proved_mended_and_made_again(daybook: Daybook, district: District) -> None:
    fill(daybook, district)
    recovery = plan(daybook, district)
    approve(daybook, recovery)
    finished(daybook, recovery)
    progress = f"/v1/outages/{recovery.outage}/progress"
    before = daybook.ask("rebooking", "GET", progress)

    proved = daybook.command("rebuild", "rebooking")
    assert (proved.returncode, "rebooking is equal" in proved.stdout) == (0, True), proved.stderr
    assert "events/s" in proved.stdout
    assert "Folding the log of rebooking" in proved.stderr

    run_sql(
        daybook,
        "rebooking",
        "UPDATE practices SET name = 'Nowhere' WHERE practice = (SELECT min(practice) FROM practices)",
    )
    mended = daybook.command("rebuild", "rebooking")
    assert (mended.returncode, "rebooking is NOT equal" in mended.stdout) == (1, True), mended.stderr
    assert "practices: live only:" in mended.stdout
    assert "Nowhere" in mended.stdout
    assert daybook.facts("rebuild", "rebooking", "--verify")["equal"]

    run_sql(daybook, "postgres", "DROP DATABASE rebooking WITH (FORCE)")
    restored = daybook.command("rebuild", "rebooking", "--json")
    assert restored.returncode == 0, restored.stderr
    assert msgspec.json.decode(restored.stdout)["restored"]
    daybook.at_rest()
    assert daybook.ask("rebooking", "GET", progress) == before
    require_all_went_to_plan(daybook, recovery)
