"""A log to count in: events written down as a service would have, in a database of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from services.booking.app import BLUEPRINT
from shared.database import open_engine
from shared.events.base import Event
from shared.events.envelope import Recorded, with_body
from shared.ids import derived_id
from shared.log import Appended, insert_events, lock_head
from tests.harness import Servers

NOW = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)


@asynccontextmanager
async def logbook(servers: Servers, events: Sequence[Event]) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection to a database whose log holds these events, in this order."""
    url = await servers.database(BLUEPRINT)
    engine = open_engine(url)
    async with engine.begin() as connection:
        await lock_head(connection)
        await insert_events(
            connection, [Appended(_recorded(event, at), at) for at, event in enumerate(events, start=1)]
        )
    await engine.dispose()
    log = await asyncpg.connect(url)
    try:
        yield log
    finally:
        await log.close()


def _recorded(event: Event, position: int) -> Recorded:
    return with_body(
        Recorded(
            position=position,
            version=position,
            id=derived_id("counted", str(position)),
            service=event.service,
            stream=event.stream,
            practice=event.at_practice,
            recorded_at=NOW,
            occurred_at=NOW,
            causation_id="",
            correlation_id="",
            event=event,
            body=b"",
        )
    )
