"""How long each stage of a rebuild takes by itself: `python -m benchmarks.rebuild_stages SERVICE`.

It does what a rebuild of this service does, with the same functions: reads the events and decodes them, folds them into
changes of rows; and prints the seconds of each, as JSON. What a whole rebuild takes beyond that is storing.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.broker import connect
from shared.database import open_engine
from shared.log import head_position
from shared.refolding import Folding
from shared.service import Blueprint
from shared.stretches import Place, Stretch, in_the_stream, of_its_own
from shared.walking import info_of
from shared.wire import Client

_BEGINNING = Place(stream_created="", sequence=0, event_id="", positions={}, own_id="")


@dataclass(slots=True)
class Stages:
    """Seconds spent in each so far, and the events that came through."""

    events: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"read": 0.0, "fold": 0.0})
    _last: float = field(default_factory=time.perf_counter)

    def mark(self, stage: str) -> None:
        """What has passed since the last mark belongs to this stage."""
        now = time.perf_counter()
        self.seconds[stage] += now - self._last
        self._last = now


async def go_through(blueprint: Blueprint, stretch: Stretch) -> Stages:
    """Everything but storing."""
    stages, folding = Stages(), Folding(blueprint, (), _BEGINNING)
    async for read in stretch:
        stages.mark("read")
        folding.take(read)
        if folding.batch.is_full:
            folding.cut()
        stages.mark("fold")
        stages.events += len(read.events)
    return stages


async def _all_of(blueprint: Blueprint, engine: AsyncEngine, client: Client) -> Stretch:
    """The whole log, from where a rebuild reads it."""
    if blueprint.follows:
        return in_the_stream(blueprint, client, _BEGINNING, (await info_of(client)).state.last_seq)
    async with engine.connect() as connection:
        return of_its_own(blueprint, engine, _BEGINNING, await head_position(connection))


async def _run(service: str) -> Stages:
    app = import_module(f"services.{service}.app")
    settings = app.Settings.from_environment()
    engine, client = open_engine(settings.database_url), await connect(settings.nats_url, service)
    try:
        return await go_through(app.BLUEPRINT, await _all_of(app.BLUEPRINT, engine, client))
    finally:
        await client.close()
        await engine.dispose()


def main() -> None:
    """One service's stages."""
    stages = asyncio.run(_run(sys.argv[1]))
    print(json.dumps({"events": stages.events, **stages.seconds}))  # noqa: T201


if __name__ == "__main__":
    main()
