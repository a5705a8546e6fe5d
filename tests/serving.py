"""A service on a real port of this machine, as programs that know nothing of tests reach it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from services.operator.embedded import free_ports

HOST = "127.0.0.1"


@asynccontextmanager
async def served(create: Callable[[Any], FastAPI], settings: Any) -> AsyncIterator[str]:
    """The service's whole app, answering at this address until the block ends."""
    (port,) = free_ports(1)
    config = uvicorn.Config(create(settings), host=HOST, port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            while not server.started:
                assert not serving.done(), "the service did not start"
                await asyncio.sleep(0.01)
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        await serving
