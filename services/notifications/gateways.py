"""The way out to the telephone networks: a message to a provider, and what is known to have become of it, no more."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import jwt

from services.notifications.commands import ReceiptStatus
from services.notifications.settings import NotificationsSettings
from services.notifications.wording import Text
from shared.clock import Clock
from shared.refusals import Refusal

RATE_LIMIT_PAUSE = 2.0
UNREACHABLE_PAUSE = 1.0
MISCONFIGURED_PAUSE = 30.0
TOKEN_GOOD_FOR = timedelta(seconds=20)

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

    def __init__(self, client: httpx.AsyncClient, *, key: str, template: str) -> None:
        self._client = client
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
            answer = await self._client.post("/v2/notifications/sms", json=order, headers=self._headers())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Deferred("The provider cannot be reached", UNREACHABLE_PAUSE)
        except httpx.TransportError:
            return Lost()
        return self._outcome(answer)

    async def look_up(self, reference: str) -> Finding:
        try:
            answer = await self._client.get(
                "/v2/notifications", params={"reference": reference}, headers=self._headers()
            )
        except httpx.TransportError:
            return Unreachable()
        listed = _json(answer).get("notifications")
        if answer.status_code != 200 or not isinstance(listed, list):
            return Unreachable()
        match listed:
            case [{"id": str(provider_id), "status": str(status)}, *_]:
                return Found(provider_id, STATUSES.get(status))
            case _:
                return Absent()

    def _outcome(self, answer: httpx.Response) -> Outcome:
        """By status and error name, never by the text of the message: Notify promises no more."""
        match answer.status_code, _error(answer):
            case 201, _:
                provider_id = _json(answer).get("id")
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
    limits = httpx.Limits(
        max_connections=settings.concurrency * 2, max_keepalive_connections=settings.concurrency * 2, keepalive_expiry=3
    )
    async with httpx.AsyncClient(
        base_url=settings.provider_url, timeout=settings.gateway_timeout, limits=limits, trust_env=False
    ) as client:
        yield NotifyGateway(client, key=settings.gateway_key.get_secret_value(), template=settings.gateway_template)


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


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _error(answer: httpx.Response) -> str:
    match _json(answer).get("errors"):
        case [{"error": str(error)}, *_]:
            return error
        case _:
            return ""
