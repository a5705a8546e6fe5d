"""Where each service takes up a stream that was made again: so that nothing is skipped, and nothing done twice."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import msgspec

from shared.database import Driver
from shared.refusals import Conflict
from shared.relay import LEADER_LOCK


@dataclass(slots=True)
class Place:
    """After the last event before the first that the service has not followed.

    What it has followed may come again after that place, and is then dropped as a repeat.
    """

    followed: Mapping[str, int]
    sequence: int = 0
    event_id: str = ""
    found: bool = False

    def pass_by(self, service: str, position: int, sequence: int, event_id: str) -> None:
        """The next event of the stream. Whoever is not in `followed` is not followed at all."""
        self.found = self.found or not self.followed or position > self.followed.get(service, position)
        if not self.found:
            self.sequence, self.event_id = sequence, event_id


async def followed_by(log: Driver) -> Mapping[str, int]:
    """How far the service of this database has followed each other."""
    found = await log.fetchval("SELECT followed::text FROM checkpoint")
    return msgspec.json.decode(found, type=dict[str, int])


async def anchor(service: str, log: Driver, created: str, place: Place, position: int) -> None:
    """Tell the database which stream is its own now, and where it stands in it."""
    followed = msgspec.json.encode(dict(place.followed)).decode()
    async with log.transaction():
        await log.execute("SELECT position FROM log_head FOR UPDATE")
        moved = await log.fetchval(_ANCHOR, created, place.sequence, place.event_id, followed)
        if not moved:
            raise Conflict(
                f"{service} has gone on following meanwhile: stop it, and republish again", code="still-following"
            )
        await log.execute("UPDATE relayed SET stream_created = $1, position = $2", created, position)


@asynccontextmanager
async def relay_still(service: str, log: Driver, within: float) -> AsyncIterator[None]:
    """The service copies nothing to the stream meanwhile. Raises `Conflict` if its relay is at work."""
    await log.execute(f"SET lock_timeout = {round(within * 1000)}")
    try:
        await log.execute("SELECT pg_advisory_lock($1)", LEADER_LOCK)
    except asyncpg.LockNotAvailableError:
        raise Conflict(
            f"{service} is at work, and copies its log to the stream: stop it while the stream is made again",
            code="relay-at-work",
            where=service,
        ) from None
    await log.execute("RESET lock_timeout")
    try:
        yield
    finally:
        if not log.is_closed():
            await log.execute("SELECT pg_advisory_unlock($1)", LEADER_LOCK)


_ANCHOR = """
    UPDATE checkpoint SET stream_created = $1, sequence = $2, event_id = $3 WHERE followed = $4::jsonb RETURNING true
"""
