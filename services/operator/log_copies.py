"""Both copies of the log as the operator reaches them, and how far something done to them is."""

import errno
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import asyncpg

from services.operator.databases import connected
from services.operator.rebuild import folding
from services.operator.settings import SERVICES, OperatorSettings
from shared.database import Driver
from shared.rebuilding import Progress
from shared.refusals import NotFound, Refusal, Unavailable
from shared.relay import PASSING


@asynccontextmanager
async def logs_of(settings: OperatorSettings) -> AsyncIterator[Mapping[str, Driver]]:
    """A connection to each service's database. Raises `Refusal` if one is not there."""
    async with AsyncExitStack() as stack:
        logs: dict[str, Driver] = {}
        for service in SERVICES:
            try:
                logs[service] = await stack.enter_async_context(connected(settings.database_url(service)))
            except asyncpg.InvalidCatalogNameError:
                raise NotFound(
                    f"the database of {service} is gone: if the stream is whole, `daybook log restore {service}` makes "
                    "it again",
                    code="no-database",
                    where=service,
                ) from None
        yield logs


@contextmanager
def _taken_up_again() -> Iterator[None]:
    """A fault of either engine becomes a refusal: what was published stands, and the same command goes on there."""
    try:
        yield
    except Refusal:
        raise
    except PASSING as fault:
        if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
            raise Refusal("the disk is full: nothing was finished", code="disk-full") from None
        raise Unavailable(
            f"the broker or a database has gone meanwhile ({type(fault).__name__}): give the same command again when "
            "it is back, and it goes on where it stopped",
            code="engine-gone",
        ) from None


@contextmanager
def telling(what: str) -> Iterator[Progress]:
    """A bar on standard error that shows how far it is."""
    with _taken_up_again(), folding() as progress:
        task = progress.add_task(what, total=None, rate=0)
        yield lambda done, of, rate: progress.update(task, completed=done, total=of, rate=rate)
