"""The sandbox as a server on a port, in this process, to be stopped and started as a test likes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt

from services.notifications.gateways import parse_key
from services.notifications.sandbox.app import create_sandbox
from services.notifications.sandbox.settings import SandboxSettings
from shared.clock import Clock
from tests.serving import free_port, served

KEY = "sandbox-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222"
TOKEN = "a callback token for tests"
DEADLINE = 20.0


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

    async def turn(self, **knobs: Any) -> None:
        (await self.http.post("/sandbox/knobs", json=knobs)).raise_for_status()

    async def figures(self) -> dict[str, int]:
        figures: dict[str, int] = (await self.http.get("/sandbox/figures")).json()
        return figures

    async def messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.http.get("/sandbox/messages?limit=100000")).json()
        return messages


@asynccontextmanager
async def sandbox_at(directory: Path, *, callback_url: str, port: int = 0) -> AsyncIterator[Sandbox]:
    """A sandbox that keeps its journal in `directory` and calls back at `callback_url`, until the block ends."""
    settings = SandboxSettings.from_environment(
        {}, gateway_key=KEY, callback_token=TOKEN, callback_url=callback_url, directory=directory
    )
    async with (
        served(create_sandbox(settings), port or free_port()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=DEADLINE) as client,
    ):
        yield Sandbox(url, client)
