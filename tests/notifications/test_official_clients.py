"""The vendors' own clients at work against the sandbox: what they rely on is what the sandbox must keep to."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from notifications_python_client.errors import HTTP503Error
from twilio.rest import Client

from shared.clock import Clock
from tests.notifications.official import (
    async_twilio_client,
    happened_before,
    notify_no,
    twilio_no,
    with_notify,
    with_twilio,
)
from tests.notifications.sandbox import (
    KEY,
    NOWHERE,
    SENDER,
    TOKEN,
    Listener,
    Sandbox,
    listening,
    sandbox_at,
)

TEMPLATE = "0d3bd5ef-6b3c-4c1c-9f0e-5d8f4f3a7c11"
REFERENCE = "0190d2f0-0000-7000-8000-000000000001.1"
PHONE = "+447700900123"

TWILIO_TOO_OLD_FOR_AIOHTTP = "ignore:.*auth:DeprecationWarning"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


@pytest.fixture
async def sandbox(tmp_path: Path, listener: Listener) -> AsyncIterator[Sandbox]:
    async with sandbox_at(tmp_path, callback_url=listener.url) as sandbox:
        yield sandbox


async def test_notifys_client_sends_and_finds_it_by_id_and_by_reference(sandbox: Sandbox, listener: Listener) -> None:
    sent = await with_notify(
        sandbox, lambda client: client.send_sms_notification("07700 900 123", TEMPLATE, {"body": "Sam"}, REFERENCE)
    )
    assert (sent["reference"], sent["content"]["body"], sent["template"]["id"]) == (REFERENCE, "Sam", TEMPLATE)
    (receipt,) = await listener.hears(1, "/v1/receipts")
    assert receipt.headers["authorization"] == f"Bearer {TOKEN}"
    assert (receipt.json["id"], receipt.json["status"], receipt.json["to"]) == (sent["id"], "delivered", PHONE)
    one = await with_notify(sandbox, lambda client: client.get_notification_by_id(sent["id"]))
    listed = await with_notify(sandbox, lambda client: client.get_all_notifications(reference=REFERENCE))
    assert listed["notifications"] == [one]
    assert (one["status"], one["phone_number"], one["type"], one["body"]) == ("delivered", PHONE, "sms", "Sam")
    paged = await with_notify(sandbox, lambda client: list(client.get_all_notifications_iterator(reference=REFERENCE)))
    assert paged == [one]


async def test_notifys_client_pages_through_messages_and_received_texts(tmp_path: Path) -> None:
    happened_before(tmp_path, "notify", sent=510, written=260)
    async with sandbox_at(tmp_path, callback_url=NOWHERE) as sandbox:
        listed = await with_notify(sandbox, lambda client: list(client.get_all_notifications_iterator()))
        failed = await with_notify(sandbox, lambda client: client.get_all_notifications(status="failed"))
        letters = await with_notify(sandbox, lambda client: client.get_all_notifications(template_type="letter"))
        first = await with_notify(sandbox, lambda client: client.get_all_notifications(template_type="sms"))
        received = await with_notify(sandbox, lambda client: list(client.get_received_texts_iterator()))
    assert [each["body"] for each in listed] == [f"text {number}" for number in range(509, -1, -1)]
    assert len(first["notifications"]) == 250
    assert {each["status"] for each in failed["notifications"]} == {"permanent-failure"}
    assert (len(failed["notifications"]), letters["notifications"]) == (51, [])
    assert [each["content"] for each in received] == [f"reply {number}" for number in range(259, -1, -1)]
    assert received[0].keys() >= {"id", "created_at", "service_id", "notify_number", "user_number"}


async def test_notifys_client_reads_the_one_template(sandbox: Sandbox) -> None:
    (template,) = (await with_notify(sandbox, lambda client: client.get_all_templates("sms")))["templates"]
    assert template == await with_notify(sandbox, lambda client: client.get_template(TEMPLATE))
    assert template == await with_notify(sandbox, lambda client: client.get_template_version(TEMPLATE, 1))
    assert (template["type"], template["body"], template["version"]) == ("sms", "((body))", 1)
    seen = await with_notify(sandbox, lambda client: client.post_template_preview(TEMPLATE, {"body": "Sam"}))
    assert (seen["id"], seen["body"]) == (TEMPLATE, "Sam")
    assert await notify_no(sandbox, lambda client: client.get_template("another")) == (404, "NoResultFound")
    assert await notify_no(sandbox, lambda client: client.post_template_preview(TEMPLATE, {})) == (
        400,
        "BadRequestError",
    )


async def test_notifys_client_raises_what_notify_says(sandbox: Sandbox) -> None:
    def send(client: Any, phone: str = PHONE) -> Any:
        return client.send_sms_notification(phone, TEMPLATE, {"body": "Sam"})

    invalid, missing = (400, "ValidationError"), (404, "NoResultFound")
    assert await notify_no(sandbox, lambda client: send(client, "01632 960123")) == invalid
    assert await notify_no(sandbox, lambda client: send(client, "0740O 123456")) == invalid
    assert await notify_no(sandbox, lambda client: client.get_notification_by_id("none")) == invalid
    assert await notify_no(sandbox, lambda client: client.get_all_notifications(status="lost")) == invalid
    assert await notify_no(sandbox, lambda client: client.get_all_notifications(older_than="lost")) == invalid
    assert await notify_no(sandbox, lambda client: client.get_notification_by_id(REFERENCE[:-2])) == missing
    assert await notify_no(sandbox, send, KEY[:-1] + "3") == (403, "AuthError")
    await sandbox.turn("notify", limit=1)
    assert await notify_no(sandbox, send) == (429, "RateLimitError")
    await sandbox.turn("notify", fail=1)
    assert await notify_no(sandbox, send) == (500, "Exception")
    await sandbox.turn("notify", down=True)
    with pytest.raises(HTTP503Error):
        await with_notify(sandbox, send)
    figures = await sandbox.figures()
    assert (figures["accepted"], figures["limited"]) == (0, 1)


async def test_twilios_client_sends_and_finds_it_by_sid_and_by_receiver_and_time(
    sandbox: Sandbox, listener: Listener
) -> None:
    before = Clock().now()
    callback = f"{listener.url}/v1/twilio/status/{REFERENCE}"
    sent = await with_twilio(
        sandbox,
        lambda client: client.messages.create(
            to=PHONE, from_=SENDER, body="Sam", status_callback=callback, validity_period=14_400
        ),
    )
    assert (sent.status, sent.num_segments, sent.from_, sent.date_sent) == ("queued", "1", SENDER, None)
    assert (sent.sid[:2], len(sent.sid), sent.direction) == ("SM", 34, "outbound-api")
    first, last = await listener.hears(2, f"/v1/twilio/status/{REFERENCE}")
    assert [each.form["MessageStatus"] for each in (first, last)] == ["sent", "delivered"]
    assert {each.form["MessageSid"] for each in (first, last)} == {sent.sid}
    one = await with_twilio(sandbox, lambda client: client.messages(sent.sid).fetch())
    assert (one.status, one.to, one.body, one.error_code) == ("delivered", PHONE, "Sam", None)

    def listed(client: Client) -> list[int]:
        return [
            len(client.messages.list(to=PHONE, date_sent_after=before)),
            len(client.messages.list(to=PHONE, date_sent_after=before + timedelta(seconds=60))),
            len(client.messages.list(to=PHONE, date_sent_before=before - timedelta(seconds=60))),
            len(client.messages.list(to="+447700900124")),
            len(client.messages.list(from_="+447700900124")),
        ]

    assert await with_twilio(sandbox, listed) == [1, 0, 0, 0, 0]
    assert await sandbox.messages() == [{**(await sandbox.messages())[0], "reference": REFERENCE, "provider": "twilio"}]


@pytest.mark.filterwarnings(TWILIO_TOO_OLD_FOR_AIOHTTP)
async def test_twilios_async_client_sends_and_pages_through_the_list(tmp_path: Path) -> None:
    known = happened_before(tmp_path, "twilio", sent=45)
    async with sandbox_at(tmp_path, callback_url=NOWHERE) as sandbox, async_twilio_client(sandbox.url) as client:
        sent = await client.messages.create_async(to=PHONE, messaging_service_sid="MG" + 32 * "0", body="Sam")
        assert (sent.status, sent.messaging_service_sid) == ("accepted", "MG" + 32 * "0")
        listed = await client.messages.list_async(to=PHONE, page_size=20)
        today = await client.messages.list_async(limit=3)
    assert [each.sid for each in listed] == [sent.sid, *known[::-1]]
    assert [each.sid for each in today] == [sent.sid, known[-1], known[-2]]
    assert {each.error_code for each in listed if each.status == "undelivered"} == {30005}


async def test_twilios_client_raises_what_twilio_says(sandbox: Sandbox) -> None:
    def send(client: Client, to: str = PHONE, **given: Any) -> Any:
        return client.messages.create(to=to, **({"from_": SENDER, "body": "Sam"} | given))

    assert await twilio_no(sandbox, lambda client: send(client, "07700900123")) == (400, 21211)
    assert await twilio_no(sandbox, lambda client: send(client, "+441632960123")) == (400, 21614)
    assert await twilio_no(sandbox, lambda client: send(client, "+33612345678")) == (400, 21408)
    assert await twilio_no(sandbox, lambda client: send(client, from_="+447700900123")) == (400, 21606)
    assert await twilio_no(sandbox, lambda client: send(client, body="x" * 1601)) == (400, 21617)
    assert await twilio_no(sandbox, lambda client: send(client, validity_period=36_001)) == (400, 21624)
    assert await twilio_no(sandbox, lambda client: send(client, status_callback="here")) == (400, 21609)
    assert await twilio_no(sandbox, lambda client: client.messages("SM" + 32 * "0").fetch()) == (404, 20404)
    assert await twilio_no(sandbox, send, token="wrong") == (401, 20003)
    assert await twilio_no(sandbox, send, account="AC" + 32 * "2") == (401, 20003)
    await sandbox.turn("twilio", limit=1)
    assert await twilio_no(sandbox, send) == (429, 20429)
    await sandbox.turn("twilio", refuse=1)
    assert await twilio_no(sandbox, send) == (400, 21612)
    await sandbox.turn("twilio", down=True)
    assert await twilio_no(sandbox, send) == (503, 20503)
    assert (await sandbox.figures())["providers"]["twilio"]["accepted"] == 0
