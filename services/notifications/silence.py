"""Asks about messages of which nothing was heard for too long; what stays silent is a case for the telephone."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain
from typing import get_args

import structlog

from services.notifications.commands import Command, RecordReceipt, RecordSilent
from services.notifications.gateways import Absent, Finding, Found, Gateway, Provider, Unknowable, Unreachable
from services.notifications.outbox import Patience, Unheard, read_unheard
from services.notifications.points import Passing, Point, onwards
from services.notifications.providers import open_gateways
from services.notifications.settings import NotificationsSettings, own_settings
from shared.refusals import Refusal
from shared.relay import PASSING
from shared.service import Running

ASK_EVERY = 30.0
"""Seconds between two rounds."""
TOGETHER = 500
AT_ONCE = 16
PROVIDERS: Sequence[Provider] = get_args(Provider)

_log = structlog.get_logger(__name__)


async def listen_for_silence(running: Running, *, passing: Passing = onwards) -> None:
    """Ask until cancelled. Runs beside a live service only, like the sender, and in one process as it does."""
    settings = own_settings(running.settings)
    async with open_gateways(settings) as gateways:
        while True:
            await running.relay.agreed.wait()
            try:
                while await ask_round(running, settings, gateways, passing):
                    pass
            except* (*PASSING, Refusal) as faults:
                _log.info("asking waits", faults=[type(fault).__name__ for fault in faults.exceptions])
            except* Exception:
                _log.exception("asking failed")
            await asyncio.sleep(ASK_EVERY)


async def ask_round(
    running: Running, settings: NotificationsSettings, gateways: Sequence[Gateway], passing: Passing = onwards
) -> int:
    """Ask about the messages that have been silent for too long; of how many more is known now."""
    async with running.engine.connect() as connection:
        now, patience = running.clock.now(), _patience(settings)
        # So many of each: one that cannot be asked must not keep the other's from being asked about.
        unheard = [await read_unheard(connection, patience, now, each, TOGETHER) for each in PROVIDERS]
    by_provider = {gateway.provider: gateway for gateway in gateways}
    places = {provider: asyncio.Semaphore(AT_ONCE) for provider in PROVIDERS}

    async def ask(message: Unheard) -> int:
        gateway = by_provider.get(message.provider)
        async with places[message.provider]:
            found = await gateway.ask(message.provider_id) if gateway and message.provider_id else Unknowable()
            passing(Point.ASKED)
            return await _record(running, message, found, passing)

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(ask(message)) for message in chain(*unheard)]
    return sum(task.result() for task in asked)


async def _record(running: Running, message: Unheard, found: Finding, passing: Passing) -> int:
    command, point = _news(message, found)
    if command is None:
        return 0
    recorded = await running.executor.execute(command)
    passing(point)
    return len(recorded)


def _news(message: Unheard, found: Finding) -> tuple[Command | None, Point]:
    match found:
        case Found(provider_id, status) if status is not None:
            receipt = RecordReceipt(message.message, message.attempt, message.provider, provider_id, status)
            return receipt, Point.HEARD
        case Unreachable():
            return None, Point.ASKED
        case Found() | Absent() | Unknowable():
            return RecordSilent(message.message, message.attempt), Point.SILENT


def _patience(settings: NotificationsSettings) -> Patience:
    return Patience(
        after=timedelta(seconds=settings.silent_after),
        before=timedelta(seconds=settings.silent_before),
        at_least=timedelta(seconds=settings.silent_at_least),
    )
