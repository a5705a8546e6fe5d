"""The sandbox's knobs: each does what it says, to the provider it was turned for and to no other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.notifications.sandbox import (
    ACCOUNT,
    AUTH_TOKEN,
    SENDER,
    Listener,
    Sandbox,
    bearer,
    listening,
    sandbox_within,
)

PHONE = "+447700900123"
PROVIDERS = ("notify", "twilio")
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as listener:
        yield listener


@pytest.fixture
async def sandbox(tmp_path: Path, listener: Listener) -> AsyncIterator[Sandbox]:
    async with sandbox_within(tmp_path, listener.url) as sandbox:
        yield sandbox


async def send(
    sandbox: Sandbox, provider: str, reference: str = "m.1", phone: str = PHONE, *, back: str = ""
) -> httpx.Response:
    """Send a text over this provider's wire."""
    if provider == "notify":
        order = {"phone_number": phone, "template_id": "t", "personalisation": {"body": "Sam"}, "reference": reference}
        return await sandbox.http.post("/v2/notifications/sms", json=order, headers=bearer())
    form = {"To": phone, "From": SENDER, "Body": "Sam"}
    if back:
        form["StatusCallback"] = f"{back}/v1/twilio/status/{reference}"
    return await sandbox.http.post(f"{MESSAGES}.json", data=form, auth=(ACCOUNT, AUTH_TOKEN))


async def look_up(sandbox: Sandbox, provider: str, id: str) -> httpx.Response:
    if provider == "notify":
        return await sandbox.http.get(f"/v2/notifications/{id}", headers=bearer())
    return await sandbox.http.get(f"{MESSAGES}/{id}.json", auth=(ACCOUNT, AUTH_TOKEN))


def error_of(answer: httpx.Response) -> Any:
    """The error's name at Notify, its code at Twilio."""
    body = answer.json()
    return body["errors"][0]["error"] if "errors" in body else body["code"]


async def accepted(sandbox: Sandbox, provider: str) -> int:
    return int((await sandbox.figures())["providers"][provider]["accepted"])


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_is_turned_for_one_provider_leaves_the_other_alone(sandbox: Sandbox, provider: str) -> None:
    (other,) = set(PROVIDERS) - {provider}
    await sandbox.turn(provider, down=True, fail=1, delay_ms=1)
    assert (await send(sandbox, provider)).status_code == 503
    assert (await send(sandbox, other)).status_code == 201
    await sandbox.turn(down=True)
    assert (await send(sandbox, other)).status_code == 503


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_provider_that_is_down_accepts_nothing_and_finds_nothing(sandbox: Sandbox, provider: str) -> None:
    sent = (await send(sandbox, provider)).json()
    id = sent.get("id") or sent["sid"]
    assert (await look_up(sandbox, provider, id)).status_code == 200
    await sandbox.turn(provider, down=True)
    assert (await send(sandbox, provider)).status_code == 503
    assert (await look_up(sandbox, provider, id)).status_code == 503
    await sandbox.turn(provider, down=False)
    assert await accepted(sandbox, provider) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_server_error_may_come_before_or_after_accepting(sandbox: Sandbox, provider: str) -> None:
    await sandbox.turn(provider, fail=1)
    assert (await send(sandbox, provider)).status_code == 500
    assert await accepted(sandbox, provider) == 0
    await sandbox.turn(provider, fail_after=1)
    assert (await send(sandbox, provider)).status_code == 500
    assert await accepted(sandbox, provider) == 1
    assert (await send(sandbox, provider)).status_code == 201


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_that_never_comes_was_accepted_all_the_same(sandbox: Sandbox, provider: str) -> None:
    await sandbox.turn(provider, drop_answer=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send(sandbox, provider), 0.2)
    assert await accepted(sandbox, provider) == 1


@pytest.mark.parametrize(
    ("provider", "minute", "day"), [("notify", "RateLimitError", "TooManyRequestsError"), ("twilio", 20429, 63038)]
)
async def test_too_many_in_a_minute_and_too_many_in_a_day_are_told_apart(
    sandbox: Sandbox, provider: str, minute: Any, day: Any
) -> None:
    await sandbox.turn(provider, per_minute=3, speed=0.001)
    answers = [await send(sandbox, provider, f"m-{number}.1") for number in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert error_of(answers[-1]) == minute
    await sandbox.turn(provider, per_minute=0, per_day=3)
    answers = [await send(sandbox, provider, f"n-{number}.1") for number in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]
    assert error_of(answers[-1]) == day
    figures = await sandbox.figures()
    assert (figures["limited"], figures["providers"][provider]["limited"], figures["accepted"]) == (2, 2, 3)


@pytest.mark.parametrize(
    ("knob", "notify", "twilio"),
    [
        ("on", ["delivered"], ["sent", "delivered"]),
        ("late", ["delivered"], ["sent", "delivered"]),
        ("doubled", ["delivered"] * 2, ["sent", "sent", "delivered", "delivered"]),
        ("reordered", ["delivered", "pending"], ["delivered", "sent"]),
    ],
)
async def test_receipts_come_late_doubled_or_in_another_order(
    sandbox: Sandbox, listener: Listener, knob: str, notify: list[str], twilio: list[str]
) -> None:
    await sandbox.turn(receipts=knob, late_ms=20)
    await send(sandbox, "notify")
    await send(sandbox, "twilio", back=listener.url)
    receipts = await listener.hears(len(notify), "/v1/receipts")
    statuses = await listener.hears(len(twilio), "/v1/twilio/status/m.1")
    assert [each.json["status"] for each in receipts] == notify
    assert [each.form["MessageStatus"] for each in statuses] == twilio


@pytest.mark.parametrize(("knob", "ids"), [("on", 1), ("doubled", 1), ("twice", 2)])
async def test_a_reply_is_brought_once_or_twice_under_one_id_or_two(
    sandbox: Sandbox, listener: Listener, knob: str, ids: int
) -> None:
    await sandbox.turn(replies=knob)
    times = 1 if knob == "on" else 2
    for provider in PROVIDERS:
        answer = {"phone": PHONE, "text": "1", "provider": provider}
        assert (await sandbox.http.post("/sandbox/reply-as", json=answer)).json()["taken"]
    notify = await listener.hears(times, "/v1/inbound")
    twilio = await listener.hears(times, "/v1/twilio/inbound")
    assert len({each.json["id"] for each in notify}) == len({each.form["MessageSid"] for each in twilio}) == ids
    assert len(listener.heard) == 2 * times
    assert (await sandbox.figures())["replies"] == 2


async def test_magic_numbers_fail_for_now_or_for_ever_at_either_provider(sandbox: Sandbox, listener: Listener) -> None:
    ends = {}
    for last in "123":
        phone = f"+44770090000{last}"
        await send(sandbox, "notify", f"n{last}.1", phone)
        await send(sandbox, "twilio", f"t{last}.1", phone, back=listener.url)
    for each in await listener.hears(3, "/v1/receipts"):
        ends[each.json["reference"]] = each.json["status"]
    for each in await listener.hears(6, "/v1/twilio/status"):
        if each.form["MessageStatus"] != "sent":
            ends[each.url.rpartition("/")[2]] = f"{each.form['MessageStatus']} {each.form.get('ErrorCode', '')}"
    assert ends == {
        "n1.1": "delivered",
        "n2.1": "permanent-failure",
        "n3.1": "temporary-failure",
        "t1.1": "delivered ",
        "t2.1": "undelivered 30005",
        "t3.1": "undelivered 30003",
    }


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_goes_to_a_smoke_number_is_answered_and_not_kept(sandbox: Sandbox, provider: str) -> None:
    for last in ("000", "111", "222"):
        answer = await send(sandbox, provider, phone=f"+447700900{last}")
        assert answer.status_code == 201
        id = answer.json().get("id") or answer.json()["sid"]
        assert (await look_up(sandbox, provider, id)).status_code == 404
    assert await accepted(sandbox, provider) == 0


async def test_a_clock_that_is_wrong_refuses_tokens_and_dates_messages_wrongly(sandbox: Sandbox) -> None:
    await sandbox.turn(skew_s=-40)
    answer = await send(sandbox, "notify")
    assert (answer.status_code, error_of(answer)) == (403, "AuthError")
    await sandbox.turn(skew_s=3600)
    ahead = await sandbox.http.get("/v2/notifications", headers=bearer(seconds=3600))
    assert ahead.status_code == 200
    await send(sandbox, "twilio")
    await sandbox.turn(skew_s=0)
    await send(sandbox, "twilio")
    now, later = (message["at"] for message in await sandbox.messages())
    assert now < later


async def test_waiting_does_not_hold_up_the_other_provider(sandbox: Sandbox) -> None:
    await sandbox.turn("notify", delay_ms=200)
    slow = asyncio.create_task(send(sandbox, "notify"))
    assert (await send(sandbox, "twilio")).status_code == 201
    assert not slow.done()
    assert (await slow).status_code == 201
