"""What a gateway makes of every way a provider can answer, against the sandbox itself."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from services.notifications.gateways import (
    Absent,
    Deferred,
    Found,
    Lost,
    NotifyGateway,
    Refused,
    Taken,
    Unreachable,
    parse_key,
)
from services.notifications.wording import Text
from shared.refusals import Refusal
from tests.notifications.sandbox import KEY, Sandbox, bearer, sandbox_at
from tests.serving import free_port

TEXT = Text("+447700900123", "Sam, your appointment has moved.")
TEMPLATE = "0d3bd5ef-6b3c-4c1c-9f0e-5d8f4f3a7c11"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with sandbox_at(tmp_path, callback_url=f"http://127.0.0.1:{free_port()}") as sandbox:
        yield sandbox


@pytest.fixture
async def gateway(sandbox: Sandbox) -> AsyncIterator[NotifyGateway]:
    async with aiohttp.ClientSession(sandbox.url, timeout=aiohttp.ClientTimeout(sock_read=0.5)) as client:
        yield NotifyGateway(client, key=KEY, template=TEMPLATE)


async def test_what_is_taken_can_be_looked_up(gateway: NotifyGateway) -> None:
    taken = await gateway.send(TEXT, "message-1.1")
    assert isinstance(taken, Taken)
    found = await gateway.look_up("message-1.1")
    assert isinstance(found, Found)
    assert found.provider_id == taken.provider_id


async def test_what_was_never_sent_is_absent(gateway: NotifyGateway) -> None:
    assert await gateway.look_up("message-1.1") == Absent()


async def test_an_answer_that_never_comes_is_lost_and_the_message_is_there(
    gateway: NotifyGateway, sandbox: Sandbox
) -> None:
    await sandbox.turn(drop_answer=1)
    assert await gateway.send(TEXT, "message-1.1") == Lost()
    assert isinstance(await gateway.look_up("message-1.1"), Found)


async def test_a_server_error_proves_nothing(gateway: NotifyGateway, sandbox: Sandbox) -> None:
    await sandbox.turn(fail=1)
    assert await gateway.send(TEXT, "message-1.1") == Lost()
    assert await gateway.look_up("message-1.1") == Absent()


async def test_a_refusal_is_final(gateway: NotifyGateway, sandbox: Sandbox) -> None:
    await sandbox.turn(refuse=1)
    assert await gateway.send(TEXT, "message-1.1") == Refused("The provider refuses it: BadRequestError")
    assert await gateway.send(Text("01632 960123", "Sam"), "message-1.2") == Refused(
        "The provider refuses it: ValidationError"
    )


async def test_the_rate_limit_asks_for_patience(gateway: NotifyGateway, sandbox: Sandbox) -> None:
    await sandbox.turn(limit=1)
    assert isinstance(await gateway.send(TEXT, "message-1.1"), Deferred)
    assert isinstance(await gateway.send(TEXT, "message-1.1"), Taken)


async def test_a_wrong_key_holds_up_and_fails_no_message(sandbox: Sandbox) -> None:
    key = KEY[:-1] + "3"
    async with aiohttp.ClientSession(sandbox.url) as client:
        gateway = NotifyGateway(client, key=key, template=TEMPLATE)
        assert isinstance(await gateway.send(TEXT, "message-1.1"), Deferred)
        assert await gateway.look_up("message-1.1") == Unreachable()


async def test_with_nobody_there_nothing_was_sent() -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{free_port()}") as client:
        gateway = NotifyGateway(client, key=KEY, template=TEMPLATE)
        assert isinstance(await gateway.send(TEXT, "message-1.1"), Deferred)
        assert await gateway.look_up("message-1.1") == Unreachable()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nno"])
async def test_a_connection_cut_or_an_answer_that_makes_no_sense_is_lost(answer: bytes) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        gateway = NotifyGateway(client, key=KEY, template=TEMPLATE)
        assert await gateway.send(TEXT, "message-1.1") == Lost()


@pytest.mark.parametrize("seconds", [-40, 40])
async def test_a_token_off_by_more_than_thirty_seconds_is_refused(sandbox: Sandbox, seconds: int) -> None:
    answer = await sandbox.http.get("/v2/notifications", headers=bearer(seconds=seconds))
    assert (answer.status_code, answer.json()["errors"][0]["error"]) == (403, "AuthError")


@pytest.mark.parametrize("key", ["", "short", "x" * 80])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(Refusal, match="not an API key"):
        parse_key(key)
