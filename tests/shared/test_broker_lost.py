"""The broker may die at any moment: nothing acknowledged is lost, nothing is copied twice, and order is kept."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.operator.embedded import NATS_USERS, Nats, free_ports, wait_for_nats
from shared.broker import connect
from shared.log import read_after
from shared.reading import reading
from shared.service import Running
from shared.stream import STREAM, ensure_streams
from tests.harness import County, Servers
from tests.shared.toys import practices
from tests.shared.toys.practices import Register
from tests.waiting import DEADLINE


class MortalBroker:
    """A NATS server of the test's own, to be killed and started again on the same store."""

    def __init__(self, nats: Nats) -> None:
        self.nats = nats
        self._child: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._child = await asyncio.create_subprocess_exec(
            *self.nats.command(), env=os.environ | self.nats.environment(), stdout=DEVNULL, stderr=DEVNULL
        )
        await wait_for_nats(self.nats.url("operator"), within=DEADLINE)

    async def stop(self) -> None:
        """As it is told to at the end of a day: what it knows of its store is written down."""
        if self._child is not None:
            self._child.send_signal(signal.SIGINT)
            await self._child.wait()
            self._child = None

    async def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            await self._child.wait()
            self._child = None


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[MortalBroker]:
    (port,) = free_ports(1)
    nats = Nats(directory=tmp_path / "nats", port=port, passwords=dict.fromkeys(NATS_USERS, "for-tests"))
    nats.prepare()
    mortal = MortalBroker(nats)
    yield mortal
    await mortal.kill()


@pytest.fixture
async def booking(servers: Servers, broker: MortalBroker) -> AsyncIterator[Running]:
    await broker.start()
    client = await connect(broker.nats.url("operator"), "operator")
    await ensure_streams(client)
    await client.close()
    county = County(replace(servers, nats=broker.nats))
    async with county.service(practices.BLUEPRINT, practices.Settings, relay_wait=0.2) as running:
        yield running


async def whole_stream(broker: MortalBroker) -> list[bytes]:
    client = await connect(broker.nats.url("operator"), "operator")
    try:
        last = (await client.jetstream().stream_info(STREAM)).state.last_seq
        async with reading(client, 1, until=last) as batches:
            return [stored.body async for batch in batches for stored in batch]
    finally:
        await client.close()


async def whole_log(booking: Running) -> list[bytes]:
    async with booking.engine.connect() as connection:
        return [recorded.body for recorded in await read_after(connection, 0, 10_000)]


async def copied(booking: Running, position: int) -> None:
    """Return when the stream has this event."""
    async with asyncio.timeout(DEADLINE):
        while not await booking.relay.reached(position, 1.0):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_with_the_broker_away_commands_are_answered_and_copied_later(
    booking: Running, broker: MortalBroker
) -> None:
    await booking.executor.execute(Register("G1", "Harbour Surgery"))
    await broker.kill()

    (recorded,) = await booking.executor.execute(Register("G2", "Marsh Surgery"))

    assert recorded.position == 2
    await broker.start()
    assert await booking.relay.reached(1, 0)
    await copied(booking, 2)
    assert await whole_stream(broker) == await whole_log(booking)


async def test_a_broker_killed_again_and_again_under_load_ends_with_the_same_log(
    booking: Running, broker: MortalBroker
) -> None:
    async def keep_registering(client: int) -> int:
        for number in range(60):
            await booking.executor.execute(Register(f"C{client}N{number}", f"Surgery {client}.{number}"))
        return 60

    clients = [asyncio.ensure_future(keep_registering(client)) for client in range(8)]
    for position in (40, 120, 250):
        await copied(booking, position)
        await broker.kill()
        await broker.start()
    answered = sum(await asyncio.gather(*clients))

    await copied(booking, answered)
    log = await whole_log(booking)
    assert len(log) == answered
    assert await whole_stream(broker) == log
