"""The sandbox: what it promises to those who test against it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from services.notifications.gateways import NotifyGateway, Taken
from services.notifications.sandbox.journal import Accepted, Journal
from services.notifications.sandbox.phones import Phones
from services.notifications.wording import Text
from tests.harness import County
from tests.notifications.diary import NOW
from tests.notifications.sandbox import KEY, Sandbox, bearer, sandbox_at
from tests.notifications.town import town, until, until_all
from tests.serving import free_port


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with sandbox_at(tmp_path, callback_url=f"http://127.0.0.1:{free_port()}") as sandbox:
        yield sandbox


async def send(sandbox: Sandbox, reference: str, phone: str = "+447700900123") -> str:
    async with aiohttp.ClientSession(sandbox.url) as session:
        taken = await NotifyGateway(session, key=KEY, template="t").send(Text(phone, "<b>Sam</b>"), reference)
    assert isinstance(taken, Taken)
    return taken.provider_id


async def test_it_counts_messages_sent_twice_by_message_not_by_attempt(sandbox: Sandbox) -> None:
    for reference in ("a.1", "b.1", "b.2", "c.1", "c.1"):
        await send(sandbox, reference)
    figures = await sandbox.figures()
    assert (figures["accepted"], figures["distinct_references"], figures["duplicated"]) == (5, 4, 2)


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


@pytest.mark.parametrize("knobs", [{"fail": "yes"}, {"sabotage": 1}, {"receipts": "never"}, {"delay_ms": -5}])
async def test_a_knob_that_is_none_is_refused(sandbox: Sandbox, knobs: dict[str, Any]) -> None:
    answer = await sandbox.http.post("/sandbox/knobs", json=knobs)
    assert answer.status_code == 422
    assert (await sandbox.http.get("/sandbox/knobs")).json()["fail"] == 0


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
    turned = await sandbox.http.post("/knobs", data={"fail": "2", "receipts": "late"})
    assert turned.status_code == 303
    knobs = (await sandbox.http.get("/sandbox/knobs")).json()
    assert (knobs["fail"], knobs["receipts"], knobs["drop"]) == (2, "late", 0)
    assert (await sandbox.http.post("/knobs", data={"fail": "often"})).status_code == 422


async def test_patients_answer_as_told_each_once(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        moved = await here.diary.move(*range(1, 11))
        await here.diary.move(20, 21, mobiles=["+447700900555"] * 2)
        await until_all(here.running, 12, "delivered")
        wanted = {"keep": 6, "another_time": 2, "cancel": 1}
        assert (await here.sandbox.http.post("/sandbox/answers", json=wanted)).json() == wanted
        assert (await here.sandbox.http.post("/sandbox/answers", json=wanted)).json() == {
            "keep": 1,
            "another_time": 0,
            "cancel": 0,
        }
        campaign = await here.get("/v1/outages/outage-1/messages")
        assert campaign["replies"] == {"keep": 7, "another-time": 2, "cancel": 1}
        assert len(moved) == 10


@pytest.mark.parametrize("receipts", ["late", "doubled"])
async def test_late_and_doubled_receipts_are_taken_in(county: County, tmp_path: Path, receipts: str) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(receipts=receipts, late_ms=50)
        await here.diary.move(1, 2, 3)
        await until_all(here.running, 3, "delivered")


async def test_a_dropped_message_stays_accepted(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(drop=1)
        await here.diary.move(1)
        await until_all(here.running, 1, "accepted")
        assert (await here.sandbox.figures())["delivered"] == 0


async def test_a_receipt_waits_until_somebody_takes_it(county: County, tmp_path: Path) -> None:
    """The service is away when the receipt is due; a new sandbox on the same journal brings it later."""
    async with sandbox_at(tmp_path, callback_url=f"http://127.0.0.1:{free_port()}") as lonely:
        await send(lonely, "a.1")

        async def arrived() -> bool:
            return (await lonely.figures())["delivered"] == 1

        await until(arrived)
    journal = Journal(tmp_path / "journal.jsonl")
    assert [message.accepted.reference for message in Phones(journal).untold()] == ["a.1"]
    journal.close()
