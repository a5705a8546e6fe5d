"""The answer for a message that was accepted: whole, in half, or none, as the knobs want it."""

import asyncio
import os
import signal

from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from services.notifications.sandbox.door import Door

LONGEST_SILENCE = 120
"""Seconds after which even an answer that is never given ends."""
ON_THE_WIRE = 0.1
"""Seconds in which the event loop has surely handed to the kernel what was written."""


async def answer(request: Request, door: Door, body: bytes) -> Response:
    """201 with this JSON, unless told to do something worse. The journal has the message by now."""
    if door.panel.take("die"):
        _die()
    if door.panel.take("drop_answer"):
        await _never_answer(request)
    kind = _HalfAnAnswer if door.panel.take("die_half") else Response
    return kind(body, status_code=201, media_type="application/json")


class _HalfAnAnswer(Response):
    """It promises all its bytes, and ends with the process when half of them are out."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = self.body[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(ON_THE_WIRE)
        _die()


async def _never_answer(request: Request) -> None:
    """Hold on until the other side gives up. (What is received after the body is the news of its leaving.)"""
    try:
        async with asyncio.timeout(LONGEST_SILENCE):
            await request.receive()
    except TimeoutError:
        return


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
