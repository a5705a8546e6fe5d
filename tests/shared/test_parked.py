"""An event that cannot be folded waits, with all that follow it in its stream, until somebody retries or skips it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.booking import PracticeFrozen, PracticeRegistered
from shared.events.envelope import Recorded, positions_from_text, with_body
from shared.events.parking import EventRetried, EventSkipped
from shared.events.rebooking import OutageDeclared
from shared.log import lock_head, read_after
from shared.refusals import Conflict, NotFound, Unavailable
from shared.service import Reaction, Running
from shared.worklist import Parked, read_parked, retry, skip
from tests.harness import County
from tests.house.examples import in_the_log
from tests.shared.test_follow import halted, in_the_stream, known
from tests.shared.toys import outages
from tests.waiting import DEADLINE

NO_G1 = "ALTER TABLE known_practices ADD CONSTRAINT no_g1 CHECK (name <> 'Surgery G1')"
G1_AGAIN = "ALTER TABLE known_practices DROP CONSTRAINT no_g1"


def logged(*events: PracticeRegistered | PracticeFrozen) -> list[Recorded]:
    """As booking records them."""
    return [
        with_body(msgspec.structs.replace(in_the_log(event), position=position, id=f"event-{position}"))
        for position, event in enumerate(events, 1)
    ]


def registered(code: str, name: str = "") -> PracticeRegistered:
    return PracticeRegistered(practice=code, name=name or f"Surgery {code}")


def frozen(code: str) -> PracticeFrozen:
    return PracticeFrozen(practice=code, outage=f"outage of {code}")


_PARKED_ELSEWHERE = """
    INSERT INTO parked VALUES ('event-1', 'booking', 'practice/G1', 1, 1, '', 'KeyError', now(), '', '')
"""

HISTORY = logged(registered("G1"), registered("G2"), frozen("G1"), frozen("G2"), registered("G3"))
"""The first cannot be folded, and the third waits behind it."""


async def run(rebooking: Running, statement: str) -> None:
    async with rebooking.engine.begin() as connection:
        await connection.execute(text(statement))


async def worklist(rebooking: Running) -> Sequence[Parked]:
    async with rebooking.engine.connect() as connection:
        return await read_parked(connection)


async def outages_declared(rebooking: Running) -> list[str]:
    async with rebooking.engine.connect() as connection:
        return list((await connection.execute(text("SELECT outage FROM outages ORDER BY 1"))).scalars())


@pytest.fixture
async def rebooking(county: County) -> AsyncIterator[Running]:
    """It could not fold the first event of the history, and has gone through all of it."""
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, NO_G1)
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
        yield rebooking


async def test_only_its_own_stream_waits(rebooking: Running) -> None:
    assert await known(rebooking) == ["G2", "G3"]
    assert await outages_declared(rebooking) == ["outage of G2"]
    assert [(each.event, each.stream, each.position, each.reason) for each in await worklist(rebooking)] == [
        ("event-1", "practice/G1", 1, "CheckViolationError: no_g1"),
        ("event-3", "practice/G1", 3, "an earlier event of its stream waits"),
    ]
    assert rebooking.follow.halted == ""


async def test_behind_what_another_process_has_parked_an_event_waits_too(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await in_the_stream(county, *HISTORY[:2])
        await county.caught_up()
        await run(rebooking, _PARKED_ELSEWHERE)
        await in_the_stream(county, *HISTORY[2:4])
        await county.caught_up()

        assert [each.event for each in await worklist(rebooking)] == ["event-1", "event-3"]
        assert await outages_declared(rebooking) == ["outage of G2"]


async def test_what_comes_later_waits_too_and_after_a_restart_as_well(county: County) -> None:
    later = logged(*[each.event for each in HISTORY], registered("G1", "New name"), registered("G4"))[5:]
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, NO_G1)
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
    async with county.service(outages.BLUEPRINT, outages.Settings) as again:
        await in_the_stream(county, *later)
        await county.caught_up()
        assert await known(again) == ["G2", "G3", "G4"]
        assert [each.event for each in await worklist(again)] == ["event-1", "event-3", "event-6"]


IN_ANOTHER_ORDER = logged(registered("G1"), registered("G2"), frozen("G2"), frozen("G1"), frozen("G3"))


def reached(events: Sequence[Recorded]) -> list[tuple[str, int]]:
    """Which event each came of, and how far its service had followed before that."""
    return [(each.causation_id, positions_from_text(each.followed).get("booking", 0)) for each in events]


async def own_events(rebooking: Running) -> list[Recorded]:
    async with rebooking.engine.connect() as connection:
        return await read_after(connection, 0, 100)


async def test_what_is_parked_and_what_is_reacted_to_is_recorded_in_the_order_of_the_stream(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, NO_G1)
    await in_the_stream(county, *IN_ANOTHER_ORDER)
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await county.caught_up()
        assert reached(await own_events(rebooking)) == [
            ("event-1", 0),
            ("event-3", 2),
            ("event-4", 3),
            ("event-5", 4),
        ]


async def test_reactions_are_recorded_in_the_order_of_their_causes_however_they_are_returned(county: County) -> None:
    async def react(running: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
        return [*reversed(await outages.react(running, connection, events))]

    async with county.service(outages.BLUEPRINT, outages.Settings):
        await in_the_stream(county, *IN_ANOTHER_ORDER[:2])
        await county.caught_up()
    await in_the_stream(county, *IN_ANOTHER_ORDER[2:])
    async with county.service(replace(outages.BLUEPRINT, react=react), outages.Settings) as rebooking:
        await county.caught_up()
        assert reached(await own_events(rebooking)) == [("event-3", 2), ("event-4", 3), ("event-5", 4)]


async def test_a_retry_does_not_wait_for_ever_for_the_log(rebooking: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.worklist._LOCK_WITHIN", 0.05)
    async with rebooking.engine.begin() as another:
        await lock_head(another)
        with pytest.raises(Unavailable, match="try again in a moment"):
            await retry(rebooking, "event-1", "A. Operator")


async def test_a_retry_folds_what_waits_in_order_and_reacts_to_it(county: County, rebooking: Running) -> None:
    with pytest.raises(Conflict, match=r"cannot be folded yet: CheckViolationError: no_g1"):
        await retry(rebooking, "event-1", "A. Operator")
    assert len(await worklist(rebooking)) == 2

    await run(rebooking, G1_AGAIN)
    released = await retry(rebooking, "event-1", "A. Operator")

    assert (released.folded, released.waits) == (("event-1", "event-3"), "")
    assert await known(rebooking) == ["G1", "G2", "G3"]
    assert await outages_declared(rebooking) == ["outage of G1", "outage of G2"]
    assert await worklist(rebooking) == []
    async with rebooking.engine.connect() as connection:
        log = await read_after(connection, 0, 100)
    retried = [each.event for each in log if isinstance(each.event, EventRetried)]
    assert [(each.event, each.retried_by) for each in retried] == [
        ("event-1", "A. Operator"),
        ("event-3", "A. Operator"),
    ]

    await in_the_stream(county, *logged(*[each.event for each in HISTORY], registered("G1", "New name"))[5:])
    await county.caught_up()
    assert await worklist(rebooking) == []


async def test_a_skip_leaves_one_out_and_goes_on_with_the_rest(rebooking: Running) -> None:
    released = await skip(rebooking, "event-1", "A. Operator", "registered by mistake")

    assert (released.skipped, released.folded) == ("event-1", ("event-3",))
    assert await known(rebooking) == ["G2", "G3"]
    assert await outages_declared(rebooking) == ["outage of G1", "outage of G2"]
    assert [(each.event, each.skipped_by) for each in await worklist(rebooking)] == [("event-1", "A. Operator")]
    async with rebooking.engine.connect() as connection:
        log = await read_after(connection, 0, 100)
    (skipped,) = [each.event for each in log if isinstance(each.event, EventSkipped)]
    assert (skipped.event, skipped.skipped_by, skipped.reason) == ("event-1", "A. Operator", "registered by mistake")


@pytest.mark.parametrize("elsewhere", [2, 99])
async def test_an_event_is_found_where_a_stream_that_was_made_again_has_it(rebooking: Running, elsewhere: int) -> None:
    await run(rebooking, G1_AGAIN)
    await run(rebooking, f"UPDATE parked SET sequence = {elsewhere}")
    assert (await retry(rebooking, "event-1", "A. Operator")).folded == ("event-1", "event-3")


async def test_what_does_not_wait_or_waits_behind_another_is_refused(rebooking: Running) -> None:
    with pytest.raises(NotFound, match="No such event waits here"):
        await retry(rebooking, "event-2", "A. Operator")
    with pytest.raises(Conflict, match="Event event-1 of the same stream waits before it"):
        await skip(rebooking, "event-3", "A. Operator", "not needed")
    await skip(rebooking, "event-1", "A. Operator", "not needed")
    with pytest.raises(NotFound):
        await skip(rebooking, "event-1", "A. Operator", "not needed")


async def test_an_event_of_its_own_that_it_cannot_react_to_waits_like_any_other(county: County) -> None:
    broken = {"outage of G2"}

    async def react(running: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
        for each in events:
            if isinstance(each.event, OutageDeclared) and each.event.outage in broken:
                raise KeyError(each.event.name)
        theirs = [each for each in events if isinstance(each.event, PracticeFrozen)]
        return await outages.react(running, connection, theirs)

    blueprint = replace(outages.BLUEPRINT, wants=frozenset({PracticeFrozen, OutageDeclared}), react=react)
    async with county.service(blueprint, outages.Settings) as rebooking:
        await in_the_stream(county, *HISTORY)
        await county.caught_up()
        (parked,) = await worklist(rebooking)
        assert (parked.source, parked.stream, parked.reason) == ("rebooking", "outage/outage of G2", "KeyError")

        broken.clear()
        assert (await retry(rebooking, parked.event, "A. Operator")).folded == (parked.event,)
        assert await worklist(rebooking) == []


async def test_what_nobody_can_fold_halts_the_service_rather_than_park_the_county(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, "ALTER TABLE known_practices ADD CONSTRAINT none_at_all CHECK (name = '')")
        await in_the_stream(county, *logged(*(registered(f"G{number}") for number in range(60))))

        assert (await halted(rebooking)).startswith("events of more than 50 streams could not be folded")
        assert len(await worklist(rebooking)) <= 50


async def test_a_fault_of_the_tables_themselves_halts_until_it_is_mended(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await run(rebooking, "ALTER TABLE known_practices RENAME COLUMN name TO title")
        await in_the_stream(county, HISTORY[0])
        assert "could not be folded (UndefinedColumnError)" in await halted(rebooking)
        assert await worklist(rebooking) == []

        await run(rebooking, "ALTER TABLE known_practices RENAME COLUMN title TO name")
        async with asyncio.timeout(DEADLINE):
            while await known(rebooking) != ["G1"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert rebooking.follow.halted == ""
