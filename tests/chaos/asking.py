"""One client: asks over HTTP, repeats what may be repeated, and keeps what it was told."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Any

from httpx import AsyncClient, ConnectError, ConnectTimeout, Limits, Response, Timeout, TransportError

from tests.chaos.history import Command, History, Read

PATIENCE = Timeout(3.0, connect=1.0)
TRIES = 6
PAUSE = 0.4
"""Seconds until what may be repeated is."""

Json = dict[str, Any]


def connections() -> AsyncClient:
    """For all clients together; nothing in it waits for long."""
    return AsyncClient(timeout=PATIENCE, limits=Limits(max_connections=100), trust_env=False)


@dataclass(slots=True)
class Client:
    """Whoever asks. `urls` are where the services answer, `token` what is shown there."""

    name: str
    http: AsyncClient
    urls: Mapping[str, str]
    token: str
    history: History
    rng: Random
    numbered: int = 0

    def number(self) -> str:
        """A name that no other command has."""
        self.numbered += 1
        return f"{self.name}-{self.numbered}"

    async def pause(self, mean: float) -> None:
        await asyncio.sleep(self.rng.expovariate(1 / mean))

    async def do(
        self, command: Command, service: str, method: str, path: str, *, repeat: bool, **what: Any
    ) -> Response | None:
        """Ask, and ask again while the answer is lost, if that is harmless. The last answer, whatever it was.

        One attempt that may have got through is enough for nobody to know any more, unless a later one is done.
        """
        command.outcome, doubtful, last = "unknown", False, None
        for turn in range(TRIES if repeat else 1):
            if turn:
                await asyncio.sleep(PAUSE)
            command.tries += 1
            last, sent = await self._attempt(command, service, method, path, what)
            if last is not None and last.is_success:
                command.outcome = "done"
                return last
            if last is not None and last.is_client_error:
                command.outcome = "unknown" if doubtful else "refused"
                return last
            doubtful = doubtful or sent
        command.outcome = "unknown" if doubtful else "unsent"
        return last

    async def look(self, service: str, path: str, method: str = "GET", **what: Any) -> Any:
        """What is answered to a question, or None."""
        try:
            answer = await self._request(service, method, path, what)
        except TransportError:
            return None
        return answer.json() if answer.is_success else None

    async def read(self, appointment: str) -> tuple[Json, str] | None:
        """The appointment as it stands, and its ETag; or nothing, if that is what is answered, or nobody answers."""
        invoked = monotonic()
        try:
            answer = await self._request("booking", "GET", f"/fhir/R4/Appointment/{appointment}", {})
        except TransportError:
            return None
        if answer.status_code == 404:
            self.history.reads.append(Read(self.name, appointment, 0, "", invoked, monotonic()))
        if not answer.is_success:
            return None
        self.saw(answer, invoked, written=False)
        return answer.json(), answer.headers["ETag"]

    def saw(self, answer: Response, invoked: float, *, written: bool = True) -> str:
        """Keep what an answer showed of an appointment; its id."""
        resource, version = answer.json(), int(answer.headers["ETag"].split('"')[1])
        seen = Read(self.name, resource["id"], version, resource["status"], invoked, monotonic(), written)
        self.history.reads.append(seen)
        return seen.appointment

    async def _attempt(
        self, command: Command, service: str, method: str, path: str, what: Mapping[str, Any]
    ) -> tuple[Response | None, bool]:
        """The answer, and whether anything may have got through."""
        try:
            answer = await self._request(service, method, path, what)
        except (ConnectError, ConnectTimeout) as fault:
            command.said = type(fault).__name__
            return None, False
        except TransportError as fault:
            command.said = type(fault).__name__
            return None, True
        command.said = f"{answer.status_code} {code_of(answer)}".strip()
        return answer, True

    async def _request(self, service: str, method: str, path: str, what: Mapping[str, Any]) -> Response:
        headers = {"Authorization": f"Bearer {self.token}", **what.get("headers", {})}
        return await self.http.request(method, f"{self.urls[service]}{path}", **{**what, "headers": headers})


def code_of(answer: Response) -> str:
    """The code of a refusal, of either API."""
    if answer.is_success or "json" not in answer.headers.get("content-type", ""):
        return ""
    body = answer.json()
    issue = (body.get("issue") or [{}])[0]
    coding = issue.get("details", {}).get("coding", [])
    return str(body.get("code") or (coding[-1]["code"] if coding else ""))
