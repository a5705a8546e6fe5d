"""A practice system's webhook: changes are signed as Standard Webhooks has it, and each is sent until it is taken."""

import base64
import hmac
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from threading import Event

import httpx

from shared.clock import Clock
from shared.refusals import Refusal, Unavailable

SECRET, SECRET_FILE = "DAYBOOK_WEBHOOK_SECRET", "DAYBOOK_WEBHOOK_SECRET_FILE"
SHORTEST_SECRET = 24
"""Bytes, as Standard Webhooks asks."""
REPLAY = "daybook-replay"

_PREFIX = "whsec_"
_PATIENCE = httpx.Timeout(10, read=30)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often a change is tried, and how long is waited before the second try; each further wait is twice as long."""

    tries: int = 8
    first: float = 0.5
    longest: float = 60.0

    def wait(self, tried: int, asked: str) -> float:
        """Seconds until the next try, or as many as the other side asked for."""
        own: float = self.first * 2 ** (tried - 1)
        return min(self.longest, max(own, float(asked)) if asked.isdecimal() else own)


def secret_of(given: Mapping[str, str]) -> bytes:
    """The secret that both sides know. Raises `Refusal` if there is none, or none that would keep."""
    text, where = given.get(SECRET, ""), SECRET
    if not text and (file := given.get(SECRET_FILE)):
        where = SECRET_FILE
        try:
            text = Path(file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise Refusal(f"No secret can be read from {file}: {problem}", code="no-secret", where=where) from None
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (Error, ValueError):
        secret = b""
    if len(secret) < SHORTEST_SECRET:
        raise Refusal(
            f"{where} must hold the secret that the practice system checks signatures by: {_PREFIX} and the Base64 of "
            f"at least {SHORTEST_SECRET} bytes, as `echo {_PREFIX}$(openssl rand -base64 32)` makes one",
            code="no-secret",
            where=where,
        )
    return secret


def webhook_url(text: str) -> str:
    """The address to send to. Raises `Refusal` for one that is none, or that would be read on the way."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.fragment:
        raise Refusal(f"--to: “{text}” is not an address such as https://host/path", code="bad-url", where="--to")
    if url.scheme == "http" and not _is_here(url.host):
        raise Refusal("--to: only https keeps to itself what goes to another machine", code="bad-url", where="--to")
    return str(url)


def signed(secret: bytes, event_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks, version 1."""
    timestamp = str(int(now.timestamp()))
    content = b".".join((event_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
    return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


class Webhook:
    """The other side. One change at a time; `stop` ends all waiting."""

    def __init__(self, url: str, secret: bytes, stop: Event, backoff: Backoff | None = None) -> None:
        self._url = url
        self._secret = secret
        self._stop = stop
        self._backoff = backoff or Backoff()
        self._client = httpx.Client(timeout=_PATIENCE, trust_env=False, verify=url.startswith("https:"))

    def close(self) -> None:
        self._client.close()

    def deliver(self, event_id: str, body: bytes) -> bool:
        """Send it until it is taken; False if told to stop before it was.

        Raises `Refusal` if the other side will not have it, `Unavailable` if it could not for too long.
        """
        for tried in range(1, self._backoff.tries + 1):
            fault, asked = self._tried(event_id, body)
            if not fault:
                return True
            if tried < self._backoff.tries and self._stop.wait(self._backoff.wait(tried, asked)):
                return False
        raise Unavailable(
            f"{self._url} did not take event {event_id} in {self._backoff.tries} tries ({fault}). The same command "
            "goes on with it",
            code="webhook-down",
            where="--to",
        )

    def _tried(self, event_id: str, body: bytes) -> tuple[str, str]:
        """What went wrong, if anything that may pass, and how many seconds the other side asks us to wait."""
        headers = signed(self._secret, event_id, body, Clock().now())
        try:
            answer = self._client.post(
                self._url, content=body, headers={"content-type": "application/json", REPLAY: "true", **headers}
            )
        except httpx.TransportError as problem:
            return str(problem) or type(problem).__name__, ""
        if answer.is_success:
            return "", ""
        if answer.status_code == 429 or answer.is_server_error:
            return f"it answered {answer.status_code}", answer.headers.get("retry-after", "")
        raise Refusal(
            f"{self._url} answered {answer.status_code} to event {event_id}, which no waiting mends: nothing more was "
            "sent. Once that is put right, the same command goes on with this event",
            code="webhook-refused",
            where="--to",
        )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
