"""The sandbox, wired."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from services.notifications.sandbox import (
    controls,
    notify_reading,
    notify_sending,
    notify_templates,
    notify_wire,
    page,
    twilio_reading,
    twilio_sending,
    twilio_wire,
)
from services.notifications.sandbox.callbacks import Dialect
from services.notifications.sandbox.courier import Courier
from services.notifications.sandbox.desk import Desk
from services.notifications.sandbox.door import Door
from services.notifications.sandbox.journal import PROVIDERS, Journal, Provider
from services.notifications.sandbox.notify_callbacks import NotifyCallbacks
from services.notifications.sandbox.phones import Phones
from services.notifications.sandbox.settings import SandboxSettings
from services.notifications.sandbox.twilio_callbacks import TwilioCallbacks
from shared.clock import Clock, clock_starting_at
from shared.http import problem, routes_of
from shared.refusals import Refusal

ROUTERS = (
    notify_sending.router,
    notify_reading.router,
    notify_templates.router,
    twilio_sending.router,
    twilio_reading.router,
    controls.router,
    page.router,
)

IDLE_AT_MOST = 3.0
"""Seconds; shorter than the patience of the service that is called back."""


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

    app = FastAPI(title="Daybook SMS sandbox", routes=routes_of(ROUTERS), lifespan=lifespan, redoc_url=None)
    app.add_exception_handler(notify_wire.NotifyError, notify_wire.no)
    app.add_exception_handler(twilio_wire.TwilioError, twilio_wire.no)
    app.add_exception_handler(Refusal, _refused)
    app.add_api_route("/livez", _livez, include_in_schema=False)
    return app


def _callbacks(settings: SandboxSettings) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=settings.callbacks_at_once, keepalive_timeout=IDLE_AT_MOST),
        timeout=aiohttp.ClientTimeout(total=30),
    )


def _desk(settings: SandboxSettings, journal: Journal, session: aiohttp.ClientSession) -> Desk:
    notify, twilio = settings.accounts()
    dialects: Mapping[Provider, Dialect] = {"notify": NotifyCallbacks(notify), "twilio": TwilioCallbacks(twilio)}
    doors = {provider: Door(time.monotonic_ns) for provider in PROVIDERS}
    phones, clock = Phones(journal), clock_starting_at(settings.start_instant())
    return Desk(
        url=f"http://{settings.host}:{settings.listens_at}",
        notify=notify,
        twilio=twilio,
        phones=phones,
        doors=doors,
        courier=Courier(session, phones, doors, dialects, clock),
        clock=clock,
        real=Clock(),
    )


def _refused(request: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    return problem(request, refusal)


async def _livez() -> PlainTextResponse:
    return PlainTextResponse("alive\n")
