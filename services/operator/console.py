"""The console: one page that shows an operator how the services stand and how a recovery goes.

It keeps nothing. Each look asks the services, and a service that does not answer is shown as down.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from services.operator.settings import HOST, OperatorSettings, operator_settings
from services.operator.status import SystemView, look
from shared.clock import in_london

_TEMPLATES = Path(__file__).parent / "templates"
_PATIENCE, _PATIENCE_WITH_CHART = 3.0, 30.0


@dataclass(frozen=True, slots=True)
class OutageView:
    """An outage or a withdrawal, and the counts of its recovery by name."""

    outage: str
    name: str
    lasted: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console works with."""

    settings: OperatorSettings
    http: httpx.AsyncClient
    pages: Environment


def create(settings: OperatorSettings) -> FastAPI:
    """The console's app."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pages = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape())
        async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
            app.state.desk = Desk(settings, client, pages)
            yield

    app = FastAPI(title="Daybook console", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.get("/", response_class=HTMLResponse)(page)
    app.get("/burn-down/{outage}")(chart)
    app.get("/livez")(livez)
    app.get("/readyz")(livez)
    app.get("/metrics")(metrics)
    return app


def desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


DeskDep = Annotated[Desk, Depends(desk)]


async def page(desk: DeskDep) -> HTMLResponse:
    """The whole console."""
    view, outages = await asyncio.gather(look(desk.settings), _outages(desk))
    html = desk.pages.get_template("console.html").render(
        view=view, outages=outages, sandbox=desk.settings.urls["sandbox"]
    )
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


async def chart(outage: str, desk: DeskDep) -> Response:
    """How the backlog of an outage falls, as rebooking draws it: figures, and no patient."""
    address = f"{desk.settings.urls['rebooking']}/v1/outages/{quote(outage, safe='')}/burndown.svg"
    try:
        drawn = await desk.http.get(address, auth=desk.settings.auth("rebooking"), timeout=_PATIENCE_WITH_CHART)
    except httpx.TransportError:
        return PlainTextResponse("Rebooking does not answer.\n", 503)
    if not drawn.is_success:
        return PlainTextResponse("There is no such chart.\n", 404)
    return Response(drawn.content, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


async def livez() -> PlainTextResponse:
    """The console answers, whatever the services do."""
    return PlainTextResponse("alive\n")


async def metrics(desk: DeskDep) -> Response:
    """The services as the console sees them, for Prometheus."""
    return Response(_figures(await look(desk.settings)), media_type=CONTENT_TYPE_LATEST)


def _figures(view: SystemView) -> bytes:
    registry = CollectorRegistry()
    up = Gauge("daybook_service_up", "Whether the service answers and is well", ["service"], registry=registry)
    lag = Gauge("daybook_relay_lag", "Own events that the stream does not have yet", ["service"], registry=registry)
    behind = Gauge("daybook_follow_lag", "Events not folded yet", ["service", "source"], registry=registry)
    for service in view.services:
        up.labels(service.service).set(int(service.state == "up"))
        if service.relay_lag is not None:
            lag.labels(service.service).set(service.relay_lag)
        for source, count in service.behind.items():
            behind.labels(service.service, source).set(count)
    return generate_latest(registry)


async def _outages(desk: Desk) -> list[OutageView] | None:
    """The newest first, or nothing if rebooking does not answer."""
    found: list[dict[str, Any]] | None = await _ask(desk, "/v1/outages")
    if found is None:
        return None
    progress = await asyncio.gather(*(_ask(desk, f"/v1/outages/{each['outage']}/progress") for each in found))
    return [_outage(each, counted or {}) for each, counted in zip(found, progress, strict=True)]


async def _ask(desk: Desk, path: str) -> Any:
    try:
        response = await desk.http.get(desk.settings.urls["rebooking"] + path, auth=desk.settings.auth("rebooking"))
    except httpx.TransportError:
        return None
    return response.json() if response.is_success else None


def _outage(facts: dict[str, Any], progress: dict[str, Any]) -> OutageView:
    counts = {name.replace("_", " "): count for name, count in progress.items() if isinstance(count, int)}
    return OutageView(str(facts["outage"]), str(facts["name"]), _lasted(facts), counts)


def _lasted(facts: dict[str, Any]) -> str:
    began = _when(facts["started_at"])
    if facts["kind"] == "withdrawal":
        return f"On {began}"
    ended = _when(facts.get("ended_at"))
    return f"From {began} to {ended}" if ended else f"From {began}, not over"


def _when(instant: str | None) -> str:
    """As the clock on a surgery's wall showed it: Friday 19 July 2024, 08:30."""
    return f"{in_london(datetime.fromisoformat(instant)):%A %-d %B %Y, %H:%M}" if instant else ""


def main() -> None:
    """Serve it until told to stop."""
    settings = operator_settings(os.environ)
    uvicorn.run(create(settings), host=HOST, port=settings.port_base, log_level="warning", timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main()
