"""Processes that kill themselves, as by kill -9: notifications at a point of the send path, and the sandbox."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import uvicorn

from services.notifications.app import BLUEPRINT, Settings
from services.notifications.points import Point
from services.notifications.sending import send
from services.notifications.silence import listen_for_silence
from shared.events.base import Event
from shared.events.envelope import Recorded
from shared.project import Change
from shared.service import open_service
from tests.notifications.sandbox import NOWHERE, create
from tests.notifications.town import EAGER
from tests.serving import HOST

Deadly = Point | type[Event]
"""Where it dies: at a point, or in the transaction that appends such an event, before it commits."""


def started(settings: Settings, deadly: Deadly) -> BaseProcess:
    """Notifications, to die there."""
    return _forked(_run, settings, deadly)


def started_sandbox(directory: Path, port: int) -> BaseProcess:
    """The sandbox, to die when its knobs say so."""
    return _forked(_run_sandbox, directory, port)


def end(process: BaseProcess) -> None:
    """It is over, however it came to that."""
    process.kill()
    process.join()
    process.close()


def _forked(target: Callable[..., None], *given: object) -> BaseProcess:
    """All are forked from one process that has read the code already, and so start in no time."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=target, args=given)
    process.start()
    return process


def _run_sandbox(directory: Path, port: int) -> None:
    uvicorn.run(create(directory, NOWHERE), host=HOST, port=port, log_config=None, access_log=False)


def _run(settings: Settings, deadly: Deadly) -> None:
    asyncio.run(_serve(settings, deadly))


async def _serve(settings: Settings, deadly: Deadly) -> None:
    def passing(point: Point) -> None:
        if point is deadly:
            _die()

    def project(recorded: Recorded) -> Iterable[Change]:
        if type(recorded.event) is deadly:
            _die()
        return BLUEPRINT.project(recorded)

    background = [partial(send, policy=EAGER, passing=passing), partial(listen_for_silence, passing=passing)]
    async with open_service(replace(BLUEPRINT, project=project), settings, background=background):
        await asyncio.Event().wait()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
