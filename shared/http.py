"""Plain HTTP for every service: one app, its health, its figures, and refusals as RFC 9457 problems."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text
from starlette.exceptions import HTTPException

from shared.database import FAULTS
from shared.log import head_position
from shared.refusals import Conflict, NotFound, Refusal, Unavailable
from shared.service import Blueprint, Running, open_service
from shared.settings import ServiceSettings

STATUS: Mapping[type[Refusal], int] = {Refusal: 422, NotFound: 404, Conflict: 409, Unavailable: 503}
"""What HTTP calls each way of saying no."""

Render = Callable[[Request, Refusal], Response]


async def running(request: Request) -> Running:
    """The service this request has come to. (A dependency that is not async would run in another thread.)"""
    found: Running = request.app.state.running
    return found


RunningDep = Annotated[Running, Depends(running)]


def problem(request: Request, refusal: Refusal) -> Response:
    """The refusal as RFC 9457 problem+json; `code` and `where` are for programs and for whoever mends the request."""
    status = refusal.status if isinstance(refusal, Answered) else _status(refusal)
    body: dict[str, Any] = {
        "type": f"urn:daybook:problem:{refusal.code}",
        "title": refusal.code.replace("-", " "),
        "status": status,
        "detail": refusal.message,
        "code": refusal.code,
    }
    if refusal.where:
        body["where"] = refusal.where
    if errors := getattr(refusal, "errors", None):
        body["errors"] = errors
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def _status(refusal: Refusal) -> int:
    """That of the nearest kind of refusal that it is."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def create_app(
    blueprint: Blueprint,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    *,
    background: Sequence[Callable[[Running], Awaitable[None]]] = (),
    render: Render = problem,
) -> FastAPI:
    """The service's app. Its lifespan opens the service; `render` turns a refusal into this service's answer."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_service(blueprint, settings, background=background) as service:
            app.state.running = service
            yield

    app = FastAPI(title=f"Daybook {blueprint.name}", lifespan=lifespan, docs_url="/docs", redoc_url=None)
    for router in (health, *routers):
        app.include_router(router)
    _answer_refusals(app, render)
    return app


def _answer_refusals(app: FastAPI, render: Render) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        return render(request, as_refusal(error))

    for kind in (Refusal, RequestValidationError, HTTPException, *FAULTS):
        app.add_exception_handler(kind, refused)


class Answered(Refusal):
    """A refusal of the web framework itself, with the status it chose (404 for no such route, 405, 413 …)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message, code=f"http-{status}")
        self.status = status


def as_refusal(error: Exception) -> Refusal:
    """Every way a request can fail, as one of ours. The values that were sent are never quoted back."""
    match error:
        case Refusal():
            return error
        case RequestValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return Refusal(f"{where}: {first['msg']}", code="invalid-request", where=where)
        case HTTPException():
            return Answered(error.status_code, str(error.detail))
        case _:
            return Unavailable("the database cannot be reached; try again in a moment", code="database-down")


health = APIRouter(tags=["health"])


@health.get("/livez")
async def livez() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("alive\n")


@health.get("/readyz")
async def readyz(service: RunningDep) -> PlainTextResponse:
    """The service can take requests: its database answers, and nothing has halted it. The broker may be away."""
    if reason := _halted(service):
        return PlainTextResponse(f"halted: {reason}\n", status_code=503)
    async with service.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return PlainTextResponse("ready\n" if service.broker.is_up else "ready, without the broker\n")


@health.get("/v1/status")
async def status(service: RunningDep) -> dict[str, Any]:
    """Where this service's log and its following stand."""
    async with service.engine.connect() as connection:
        position = await head_position(connection)
    return {
        "service": service.blueprint.name,
        "position": position,
        "relayed": service.relay.position,
        "followed": dict(service.follow.followed),
        "sequence": service.follow.sequence,
        "broker": "up" if service.broker.is_up else "down",
        "now": service.clock.now(),
        "halted": _halted(service),
    }


@health.get("/metrics")
async def metrics(service: RunningDep) -> Response:
    """Figures for Prometheus, read at this moment."""
    async with service.engine.connect() as connection:
        position = await head_position(connection)
    registry = CollectorRegistry()
    figures = {
        "daybook_log_position": ("Position of the newest event in the database", position),
        "daybook_relayed_position": ("Position of the newest event known to be in the stream", service.relay.position),
        "daybook_followed_sequence": ("Sequence of the stream folded so far", service.follow.sequence),
        "daybook_broker_up": ("Whether the broker can be reached", int(service.broker.is_up)),
        "daybook_halted": ("Whether the service has stopped building on its log", int(bool(_halted(service)))),
    }
    for name, (help_text, value) in figures.items():
        Gauge(name, help_text, ["service"], registry=registry).labels(service.blueprint.name).set(value)
    followed = Gauge("daybook_followed_position", "Position folded", ["service", "source"], registry=registry)
    for source, reached in service.follow.followed.items():
        followed.labels(service.blueprint.name, source).set(reached)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _halted(service: Running) -> str:
    return service.relay.halted or service.follow.halted
