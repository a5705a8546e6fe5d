"""A follower stops rather than build on a log that has a hole or makes no sense."""

import asyncio
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text

from shared.broker import connect
from shared.events.booking import PracticeRegistered
from shared.events.envelope import Recorded, with_body
from shared.service import Running
from shared.stream import Message, publish
from tests.harness import County
from tests.shared.toys import outages
from tests.waiting import DEADLINE

NOW = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)


def registered(position: int, code: str) -> Recorded:
    event = PracticeRegistered(practice=code, name=f"Surgery {code}")
    return with_body(
        Recorded(
            position=position,
            version=1,
            id=f"event-{position}",
            service="booking",
            stream=event.stream,
            practice=code,
            recorded_at=NOW,
            occurred_at=NOW,
            event=event,
        )
    )


async def in_the_stream(county: County, *events: Recorded) -> None:
    client = await connect(county.servers.nats.url("operator"), "operator")
    try:
        for event in events:
            await publish(client, [Message(event.subject, event.id, event.body)])
    finally:
        await client.close()


async def halted(running: Running) -> str:
    async with asyncio.timeout(DEADLINE):
        while not running.follow.halted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return running.follow.halted


async def known(running: Running) -> list[str]:
    async with running.engine.connect() as connection:
        return list((await connection.execute(text("SELECT practice FROM known_practices ORDER BY 1"))).scalars())


async def test_a_repeat_is_dropped(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        again = msgspec.structs.replace(registered(1, "G9"), id="event-1-again")
        await in_the_stream(county, registered(1, "G1"), again, registered(2, "G2"))
        await county.caught_up()

        assert await known(rebooking) == ["G1", "G2"]


async def test_a_gap_stops_it_and_names_what_is_missing(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await in_the_stream(county, registered(1, "G1"), registered(5, "G5"))

        assert (await halted(rebooking)).startswith("events 2 to 4 of booking are missing from the stream")
        assert "G5" not in await known(rebooking)


async def test_bytes_that_are_no_event_stop_it(county: County) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
        await in_the_stream(county, msgspec.structs.replace(registered(1, "G1"), body=b"{}"))

        assert "not a Daybook event" in await halted(rebooking)


async def test_a_service_that_has_just_started_claims_to_have_followed_nothing_rather_than_everything(
    county: County,
) -> None:
    async with county.service(outages.BLUEPRINT, outages.Settings, nats_url="nats://127.0.0.1:1") as rebooking:
        assert rebooking.follow.followed == dict.fromkeys(outages.BLUEPRINT.sources, 0)
