"""GOV.UK Notify's wire: a JWT by our own key, a reference of our own, and errors known by status and name."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import jwt

from services.notifications.commands import ReceiptStatus
from services.notifications.gateways import (
    BROKEN,
    MISCONFIGURED_PAUSE,
    NEVER_SENT,
    RATE_LIMIT_PAUSE,
    UNREACHABLE_PAUSE,
    Absent,
    Deferred,
    Finding,
    Found,
    Lost,
    Outcome,
    Provider,
    Refused,
    Taken,
    Trace,
    Unreachable,
    json_of,
    until_midnight,
)
from services.notifications.wording import Text
from shared.clock import Clock
from shared.refusals import Refusal

TOKEN_GOOD_FOR = timedelta(seconds=20)
REJECTED_IN_A_ROW = 5
"""From so many on, with none taken between, the fault is not theirs but in how we are set up: they wait, and try again.
Those before are lost to the telephone. What is wrong with a number is said otherwise, and is not counted."""

STATUSES: Mapping[str, ReceiptStatus] = {
    "delivered": "delivered",
    "permanent-failure": "permanent",
    "temporary-failure": "temporary",
    "technical-failure": "technical",
}
"""Notify's final statuses. Any other means that it is still on its way."""


class NotifyGateway:
    """GOV.UK Notify, or whatever speaks its wire."""

    provider: Provider = "notify"

    def __init__(self, session: aiohttp.ClientSession, *, key: str, template: str) -> None:
        self._session = session
        self._service, self._secret = parse_key(key)
        self._template = template
        self._rejected = 0
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
            async with self._session.post(
                "/v2/notifications/sms", json=order, headers=self._headers(), allow_redirects=False
            ) as answer:
                return self._outcome(answer.status, await json_of(answer))
        except NEVER_SENT:
            return Deferred("unreachable", "The provider cannot be reached", UNREACHABLE_PAUSE)
        except BROKEN:
            return Lost()

    async def look_up(self, trace: Trace) -> Finding:
        try:
            async with self._session.get(
                "/v2/notifications", params={"reference": trace.reference}, headers=self._headers()
            ) as answer:
                listed = (await json_of(answer)).get("notifications")
        except BROKEN:
            return Unreachable()
        if answer.status != 200 or not isinstance(listed, list):
            return Unreachable()
        match listed:
            case [{"id": str(provider_id), "status": str(status)}, *_]:
                return Found(provider_id, STATUSES.get(status))
            case []:
                return Absent()
            case _:
                return Unreachable()

    async def ask(self, provider_id: str) -> Finding:
        try:
            async with self._session.get(f"/v2/notifications/{provider_id}", headers=self._headers()) as answer:
                found = await json_of(answer)
        except BROKEN:
            return Unreachable()
        match answer.status, found:
            case 200, {"status": str(status)}:
                return Found(provider_id, STATUSES.get(status))
            case 404, _:
                return Absent()
            case _:
                return Unreachable()

    def _outcome(self, status: int, body: Mapping[str, Any]) -> Outcome:
        """By status and error name, never by the text of the message: Notify promises no more."""
        match status, _error(body):
            case 201, _:
                provider_id, self._rejected = body.get("id"), 0
                return Taken(provider_id) if isinstance(provider_id, str) else Lost()
            case 400, "ValidationError":
                return Refused("The provider refuses it: ValidationError")
            case 400, error:
                return self._rejection(error)
            case 429, "TooManyRequestsError":
                return Deferred("day", "The provider's limit for the day is reached", until_midnight(self._real.now()))
            case 429, _:
                return Deferred("pace", "The provider asks for a slower pace", RATE_LIMIT_PAUSE)
            case (status, error) if 400 <= status < 500:
                reason = f"The provider does not accept our requests: {status} {error}"
                return Deferred("misconfigured", reason, MISCONFIGURED_PAUSE)
            case _:
                return Lost()

    def _rejection(self, error: str) -> Outcome:
        """Of this message, or of all: the same error tells of a template that is not there, or of a key on trial."""
        self._rejected += 1
        if self._rejected < REJECTED_IN_A_ROW:
            return Refused(f"The provider refuses it: {error}")
        reason = f"The provider refuses one message after the other: {error}"
        return Deferred("misconfigured", reason, MISCONFIGURED_PAUSE)

    def _headers(self) -> dict[str, str]:
        """A token is good for 30 s either way by the real clock, so one serves for a while."""
        now = self._real.now()
        if now - self._token_at > TOKEN_GOOD_FOR:
            self._token = jwt.encode({"iss": self._service, "iat": int(now.timestamp())}, self._secret, "HS256")
            self._token_at = now
        return {"Authorization": f"Bearer {self._token}"}


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


def _error(body: Mapping[str, Any]) -> str:
    match body.get("errors"):
        case [{"error": str(error)}, *_]:
            return error
        case _:
            return ""
