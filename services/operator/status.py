"""How everything stands: each service's log and what it has followed, as it says itself."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import httpx
from msgspec import Struct, convert

from services.operator.control import ChildView, Request, ask
from services.operator.settings import SERVICES, OperatorSettings
from shared.refusals import Unavailable

_PATIENCE = 3.0


class ServiceView(Struct, frozen=True, kw_only=True):
    """One service as it stands; of one that does not answer no more is known.

    `behind` counts, per service it follows, the events it has not folded yet.
    """

    service: str
    state: str
    position: int | None = None
    relay_lag: int | None = None
    """Events of its own that the stream does not have yet."""
    behind: dict[str, int] = {}
    parked: int = 0
    """Events that it could not fold, and that wait for somebody."""
    now: datetime | None = None


class SystemView(Struct, frozen=True, kw_only=True):
    """Everything at one moment. `processes` is empty where `daybook up` does not run them."""

    services: tuple[ServiceView, ...]
    processes: tuple[ChildView, ...] = ()

    @property
    def is_well(self) -> bool:
        states = [*(service.state for service in self.services), *(process.state for process in self.processes)]
        return all(state == "up" for state in states)


class _Answer(Struct, frozen=True):
    """What `/v1/status` says."""

    position: int
    relayed: int
    followed: dict[str, int]
    broker: str
    now: datetime
    halted: str
    parked: int = 0


async def look(settings: OperatorSettings) -> SystemView:
    """Ask everyone at once; who does not answer in a few seconds is down."""
    # Where nobody uses TLS no certificate is looked at, and reading them all takes longer than the questions.
    verify = any(settings.urls[name].startswith("https:") for name in SERVICES)
    async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False, verify=verify) as client:
        answers = await asyncio.gather(*(_ask_service(client, settings, name) for name in SERVICES))
    heard = dict(zip(SERVICES, answers, strict=True))
    return SystemView(
        services=tuple(_view(name, answer, heard) for name, answer in heard.items()),
        processes=await _processes(settings),
    )


async def _ask_service(client: httpx.AsyncClient, settings: OperatorSettings, service: str) -> _Answer | str:
    """What it says, or why there is nothing."""
    try:
        response = await client.get(f"{settings.urls[service]}/v1/status", auth=settings.auth(service))
    except httpx.TransportError:
        return "down"
    if response.status_code in (401, 403):
        return f"does not let us in: {settings.bearer.advice}"
    return convert(response.json(), _Answer) if response.is_success else "in trouble"


async def _processes(settings: OperatorSettings) -> tuple[ChildView, ...]:
    running = settings.home.running()
    if running is None:
        return ()
    try:
        return await asyncio.wait_for(ask(running.control, Request(do="show")), _PATIENCE)
    except (Unavailable, TimeoutError):
        return ()


def _view(name: str, answer: _Answer | str, heard: Mapping[str, _Answer | str]) -> ServiceView:
    if isinstance(answer, str):
        return ServiceView(service=name, state=answer)
    behind = {
        source: other.position - answer.followed.get(source, 0)
        for source, other in heard.items()
        if source in answer.followed and not isinstance(other, str)
    }
    state = f"halted: {answer.halted}" if answer.halted else "up" if answer.broker == "up" else "up, without the broker"
    return ServiceView(
        service=name,
        state=state,
        position=answer.position,
        relay_lag=answer.position - answer.relayed,
        behind=behind,
        parked=answer.parked,
        now=answer.now,
    )
