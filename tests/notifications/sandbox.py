"""The sandbox as a server on a port, in this process, to be stopped and started as a test likes."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import jwt
from aiohttp import web
from fastapi import FastAPI

from services.notifications.notify_gateway import parse_key
from services.notifications.sandbox.app import create_sandbox
from services.notifications.sandbox.settings import SandboxSettings
from shared.clock import Clock
from tests.serving import HOST, free_port, served
from tests.waiting import DEADLINE

KEY = "sandbox-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222"
TOKEN = "a callback token for tests"
ACCOUNT = "AC11111111111111111111111111111111"
AUTH_TOKEN = "33333333333333333333333333333333"
SENDER = "+447700900997"
NOWHERE = "http://127.0.0.1:9"
"""Where nobody listens."""


def bearer(*, seconds: int = 0) -> dict[str, str]:
    """The header that lets one in, with a token made so many seconds from now."""
    service, secret = parse_key(KEY)
    issued = int(Clock().now().timestamp()) + seconds
    return {"Authorization": f"Bearer {jwt.encode({'iss': service, 'iat': issued}, secret, 'HS256')}"}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox."""

    url: str
    http: httpx.AsyncClient

    async def turn(self, provider: str | None = None, **knobs: Any) -> None:
        """Turn the knobs of one provider, or of both."""
        asked = {"provider": provider} if provider else {}
        (await self.http.post("/sandbox/knobs", params=asked, json=knobs)).raise_for_status()

    async def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = (await self.http.get("/sandbox/figures")).json()
        return figures

    async def messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.http.get("/sandbox/messages?limit=100000")).json()
        return messages


@dataclass(frozen=True, slots=True)
class Heard:
    """A callback as it came in. `url` is the whole address it was sent to."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Listener:
    """Whoever is called back. It takes in everything, or answers each with what `answers` holds for it first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: list[Heard] = []
        self.answers: list[int] = []
        self._came = asyncio.Condition()

    async def take(self, request: web.Request) -> web.Response:
        async with self._came:
            self.heard.append(Heard(f"{self.url}{request.raw_path}", request.headers, await request.read()))
            self._came.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    async def hears(self, count: int, path: str = "") -> Sequence[Heard]:
        """The first so many callbacks to addresses with this in them, when they are there."""
        async with self._came, asyncio.timeout(DEADLINE):
            await self._came.wait_for(lambda: len(self._to(path)) >= count)
        return self._to(path)[:count]

    def _to(self, path: str) -> Sequence[Heard]:
        return [heard for heard in self.heard if path in heard.url]


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Somebody to call back, on a port of their own, until the block ends."""
    port = free_port()
    listener = Listener(f"http://{HOST}:{port}")
    app = web.Application()
    app.router.add_post("/{path:.*}", listener.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    try:
        yield listener
    finally:
        await runner.cleanup()


def create(directory: Path, callback_url: str) -> FastAPI:
    """The sandbox's app, with the accounts above."""
    settings = SandboxSettings.from_environment(
        {},
        gateway_key=KEY,
        callback_token=TOKEN,
        twilio_account=ACCOUNT,
        twilio_token=AUTH_TOKEN,
        twilio_sender=SENDER,
        callback_url=callback_url,
        directory=directory,
    )
    return create_sandbox(settings)


@asynccontextmanager
async def sandbox_within(directory: Path, callback_url: str = NOWHERE) -> AsyncIterator[Sandbox]:
    """A sandbox without a port, for what needs none: it starts and ends at once."""
    app = create(directory, callback_url)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(base_url=NOWHERE, transport=httpx.ASGITransport(app)) as client,
    ):
        yield Sandbox(NOWHERE, client)


@asynccontextmanager
async def sandbox_at(directory: Path, *, callback_url: str, port: int = 0) -> AsyncIterator[Sandbox]:
    """A sandbox that keeps its journal in `directory` and calls back at `callback_url`, until the block ends."""
    async with (
        served(create(directory, callback_url), port or free_port()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=DEADLINE) as client,
    ):
        yield Sandbox(url, client)
