"""The official clients of both providers, which others wrote, turned to a sandbox."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from services.notifications.sandbox.journal import Accepted, Entry, Provider, Replied, Settled, Told
from services.notifications.sandbox.sids import message_id
from shared.clock import Clock
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, KEY, Sandbox

TWILIO = "https://api.twilio.com"


class _Here(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's client takes no address, so the address is changed beneath it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *args: Any, **given: Any) -> Response:
        return super().request(method, url.replace(TWILIO, self._url, 1), *args, **given)


class _AsyncHere(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The same, async."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def request(self, method: str, url: str, *args: Any, **given: Any) -> Response:
        return await super().request(method, url.replace(TWILIO, self._url, 1), *args, **given)


@contextmanager
def notify_client(url: str, key: str = KEY) -> Iterator[Any]:
    make: Any = NotificationsAPIClient
    client = make(key, base_url=url)
    client.request_session.trust_env = False
    with client.request_session:
        yield client


@contextmanager
def twilio_client(url: str, account: str = ACCOUNT, token: str = AUTH_TOKEN) -> Iterator[Client]:
    http = _Here(url)
    assert http.session
    http.session.trust_env = False
    with http.session:
        yield Client(account, token, http_client=http)


@asynccontextmanager
async def async_twilio_client(url: str) -> AsyncIterator[Client]:
    async with _AsyncHere(url) as http:
        yield Client(ACCOUNT, AUTH_TOKEN, http_client=http)


async def with_notify(sandbox: Sandbox, work: Callable[[Any], Any], key: str = KEY) -> Any:
    """The client would block the loop that the sandbox runs on, so it works in a thread."""

    def run() -> Any:
        with notify_client(sandbox.url, key) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def with_twilio(sandbox: Sandbox, work: Callable[[Client], Any], **account: str) -> Any:
    def run() -> Any:
        with twilio_client(sandbox.url, **account) as client:
            return work(client)

    return await asyncio.to_thread(run)


async def notify_no(sandbox: Sandbox, work: Callable[[Any], Any], key: str = KEY) -> tuple[int, str]:
    """The status, and the name of the error, that Notify's client raises."""
    with pytest.raises(HTTPError) as raised:
        await with_notify(sandbox, work, key)
    error: Any = raised.value.message[0]
    return raised.value.status_code, error["error"]


async def twilio_no(sandbox: Sandbox, work: Callable[[Client], Any], **account: str) -> tuple[int, int | None]:
    with pytest.raises(TwilioRestException) as raised:
        await with_twilio(sandbox, work, **account)
    return raised.value.status, raised.value.code


def happened_before(directory: Path, provider: Provider, sent: int, written: int = 0) -> Sequence[str]:
    """A journal of so many messages sent, and texts written, a second apart until now; the ids, the oldest first."""
    now = Clock().now()
    entries: list[Entry] = []
    for number in range(sent):
        id, at = message_id(provider), now - timedelta(seconds=sent - number)
        entries += [
            Accepted(id, f"m-{number}.1", "+447700900123", f"text {number}", "t", at, provider=provider),
            Settled(id, "permanent-failure" if number % 10 == 0 else "delivered", at),
            Told(id),
        ]
    for number in range(written):
        at = now - timedelta(seconds=written - number)
        entries.append(Replied(message_id(provider), "+447700900123", f"reply {number}", at, provider))
    lines = [msgspec.json.encode(entry) + b"\n" for entry in entries]
    (directory / "journal.jsonl").write_bytes(b"".join(lines))
    return [entry.id for entry in entries if isinstance(entry, Accepted)]
