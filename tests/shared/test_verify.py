"""Both copies are compared event by event, and the first difference is named: where, what, and what to do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256

import pytest

from shared.broker import connect
from shared.refusals import Conflict, Refusal, Unavailable
from shared.relay import Halted
from shared.stream import ensure_streams
from shared.verify import Verified
from tests.harness import County, Servers
from tests.shared.copies import Copies, a_history, both_at_work, copies_of
from tests.shared.test_broker_lost import MortalBroker, broker
from tests.shared.test_rebuild import rebuilt, restored
from tests.shared.test_republish import lost
from tests.shared.toys import practices
from tests.shared.toys.practices import Freeze, Register

__all__ = ["broker"]


@pytest.fixture
async def copies(county: County) -> AsyncIterator[Copies]:
    await a_history(county)
    async with copies_of(county) as both:
        yield both


def told(verified: Verified) -> tuple[str, int, str]:
    """The first difference: whose, at which position, and what."""
    assert not verified.equal
    assert verified.difference is not None
    assert verified.difference.advice
    return verified.difference.service, verified.difference.position, verified.difference.what


async def test_equal_copies_are_equal_and_each_has_the_digest_of_its_chain(copies: Copies) -> None:
    verified = await copies.verified()

    assert (verified.equal, verified.events, verified.difference) == (True, 11, None)
    booking = verified.services["booking"]
    assert (booking.equal, booking.database, booking.stream, booking.keys) == (9, 9, 9, 3)
    digest = b""
    for row in await copies.logs["booking"].fetch("SELECT body FROM events ORDER BY position"):
        digest = sha256(digest + row["body"]).digest()
    assert booking.digest == digest.hex()


async def test_a_county_that_has_recorded_nothing_is_equal(county: County) -> None:
    async with copies_of(county) as copies:
        assert (await copies.verified()).equal


async def test_a_database_that_was_not_migrated_is_named(county: County) -> None:
    async with copies_of(county) as copies:
        await copies.logs["rebooking"].execute("DROP TABLE relayed")
        with pytest.raises(Refusal, match=r"the database of rebooking has no log, or .* migrate`"):
            await copies.verified()


async def test_services_at_work_are_compared_and_what_is_not_copied_yet_is_no_difference(copies: Copies) -> None:
    async with both_at_work(copies.county) as (booking, _):
        await booking.executor.execute(Freeze("G5", "outage-5"))
        assert (await copies.verified()).equal


async def test_what_only_the_database_has_is_said_and_is_no_difference(copies: Copies) -> None:
    whole = await copies.stream()
    await copies.only(whole[:-1])
    await copies.logs["rebooking"].execute("UPDATE relayed SET position = 1")
    await copies.logs["rebooking"].execute("UPDATE checkpoint SET followed = '{\"booking\": 9}'")

    verified = await copies.verified()

    rebooking = verified.services["rebooking"]
    assert (verified.equal, rebooking.equal, rebooking.database, rebooking.stream) == (True, 1, 2, 1)


async def test_a_bit_flipped_in_a_database_is_found(copies: Copies) -> None:
    await copies.logs["booking"].execute(
        "UPDATE events SET body = set_bit(body, 2000, 1 - get_bit(body, 2000)) WHERE position = 3"
    )

    service, position, what = told(await copies.verified())

    assert (service, position) == ("booking", 3)
    assert "event 3 of booking" in what


async def test_a_row_that_is_not_what_its_event_says_is_found(copies: Copies) -> None:
    await copies.logs["booking"].execute("UPDATE events SET practice = 'G9' WHERE position = 4")

    assert told(await copies.verified()) == (
        "booking",
        4,
        "event 4 of booking in the database is not what its row says: practice differ",
    )


async def test_an_event_under_another_subject_is_found(copies: Copies) -> None:
    first, second, *others = await copies.stream()
    moved = second._replace(subject="daybook.booking.G9.practice-registered")
    await copies.only([first, moved, *others])

    service, position, what = told(await copies.verified())

    assert (service, position) == ("booking", 2)
    assert "not as daybook.booking.G2.practice-registered" in what


async def test_an_event_that_the_stream_lacks_is_found(copies: Copies) -> None:
    first, _, *others = await copies.stream()
    await copies.only([first, *others])

    assert told(await copies.verified()) == ("booking", 2, "the stream lacks event 2 of booking, before sequence 2")


async def test_an_event_that_a_database_lacks_is_found_and_so_is_its_end(copies: Copies) -> None:
    await copies.logs["rebooking"].execute("DELETE FROM events WHERE position = 2")
    await copies.logs["rebooking"].execute("UPDATE log_head SET position = 1")
    service, position, what = told(await copies.verified())
    assert (service, position) == ("rebooking", 2)
    assert "missing in the database" in what

    await copies.logs["booking"].execute("DELETE FROM events WHERE position = 5")
    service, position, what = told(await copies.verified())
    assert (service, position) == ("booking", 5)
    assert "event 5 of booking is missing in the database" in what


async def test_versions_that_do_not_follow_on_are_found(copies: Copies) -> None:
    whole = await copies.stream()
    wrong = [each._replace(body=each.body.replace(b'"version":2', b'"version":3')) for each in whole]
    await copies.only(wrong)
    for service, log in copies.logs.items():
        bodies = [each.body for each in wrong if each.subject.split(".")[1] == service]
        await log.execute(
            "UPDATE events SET body = new.body, version = CASE version WHEN 2 THEN 3 ELSE version END "
            "FROM unnest($1::bytea[]) WITH ORDINALITY AS new (body, position) WHERE events.position = new.position",
            bodies,
        )

    assert told(await copies.verified()) == (
        "booking",
        7,
        "event 7 of booking is version 3 of practice/G1, which does not follow on version 1",
    )


async def test_a_stream_that_was_cut_off_or_made_again_is_found(copies: Copies) -> None:
    whole = await copies.stream()
    await copies.only(whole[:4])
    # How far each was copied is noted now and then, and may not have been yet: what was followed is proof enough.
    for log in copies.logs.values():
        await log.execute("UPDATE relayed SET position = 0")
    _, position, what = told(await copies.verified())
    assert position == 5
    assert "the stream ends at event 4 of booking, but rebooking has followed 9" in what

    await copies.county.servers.fresh_streams()
    _, position, what = told(await copies.verified())
    assert position == 1


async def test_a_key_that_differs_or_is_missing_is_found(copies: Copies) -> None:
    log = copies.logs["booking"]
    await log.execute("UPDATE data_keys SET wrapped = 'other' WHERE subject = 'patient-2'")
    assert "patient-2 that booking made is another" in told(await copies.verified())[2]

    await log.execute("DELETE FROM data_keys WHERE subject = 'patient-2'")
    assert "has a key of patient patient-2 from booking, and its database has not" in told(await copies.verified())[2]

    await copies.only(await copies.stream(), keys=False)
    assert "patient-1 that booking made is missing in the keys stream" in told(await copies.verified())[2]
    await copies.republished()
    assert (await copies.verified()).equal


@pytest.fixture
async def mortal(servers: Servers, broker: MortalBroker) -> County:
    """A county with a history on a broker of its own, whose files can be damaged."""
    await broker.start()
    client = await connect(broker.nats.url("operator"), "operator")
    await ensure_streams(client)
    await client.close()
    county = County(replace(servers, nats=broker.nats))
    await a_history(county, noted=True)
    return county


async def test_a_killed_broker_cuts_its_log_at_a_flipped_bit_and_nothing_is_built_on_what_is_left(
    mortal: County, broker: MortalBroker
) -> None:
    await broker.kill()
    flip_a_bit(broker, b"Surgery G4")
    await broker.start()

    async with copies_of(mortal) as copies:
        _, position, what = told(await copies.verified())
        assert position == 4
        assert "the stream ends at event 3 of booking" in what
        async with both_at_work(mortal) as (booking, rebooking):
            await booking.executor.execute(Register("G7", "Surgery G7"))
            assert "`daybook log republish`" in await lost(booking)
            assert "`daybook log republish`" in await lost(rebooking)
        await copies.republished()
        assert (await copies.verified()).equal


async def test_a_stopped_broker_passes_over_an_event_with_a_flipped_bit_and_nobody_builds_on_the_rest(
    mortal: County, broker: MortalBroker
) -> None:
    await broker.stop()
    flip_a_bit(broker, b"Surgery G4")
    await broker.start()

    async with copies_of(mortal) as copies:
        service, position, what = told(await copies.verified())
        assert (service, position) == ("booking", 4)
        assert "the stream lacks event 4 of booking, before sequence 5" in what
        with pytest.raises(Conflict, match="at sequence 4 it is not what the databases hold"):
            await copies.republished()
    async with both_at_work(mortal) as (booking, rebooking):
        assert (await rebuilt(mortal, booking)).equal, "booking's own copy is whole"
        with pytest.raises(Halted, match="event 4 of booking is missing from the log before 5: nothing is built on it"):
            await rebuilt(mortal, rebooking)
    await mortal.lose_database(practices.BLUEPRINT)
    settings = await mortal.settings(practices.BLUEPRINT, practices.Settings)
    with pytest.raises(Halted, match="sequence 4 of the stream is missing"):
        await restored(mortal, practices.BLUEPRINT, settings.database_url)


async def test_an_older_copy_of_a_database_takes_no_orders(copies: Copies) -> None:
    await copies.logs["booking"].execute("DELETE FROM events WHERE position > 7")
    await copies.logs["booking"].execute("UPDATE log_head SET position = 7")

    async with copies.county.service(practices.BLUEPRINT, practices.Settings) as booking:
        with pytest.raises(Unavailable, match="the stream holds 9 events of booking, the database only 7"):
            await booking.executor.execute(Register("G7", "Surgery G7"))
        await copies.county.servers.fresh_streams()
        assert await lost(booking)
        assert booking.relay.halted == ""


def flip_a_bit(broker: MortalBroker, where: bytes) -> None:
    """In the file in which the server keeps it."""
    for path in broker.nats.directory.rglob("*.blk"):
        content = bytearray(path.read_bytes())
        if (at := content.find(where)) >= 0:
            content[at] ^= 1
            path.write_bytes(content)
            return
    raise AssertionError("no file holds it")
