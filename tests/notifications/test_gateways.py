"""What every gateway makes of every way its provider can answer, against the sandbox: one contract, two wires."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from services.notifications.commands import ReceiptStatus
from services.notifications.gateways import (
    Absent,
    Deferred,
    Finding,
    Found,
    Gateway,
    Hindrance,
    Lost,
    Provider,
    Refused,
    Taken,
    Trace,
    Unknowable,
    Unreachable,
)
from services.notifications.notify_gateway import parse_key
from services.notifications.providers import open_gateways
from services.notifications.settings import NotificationsSettings
from services.notifications.wording import Text
from shared.clock import Clock
from shared.ids import new_id
from shared.refusals import Refusal
from tests.harness import MASTER_KEY
from tests.notifications.sandbox import (
    ACCOUNT,
    AUTH_TOKEN,
    KEY,
    SENDER,
    TOKEN,
    Sandbox,
    bearer,
    listening,
    sandbox_at,
)
from tests.serving import free_port
from tests.waiting import DEADLINE

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE = "+447700900123"
LONG_AGO = {"date_created": "Mon, 22 Jul 2019 08:00:00 +0000"}
AT_REST = {"down": False, "fail": 0, "fail_after": 0, "refuse": 0, "limit": 0, "per_day": 0, "drop_answer": 0}


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway, and the provider at its other end."""

    gateway: Gateway
    sandbox: Sandbox

    async def turn(self, **knobs: Any) -> None:
        await self.sandbox.turn(self.gateway.provider, **knobs)

    async def taken(self, trace: Trace) -> str:
        """The id of a message that is sent, and taken."""
        assert trace.text is not None
        match await self.gateway.send(trace.text, trace.reference):
            case Taken(provider_id):
                return provider_id
            case other:
                raise AssertionError(other)


def one(phone: str = PHONE) -> Trace:
    """A message with words of its own."""
    reference = f"{new_id()}.1"
    return Trace(reference, Clock().now(), Text(phone, f"Sam, your appointment has moved.\n{reference}"))


@asynccontextmanager
async def gateway_to(provider: Provider, url: str, **settings: Any) -> AsyncIterator[Gateway]:
    """This provider's gateway, as the service opens it."""
    given = {
        "database_url": "postgresql://db.example",
        "nats_url": "nats://nats.example",
        "master_key": MASTER_KEY,
        "token_keys": "https://issuer.example/jwks.json",
        "gateway_url": url,
        "gateway_key": KEY,
        "callback_token": TOKEN,
        "gateway_timeout": 0.3,
        "twilio_url": url,
        "twilio_account": ACCOUNT,
        "twilio_token": AUTH_TOKEN,
        "twilio_sender": SENDER,
    }
    async with open_gateways(NotificationsSettings(**{**given, **settings})) as gateways:
        yield next(gateway for gateway in gateways if gateway.provider == provider)


def answered(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@asynccontextmanager
async def answering(provider: Provider, answer: bytes) -> AsyncIterator[Gateway]:
    """The gateway to a provider that answers this, whatever it is asked."""

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(give, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, gateway_to(provider, f"http://127.0.0.1:{port}") as gateway:
        yield gateway


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sandbox]:
    async with (
        listening() as service,
        sandbox_at(tmp_path_factory.mktemp("sandbox"), callback_url=service.url) as sandbox,
    ):
        yield sandbox


@pytest.fixture(params=["notify", "twilio"])
def provider(request: pytest.FixtureRequest) -> Provider:
    named: Provider = request.param
    return named


@pytest_asyncio.fixture(loop_scope="module")
async def line(sandbox: Sandbox, provider: Provider) -> AsyncIterator[Line]:
    async with gateway_to(provider, sandbox.url, public_url=f"http://127.0.0.1:{free_port()}") as gateway:
        yield Line(gateway, sandbox)
    await sandbox.turn(provider, **AT_REST)


class TestWhatIsTaken:
    async def test_is_found_by_its_trace_and_by_its_id(self, line: Line) -> None:
        trace = one()
        provider_id = await line.taken(trace)
        for found in (await line.gateway.look_up(trace), await line.gateway.ask(provider_id)):
            assert isinstance(found, Found)
            assert found.provider_id == provider_id

    @pytest.mark.parametrize(
        ("phone", "end"),
        [(PHONE, "delivered"), ("+447700900002", "permanent"), ("+447700900003", "temporary")],
    )
    async def test_is_told_how_it_ended(self, line: Line, phone: str, end: ReceiptStatus) -> None:
        trace = one(phone)
        provider_id = await line.taken(trace)
        async with asyncio.timeout(DEADLINE):
            while await line.gateway.ask(provider_id) == Found(provider_id, None):  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.01)
        assert await line.gateway.ask(provider_id) == Found(provider_id, end)
        assert await line.gateway.look_up(trace) == Found(provider_id, end)

    async def test_is_not_at_an_end_before_it_is_delivered(self, line: Line) -> None:
        await line.turn(drop=1)
        trace = one()
        provider_id = await line.taken(trace)
        assert await line.gateway.look_up(trace) == Found(provider_id, None)
        assert await line.gateway.ask(provider_id) == Found(provider_id, None)


class TestWhatWasNeverTaken:
    async def test_is_absent(self, line: Line) -> None:
        await line.taken(one())
        assert await line.gateway.look_up(one()) == Absent()
        assert await line.gateway.ask(f"SM{'0' * 32}" if line.gateway.provider == "twilio" else new_id()) == Absent()

    async def test_is_refused_for_good(self, line: Line) -> None:
        await line.turn(refuse=1)
        for trace in (one(), one("+441632960123")):
            assert trace.text is not None
            refused = await line.gateway.send(trace.text, trace.reference)
            assert isinstance(refused, Refused)
            assert not refused.opted_out
            assert trace.text.to not in refused.reason
            assert await line.gateway.look_up(trace) == Absent()

    @pytest.mark.parametrize("knob", ["limit", "per_day"])
    async def test_waits_where_there_is_too_much(self, line: Line, knob: str) -> None:
        await line.taken(one())
        await line.turn(**{knob: 1})
        hindrance: Hindrance = "pace" if knob == "limit" else "day"
        await self.require_deferred(line, one(), hindrance)
        await line.turn(**AT_REST)
        await line.taken(one())

    @pytest.mark.parametrize(
        ("provider", "wrong"),
        [
            ("notify", {"gateway_key": KEY[:-1] + "3"}),
            ("twilio", {"twilio_token": "wrong"}),
            ("twilio", {"twilio_account": ACCOUNT[:-1] + "2"}),
            ("twilio", {"twilio_sender": "+447700900555"}),
            ("twilio", {"twilio_sender": "MG" + "5" * 32}),
        ],
    )
    async def test_waits_while_our_settings_are_wrong_and_fails_no_message(
        self, sandbox: Sandbox, provider: Provider, wrong: dict[str, str]
    ) -> None:
        trace = one()
        async with gateway_to(provider, sandbox.url, **wrong) as gateway:
            await self.require_deferred(Line(gateway, sandbox), trace, "misconfigured")
            if "twilio_sender" not in wrong:
                assert await gateway.look_up(trace) == Unreachable()
                assert await gateway.ask("any") == Unreachable()

    async def test_waits_while_nobody_is_there(self, sandbox: Sandbox, provider: Provider) -> None:
        async with gateway_to(provider, f"http://127.0.0.1:{free_port()}") as gateway:
            trace = one()
            await self.require_deferred(Line(gateway, sandbox), trace, "unreachable")
            assert await gateway.look_up(trace) == Unreachable()
            assert await gateway.ask("any") == Unreachable()

    async def require_deferred(self, line: Line, trace: Trace, hindrance: Hindrance) -> None:
        assert trace.text is not None
        deferred = await line.gateway.send(trace.text, trace.reference)
        assert isinstance(deferred, Deferred)
        assert (deferred.hindrance, deferred.seconds > 0) == (hindrance, True)


class TestWhatMayHaveBeenTaken:
    @pytest.mark.parametrize(("knob", "is_there"), [("fail", False), ("fail_after", True), ("drop_answer", True)])
    async def test_is_lost_until_it_is_looked_up(self, line: Line, knob: str, is_there: bool) -> None:
        await line.turn(**{knob: 1})
        trace = one()
        assert trace.text is not None
        assert await line.gateway.send(trace.text, trace.reference) == Lost()
        assert isinstance(await line.gateway.look_up(trace), Found if is_there else Absent)

    async def test_cannot_be_looked_up_while_the_provider_is_down(self, line: Line) -> None:
        await line.turn(down=True)
        trace = one()
        assert trace.text is not None
        assert await line.gateway.send(trace.text, trace.reference) == Lost()
        assert await line.gateway.look_up(trace) == Unreachable()
        assert await line.gateway.ask("any") == Unreachable()

    @pytest.mark.parametrize("answer", [b"", answered(201, b"no"), answered(201, b'{"id": "\xff", "sid": "\xff"}')])
    async def test_is_lost_when_the_line_is_cut_or_the_answer_makes_no_sense(
        self, provider: Provider, answer: bytes
    ) -> None:
        async with answering(provider, answer) as gateway:
            trace = one()
            assert trace.text is not None
            assert await gateway.send(trace.text, trace.reference) == Lost()
            assert await gateway.look_up(trace) == Unreachable()

    @pytest.mark.parametrize(
        ("provider", "listed", "found"),
        [
            ("notify", {"notifications": [{"id": 1}]}, Unreachable()),
            ("twilio", {"messages": ["?"]}, Unknowable()),
            ("twilio", {"messages": [{"sid": "SM1", "status": "sent", "body": ""}]}, Unknowable()),
            ("twilio", {"messages": [{"sid": "SM1", "status": "sent", "body": None}]}, Unknowable()),
            ("twilio", {"messages": [{"sid": "SM1", "status": "sent", "body": "***", **LONG_AGO}]}, Absent()),
            ("twilio", {"messages": [{"sid": "SM1", "status": "sent", "body": "Others"}]}, Absent()),
        ],
    )
    async def test_is_not_called_absent_while_any_that_is_listed_may_be_it(
        self, provider: Provider, listed: dict[str, Any], found: Finding
    ) -> None:
        async with answering(provider, answered(200, msgspec.json.encode(listed))) as gateway:
            assert await gateway.look_up(one()) == found

    async def test_is_found_without_its_words_by_notify_only(self, line: Line) -> None:
        trace = one()
        provider_id = await line.taken(trace)
        found = await line.gateway.look_up(replace(trace, text=None))
        match line.gateway.provider:
            case "notify":
                assert isinstance(found, Found)
                assert found.provider_id == provider_id
            case "twilio":
                assert found == Unknowable()


class TestNotify:
    @pytest.fixture
    def provider(self) -> Provider:
        return "notify"

    async def test_that_refuses_one_message_after_the_other_does_not_accept_our_requests(self, line: Line) -> None:
        async def sent(phone: str = PHONE) -> object:
            trace = one(phone)
            assert trace.text is not None
            return await line.gateway.send(trace.text, trace.reference)

        await line.turn(refuse=6)
        assert [type(await sent()) for _ in range(4)] == [Refused] * 4
        for _ in range(2):
            deferred = await sent()
            assert isinstance(deferred, Deferred)
            assert deferred.hindrance == "misconfigured"
        assert isinstance(await sent("+441632960123"), Refused), "that number is no mobile's"
        assert isinstance(await sent(), Taken)
        await line.turn(refuse=1)
        assert isinstance(await sent(), Refused)

    @pytest.mark.parametrize("seconds", [-40, 40])
    async def test_a_token_off_by_more_than_thirty_seconds_is_refused(self, sandbox: Sandbox, seconds: int) -> None:
        answer = await sandbox.http.get("/v2/notifications", headers=bearer(seconds=seconds))
        assert (answer.status_code, answer.json()["errors"][0]["error"]) == (403, "AuthError")

    @pytest.mark.parametrize("key", ["", "short", "x" * 80])
    async def test_what_is_no_key_is_refused(self, key: str) -> None:
        with pytest.raises(Refusal, match="not an API key"):
            parse_key(key)


class TestTwilio:
    @pytest.fixture
    def provider(self) -> Provider:
        return "twilio"

    async def test_a_number_that_told_twilio_to_stop_is_refused_as_such(self, line: Line) -> None:
        trace = one("+447700900610")
        assert trace.text is not None
        text = {"phone": trace.text.to, "text": "STOP", "provider": "twilio"}
        (await line.sandbox.http.post("/sandbox/reply-as", json=text)).raise_for_status()
        refused = await line.gateway.send(trace.text, trace.reference)
        assert isinstance(refused, Refused)
        assert refused.opted_out

    async def test_the_same_words_of_long_ago_are_another_message(self, line: Line) -> None:
        trace = one()
        await line.taken(trace)
        later = replace(trace, attempted_at=trace.attempted_at + timedelta(hours=2))
        assert await line.gateway.look_up(later) == Absent()

    async def test_a_clock_that_is_a_little_behind_hides_no_message(self, line: Line) -> None:
        trace = one()
        provider_id = await line.taken(trace)
        ahead = replace(trace, attempted_at=trace.attempted_at + timedelta(minutes=2))
        found = await line.gateway.look_up(ahead)
        assert isinstance(found, Found)
        assert found.provider_id == provider_id

    async def test_a_message_is_found_on_a_later_page(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("services.notifications.twilio_gateway.PAGE", 1)
        first, second, third = one("+447700900700"), one("+447700900700"), one("+447700900700")
        provider_id = await line.taken(first)
        await line.taken(second)
        found = await line.gateway.look_up(first)
        assert isinstance(found, Found)
        assert found.provider_id == provider_id
        assert await line.gateway.look_up(third) == Absent()

    async def test_where_there_are_too_many_to_look_through_none_is_called_absent(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.notifications.twilio_gateway.PAGE", 1)
        monkeypatch.setattr("services.notifications.twilio_gateway.PAGES", 1)
        for trace in (one("+447700900701"), one("+447700900701")):
            await line.taken(trace)
        assert await line.gateway.look_up(one("+447700900701")) == Unreachable()

    @pytest.mark.parametrize("sender", [SENDER, "MG" + "0" * 32])
    async def test_receipts_are_asked_for_under_the_reference(self, sandbox: Sandbox, sender: str) -> None:
        async with listening() as service:
            settings = {"public_url": service.url + "/", "twilio_sender": sender}
            async with gateway_to("twilio", sandbox.url, **settings) as gateway:
                trace = one()
                provider_id = await Line(gateway, sandbox).taken(trace)
            (heard,) = await service.hears(1, "/v1/twilio/")
        assert heard.url == f"{service.url}/v1/twilio/status/{trace.reference}"
        assert heard.form["MessageSid"] == provider_id
