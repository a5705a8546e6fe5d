"""What the providers bring: taken in once, from nobody else, and never more of it than makes sense."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import select
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from services.notifications import callbacks
from services.notifications.app import BLUEPRINT, Settings
from services.notifications.commands import ReceiptStatus
from services.notifications.conversations import reference_of
from services.notifications.gateways import Provider
from services.notifications.tables import messages, replies
from services.notifications.turns import Turns
from shared.http import create_app
from shared.ids import new_id
from shared.log import head_position
from shared.service import Running
from tests.harness import County, Servers
from tests.notifications.ledger import PLAN, attempt
from tests.notifications.sandbox import AUTH_TOKEN, KEY, TOKEN
from tests.notifications.town import TWILIO

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = "https://texts.example.nhs.uk"
MOBILE = "+447700900123"
REFUSED = {"notify": 401, "twilio": 403}
TAKEN = {"notify": 204, "twilio": 200}
NOTIFYS: Mapping[ReceiptStatus, str] = {
    "delivered": "delivered",
    "permanent": "permanent-failure",
    "temporary": "temporary-failure",
    "technical": "technical-failure",
}
TWILIOS: Mapping[ReceiptStatus, Mapping[str, str]] = {
    "delivered": {"MessageStatus": "delivered"},
    "permanent": {"MessageStatus": "undelivered", "ErrorCode": "30005"},
    "temporary": {"MessageStatus": "undelivered", "ErrorCode": "30003"},
    "technical": {"MessageStatus": "failed", "ErrorCode": "30008"},
}


def create(settings: Settings) -> FastAPI:
    """The service as far as the providers can see it, and without its sender."""
    app = create_app(BLUEPRINT, settings, [callbacks.router], open_paths=callbacks.CALLBACKS)
    app.state.turns = Turns()
    return app


@dataclass(frozen=True, slots=True)
class Desk:
    """One provider, calling back."""

    provider: Provider
    http: AsyncClient
    running: Running

    async def sent(self) -> str:
        """A message that was handed over by its first attempt."""
        message = new_id()
        await self.running.executor.execute(replace(PLAN, message=message, number=message))
        await self.running.executor.execute(replace(attempt(1, self.provider), message=message, number=message))
        return message

    async def receipt(self, reference: str, status: ReceiptStatus, *, forged: bool = False) -> Response:
        match self.provider:
            case "notify":
                receipt = {"id": "p-1", "reference": reference, "status": NOTIFYS[status]}
                return await self.notify("/v1/receipts", receipt, forged=forged)
            case "twilio":
                form = {"MessageSid": "p-1", **TWILIOS[status]}
                return await self.twilio(f"/v1/twilio/status/{reference}", form, forged=forged)

    async def text(self, source: str, words: str, inbound: str = "", *, forged: bool = False) -> Response:
        inbound = inbound or new_id()
        match self.provider:
            case "notify":
                text = {"id": inbound, "source_number": source, "message": words}
                return await self.notify("/v1/inbound", text, forged=forged)
            case "twilio":
                form = {"MessageSid": inbound, "From": source, "Body": words, "FromCity": ""}
                return await self.twilio("/v1/twilio/inbound", form, forged=forged)

    async def notify(self, path: str, body: Mapping[str, str], *, forged: bool = False) -> Response:
        headers = {"Authorization": f"Bearer {'forged' if forged else TOKEN}"}
        return await self.http.post(path, json=body, headers=headers)

    async def twilio(self, path: str, form: Mapping[str, str], *, forged: bool = False) -> Response:
        headers = {"X-Twilio-Signature": signed(path, form, token="forged" if forged else AUTH_TOKEN)}
        return await self.http.post(path, data=form, headers=headers)

    async def raw(self, path: Mapping[Provider, str], body: bytes) -> Response:
        """A body that may be no JSON or no form, with good credentials (Twilio's are for no fields at all)."""
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Twilio-Signature": signed(path[self.provider], {})}
        return await self.http.post(path[self.provider], content=body, headers=headers)

    async def row(self, message: str) -> Any:
        async with self.running.engine.connect() as connection:
            return (await connection.execute(select(messages).where(messages.c.id == message))).one()

    async def replies(self, mobile: str) -> list[Any]:
        number = self.running.keys.pseudonym("number", mobile)
        async with self.running.engine.connect() as connection:
            return list((await connection.execute(select(replies).where(replies.c.number == number))).all())

    async def position(self) -> int:
        async with self.running.engine.connect() as connection:
            return await head_position(connection)


RECEIPTS: Mapping[Provider, str] = {"notify": "/v1/receipts", "twilio": "/v1/twilio/status/none.1"}
INBOUND: Mapping[Provider, str] = {"notify": "/v1/inbound", "twilio": "/v1/twilio/inbound"}


def signed(path: str, form: Mapping[str, str], *, token: str = AUTH_TOKEN, at: str = PUBLIC) -> str:
    """As Twilio's own package signs."""
    signature: str = RequestValidator(token).compute_signature(f"{at}{path}", form)
    return signature


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(servers: Servers) -> AsyncIterator[tuple[AsyncClient, Running]]:
    await servers.fresh_streams()
    county = County(servers)
    settings: dict[str, Any] = {"gateway_key": KEY, "callback_token": TOKEN, **TWILIO, "public_url": PUBLIC}
    async with county.client(create, token="", **settings) as http:
        yield http, county.at_work[0]


@pytest.fixture(params=["notify", "twilio"])
def provider(request: pytest.FixtureRequest) -> Provider:
    named: Provider = request.param
    return named


@pytest.fixture
def desk(service: tuple[AsyncClient, Running], provider: Provider) -> Desk:
    return Desk(provider, *service)


class TestReceipts:
    @pytest.mark.parametrize("status", ["delivered", "permanent", "temporary", "technical"])
    async def test_tell_what_became_of_a_message_even_before_it_is_known_to_be_taken(
        self, desk: Desk, status: ReceiptStatus
    ) -> None:
        message = await desk.sent()
        assert (await desk.receipt(reference_of(message, 1), status)).status_code == 204
        row = await desk.row(message)
        assert (row.provider, row.provider_id) == (desk.provider, "p-1")
        assert (row.state, row.failure) == (("delivered", "") if status == "delivered" else ("failed", status))

    async def test_doubled_late_and_unordered_settle_to_the_same(self, desk: Desk) -> None:
        message = await desk.sent()
        unordered: tuple[ReceiptStatus, ...] = ("temporary", "delivered", "delivered", "permanent", "technical")
        for status in unordered:
            assert (await desk.receipt(reference_of(message, 1), status)).status_code == 204
        assert (await desk.row(message)).state == "delivered"

    @pytest.mark.parametrize("reference", ["message", "message.1", "message.x", "message.1000", "a" * 200])
    async def test_for_something_never_sent_are_refused(self, desk: Desk, reference: str) -> None:
        before = await desk.position()
        answer = await desk.receipt(reference, "delivered")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert await desk.position() == before

    async def test_for_an_attempt_that_was_never_made_are_refused(self, desk: Desk) -> None:
        message = await desk.sent()
        assert (await desk.receipt(reference_of(message, 2), "delivered")).status_code == 404
        assert (await desk.row(message)).state == "attempted"


class TestTexts:
    async def test_that_answer_nothing_are_taken_in_once_for_a_person(self, desk: Desk) -> None:
        mobile = f"+4477009002{0 if desk.provider == 'notify' else 1}1"
        for _ in range(3):
            answer = await desk.text(mobile, "who is this? 🙂 1 + 1 = 2\n\u2028", f"inbound-{desk.provider}")
            assert answer.status_code == TAKEN[desk.provider]
        (reply,) = await desk.replies(mobile)
        assert reply.message == ""

    @pytest.mark.parametrize("source", ["+33612345678", "60300"])
    async def test_from_abroad_or_from_a_short_number_are_taken_in(self, desk: Desk, source: str) -> None:
        before = await desk.position()
        assert (await desk.text(source, f"hello by {desk.provider}")).status_code == TAKEN[desk.provider]
        assert await desk.position() > before

    @pytest.mark.parametrize("source", ["Pizza4U", "", "+", "07700 900123", "1" * 16, "٠٧٧٠٠٩٠٠١٢٣"])
    async def test_from_no_telephone_number_are_refused(self, desk: Desk, source: str) -> None:
        before = await desk.position()
        assert (await desk.text(source, "hello")).status_code == 422
        assert await desk.position() == before


class TestCredentials:
    async def test_of_somebody_else_let_nothing_in_and_the_log_names_nobody(self, desk: Desk) -> None:
        message = await desk.sent()
        before = await desk.position()
        with capture_logs() as logged:
            for answer in (
                await desk.receipt(reference_of(message, 1), "delivered", forged=True),
                await desk.text(MOBILE, "STOP", forged=True),
            ):
                assert answer.status_code == REFUSED[desk.provider]
                assert answer.headers["content-type"] == "application/problem+json"
        assert await desk.position() == before
        refused = {"event": "a callback was refused", "provider": desk.provider, "log_level": "warning"}
        assert logged == [refused, refused]

    async def test_that_are_missing_let_nothing_in(self, desk: Desk) -> None:
        for path in (RECEIPTS, INBOUND):
            answer = await desk.http.post(path[desk.provider], content=b"")
            assert answer.status_code == REFUSED[desk.provider]


class TestBodies:
    async def test_too_large_are_refused(self, desk: Desk) -> None:
        for path in (RECEIPTS, INBOUND):
            assert (await desk.raw(path, b"x" * 20_000)).status_code == 413

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no",
            b"[]",
            b"{}",
            b'{"id":1,"reference":"a.1","status":"delivered"}',
            b'{"id":"\xff"}',
            b'{"id":"\\u0000","reference":"a.1","status":"delivered"}',
            b'{"id":"p","reference":"a.1","status":"sent"}',
        ],
    )
    async def test_that_are_no_receipt_of_notifys_are_refused(
        self, service: tuple[AsyncClient, Running], body: bytes
    ) -> None:
        assert (await Desk("notify", *service).raw(RECEIPTS, body)).status_code == 422

    @pytest.mark.parametrize("form", [{}, {"MessageSid": "p-1"}, {"MessageStatus": "sent"}, {"MessageSid": "\0"}])
    async def test_that_are_no_receipt_of_twilios_are_refused(
        self, service: tuple[AsyncClient, Running], form: dict[str, str]
    ) -> None:
        desk = Desk("twilio", *service)
        assert (await desk.twilio("/v1/twilio/status/message.1", form)).status_code == 422
        assert (await desk.twilio("/v1/twilio/inbound", form)).status_code == 422

    async def test_that_are_no_form_are_refused(self, service: tuple[AsyncClient, Running]) -> None:
        assert (await Desk("twilio", *service).raw(INBOUND, b"Body=\xff")).status_code == 422


class TestTwilio:
    @pytest.fixture
    def provider(self) -> Provider:
        return "twilio"

    @pytest.mark.parametrize("status", ["accepted", "queued", "sending", "sent", "something-new"])
    async def test_says_nothing_new_before_the_end(self, desk: Desk, status: str) -> None:
        reference = reference_of(await desk.sent(), 1)
        before = await desk.position()
        form = {"MessageSid": "p-1", "MessageStatus": status}
        assert (await desk.twilio(f"/v1/twilio/status/{reference}", form)).status_code == 204
        assert await desk.position() == before

    async def test_is_answered_with_no_words_for_the_patient(self, desk: Desk) -> None:
        answer = await desk.text("+447700900225", "hello")
        assert answer.headers["content-type"].startswith("text/xml")
        assert answer.text.endswith("<Response/>")

    @pytest.mark.parametrize(
        ("path", "form", "at"),
        [
            ("/v1/twilio/inbound", {"Body": "2"}, PUBLIC),
            ("/v1/twilio/inbound", {"Extra": ""}, PUBLIC),
            ("/v1/twilio/inbound?x=1", {}, PUBLIC),
            ("/v1/twilio/status/message.1", {}, PUBLIC),
            ("/v1/twilio/inbound", {}, "http://notifications"),
        ],
    )
    async def test_signs_address_and_fields_as_they_are(
        self, desk: Desk, path: str, form: dict[str, str], at: str
    ) -> None:
        sent = {"MessageSid": "p-1", "From": MOBILE, "Body": "1"}
        headers = {"X-Twilio-Signature": signed(path, sent | form, at=at)}
        assert (await desk.http.post("/v1/twilio/inbound", data=sent, headers=headers)).status_code == 403

    async def test_signs_a_field_that_is_there_twice_and_the_query_too(self, desk: Desk) -> None:
        path, body = "/v1/twilio/inbound?from=here%20and", [("From", MOBILE), ("Media", "b"), ("Media", "a")]
        text = PUBLIC + path + "From" + MOBILE + "MediaaMediab"
        signature = RequestValidator(AUTH_TOKEN).compute_signature(text, {})
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await desk.http.post(path, content=urlencode(body).encode(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-callback")

    async def test_has_no_way_in_beside_its_own_addresses(self, desk: Desk) -> None:
        for path in ("/v1/twilio/status/message.1/more", "/v1/twilio/status/", "/v1/twilio"):
            assert (await desk.twilio(path, {})).status_code == 401
