"""What Twilio's words and codes come to, and a text by it there and back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from services.notifications.app import create
from services.notifications.commands import ReceiptStatus
from services.notifications.gateways import Deferred, Hindrance, Lost, Refused
from services.notifications.tables import replies
from services.notifications.twilio_gateway import outcome_of, receipt_status
from tests.harness import County
from tests.notifications.sandbox import KEY, TOKEN
from tests.notifications.town import TWILIO, town, until_all

NOW = datetime(2024, 7, 22, 23, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code", "end"),
    [
        ("accepted", None, None),
        ("queued", "", None),
        ("sending", None, None),
        ("sent", None, None),
        ("something-new", None, None),
        ("delivered", None, "delivered"),
        ("undelivered", "30003", "temporary"),
        ("undelivered", 30005, "permanent"),
        ("undelivered", 30006, "permanent"),
        ("failed", 21610, "permanent"),
        ("failed", "30036", "temporary"),
        ("failed", 30008, "technical"),
        ("failed", "30001", "technical"),
        ("failed", None, "technical"),
        ("canceled", None, "technical"),
    ],
)
def test_twilios_words_come_to_the_same_ends_as_notifys(
    status: str, code: int | str | None, end: ReceiptStatus | None
) -> None:
    assert receipt_status(status, code) == end


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (429, {"code": 20429}, "pace"),
        (429, {"code": 63017}, "pace"),
        (429, {"code": 63038}, "day"),
        (400, {"code": 21611}, "pace"),
        (400, {"code": 21212}, "misconfigured"),
        (400, {"code": 21408}, "misconfigured"),
        (400, {"code": 21608}, "misconfigured"),
        (400, {"code": 21701}, "misconfigured"),
        (400, {}, "misconfigured"),
        (401, {"code": 20003}, "misconfigured"),
        (403, {}, "misconfigured"),
        (404, {"code": 20404}, "misconfigured"),
    ],
)
def test_what_twilio_certainly_did_not_send_may_be_tried_again(
    status: int, body: dict[str, int], outcome: Hindrance
) -> None:
    found = outcome_of(status, body, NOW)
    assert isinstance(found, Deferred)
    assert found.hindrance == outcome


def test_the_limit_of_a_day_lasts_until_the_next_one() -> None:
    assert outcome_of(429, {"code": 63038}, NOW) == Deferred("day", "The provider's limit for the day is reached", 30)


@pytest.mark.parametrize("code", [21211, 21612, 21614, 21635])
def test_a_number_that_cannot_be_texted_is_refused_for_good(code: int) -> None:
    assert outcome_of(400, {"code": code}, NOW) == Refused(f"The provider refuses it: {code}")


@pytest.mark.parametrize(
    ("status", "body"), [(201, {}), (200, {"sid": "SM1"}), (302, {}), (500, {}), (502, {}), (504, {})]
)
def test_any_other_answer_proves_nothing(status: int, body: dict[str, str]) -> None:
    assert outcome_of(status, body, NOW) == Lost()


async def test_a_text_goes_out_is_known_to_have_arrived_and_is_answered(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path, first="twilio", **TWILIO) as here:
        (moved,) = await here.diary.move(1)
        await until_all(here.running, 1, "delivered")
        (sent,) = await here.sandbox.messages()
        answer = await here.sandbox.http.post("/sandbox/reply", json={"to": sent["id"], "text": "1"})
        async with here.running.engine.connect() as connection:
            reply = (await connection.execute(select(replies))).one()
    assert (sent["provider"], answer.json()["taken"]) == ("twilio", True)
    assert (reply.message, reply.answer) == (moved.message, "keep")


async def test_where_there_is_no_account_nobody_signs_with_the_token_that_is_not_there(county: County) -> None:
    form, path = {"MessageSid": "p-1", "From": "+447700900123", "Body": "1"}, "/v1/twilio/inbound"
    at = "https://texts.example.nhs.uk"
    signature = RequestValidator("").compute_signature(at + path, form)
    given: dict[str, Any] = {"gateway_key": KEY, "callback_token": TOKEN, "public_url": at}
    async with county.client(create, token="", **given) as http:
        answer = await http.post(path, data=form, headers={"X-Twilio-Signature": signature})
    assert (answer.status_code, answer.json()["code"]) == (403, "no-account")
