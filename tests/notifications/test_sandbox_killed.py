"""The sandbox killed in the middle: what it accepted it knows again, whatever it had time to answer."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from services.notifications.sandbox.journal import Accepted, Journal, Replied, Settled
from services.notifications.sandbox.phones import Phones
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, KEY, NOWHERE, SENDER, TOKEN, bearer
from tests.serving import HOST, free_port
from tests.waiting import DEADLINE

NOW = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)


@asynccontextmanager
async def process(directory: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """The sandbox as a process of its own, to be killed."""
    port = free_port()
    environment = {
        "SANDBOX_GATEWAY_KEY": KEY,
        "SANDBOX_CALLBACK_TOKEN": TOKEN,
        "SANDBOX_TWILIO_ACCOUNT": ACCOUNT,
        "SANDBOX_TWILIO_TOKEN": AUTH_TOKEN,
        "SANDBOX_TWILIO_SENDER": SENDER,
    }
    given = ["--port", str(port), "--callback-url", NOWHERE, "--directory", str(directory)]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.notifications.sandbox", *given, env=os.environ | environment
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=DEADLINE) as http:
            await _until_alive(http)
            yield child, http
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _until_alive(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                await http.get("/livez")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


def phones(directory: Path) -> Phones:
    journal = Journal(directory / "journal.jsonl")
    try:
        return Phones(journal)
    finally:
        journal.close()


async def test_it_dies_before_its_answer_and_the_message_is_there(tmp_path: Path) -> None:
    async with process(tmp_path) as (child, http):
        await http.post("/sandbox/knobs", json={"die": 1})
        order = {"To": "+447700900123", "From": SENDER, "Body": "Sam", "StatusCallback": f"{NOWHERE}/status/m.1"}
        with pytest.raises(httpx.TransportError):
            await http.post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=order, auth=(ACCOUNT, AUTH_TOKEN))
        assert await child.wait() == -9
    (message,) = phones(tmp_path).sent_by("twilio")
    assert (message.accepted.reference, message.accepted.callback) == ("m.1", f"{NOWHERE}/status/m.1")


async def test_it_dies_with_half_its_answer_on_the_wire_and_the_message_is_there(tmp_path: Path) -> None:
    order = {"phone_number": "07700900123", "template_id": "t", "personalisation": {"body": "Sam"}, "reference": "m.1"}
    async with process(tmp_path) as (child, http):
        await http.post("/sandbox/knobs?provider=notify", json={"die_half": 1})
        async with http.stream("POST", "/v2/notifications/sms", json=order, headers=bearer()) as answer:
            parts = answer.aiter_bytes()
            half = await anext(parts)
            with pytest.raises(httpx.TransportError):
                await anext(parts)
        assert await child.wait() == -9
    assert len(half) == int(answer.headers["content-length"]) // 2
    (message,) = phones(tmp_path).under("m.1")
    assert message.accepted.id.encode() in half


def test_lines_from_before_there_were_two_providers_can_still_be_read(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text(
        '{"type":"accepted","id":"m-1","reference":"a.1","phone":"+447700900123","body":"Sam","template":"t",'
        '"at":"2024-07-22T08:00:00Z"}\n'
        '{"type":"replied","id":"r-1","phone":"+447700900123","text":"STOP","at":"2024-07-22T08:01:00Z"}\n'
    )
    found = phones(tmp_path)
    assert [message.accepted.provider for message in found.under("a.1")] == ["notify"]
    assert (found.replies["r-1"].replied.provider, found.opted_out) == ("notify", set())


def test_who_opted_out_is_still_out_afterwards(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write(Accepted("SM1", "a.1", "+447700900123", "Sam", "", NOW, provider="twilio", callback="http://h/a.1"))
    journal.write(Settled("SM1", "delivered", NOW))
    for number, (phone, text) in enumerate([("101", "STOP"), ("102", "STOP"), ("102", "START"), ("103", "stop it")]):
        journal.write(Replied(f"SM{number}", f"+447700900{phone}", text, NOW, "twilio"))
    journal.close()
    again = phones(tmp_path)
    assert again.opted_out == {"+447700900101"}
    assert [message.accepted.callback for message in again.untold()] == ["http://h/a.1"]
