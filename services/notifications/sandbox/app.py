"""The sandbox, wired."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from services.notifications.gateways import connector, parse_key
from services.notifications.sandbox import controls, page, wire
from services.notifications.sandbox.courier import Courier
from services.notifications.sandbox.desk import Desk
from services.notifications.sandbox.journal import Journal
from services.notifications.sandbox.knobs import Panel
from services.notifications.sandbox.phones import Phones
from services.notifications.sandbox.settings import SandboxSettings
from shared.clock import Clock, clock_starting_at
from shared.http import problem
from shared.refusals import Refusal


def create_sandbox(settings: SandboxSettings) -> FastAPI:
    """The sandbox's app. Its lifespan reads the journal and starts the courier."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        journal = Journal(settings.journal)
        async with _callbacks(settings) as session:
            app.state.desk = desk = _desk(settings, journal, session)
            courier = asyncio.create_task(desk.courier.run(settings.callbacks_at_once))
            yield
            courier.cancel()
            await asyncio.wait([courier])
        journal.close()

    app = FastAPI(title="Daybook SMS sandbox", lifespan=lifespan, redoc_url=None)
    for router in (wire.router, controls.router, page.router):
        app.include_router(router)
    app.add_exception_handler(wire.WireError, wire.no)
    app.add_exception_handler(Refusal, _refused)
    app.add_api_route("/livez", _livez, include_in_schema=False)
    return app


def _callbacks(settings: SandboxSettings) -> aiohttp.ClientSession:
    token = settings.callback_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return aiohttp.ClientSession(
        settings.calls_back,
        headers=headers,
        connector=connector(settings.callbacks_at_once),
        timeout=aiohttp.ClientTimeout(total=30),
    )


def _desk(settings: SandboxSettings, journal: Journal, session: aiohttp.ClientSession) -> Desk:
    service, secret = parse_key(settings.gateway_key.get_secret_value())
    phones, panel, clock = Phones(journal), Panel(), clock_starting_at(settings.start_instant())
    return Desk(
        url=f"http://{settings.host}:{settings.listens_at}",
        service=service,
        secret=secret,
        phones=phones,
        panel=panel,
        courier=Courier(session, phones, panel, clock),
        clock=clock,
        real=Clock(),
    )


def _refused(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return problem(request, refusal)


async def _livez() -> PlainTextResponse:
    return PlainTextResponse("alive\n")
