"""The servers of one machine: they start, keep what they were given, and let each service do no more than its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig

from services.operator.embedded import NATS_USERS, Nats, Postgres, free_ports, wait_for_nats, wait_for_postgres
from shared.refusals import Unavailable
from tests.waiting import DEADLINE

SERVICES = ("booking", "rebooking", "notifications")


@asynccontextmanager
async def running(server: Postgres | Nats) -> AsyncIterator[None]:
    server.prepare()
    environment = {**os.environ, **server.environment()}
    child = await asyncio.create_subprocess_exec(
        *server.command(), env=environment, stderr=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        child.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(child.wait(), DEADLINE) == 0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Nats]:
    """A NATS server with the two streams, on a path with a space and with passwords that look like numbers."""
    nats_server = Nats(tmp_path / "nats store", free_ports(1)[0], dict.fromkeys(NATS_USERS, "123"))
    async with running(nats_server):
        await wait_for_nats(nats_server.url("operator"))
        operator = await nats.connect(nats_server.url("operator"))
        await operator.jetstream().add_stream(StreamConfig(name="DAYBOOK", subjects=["daybook.>"], allow_direct=True))
        await operator.jetstream().add_stream(StreamConfig(name="DAYBOOK_KEYS", subjects=["daybook-keys.>"]))
        await operator.close()
        yield nats_server


@asynccontextmanager
async def connected(server: Nats, user: str, told: Callable[[str], None] = lambda _: None) -> AsyncIterator[Client]:
    async def on_error(problem: Exception) -> None:
        told(str(problem).lower())

    client = await nats.connect(
        server.url(user), inbox_prefix=f"_INBOX_{user}".encode(), error_cb=on_error, allow_reconnect=False
    )
    try:
        yield client
    finally:
        await client.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_adds_to_the_log_under_its_own_name_and_reads_all_of_it(server: Nats, service: str) -> None:
    start = DeliverPolicy.BY_START_SEQUENCE
    consumer = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=start, opt_start_seq=1)
    async with connected(server, service) as client, connected(server, "operator") as operator:
        stream = client.jetstream()
        await operator.jetstream().publish("daybook.other.county.said", b"theirs")
        await stream.publish(f"daybook.{service}.G82002.said", b"ours")
        await stream.publish(f"daybook-keys.{service}.someone", b"key")

        subscription = await stream.pull_subscribe("", stream="DAYBOOK", config=consumer)
        read = await subscription.fetch(2, timeout=DEADLINE)

        assert [message.data for message in read] == [b"theirs", b"ours"]
        assert (await stream.get_msg("DAYBOOK", 2)).data == b"ours"
        assert (await stream.get_last_msg("DAYBOOK_KEYS", f"daybook-keys.{service}.someone")).data == b"key"
        assert (await stream.get_msg("DAYBOOK", 2, direct=True)).data == b"ours"
        assert (await stream.stream_info("DAYBOOK")).state.messages == 2


@pytest.mark.parametrize(
    "subject",
    [
        "daybook.booking.G82002.appointment-booked",
        "daybook-keys.booking.someone",
        "$JS.API.STREAM.DELETE.DAYBOOK",
        "$JS.API.STREAM.PURGE.DAYBOOK",
        "$JS.API.STREAM.UPDATE.DAYBOOK",
        "$JS.API.STREAM.CREATE.ANOTHER",
        "$JS.API.STREAM.MSG.DELETE.DAYBOOK",
        "_INBOX_booking.answer",
    ],
)
async def test_a_service_may_not_speak_for_another_nor_touch_a_stream(server: Nats, subject: str) -> None:
    errors: asyncio.Queue[str] = asyncio.Queue()
    async with connected(server, "rebooking", errors.put_nowait) as client:
        await client.publish(subject, b"{}")
        error = await asyncio.wait_for(errors.get(), DEADLINE)

    assert "permissions violation for publish" in error
    async with connected(server, "operator") as operator:
        assert (await operator.jetstream().stream_info("DAYBOOK")).state.messages == 0


async def test_a_service_may_not_read_the_answers_to_another(server: Nats) -> None:
    errors: asyncio.Queue[str] = asyncio.Queue()
    async with connected(server, "rebooking", errors.put_nowait) as client:
        await client.subscribe("_INBOX_booking.>")
        assert "permissions violation for subscription" in await asyncio.wait_for(errors.get(), DEADLINE)


async def test_postgres_keeps_its_data_over_a_restart_and_lets_no_stranger_in(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "the data", free_ports(1)[0], "a password", durable=False)
    async with running(postgres):
        await wait_for_postgres(postgres.url())
        connection = await asyncpg.connect(postgres.url())
        await connection.execute("CREATE TABLE kept AS SELECT lower('ÀÉ') AS word")
        await connection.close()
    async with running(postgres):
        await wait_for_postgres(postgres.url())
        connection = await asyncpg.connect(postgres.url())
        assert await connection.fetchval("SELECT word FROM kept") == "àé"
        await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url().replace("password", "guess"))


async def test_a_server_that_does_not_come_up_is_reported_after_the_deadline() -> None:
    port = free_ports(1)[0]
    with pytest.raises(Unavailable, match=r"PostgreSQL did not answer within 0\.1 s"):
        await wait_for_postgres(f"postgresql://daybook:x@127.0.0.1:{port}/postgres", within=0.1)
    with pytest.raises(Unavailable, match=r"NATS server did not answer within 0\.1 s"):
        await wait_for_nats(f"nats://operator:x@127.0.0.1:{port}", within=0.1)


def test_free_ports_are_all_different() -> None:
    assert len(set(free_ports(5))) == 5
