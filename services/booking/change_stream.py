"""The change feed as server-sent events: what has happened, then what happens, until somebody hangs up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import msgspec
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from services.booking.changes import Page, read_page
from services.booking.cursors import Cursor, read_cursor
from shared.database import FAULTS
from shared.refusals import Refusal, Unavailable
from shared.service import Running

MOST_STREAMS = 100
LASTS = 15 * 60.0
"""Seconds. Whoever listens comes again by itself, and shows a token that counts then."""

_TOGETHER = 500
_POLL, _REST, _KEEP_ALIVE = 1.0, 0.2, 15.0
"""Seconds: without news, between two looks however much there is to see, and between two signs of life."""
_COME_AGAIN = 1000
"""Milliseconds after which a listener who was cut off comes again."""


class Streams:
    """How many listen now: each costs a look at the log now and then, and a connection."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self._open = 0

    def require_room(self) -> None:
        """Raises `Unavailable` if no more may listen."""
        if self._open >= self._most:
            raise Unavailable(
                f"{self._most} listen to the changes already; ask for them page by page meanwhile",
                code="too-many-streams",
            )

    @contextmanager
    def seat(self) -> Iterator[None]:
        """One more listens meanwhile."""
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1


async def stream(
    service: Running, streams: Streams, practice: str, after: Cursor, stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """The events on the wire. What fails ends them: the listener comes again, and is then answered in words."""
    with streams.seat():
        # With the place it begins at: who is cut off before the first change must not begin at another `now`.
        yield format_sse_event(id=str(after), retry=_COME_AGAIN)
        try:
            async for piece in _changes(service, practice, after, stopping):
                yield piece
        except (Refusal, TimeoutError, *FAULTS):
            return


async def _changes(
    service: Running, practice: str, after: Cursor, stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + LASTS
    spoke = loop.time()
    while not stopping() and loop.time() < ends:
        async with service.engine.connect() as connection:
            page = await read_page(service, connection, practice, after, _TOGETHER)
        before, after = after, read_cursor(page.next, "after")
        for piece in _pieces(page, moved=after != before):
            spoke = loop.time()
            yield piece
        if not page.more:
            await _news(service, after.position)
        if loop.time() - spoke >= _KEEP_ALIVE:
            spoke = loop.time()
            yield KEEPALIVE_COMMENT


def _pieces(page: Page, *, moved: bool) -> Iterator[bytes]:
    """Its changes; and the place it ends at, which a listener is to come again with even where nothing was theirs."""
    for change in page.changes:
        yield format_sse_event(data_str=msgspec.json.encode(change).decode(), id=change.cursor)
    if moved and not (page.changes and page.changes[-1].cursor == page.next):
        yield format_sse_event(id=page.next)


async def _news(service: Running, position: int) -> None:
    """Until there may be more: as soon as the relay has copied something, or in a moment in any case."""
    waiting = asyncio.get_running_loop().time() + _POLL
    if await service.relay.reached(position + 1, _POLL):
        await asyncio.sleep(_REST)
    else:
        await asyncio.sleep(max(0.0, waiting - asyncio.get_running_loop().time()))
