"""An interrupted rebuild goes on where it stopped, if what it has made is still right; a snapshot saves the history."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.broker import connect
from shared.clock import Clock
from shared.database import open_engine
from shared.events.envelope import Recorded
from shared.rebuild import Snapshots
from shared.rebuilding import Result
from shared.service import Running
from shared.snapshots import Damaged
from shared.stream import Message, publish
from shared.worklist import retry
from tests.harness import County
from tests.shared.test_follow import in_the_stream, known
from tests.shared.test_parked import G1_AGAIN, HISTORY, NO_G1, logged, registered, run
from tests.shared.test_rebuild import a_small_history, rebuilt
from tests.shared.test_swap import Stopped, stop_at
from tests.shared.toys import outages, practices

MANY, AT_ONCE = 2500, 1000


@pytest.fixture
async def rebooking(county: County) -> AsyncIterator[Running]:
    """It follows booking."""
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        yield rebooking


async def followed(county: County, *events: Recorded) -> None:
    """These stand in the stream, and were folded."""
    client = await connect(county.servers.nats.url("operator"), "operator")
    try:
        messages = [Message(event.subject, event.id, event.body) for event in events]
        for start in range(0, len(messages), 1000):
            await publish(client, messages[start : start + 1000])
    finally:
        await client.close()
    await county.caught_up()


def stop_after(events: int) -> Callable[[int, int, float], None]:
    def tell(done: int, _of: int, _rate: float) -> None:
        if done >= events:
            raise Stopped

    return tell


async def stopped_early(county: County, rebooking: Running) -> None:
    with pytest.raises(Stopped):
        await rebuilt(county, rebooking, hear=stop_at("indexes"))


async def reached(rebooking: Running) -> int:
    async with rebooking.engine.connect() as connection:
        found = await connection.scalar(text("SELECT kept::json #>> '{place,sequence}' FROM rebuilding.place"))
    return int(found or 0)


async def test_it_goes_on_after_its_last_batch_and_folds_nothing_twice(
    rebooking: Running, county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bulk.EVENTS", AT_ONCE)
    await followed(county, *logged(*[registered(f"G{number}") for number in range(MANY)]))
    with pytest.raises(Stopped):
        await rebuilt(county, rebooking, tell=stop_after(1))
    folded = await reached(rebooking)
    assert AT_ONCE <= folded < MANY

    result = await rebuilt(county, rebooking)

    assert (result.began_from, result.folded, result.events) == ("interrupted", MANY - folded, MANY)
    assert result.equal
    assert result.tables["known_practices"].rows == MANY


async def test_interrupted_when_all_was_folded_it_folds_only_what_has_come_since(
    rebooking: Running, county: County
) -> None:
    events = logged(*[registered(f"G{number}") for number in range(9)])
    await followed(county, *events[:5])
    await stopped_early(county, rebooking)
    await followed(county, *events[5:])

    result = await rebuilt(county, rebooking)

    assert (result.began_from, result.folded, result.equal) == ("interrupted", 4, True)
    assert await known(rebooking) == [f"G{number}" for number in range(9)]


ANOTHER = {
    "the stream was made again": "{place,stream_created}",
    "another event stands there": "{place,event_id}",
    "another version folded it": "{made_by}",
}


@pytest.mark.parametrize("changed", ANOTHER.values(), ids=ANOTHER)
async def test_it_begins_anew_if_what_it_has_made_is_no_longer_right(
    rebooking: Running, county: County, changed: str
) -> None:
    await followed(county, *HISTORY)
    await stopped_early(county, rebooking)
    await run(rebooking, f"UPDATE rebuilding.place SET kept = jsonb_set(kept::jsonb, '{changed}', '\"other\"')")

    result = await rebuilt(county, rebooking, verify_only=True)

    assert (result.began_from, result.equal) == ("nothing", True)


async def test_who_follows_nobody_goes_on_after_its_own_event_if_that_still_stands_there(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await a_small_history(booking, county)
        await stopped_early(county, booking)
        again = await rebuilt(county, booking, verify_only=True)
        await stopped_early(county, booking)
        await run(booking, "UPDATE rebuilding.place SET kept = jsonb_set(kept::jsonb, '{place,own_id}', '\"other\"')")
        anew = await rebuilt(county, booking, verify_only=True)

    assert [(each.began_from, each.folded, each.equal) for each in (again, anew)] == [
        ("interrupted", 0, True), ("nothing", 5, True),
    ]  # fmt: skip


async def test_it_begins_anew_if_it_is_ahead_of_a_database_brought_back_from_an_older_copy(
    rebooking: Running, county: County
) -> None:
    await followed(county, *HISTORY)
    await stopped_early(county, rebooking)
    await run(rebooking, "UPDATE rebuilding.place SET kept = jsonb_set(kept::jsonb, '{place,positions,booking}', '99')")

    assert (await rebuilt(county, rebooking, verify_only=True)).began_from == "nothing"


async def test_it_begins_anew_if_an_event_that_waited_was_retried_meanwhile(rebooking: Running, county: County) -> None:
    await run(rebooking, NO_G1)
    await followed(county, *HISTORY)
    await stopped_early(county, rebooking)
    await run(rebooking, G1_AGAIN)
    await retry(rebooking, "event-1", "A. Operator")

    result = await rebuilt(county, rebooking)

    assert (result.began_from, result.equal) == ("nothing", True)
    assert await known(rebooking) == ["G1", "G2", "G3"]


async def test_from_a_snapshot_and_the_tail_it_equals_the_whole(
    rebooking: Running, county: County, tmp_path: Path
) -> None:
    events = logged(*[registered(f"G{number}") for number in range(9)])
    snapshots = Snapshots(tmp_path, Clock())
    await followed(county, *events[:5])
    first = await rebuilt(county, rebooking, snapshots=snapshots)
    await followed(county, *events[5:])

    tail = await rebuilt(county, rebooking, snapshots=snapshots)
    whole = await rebuilt(county, rebooking, snapshots=snapshots, whole=True, verify_only=True)

    assert [(each.began_from, each.folded) for each in (first, tail, whole)] == [
        ("nothing", 5), ("snapshot", 4), ("nothing", 9),
    ]  # fmt: skip
    assert tail.equal
    assert digests(tail) == digests(whole)


async def test_from_a_snapshot_that_is_damaged_nothing_stays(
    rebooking: Running, county: County, tmp_path: Path
) -> None:
    snapshots = Snapshots(tmp_path, Clock())
    await followed(county, *HISTORY)
    await rebuilt(county, rebooking, snapshots=snapshots, verify_only=True)
    folder = tmp_path / "000001"
    (folder / "known_practices.copy").write_bytes(b"")
    with pytest.raises(Damaged):
        await rebuilt(county, rebooking, snapshots=snapshots)
    shutil.rmtree(folder)

    result = await rebuilt(county, rebooking, snapshots=snapshots)

    assert (result.began_from, result.equal) == ("nothing", True)


def digests(result: Result) -> dict[str, str]:
    return {name: table.digest for name, table in result.tables.items()}


async def test_the_whole_does_not_go_on_from_what_began_at_a_snapshot(
    rebooking: Running, county: County, tmp_path: Path
) -> None:
    snapshots = Snapshots(tmp_path, Clock())
    await followed(county, *HISTORY)
    await rebuilt(county, rebooking, snapshots=snapshots, verify_only=True)
    with pytest.raises(Stopped):
        await rebuilt(county, rebooking, snapshots=snapshots, hear=stop_at("indexes"))

    assert (await rebuilt(county, rebooking, whole=True)).began_from == "nothing"


async def test_what_a_stream_made_again_holds_further_on_is_folded_if_the_live_tables_have_it(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await followed(county, *HISTORY[:2])
        settings = rebooking.settings
    await in_the_stream(county, *HISTORY[2:])
    engine = open_engine(settings.database_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE checkpoint SET sequence = 0, event_id = ''"))
        result = await rebuilt(county, replace(rebooking, engine=engine), verify_only=True)
    finally:
        await engine.dispose()

    assert result.equal
    assert result.tables["known_practices"].rows == 2
