"""Waiting for a server to answer: again and again until it does, and never longer than the deadline."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from shared.refusals import Unavailable

_PAUSE, _GROWS, _LONGEST_PAUSE = 0.02, 1.1, 0.2
"""To ask costs the processor time that what is waited for needs: the pauses are a tenth of the wait so far."""


async def wait_until_it_answers(
    who: str, attempt: Callable[[], Awaitable[None]], not_yet: tuple[type[Exception], ...], within: float
) -> None:
    """Return when an attempt succeeds; raise `Unavailable` if none has after `within` seconds.

    What an attempt raises of `not_yet` means that it is too early; anything else is a fault and goes on up.
    """
    last: Exception | None = None
    pause = _PAUSE
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    return await attempt()
                except not_yet as problem:
                    last = problem
                await asyncio.sleep(pause)
                pause = min(pause * _GROWS, _LONGEST_PAUSE)
    except TimeoutError:
        raise Unavailable(f"{who} did not answer within {within:g} s: {last}", code="server-not-up") from last


async def wait_for_http(url: str, *, within: float) -> None:
    """Return when the address answers with success."""
    # Without TLS no certificate is looked at, and reading them all takes a processor longer than the question.
    async with httpx.AsyncClient(timeout=5, trust_env=False, verify=url.startswith("https:")) as client:

        async def attempt() -> None:
            (await client.get(url)).raise_for_status()

        await wait_until_it_answers(url, attempt, (httpx.HTTPError,), within)
