"""The sandbox: what it promises to those who test against it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from twilio.base.page import Page

from services.notifications.sandbox.journal import Accepted, Journal
from services.notifications.sandbox.phones import Phones
from services.notifications.sandbox.settings import SandboxSettings
from shared.refusals import Refusal
from tests.notifications.sandbox import (
    ACCOUNT,
    AUTH_TOKEN,
    KEY,
    NOWHERE,
    SENDER,
    Sandbox,
    bearer,
    listening,
    sandbox_within,
)

NOW = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
NOTIFY = "/v2/notifications/sms"
TWILIO = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"

NOTIFICATION = {
    "id", "reference", "email_address", "phone_number", "line_1", "line_6", "postcode", "postage", "type", "status",
    "template", "body", "subject", "created_at", "created_by_name", "sent_at", "completed_at", "scheduled_for",
}  # fmt: skip
MESSAGE = {
    "sid", "account_sid", "messaging_service_sid", "direction", "from", "to", "body", "num_segments", "num_media",
    "status", "error_code", "error_message", "date_created", "date_sent", "date_updated", "price", "price_unit",
    "api_version", "uri", "subresource_uris",
}  # fmt: skip


def notify_order(reference: str) -> dict[str, Any]:
    """A request to send over Notify's wire."""
    order = {"phone_number": "07700900123", "template_id": "t", "personalisation": {"body": "<b>Sam</b>"}}
    return {"json": order | {"reference": reference}, "headers": bearer()}


def twilio_order(reference: str) -> dict[str, Any]:
    """And over Twilio's, where the reference is the end of the address for receipts."""
    order = {"To": "+447700900123", "From": SENDER, "Body": "Sam", "StatusCallback": f"{NOWHERE}/status/{reference}"}
    return {"data": order, "auth": (ACCOUNT, AUTH_TOKEN)}


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with sandbox_within(tmp_path) as sandbox:
        yield sandbox


async def send(sandbox: Sandbox, reference: str) -> str:
    answer = await sandbox.http.post(NOTIFY, **notify_order(reference))
    return str(answer.raise_for_status().json()["id"])


async def test_it_counts_messages_sent_twice_by_message_not_by_attempt(sandbox: Sandbox) -> None:
    for reference in ("a.1", "b.1", "b.2", "c.1", "c.1", "", ""):
        await send(sandbox, reference)
    figures = await sandbox.figures()
    assert (figures["accepted"], figures["distinct_references"], figures["duplicated"]) == (7, 4, 2)


async def test_a_message_that_each_provider_took_once_was_sent_twice(sandbox: Sandbox) -> None:
    for path, order in (
        (NOTIFY, notify_order("a.1")),
        (TWILIO, twilio_order("a.2")),
        (TWILIO, twilio_order("b.1")),
    ):
        (await sandbox.http.post(path, **order)).raise_for_status()
    figures = await sandbox.figures()
    assert (figures["accepted"], figures["duplicated"], figures["distinct_references"]) == (3, 1, 3)
    both = figures["providers"]
    assert [(both[name]["accepted"], both[name]["duplicated"]) for name in ("notify", "twilio")] == [(1, 0), (2, 0)]


async def test_answers_have_the_fields_that_the_providers_document(sandbox: Sandbox) -> None:
    sent = (await sandbox.http.post(NOTIFY, **notify_order("a.1"))).json()
    assert sent.keys() == {"id", "reference", "content", "uri", "template", "scheduled_for"}
    assert (sent["content"].keys(), sent["template"].keys()) == ({"body", "from_number"}, {"id", "version", "uri"})
    found = (await sandbox.http.get(f"/v2/notifications/{sent['id']}", headers=bearer())).json()
    assert found.keys() >= NOTIFICATION
    queued = (await sandbox.http.post(TWILIO, **twilio_order("b.1"))).json()
    assert queued.keys() == MESSAGE
    page = (await sandbox.http.get(TWILIO, auth=(ACCOUNT, AUTH_TOKEN))).json()
    assert page["messages"][0].keys() == MESSAGE
    # Twilio's client takes the one key that is not about paging for the records.
    assert page.keys() - Page.META_KEYS == {"messages"}


async def test_a_reply_goes_to_the_provider_whose_number_was_answered(tmp_path: Path) -> None:
    async with listening() as listener, sandbox_within(tmp_path, listener.url) as sandbox:
        ids = [(await sandbox.http.post(NOTIFY, **notify_order("a.1"))).json()["id"]]
        ids.append((await sandbox.http.post(TWILIO, **twilio_order("b.1"))).json()["sid"])
        page = (await sandbox.http.get("/")).text
        for name, id in zip(("GOV.UK Notify", "Twilio"), ids, strict=True):
            assert f'<option value="{id}">to {name}</option>' in page
            assert f"{name}: " in page
        await sandbox.http.post("/sandbox/reply", json={"to": ids[0], "text": "1"})
        await sandbox.http.post("/", data={"to": ids[1], "text": "2"})
        (notify,), (twilio,) = await listener.hears(1, "/v1/inbound"), await listener.hears(1, "/v1/twilio/inbound")
    assert (notify.json["message"], notify.json["destination_number"]) == ("1", "447700900999")
    assert (twilio.form["Body"], twilio.form["To"]) == ("2", SENDER)


def test_its_sender_at_twilio_is_a_number_or_a_messaging_service() -> None:
    def sender(given: str) -> tuple[str, str]:
        settings = SandboxSettings.from_environment(
            {"NOTIFICATIONS_TWILIO_SENDER": given}, gateway_key=KEY, callback_token="token"
        )
        _, twilio = settings.accounts()
        return twilio.number, twilio.messaging_service

    assert sender(SENDER) == (SENDER, "MG" + 32 * "0")
    assert sender("MG" + 32 * "4") == ("+447700900998", "MG" + 32 * "4")
    with pytest.raises(Refusal, match="SANDBOX_TWILIO_SENDER"):
        sender("the surgery")


async def test_what_it_accepted_survives_and_a_torn_last_line_does_not(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.write(Accepted("m-1", "a.1", "+447700900123", "Sam", "t", NOW))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"type":"accepted","id":"m-2","ref')
    again = Journal(path)
    phones = Phones(again)
    phones.record(Accepted("m-3", "b.1", "+447700900123", "Sam", "t", NOW))
    again.close()
    assert list(phones.messages) == ["m-1", "m-3"]
    assert [entry.id for entry in Journal(path).read()] == ["m-1", "m-3"]


async def test_a_knob_that_is_none_is_refused(sandbox: Sandbox) -> None:
    changes: list[dict[str, Any]] = [
        {"fail": "yes"},
        {"sabotage": 1},
        {"receipts": "never"},
        {"replies": "late"},
        {"delay_ms": -5},
        {"speed": 0},
        {"down": "perhaps"},
        {"fail": 1, "per_minute": -1},
    ]
    for change in changes:
        answer = await sandbox.http.post("/sandbox/knobs", json=change)
        assert answer.status_code == 422, change
    assert (await sandbox.http.post("/sandbox/knobs?provider=post", json={})).status_code == 422
    knobs = (await sandbox.http.get("/sandbox/knobs")).json()
    assert knobs["notify"] == knobs["twilio"]
    assert knobs["notify"]["fail"] == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"phone_number":"07700900123","template_id":"t","sender":"x"}',
        b'{"phone_number":"01632960123","template_id":"t","personalisation":{"body":"x"}}',
        b'{"phone_number":"07700900123","template_id":"t"}',
    ],
)
async def test_it_refuses_as_notify_does(sandbox: Sandbox, body: bytes) -> None:
    answer = await sandbox.http.post("/v2/notifications/sms", content=body, headers=bearer())
    assert answer.status_code == 400
    assert answer.json()["status_code"] == 400
    assert {"error", "message"} == answer.json()["errors"][0].keys()


async def test_without_a_token_nobody_gets_in(sandbox: Sandbox) -> None:
    answer = await sandbox.http.get("/v2/notifications")
    assert (answer.status_code, answer.json()["errors"][0]["error"]) == (401, "AuthError")


async def test_the_page_shows_each_phone_and_answers_without_a_script(sandbox: Sandbox) -> None:
    message = await send(sandbox, "a.1")
    page = await sandbox.http.get("/")
    assert "07700 900 123" in page.text
    assert "&lt;b&gt;Sam&lt;/b&gt;" in page.text
    assert "<script" not in page.text
    answered = await sandbox.http.post("/", data={"to": message, "text": "1"})
    assert (answered.status_code, answered.headers["location"]) == (303, "/")
    assert (await sandbox.figures())["replies"] == 1
    assert (await sandbox.http.post("/", data={"to": "nobody", "text": "1"})).status_code == 404


async def test_the_page_turns_the_knobs(sandbox: Sandbox) -> None:
    turned = await sandbox.http.post("/knobs?provider=twilio", data={"fail": "2", "receipts": "late", "down": "true"})
    assert turned.status_code == 303
    knobs = (await sandbox.http.get("/sandbox/knobs")).json()
    assert (knobs["twilio"]["fail"], knobs["twilio"]["receipts"], knobs["twilio"]["down"]) == (2, "late", True)
    assert (knobs["notify"]["fail"], knobs["notify"]["receipts"], knobs["notify"]["down"]) == (0, "on", False)
    assert (await sandbox.http.post("/knobs", data={"fail": "often"})).status_code == 422
