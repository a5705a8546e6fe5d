"""HTTP for every service: one app behind one gate, and refusals as RFC 9457 problems."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute

from shared import health, parked_api
from shared.audit import Trail
from shared.database import FAULTS, is_ours
from shared.dependencies import CallerDep, OperatorOnly, RunningDep
from shared.describing import complete
from shared.gate import HEALTH, Gate, Guards
from shared.limits import Limits
from shared.problems import STATUS, Answered, Render, answer, as_refusal, problem
from shared.refusals import Refusal
from shared.seal import MasterKeyChanged
from shared.service import Blueprint, Running, open_service
from shared.settings import ServiceSettings
from shared.token_keys import TokenKeys, token_keys
from shared.tokens import Tokens

__all__ = [
    "STATUS",
    "Answered",
    "CallerDep",
    "OperatorOnly",
    "Render",
    "RunningDep",
    "as_refusal",
    "create_app",
    "problem",
    "routes_of",
]

_GZIP_FROM, _GZIP_LEVEL = 1024, 3
"""Bytes; and of zlib's levels one that costs little and gains most."""

_SILENT: Any = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own telemetry would carry addresses with their queries, and with them NHS numbers, out of here."""


def create_app(
    blueprint: Blueprint,
    settings: ServiceSettings,
    routers: Sequence[APIRouter],
    *,
    background: Sequence[Callable[[Running], Awaitable[None]]] = (),
    render: Render = problem,
    open_paths: frozenset[str] = frozenset(),
    figures: Sequence[health.Figures] = (),
) -> FastAPI:
    """The service's app behind its gate. Its lifespan opens the service; `render` turns a refusal into its answer.

    `open_paths` are those that need no token, or see to their callers themselves, as the routes write them.
    `figures` add to its metrics.
    """
    keys, trail = token_keys(settings.token_keys), Trail(settings.database_url)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with keys, trail, open_service(blueprint, settings, background=background) as service:
            app.state.running = service
            yield

    app = _App(
        open_paths,
        title=f"Daybook {blueprint.name}",
        # In the order in which they are looked for: what is asked for by the thousand comes first.
        routes=routes_of((*routers, health.router, parked_api.router)),
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
        telemetry=_SILENT,
    )
    app.state.figures = figures
    _answer_refusals(app, render)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM, compresslevel=_GZIP_LEVEL)
    app.add_middleware(Gate, guards=_guards(app, settings, keys, trail, render))
    return app


def routes_of(routers: Iterable[APIRouter]) -> list[BaseRoute]:
    """Their routes as they stand. `include_router` would make each of them anew, in the time of a hundred requests."""
    return [route for router in routers for route in router.routes]


class _App(FastAPI):
    """A FastAPI app whose description says which routes need a token, and how a request is refused."""

    def __init__(self, open_paths: frozenset[str], **settings: Any) -> None:
        super().__init__(**settings)
        self.open_paths = open_paths

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            complete(super().openapi(), free=HEALTH | self.open_paths, health=HEALTH)
        return super().openapi()


def _guards(app: _App, settings: ServiceSettings, keys: TokenKeys, trail: Trail, render: Render) -> Guards:
    templates = {route.path_regex: route.path or "" for route in iter_route_contexts(app.routes)}
    clients, strangers = (
        Limits(per_second=settings.requests_per_second, burst=settings.requests_burst) for _ in range(2)
    )
    return Guards(
        tokens=Tokens(keys, issuer=settings.token_issuer, audience=settings.token_audience),
        trail=trail,
        clients=clients,
        strangers=strangers,
        open_paths=app.open_paths,
        open_patterns=[pattern for pattern, path in templates.items() if "{" in path and path in app.open_paths],
        templates=templates,
        answer=partial(answer, render),
        now=lambda: app.state.running.clock.now(),
    )


def _answer_refusals(app: FastAPI, render: Render) -> None:
    async def refused(request: Request, error: Exception) -> Response:
        if is_ours(error):
            raise error
        if isinstance(error, HTTPException) and error.status_code == 405:
            error.headers = {"Allow": ", ".join(_methods(app, request.url.path))}
        return answer(render, request, as_refusal(error))

    for kind in (Refusal, RequestValidationError, HTTPException, MasterKeyChanged, *FAULTS):
        app.add_exception_handler(kind, refused)


def _methods(app: FastAPI, path: str) -> list[str]:
    """Those that the path is answered for; of several patterns that it fits, the one with most words of its own."""
    fitting = [route for route in iter_route_contexts(app.routes) if route.path_regex.match(path)]
    closest = min(((route.path or "").count("{") for route in fitting), default=0)
    return sorted(
        {method for route in fitting if (route.path or "").count("{") == closest for method in route.methods or ()}
    )
