"""What a rebuild and a restore have in common: nobody else at it, a tally of how far it has come, and a result."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.compare import TableResult
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
