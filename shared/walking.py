"""Walks through either copy of the log from its beginning, in order, a page or a batch at a time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

import asyncpg
from nats.js.api import StreamInfo
from nats.js.errors import NotFoundError

from shared.database import Driver
from shared.events.envelope import envelope_of
from shared.mark import read_mark
from shared.reading import Stored, reading
from shared.refusals import NotFound, Refusal, Unavailable
from shared.relay import Halted
from shared.stream import STREAM, last_of
from shared.wire import Client

PAGE = 1000
SILENCE = 30.0
"""Seconds without a message after which a stream that should have more is given up."""


class Walk:
    """One service's log up to a position. `row` is where it stands, None past the end."""

    def __init__(self, service: str, connection: Driver, until: int) -> None:
        self.service = service
        self.connection = connection
        self.until = until
        self._page: list[asyncpg.Record] = []
        self._at = 0
        self._last = 0
        self.row: asyncpg.Record | None = None

    async def step(self) -> None:
        """On to the next row; the first step leads to the first."""
        self._at += 1
        if self._at >= len(self._page):
            self._page = await self.connection.fetch(_PAGE, self._last, self.until, PAGE)
            self._at = 0
        self.row = self._page[self._at] if self._page else None
        if self.row is not None:
            self._last = self.row["position"]


async def head_of(service: str, log: Driver) -> int:
    """The position of its newest event. Raises `Refusal` if this database was never migrated, or not lately."""
    try:
        await read_mark(log)
        return int(await log.fetchval("SELECT position FROM log_head"))
    except asyncpg.UndefinedTableError:
        raise Refusal(
            f"the database of {service} has no log, or one of an older version: run `python -m services.{service} "
            "migrate`; if it was destroyed, `daybook log restore` makes it again from the stream",
            code="not-migrated",
            where=service,
        ) from None


async def copied_of(service: str, client: Client) -> int:
    """The position of the newest event of a service that the stream holds."""
    last = await last_of(client, f"daybook.{service}.>")
    return envelope_of(last.data or b"").position if last else 0


async def walks_through(logs: Mapping[str, Driver]) -> dict[str, Walk]:
    """A walk through each log as far as it reaches now, at its first row."""
    walks = {service: Walk(service, log, await head_of(service, log)) for service, log in logs.items()}
    for walk in walks.values():
        await walk.step()
    return walks


async def info_of(client: Client, stream: str = STREAM) -> StreamInfo:
    """How far the stream reaches, and since when it is there. Raises `NotFound` if it is not."""
    try:
        return await client.jetstream().stream_info(stream)
    except NotFoundError:
        raise NotFound(
            f"there is no stream {stream}: `daybook log republish` makes it again from the databases",
            code="no-stream",
            where=stream,
        ) from None


async def stored_of(client: Client, services: Collection[str], first: int, last: int) -> AsyncIterator[list[Stored]]:
    """What the stream holds there of these services, in batches."""
    # To match each message against several filters is more work for the broker than for us to drop what we do not want.
    subjects = [f"daybook.{service}.>" for service in services] if len(services) == 1 else ()
    wanted = tuple(f"daybook.{service}.".encode() for service in services)
    async for batch in stored_between(client, first, last, subjects):
        yield [stored for stored in batch if stored.message.subject.startswith(wanted)]


async def stored_between(
    client: Client, first: int, last: int, subjects: Sequence[str] = ()
) -> AsyncIterator[list[Stored]]:
    """What the stream holds there, in batches. It ends early if the last of it are missing."""
    async with reading(client, first, until=last, subjects=subjects) as batches:
        while True:
            try:
                async with asyncio.timeout(SILENCE):
                    batch = await anext(batches, None)
            except TimeoutError:
                raise Unavailable(
                    f"the broker does not hand out what the stream should hold up to sequence {last}",
                    code="broker-silent",
                ) from None
            if batch is None:
                return
            yield batch
            if batch and batch[-1].pending == 0:
                return


async def unbroken(client: Client, first: int, last: int) -> AsyncIterator[list[Stored]]:
    """The same, for whoever builds on it. Raises `Halted` if anything is missing: nothing that was stored may go."""
    due = first
    async for batch in stored_between(client, first, last):
        for stored in batch:
            if stored.sequence != due:
                raise _broken(due)
            due += 1
        yield batch
    if due <= last:
        raise _broken(due)


def _broken(sequence: int) -> Halted:
    return Halted(
        f"sequence {sequence} of the stream is missing: the stream is damaged, and nothing is built on it. "
        "`daybook log verify` says what is lost, and what to do"
    )


_PAGE = """
    SELECT position, id, stream, version, type, practice, recorded_at, command_end, body FROM events
    WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
"""
