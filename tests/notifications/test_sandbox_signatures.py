"""What the sandbox brings as Twilio: signed as Twilio's own validator wants it, and nothing to whoever opted out."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.notifications.official import twilio_no, with_twilio
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, SENDER, Listener, Sandbox, listening, sandbox_at

PHONE = "+447700900123"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


@pytest.fixture
async def sandbox(tmp_path: Path, listener: Listener) -> AsyncIterator[Sandbox]:
    async with sandbox_at(tmp_path, callback_url=listener.url) as sandbox:
        yield sandbox


async def test_twilios_validator_believes_what_the_sandbox_signs_and_nothing_else(
    sandbox: Sandbox, listener: Listener
) -> None:
    callback = f"{listener.url}/v1/twilio/status/m.1?by=Sam%20%26%20co"
    await with_twilio(
        sandbox,
        lambda client: client.messages.create(to="+447700900003", from_=SENDER, body="Sam", status_callback=callback),
    )
    answer = {"phone": PHONE, "text": "2, später & so=on ✓", "provider": "twilio"}
    (await sandbox.http.post("/sandbox/reply-as", json=answer)).raise_for_status()
    heard = [*await listener.hears(2, "/v1/twilio/status"), *await listener.hears(1, "/v1/twilio/inbound")]
    validator = RequestValidator(AUTH_TOKEN)
    for each in heard:
        signature = each.headers["x-twilio-signature"]
        assert each.form["AccountSid"] == ACCOUNT
        assert validator.validate(each.url, each.form, signature)
        assert not validator.validate(each.url, each.form | {"To": "+447700900666"}, signature)
        assert not validator.validate(each.url.replace("/v1/", "/v2/"), each.form, signature)
        assert not RequestValidator("another token").validate(each.url, each.form, signature)
    undelivered, inbound = heard[1].form, heard[2].form
    assert (undelivered["MessageStatus"], undelivered["ErrorCode"]) == ("undelivered", "30003")
    assert (inbound["From"], inbound["To"], inbound["Body"]) == (PHONE, SENDER, answer["text"])
    assert (inbound["NumSegments"], inbound["FromCity"]) == ("1", "")


async def test_stop_at_twilio_ends_all_texts_until_start(sandbox: Sandbox, listener: Listener) -> None:
    async def write(text: str, provider: str = "twilio") -> None:
        body = {"phone": "07700900123", "text": text, "provider": provider}
        (await sandbox.http.post("/sandbox/reply-as", json=body)).raise_for_status()

    def send(client: Client) -> Any:
        return client.messages.create(to=PHONE, from_=SENDER, body="Sam")

    for harmless in ("STOP please", "cancel 7834", "Help", "yes"):
        await write(harmless)
    await write("STOP", "notify")
    await with_twilio(sandbox, send)
    for block, release in (("stop", "start"), (" Cancel ", "YES"), ("OptOut", "unstop")):
        await write(block)
        assert await twilio_no(sandbox, send) == (400, 21610)
        await write(release)
        await with_twilio(sandbox, send)
    kinds = [each.form.get("OptOutType") for each in await listener.hears(10, "/v1/twilio/inbound")]
    assert kinds == [None, None, "HELP", "START", *["STOP", "START"] * 3]
    page = (await sandbox.http.get("/")).text
    assert page.count("You will get no more texts from this number") == 3
    assert page.count("You will get texts from this number again") == 3
    assert (await sandbox.figures())["opted_out"] == 0
