"""The way out to the telephone networks: a message to a provider, and what is known to have become of it, no more."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp
import jwt
import msgspec

from services.notifications.commands import ReceiptStatus
from services.notifications.settings import NotificationsSettings
from services.notifications.wording import Text
from shared.clock import Clock
from shared.refusals import Refusal

RATE_LIMIT_PAUSE = 2.0
UNREACHABLE_PAUSE = 1.0
MISCONFIGURED_PAUSE = 30.0
TOKEN_GOOD_FOR = timedelta(seconds=20)
IDLE_AT_MOST = 3.0
"""Seconds; shorter than any server's patience."""

NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""What can only happen before a request is written. (The adaptor that puts aiohttp beneath httpx mixes these up with a
connection cut in the middle, so it would have us send twice.)"""
BROKEN = (aiohttp.ClientError, TimeoutError)
"""All that can go wrong on the way, those included."""

STATUSES: Mapping[str, ReceiptStatus] = {
    "delivered": "delivered",
    "permanent-failure": "permanent",
    "temporary-failure": "temporary",
    "technical-failure": "technical",
}
"""Notify's final statuses. Any other means that it is still on its way."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The provider has it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was certainly not sent, and never will be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """It was certainly not sent; after so many seconds it may be tried again."""

    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have arrived; the answer did not."""


Outcome = Taken | Refused | Deferred | Lost


@dataclass(frozen=True, slots=True)
class Found:
    """The provider has it, and `status` if it has come to an end."""

    provider_id: str
    status: ReceiptStatus | None


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider says it has no such message."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The provider could not be asked."""


Finding = Found | Absent | Unreachable


class Gateway(Protocol):
    """A provider of text messages."""

    @property
    def provider(self) -> str: ...

    async def send(self, text: Text, reference: str) -> Outcome:
        """Hand over one message under this reference."""
        ...

    async def look_up(self, reference: str) -> Finding:
        """Whether the provider has a message under this reference."""
        ...


class NotifyGateway:
    """GOV.UK Notify, or whatever speaks its wire."""

    provider = "notify"

    def __init__(self, session: aiohttp.ClientSession, *, key: str, template: str) -> None:
        self._session = session
        self._service, self._secret = parse_key(key)
        self._template = template
        self._real = Clock()
        self._token = ""
        self._token_at = datetime.min.replace(tzinfo=UTC)

    async def send(self, text: Text, reference: str) -> Outcome:
        order = {
            "phone_number": text.to,
            "template_id": self._template,
            "personalisation": {"body": text.body},
            "reference": reference,
        }
        try:
            async with self._session.post("/v2/notifications/sms", json=order, headers=self._headers()) as answer:
                return self._outcome(answer.status, await _json(answer))
        except NEVER_SENT:
            return Deferred("The provider cannot be reached", UNREACHABLE_PAUSE)
        except BROKEN:
            return Lost()

    async def look_up(self, reference: str) -> Finding:
        try:
            async with self._session.get(
                "/v2/notifications", params={"reference": reference}, headers=self._headers()
            ) as answer:
                listed = (await _json(answer)).get("notifications")
        except BROKEN:
            return Unreachable()
        if answer.status != 200 or not isinstance(listed, list):
            return Unreachable()
        match listed:
            case [{"id": str(provider_id), "status": str(status)}, *_]:
                return Found(provider_id, STATUSES.get(status))
            case _:
                return Absent()

    def _outcome(self, status: int, body: Mapping[str, Any]) -> Outcome:
        """By status and error name, never by the text of the message: Notify promises no more."""
        match status, _error(body):
            case 201, _:
                provider_id = body.get("id")
                return Taken(provider_id) if isinstance(provider_id, str) else Lost()
            case 400, error:
                return Refused(f"The provider refuses it: {error}")
            case 429, "TooManyRequestsError":
                return Deferred("The provider's limit for the day is reached", self._until_midnight())
            case 429, _:
                return Deferred("The provider asks for a slower pace", RATE_LIMIT_PAUSE)
            case (status, error) if 400 <= status < 500:
                return Deferred(f"The provider does not accept our requests: {status} {error}", MISCONFIGURED_PAUSE)
            case _:
                return Lost()

    def _headers(self) -> dict[str, str]:
        """A token is good for 30 s either way by the real clock, so one serves for a while."""
        now = self._real.now()
        if now - self._token_at > TOKEN_GOOD_FOR:
            self._token = jwt.encode({"iss": self._service, "iat": int(now.timestamp())}, self._secret, "HS256")
            self._token_at = now
        return {"Authorization": f"Bearer {self._token}"}

    def _until_midnight(self) -> float:
        now = self._real.now()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - now).total_seconds()


@asynccontextmanager
async def open_gateway(settings: NotificationsSettings) -> AsyncIterator[Gateway]:
    """The gateway that the settings name, until the block ends."""
    patience = aiohttp.ClientTimeout(connect=settings.gateway_timeout, sock_read=settings.gateway_timeout)
    async with aiohttp.ClientSession(
        settings.provider_url, connector=connector(settings.concurrency), timeout=patience
    ) as session:
        yield NotifyGateway(session, key=settings.gateway_key.get_secret_value(), template=settings.gateway_template)


def connector(at_once: int) -> aiohttp.TCPConnector:
    """As many connections as there may be requests at once, each given up before the server might cut it."""
    return aiohttp.TCPConnector(limit=at_once, keepalive_timeout=IDLE_AT_MOST)


def parse_key(key: str) -> tuple[str, str]:
    """The service id and the secret of a Notify API key, which are its last 73 characters. Raises `Refusal`."""
    service, secret = key[-73:-37], key[-36:]
    if len(key) < 73 or not all(len(part) == 36 and part.count("-") == 4 for part in (service, secret)):
        raise Refusal(
            "The gateway key is not an API key as Notify writes it: <name>-<service id>-<secret>",
            code="bad-settings",
            where="gateway_key",
        )
    return service, secret


async def _json(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(await answer.read(), type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _error(body: Mapping[str, Any]) -> str:
    match body.get("errors"):
        case [{"error": str(error)}, *_]:
            return error
        case _:
            return ""
