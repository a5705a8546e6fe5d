"""What a rebuild and a restore have in common: nobody else at it, a tally of how far it is, stock taken, a result."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.compare import LIVE, TableResult
from shared.refusals import Conflict

ONE_AT_A_TIME = 0x0DA1B00D
INTERRUPTED = 130
"""The exit code of a command that was interrupted, as shells have it."""

WORTH_KEEPING = 20
"""A new snapshot is one that spares the next rebuild at least the twentieth part of the history."""

Progress = Callable[[int, int, float], None]
"""Called with events folded, events in all, and events a second."""

Origin = Literal["nothing", "snapshot", "interrupted"]
"""What a rebuild began from; `interrupted`: from where another one had stopped."""


@dataclass(slots=True)
class Stalled:
    """The longest time, in seconds, that nobody could append, and that nobody could read."""

    writers: float = 0.0
    readers: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a rebuild came to. `folded` of the events were folded by this one, not by what it began from."""

    events: int
    seconds: float
    tables: Mapping[str, TableResult]
    restored: bool = False
    began_from: Origin = "nothing"
    folded: int = 0
    swapped: bool = False
    stalled: Stalled = field(default_factory=Stalled)

    @property
    def equal(self) -> bool:
        """Whether every live table was what the log makes it."""
        return all(table.equal for table in self.tables.values())


@dataclass(slots=True)
class Tally:
    """How far a rebuild has come. It began after `began` events."""

    of: int
    tell: Progress
    began: int = 0
    done: int = 0
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.done = max(self.done, self.began)

    def add(self, count: int) -> None:
        self.done += count
        self.tell(self.done, max(self.of, self.done), self.folded / max(self.seconds, 1e-6))

    @property
    def folded(self) -> int:
        return self.done - self.began

    @property
    def has_news(self) -> bool:
        """Whether enough was folded that the next rebuild is spared something if it begins after it."""
        return self.folded * WORTH_KEEPING >= self.done

    @property
    def is_nearly_done(self) -> bool:
        """Whether so little is left that it costs less to fold it with all indexes there than to wait for them."""
        return (self.of - self.done) * WORTH_KEEPING < self.of

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started


@asynccontextmanager
async def alone(service: str, engine: AsyncEngine) -> AsyncIterator[None]:
    """Raises `Conflict` if this service is being rebuilt or restored already."""
    async with engine.connect() as guard:
        # A transaction left open meanwhile would hold on to what it saw first: nothing could be cleared away behind it.
        await guard.execution_options(isolation_level="AUTOCOMMIT")
        if not await guard.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ONE_AT_A_TIME}):
            raise Conflict(f"{service} is being rebuilt already", code="rebuild-running")
        try:
            yield
        finally:
            await guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})


async def take_stock(connection: AsyncConnection, tables: Iterable[Table]) -> None:
    """Tell the engine how large the tables are now. It finds out by itself, but in its own time, and until then it
    reads a table that was just filled as if it were empty: the first report of a county took half a minute."""
    if names := ", ".join(f"{LIVE}.{table.name}" for table in tables):
        await connection.execute(text(f"ANALYZE {names}"))
