"""The running services as the demo speaks to them: over HTTP like anyone else, and in SQL only to count."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

import asyncpg
import httpx

from services.operator.asking import LinesRefused, refusal_of
from services.operator.bearer import PracticeBearer
from services.operator.demo_screen import Screen, Stage
from services.operator.imports import CSV
from services.operator.issuing import issuer_of
from services.operator.settings import SERVICES
from services.operator.supervisor import Supervisor
from services.operator.tokens import practice_holder
from shared.clock import Clock
from shared.refusals import Refusal, Unavailable

_LOOK_EVERY = 0.1
_LONGEST_REQUEST = 180.0
_A_DEMO = timedelta(hours=1)

Look = Callable[[], Awaitable[tuple[int, int]]]
"""Sees how much is done, of how much."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo happens: the processes, a client for all of them, and the screen.

    `practice` shows the token of a practice system instead of an operator's.
    """

    supervisor: Supervisor
    http: httpx.AsyncClient
    screen: Screen
    practice: PracticeBearer | None = None

    async def get(self, service: str, path: str, **query: str | int) -> Any:
        """What the service answers. Raises `Refusal` with its reason if it says no."""
        response = await self.http.get(self._url(service, path), params=query, auth=self._auth(service))
        return self._answer(service, response)

    async def post(self, service: str, path: str, body: Any = None, **query: str | int) -> Any:
        """Have it done. Text goes as CSV, everything else as JSON."""
        url, auth = self._url(service, path), self._auth(service)
        if isinstance(body, str):
            sent = self.http.post(url, content=body.encode(), params=query, headers=CSV, auth=auth)
        else:
            sent = self.http.post(url, json={} if body is None else body, params=query, auth=auth)
        return self._answer(service, await sent)

    async def fetch(self, service: str, path: str) -> bytes:
        """A page or a picture, as it is."""
        response = await self.http.get(self._url(service, path), auth=self._auth(service))
        self._require_yes(service, response)
        return response.content

    def as_practice(self, practice: str) -> Self:
        """The same place, as the system of this practice comes to it."""
        settings = self.supervisor.settings
        token = issuer_of(settings.home, settings.given).issue(practice_holder(practice), Clock().now(), _A_DEMO)
        return replace(self, practice=PracticeBearer(token))

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A connection to the database of a service, to read."""
        connection = await asyncpg.connect(self.supervisor.settings.database_url(name))
        try:
            yield connection
        finally:
            await connection.close()

    def _url(self, service: str, path: str) -> str:
        return self.supervisor.settings.urls[service] + path

    def _auth(self, service: str) -> httpx.Auth:
        return self.practice or self.supervisor.settings.auth(service)

    def _answer(self, service: str, response: httpx.Response) -> Any:
        self._require_yes(service, response)
        return response.json() if response.content else {}

    def _require_yes(self, service: str, response: httpx.Response) -> None:
        if response.is_error:
            refusal = refusal_of(service, response, self.supervisor.settings.bearer.advice)
            lines = refusal.lines if isinstance(refusal, LinesRefused) else []
            raise Refusal(" ".join([f"{service}: {refusal.message}", *map(str, lines[:1])]), code=refusal.code)


@asynccontextmanager
async def place(supervisor: Supervisor, screen: Screen) -> AsyncIterator[Place]:
    """The place, while the supervisor runs the services."""
    async with httpx.AsyncClient(timeout=_LONGEST_REQUEST, trust_env=False) as client:
        yield Place(supervisor, client, screen)


async def watch(stage: Stage, what: str, look: Look, *, patience: float = 60.0, every: float = _LOOK_EVERY) -> None:
    """Look again and again until all is done. Raises `Unavailable` if nothing changes for so many seconds."""
    seen, since = (-1, -1), time.monotonic()
    while True:
        done, of = await look()
        stage.reached(done, of)
        if done >= of:
            return
        if (done, of) != seen:
            seen, since = (done, of), time.monotonic()
        elif time.monotonic() - since > patience:
            raise Unavailable(f"{what}: {done:,} of {of:,} for {patience:g} s, and no further", code="stalled")
        await asyncio.sleep(every)


async def at_rest(place: Place) -> None:
    """Return when every service has relayed its whole log, and folded and answered everything of the others'."""

    async def look() -> tuple[int, int]:
        statuses = [await place.get(service, "/v1/status") for service in SERVICES]
        for status in statuses:
            if status["halted"]:
                raise Unavailable(f"{status['service']} has halted: {status['halted']}", code="halted")
        gaps = _gaps(statuses)
        return sum(done for done, _ in gaps), sum(of for _, of in gaps)

    with place.screen.stage("Services catch up with each other") as stage:
        await watch(stage, "Services catching up with each other", look)


def _gaps(statuses: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """For each copy of a log, in the stream or at a follower, how far it reaches and how far the log does."""
    positions = {status["service"]: status["position"] for status in statuses}
    followed = [
        (reached, positions[source])
        for status in statuses
        for source, reached in status["followed"].items()
        if source in positions and source != status["service"]
    ]
    return [*((status["relayed"], status["position"]) for status in statuses), *followed]
