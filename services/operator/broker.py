"""The broker as the operator reaches it: the one user that may make streams and read everything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.operator.settings import OperatorSettings
from shared.broker import connect, require_new_enough
from shared.refusals import Unavailable
from shared.stream import ensure_streams
from shared.wire import Client

_PATIENCE = 15.0


@asynccontextmanager
async def broker_of(settings: OperatorSettings) -> AsyncIterator[Client]:
    """A connection to it meanwhile. Raises `Unavailable` if it does not answer, `Refusal` if it is too old."""
    try:
        async with asyncio.timeout(_PATIENCE):
            client = await connect(settings.broker_url(), "operator")
    except TimeoutError:
        raise Unavailable(
            f"the broker did not answer within {_PATIENCE:g} s; is `daybook up` running?", code="broker-down"
        ) from None
    try:
        require_new_enough(client)
        yield client
    finally:
        await client.close()


async def make_streams(settings: OperatorSettings, *, replicas: int = 1) -> None:
    """Make the streams unless they are there."""
    async with broker_of(settings) as client:
        await ensure_streams(client, replicas=replicas)
