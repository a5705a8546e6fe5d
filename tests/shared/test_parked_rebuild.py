"""A rebuild leaves out what waits or was skipped, and nothing else; a restored service knows what waited."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from sqlalchemy import text

from shared.database import open_engine
from shared.events.envelope import Recorded
from shared.leaving_out import Unfoldable, left_out, still_left_out
from shared.project import Change
from shared.refusals import Conflict
from shared.worklist import retry, skip
from tests.harness import County
from tests.shared.test_follow import in_the_stream, known
from tests.shared.test_parked import HISTORY, NO_G1, logged, outages_declared, registered, run, worklist
from tests.shared.test_rebuild import rebuilt, restored
from tests.shared.toys import outages


def no_g1(recorded: Recorded) -> Iterable[Change]:
    """A version of the fold that cannot do what the one did that folded the live tables."""
    if recorded.practice == "G1":
        raise ValueError("Surgery G1")
    return outages.project_practices(recorded)


async def test_what_waits_and_what_was_skipped_is_left_out_and_the_tables_are_equal(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, NO_G1)
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
        assert (await rebuilt(county, rebooking)).equal

        await skip(rebooking, "event-1", "A. Operator", "registered by mistake")
        assert (await rebuilt(county, rebooking)).equal


async def test_a_retry_during_a_rebuild_ends_it_since_the_event_would_be_missing(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, NO_G1)
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
        async with rebooking.engine.connect() as connection:
            before = await left_out(connection)
            assert await still_left_out(connection, before) == {"event-1", "event-3"}
        await run(rebooking, "ALTER TABLE known_practices DROP CONSTRAINT no_g1")
        await retry(rebooking, "event-1", "A. Operator")
        async with rebooking.engine.connect() as connection:
            with pytest.raises(Conflict, match="retried: begin again"):
                await still_left_out(connection, before)


async def test_an_event_that_cannot_be_folded_fails_the_rebuild_by_name(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
        stricter = replace(outages.BLUEPRINT, follows={"booking": no_g1})

        with pytest.raises(Unfoldable, match=r"event event-1 \(booking 1, .*\) cannot be folded: ValueError"):
            await rebuilt(county, replace(rebooking, blueprint=stricter))
        assert await known(rebooking) == ["G1", "G2", "G3"]


async def test_an_event_that_cannot_be_folded_fails_a_restore_by_name_and_leaves_the_database_empty(
    county: County,
) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings):
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
    await county.lose_database(outages.BLUEPRINT)
    settings = await county.settings(outages.BLUEPRINT, outages.Settings)
    engine = open_engine(settings.database_url)
    async with engine.begin() as connection:
        await connection.execute(text(NO_G1.replace("G1", "G2")))

    with pytest.raises(Unfoldable, match=r"event event-2 \(booking 2, .*\) cannot be folded: CheckViolationError"):
        await restored(county, outages.BLUEPRINT, settings.database_url)

    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM known_practices")) == 0
    await engine.dispose()


async def test_a_restored_service_knows_what_waited_and_what_was_skipped(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, f"{NO_G1.removesuffix(')')} AND name <> 'Surgery G6')")
        more = logged(*[each.event for each in HISTORY], registered("G6"))[5:]
        await in_the_stream(county, *HISTORY, *more)
        await county.caught_up()
        await skip(rebooking, "event-6", "A. Operator", "registered by mistake")
        await county.caught_up()
        before = await worklist(rebooking)
    await county.lose_database(outages.BLUEPRINT)
    settings = await county.settings(outages.BLUEPRINT, outages.Settings)

    await restored(county, outages.BLUEPRINT, settings.database_url)

    async with county.service(outages.BLUEPRINT, outages.Settings) as again:
        await county.caught_up()
        assert await worklist(again) == before
        assert await known(again) == ["G2", "G3"]
        assert (await retry(again, "event-1", "A. Operator")).folded == ("event-1", "event-3")
        assert await known(again) == ["G1", "G2", "G3"]
        assert await outages_declared(again) == ["outage of G1", "outage of G2"]
        assert (await rebuilt(county, again)).equal
