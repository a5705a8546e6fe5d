"""Work for the database that can be done side by side, on as many connections as keep two cores busy."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

LANES = 2


async def in_lanes(work: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do all of this, `LANES` at a time, begun in this order. The first fault ends the others, and is raised."""
    left = iter(work)

    async def lane() -> None:
        for each in left:
            await each()

    try:
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(lane())
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None
