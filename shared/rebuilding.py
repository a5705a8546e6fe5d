"""What a rebuild and a restore have in common: nobody else at it, a tally of how far it is, stock taken, a result."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.compare import LIVE, TableResult
from shared.refusals import Conflict

ONE_AT_A_TIME = 0x0DA1B00D

Progress = Callable[[int, int, float], None]
"""Called with events folded, events in all, and events a second."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a rebuild came to."""

    events: int
    seconds: float
    tables: Mapping[str, TableResult]
    restored: bool = False

    @property
    def equal(self) -> bool:
        """Whether every live table was what the log makes it."""
        return all(table.equal for table in self.tables.values())


@dataclass(slots=True)
class Tally:
    """How far a rebuild has come."""

    of: int
    tell: Progress
    done: int = 0
    started: float = field(default_factory=time.perf_counter)

    def add(self, count: int) -> None:
        self.done += count
        self.tell(self.done, max(self.of, self.done), self.done / max(self.seconds, 1e-6))

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started


@asynccontextmanager
async def alone(service: str, engine: AsyncEngine) -> AsyncIterator[None]:
    """Raises `Conflict` if this service is being rebuilt or restored already."""
    async with engine.connect() as guard:
        if not await guard.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ONE_AT_A_TIME}):
            raise Conflict(f"{service} is being rebuilt already", code="rebuild-running")
        try:
            yield
        finally:
            await guard.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})


async def take_stock(connection: AsyncConnection, tables: Iterable[Table]) -> None:
    """Tell the engine how large the live tables are now. It finds out by itself, but in its own time, and until then it
    reads a table that was just filled as if it were empty: the first report of a county took half a minute."""
    if names := ", ".join(f"{LIVE}.{table.name}" for table in tables):
        await connection.execute(text(f"ANALYZE {names}"))
