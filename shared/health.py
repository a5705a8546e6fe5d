"""The routes that every service has: its health, its figures, where it stands, and the trail of accesses."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text

from shared.audit_reading import AccessPage, Wanted, read_accesses
from shared.clock import parse_instant
from shared.dependencies import CallerDep, RunningDep
from shared.log import head_position
from shared.service import Running
from shared.worklist import count_waiting

router = APIRouter(tags=["health"])

Figures = Callable[[Running, CollectorRegistry], Awaitable[None]]
"""Adds what a service has to say beyond what every service says."""

Name = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
"""What a client or a practice can be called: PostgreSQL would not even look for a NUL character."""


@router.get("/livez", response_class=PlainTextResponse)
async def livez() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("alive\n")


@router.get("/readyz", response_class=PlainTextResponse)
async def readyz(service: RunningDep) -> PlainTextResponse:
    """The service can take requests: its database answers, and nothing has halted it. The broker may be away, or the
    stream lost: appointments are booked meanwhile."""
    lost = service.relay.lost
    if reason := service.relay.halted or ("" if lost else service.follow.halted):
        return PlainTextResponse(f"halted: {reason}\n", status_code=503)
    async with service.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    if lost:
        return PlainTextResponse(f"ready, without its stream: {lost}\n")
    return PlainTextResponse("ready\n" if service.broker.is_up else "ready, without the broker\n")


@router.get("/v1/status")
async def status(service: RunningDep, _: CallerDep) -> dict[str, Any]:
    """Where this service's log and its following stand."""
    async with service.engine.connect() as connection:
        position, waiting = await head_position(connection), await count_waiting(connection)
    return {
        "service": service.blueprint.name,
        "position": position,
        "relayed": service.relay.position,
        "followed": dict(service.follow.followed),
        "sequence": service.follow.sequence,
        "broker": "up" if service.broker.is_up else "down",
        "now": service.clock.now(),
        "halted": _halted(service),
        "parked": waiting,
    }


@router.get("/v1/accesses")
async def accesses(
    service: RunningDep,
    caller: CallerDep,
    client: Name = None,
    practice: Name = None,
    since: Annotated[str | None, Query(alias="from")] = None,
    until: str | None = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    count: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AccessPage:
    """The trail of accesses, the newest first. `next` of one page is `before` of the one after it.

    An operator sees all; others see what their own organisation asked for, and what was asked of it as a practice.
    """
    caller.require("Appointment", "r")
    earliest = None if since is None else parse_instant(since, "from")
    latest = None if until is None else parse_instant(until, "until")
    wanted = Wanted(client, practice, earliest, latest, before)
    async with service.engine.connect() as connection:
        return await read_accesses(connection, caller, wanted, count)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, service: RunningDep) -> Response:
    """Figures for Prometheus, read at this moment."""
    async with service.engine.connect() as connection:
        position, waiting = await head_position(connection), await count_waiting(connection)
    registry = CollectorRegistry()
    figures = {
        "daybook_log_position": ("Position of the newest event in the database", position),
        "daybook_relayed_position": ("Position of the newest event known to be in the stream", service.relay.position),
        "daybook_followed_sequence": ("Sequence of the stream folded so far", service.follow.sequence),
        "daybook_parked_events": ("Events that could not be folded, and wait for somebody to look at them", waiting),
        "daybook_broker_up": ("Whether the broker can be reached", int(service.broker.is_up)),
        "daybook_halted": ("Whether the service has stopped building on its log", int(bool(_halted(service)))),
    }
    for name, (help_text, value) in figures.items():
        Gauge(name, help_text, ["service"], registry=registry).labels(service.blueprint.name).set(value)
    followed = Gauge("daybook_followed_position", "Position folded", ["service", "source"], registry=registry)
    for source, reached in service.follow.followed.items():
        followed.labels(service.blueprint.name, source).set(reached)
    for more in request.app.state.figures:
        await more(service, registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _halted(service: Running) -> str:
    return service.relay.halted or service.relay.lost or service.follow.halted
