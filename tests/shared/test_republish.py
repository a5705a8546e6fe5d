"""A lost stream is made again from the databases: byte for byte, causes first, and nothing is done a second time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.anchor import followed_by
from shared.events.envelope import decode, positions_from_text
from shared.key_copies import publish_keys
from shared.log import head_position
from shared.refusals import Conflict, Refusal
from shared.service import Running
from shared.stream import KEYS_STREAM, Message, last_of
from shared.wire import Client
from tests.harness import County
from tests.shared.copies import Copies, Held, a_history, both_at_work, copies_of
from tests.shared.test_rebuild import rebuilt, restored
from tests.shared.toys import outages, practices
from tests.shared.toys.practices import Freeze, Register
from tests.waiting import DEADLINE

NOW = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)


async def lost(running: Running) -> str:
    async with asyncio.timeout(DEADLINE):
        while not running.relay.lost:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return running.relay.lost


def bodies(stream: Sequence[Held], service: str) -> list[tuple[str, bytes]]:
    return [(each.subject, each.body) for each in stream if each.subject.split(".")[1] == service]


async def events_of(copies: Copies, service: str) -> int:
    return int(await copies.logs[service].fetchval("SELECT count(*) FROM events"))


async def test_a_lost_stream_is_made_again_byte_for_byte_and_the_services_go_on_by_themselves(county: County) -> None:
    await a_history(county)
    async with copies_of(county) as copies:
        before = await copies.stream()
        async with both_at_work(county) as (booking, rebooking):
            await county.servers.fresh_streams()
            assert "`daybook log republish`" in await lost(booking)
            assert "`daybook log republish`" in await lost(rebooking)
            await booking.executor.execute(Register("G7", "Surgery G7"))
            assert await copies.stream() == []

            republished = await copies.republished()
            await booking.executor.execute(Freeze("G7", "outage-7"))
            async with asyncio.timeout(DEADLINE):
                while booking.relay.lost or rebooking.relay.lost or rebooking.follow.halted:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await county.caught_up()

            assert (republished.found, republished.added, republished.keys) == (0, 12, 3)
            after = await copies.stream()
            for service in ("booking", "rebooking"):
                assert bodies(after, service)[: len(bodies(before, service))] == bodies(before, service)
            assert (await copies.verified()).equal
            assert await events_of(copies, "rebooking") == 3
            for running in (booking, rebooking):
                assert (await rebuilt(county, running)).equal


async def test_in_the_new_stream_every_event_comes_after_what_its_service_had_followed_and_after_its_cause(
    county: County,
) -> None:
    await with_a_slow_clock(county)
    async with copies_of(county) as copies:
        await county.servers.fresh_streams()
        await copies.republished()

        seen, come = set[str](), {"booking": 0, "rebooking": 0}
        for recorded in (decode(stored.body) for stored in await copies.stream()):
            assert all(come[service] >= reached for service, reached in positions_from_text(recorded.followed).items())
            assert not recorded.causation_id or recorded.causation_id in seen
            seen.add(recorded.id)
            come[recorded.service] = recorded.position
        assert come == {"booking": 4, "rebooking": 2}


async def with_a_slow_clock(county: County) -> None:
    """Rebooking's is an hour behind: by time alone, what it recorded would come before its causes."""
    county.clock_at(NOW)
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        county.clock_at(NOW - timedelta(hours=1))
        async with county.service(outages.BLUEPRINT, outages.Settings):
            for code in ("G1", "G2"):
                await booking.executor.execute(Register(code, f"Surgery {code}"))
                await booking.executor.execute(Freeze(code, f"outage of {code}"))
                await county.caught_up()


async def test_what_was_not_followed_yet_is_followed_afterwards_and_what_was_is_not_repeated(county: County) -> None:
    await a_history(county)
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await booking.executor.execute(Freeze("G5", "outage-5"))
        await county.caught_up()
    async with copies_of(county) as copies:
        await county.servers.fresh_streams()
        await copies.republished()
        async with both_at_work(county) as (_, rebooking):
            await county.caught_up()

            assert (await rebuilt(county, rebooking)).equal
        names = await copies.logs["rebooking"].fetch("SELECT outage FROM outages ORDER BY 1")
        assert [row["outage"] for row in names] == ["outage-1", "outage-2", "outage-5"]
        assert await events_of(copies, "rebooking") == 3


async def test_a_checkpoint_names_those_who_are_followed_and_have_recorded_nothing_yet(county: County) -> None:
    more = replace(outages.BLUEPRINT, follows={**outages.BLUEPRINT.follows, "notifications": lambda _: ()})
    async with (
        county.service(practices.BLUEPRINT, practices.Settings) as booking,
        county.service(more, outages.Settings),
        copies_of(county) as copies,
    ):
        await booking.executor.execute(Register("G1", "Harbour Surgery"))
        await county.caught_up()

        assert await followed_by(copies.logs["rebooking"]) == {"booking": 1, "notifications": 0}


async def test_whoever_is_followed_from_now_on_is_in_the_checkpoint_before_anything_is_recorded(county: County) -> None:
    more = replace(outages.BLUEPRINT, follows={**outages.BLUEPRINT.follows, "notifications": lambda _: ()})
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        async with county.service(outages.BLUEPRINT, outages.Settings):
            await booking.executor.execute(Register("G1", "Harbour Surgery"))
            await county.caught_up()
        async with county.service(more, outages.Settings), copies_of(county) as copies, asyncio.timeout(DEADLINE):
            while await followed_by(copies.logs["rebooking"]) != {"booking": 1, "notifications": 0}:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_an_interrupted_republishing_goes_on_where_it_stopped(county: County) -> None:
    await a_history(county)
    async with copies_of(county) as copies:
        await copies.lose_stream()
        await copies.make_streams()
        await copies.republished()
        whole = await copies.stream()
        await copies.only(whole[:4])

        again = await copies.republished()

        assert (again.found, again.added) == (4, len(whole) - 4)
        assert [each.body for each in await copies.stream()] == [each.body for each in whole]
        assert (await copies.republished()).added == 0


async def test_a_database_is_restored_from_the_stream_that_was_made_again(county: County) -> None:
    await a_history(county)
    async with copies_of(county) as copies:
        await county.servers.fresh_streams()
        await copies.republished()
    await county.lose_database(outages.BLUEPRINT)
    settings = await county.settings(outages.BLUEPRINT, outages.Settings)

    await restored(county, outages.BLUEPRINT, settings.database_url)

    async with both_at_work(county) as (_, rebooking):
        await county.caught_up()
        async with rebooking.engine.connect() as connection:
            assert await head_position(connection) == 2
        assert (await rebuilt(county, rebooking)).equal


async def test_a_key_that_is_made_meanwhile_is_copied_too_though_it_sorts_before_the_others(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_history(county)
    async with both_at_work(county) as (booking, rebooking), copies_of(county) as copies:

        async def publish_and_book(client: Client, messages: Sequence[Message]) -> None:
            await publish_keys(client, messages)
            await booking.keys.ensure({"patient-0"})

        monkeypatch.setattr("shared.republish.AT_ONCE", 2)
        monkeypatch.setattr("shared.republish.publish_keys", publish_and_book)
        await county.servers.fresh_streams()
        await lost(booking)
        await lost(rebooking)

        assert (await copies.republished()).keys == 3

        async with asyncio.timeout(DEADLINE):
            while await last_of(copies.client, "daybook-keys.booking.patient-0", KEYS_STREAM) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_a_stream_that_is_something_else_is_not_added_to(county: County) -> None:
    await a_history(county)
    async with copies_of(county) as copies:
        first, second, *_ = await copies.stream()
        await copies.only([first, second._replace(body=second.body.replace(b"Surgery G2", b"Surgery G9"))])

        with pytest.raises(Conflict, match="at sequence 2 it is not what the databases hold"):
            await copies.republished()

        assert len(await copies.stream()) == 2


async def test_a_database_that_is_older_than_what_was_followed_of_it_is_refused(county: County) -> None:
    await a_history(county)
    async with copies_of(county) as copies:
        await copies.logs["booking"].execute("DELETE FROM events WHERE position > 7")
        await copies.logs["booking"].execute("UPDATE log_head SET position = 7")
        await county.servers.fresh_streams()

        with pytest.raises(Refusal, match="has followed booking up to event 9, but the database of booking ends at 7"):
            await copies.republished()

        assert await copies.stream() == []


async def test_a_service_whose_relay_is_at_work_is_not_gone_behind(county: County) -> None:
    async with both_at_work(county), copies_of(county) as copies:
        await county.caught_up()

        with pytest.raises(Conflict, match="booking is at work"):
            await copies.republished(within=0.1)


async def test_a_fresh_county_starts_and_one_whose_stream_has_gone_books_on_and_says_so(county: County) -> None:
    async with both_at_work(county) as (booking, _), copies_of(county) as copies:
        await booking.executor.execute(Register("G1", "Harbour Surgery"))
        assert booking.relay.position == 1
        await copies.lose_stream()

        assert "that booking copied its log to is gone" in await lost(booking)
        (recorded,) = await booking.executor.execute(Register("G2", "Marsh Surgery"))
        assert (recorded.position, booking.relay.position) == (2, 1)


async def test_a_stream_that_was_cut_off_is_noticed_at_the_start_and_mended(county: County) -> None:
    await a_history(county, noted=True)
    async with copies_of(county) as copies:
        whole = await copies.stream()
        await copies.only(whole[:-1])
        # The older copy of a stream says that it was made when the stream was.
        created = str((await copies.client.jetstream().stream_info("DAYBOOK")).created)
        for log in copies.logs.values():
            await log.execute("UPDATE relayed SET stream_created = $1", created)

        async with both_at_work(county) as (_, rebooking):
            assert "ends at event 1 of rebooking, but 2 had been copied" in await lost(rebooking)
        await copies.republished()

        assert [each.body for each in await copies.stream()] == [each.body for each in whole]


async def test_a_log_that_is_not_whole_is_not_published(county: County) -> None:
    await a_history(county)
    async with copies_of(county) as copies:
        await county.servers.fresh_streams()
        log = copies.logs["booking"]
        await log.execute("UPDATE events SET practice = 'G9' WHERE position = 2")
        with pytest.raises(Refusal, match="event 2 of booking in the database is not what its row says"):
            await copies.republished()

        await log.execute("DELETE FROM events WHERE position = 2")
        with pytest.raises(Refusal, match="event 2 of booking is missing in the database"):
            await copies.republished()

        await log.execute("DELETE FROM events WHERE position > 8")
        with pytest.raises(Refusal, match="event 9 of booking is missing in the database"):
            await copies.republished()
        assert await copies.stream() == []
