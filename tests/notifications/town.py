"""Notifications and the sandbox side by side, on real ports, with a diary to move appointments in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from services.notifications.app import BLUEPRINT, Settings, create
from services.notifications.gateways import Gateway
from services.notifications.lines import exchange_of
from services.notifications.routing import Policy
from services.notifications.sending import Sender, send
from services.notifications.settings import own_settings
from services.notifications.tables import messages
from shared.service import Running
from tests.harness import County
from tests.issuer import bearer
from tests.notifications.diary import NOW, Diary
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, KEY, SENDER, TOKEN, Sandbox, sandbox_at
from tests.serving import free_port, served
from tests.waiting import DEADLINE

QUICK: Mapping[str, Any] = {
    "gateway_key": KEY,
    "callback_token": TOKEN,
    "rate": 100_000,
    "gateway_timeout": 0.5,
    "look_every": 0.05,
    "settle": 0.6,
}
"""Settings that keep the order of things and shorten the waits."""
TWILIO: Mapping[str, Any] = {"twilio_account": ACCOUNT, "twilio_token": AUTH_TOKEN, "twilio_sender": SENDER}
"""Settings with which there is a second provider."""

EAGER = Policy(first_probe=0.05, probe_every=0.2)
"""Looks very soon whether a provider is back."""


@dataclass(frozen=True, slots=True)
class Town:
    """`http` is what the provider calls back; `operator` is what a person shows who asks."""

    running: Running
    sandbox: Sandbox
    diary: Diary
    http: httpx.AsyncClient
    operator: Mapping[str, str]

    async def heard(self) -> None:
        """Wait until all that the diary has said was folded."""

        async def hold() -> bool:
            return self.running.follow.followed.get("booking") == self.diary.position

        await until(hold)

    async def asked(self, path: str) -> httpx.Response:
        """What a person is answered."""
        return await self.http.get(path, headers=self.operator)

    async def get(self, path: str) -> Any:
        return (await self.asked(path)).raise_for_status().json()


@asynccontextmanager
async def town(county: County, directory: Path, **settings: Any) -> AsyncIterator[Town]:
    """The service with its sender, and the sandbox, at nine on the Monday after."""
    county.clock_at(NOW)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with sandbox_at(directory, callback_url=url) as sandbox:
        given = {**QUICK, "gateway_url": sandbox.url, "twilio_url": sandbox.url, "public_url": url, **settings}
        app = create(await county.settings(BLUEPRINT, Settings, **given))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            served(app, port),
            httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=DEADLINE) as http,
        ):
            diary = Diary(county, app.state.running)
            await diary.register()
            yield Town(app.state.running, sandbox, diary, http, bearer(county.operator_token()))


async def warm(running: Running) -> None:
    """Open all the connections there may be: a sender that is stopped while one is made would leave it unclosed."""
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(running.engine.connect()) for _ in range(10)))


async def until(hold: Callable[[], Awaitable[bool]], within: float = DEADLINE) -> None:
    """Wait until it holds; fail at the deadline."""
    async with asyncio.timeout(within):
        while not await hold():  # noqa: ASYNC110 (the tables have no event for it)
            await asyncio.sleep(0.02)


async def states(running: Running) -> dict[str, str]:
    """The state of every message."""
    async with running.engine.connect() as connection:
        rows = await connection.execute(select(messages.c.id, messages.c.state))
        return {row.id: row.state for row in rows}


async def until_all(running: Running, count: int, *wanted: str) -> None:
    """Wait until there are so many messages, all in one of these states."""

    async def hold() -> bool:
        found = await states(running)
        return len(found) == count and set(found.values()) <= set(wanted)

    await until(hold)


@asynccontextmanager
async def silent_town(
    county: County, directory: Path, *, now: datetime = NOW, **settings: Any
) -> AsyncIterator[tuple[Running, Diary, Sandbox]]:
    """Notifications without its sender, and a sandbox that nobody listens to."""
    county.clock_at(now)
    async with (
        sandbox_at(directory, callback_url=f"http://127.0.0.1:{free_port()}") as sandbox,
        county.service(
            BLUEPRINT, Settings, **{**QUICK, "gateway_url": sandbox.url, "twilio_url": sandbox.url, **settings}
        ) as running,
    ):
        diary = Diary(county, running)
        await asyncio.gather(diary.register(), warm(running))
        yield running, diary, sandbox


@asynccontextmanager
async def sender(running: Running, policy: Policy = EAGER) -> AsyncIterator[None]:
    """The service's own sender at work, until the block ends."""
    async with _until_left(send(running, policy=policy)):
        yield


@asynccontextmanager
async def working(running: Running, *gateways: Gateway, policy: Policy = EAGER) -> AsyncIterator[Sender]:
    """One session of sending through these gateways, the preferred one first, until the block ends."""
    settings = own_settings(running.settings)
    session = Sender(running, settings, exchange_of(gateways, settings, policy))
    async with _until_left(session.work()):
        yield session


@asynccontextmanager
async def _until_left(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
