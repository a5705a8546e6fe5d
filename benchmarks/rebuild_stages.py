"""How long each stage of a rebuild takes by itself: `python -m benchmarks.rebuild_stages SERVICE`.

It reads what a rebuild of this service reads, in the same batches and with the same functions: pulls it from the
stream, decodes it, folds it into changes of rows; and prints the seconds of each, as JSON. What a whole rebuild takes
beyond that is storing.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module

from shared.broker import connect
from shared.bulk import Batch
from shared.events.envelope import decode
from shared.refolding import folded_in
from shared.service import Blueprint
from shared.walking import info_of, stored_of
from shared.wire import Client


@dataclass(slots=True)
class Stages:
    """Seconds spent in each so far, and the events that came through."""

    events: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"pull": 0.0, "decode": 0.0, "fold": 0.0})
    _last: float = field(default_factory=time.perf_counter)

    def mark(self, stage: str) -> None:
        """What has passed since the last mark belongs to this stage."""
        now = time.perf_counter()
        self.seconds[stage] += now - self._last
        self._last = now


async def go_through(blueprint: Blueprint, client: Client) -> Stages:
    """Everything but storing, on all of the stream."""
    last = (await info_of(client)).state.last_seq
    services = folded_in(blueprint)
    stages, batch, without_end = Stages(), Batch(), dict.fromkeys(services, sys.maxsize)
    async for pulled in stored_of(client, services, 1, last):
        stages.mark("pull")
        recorded = [decode(stored.body) for stored in pulled]
        stages.mark("decode")
        batch.fold(recorded, blueprint.changes(recorded, without_end))
        if batch.is_full:
            batch = Batch()
        stages.mark("fold")
        stages.events += len(recorded)
    return stages


async def _run(service: str) -> Stages:
    app = import_module(f"services.{service}.app")
    client = await connect(app.Settings.from_environment().nats_url, service)
    try:
        return await go_through(app.BLUEPRINT, client)
    finally:
        await client.close()


def main() -> None:
    """One service's stages."""
    stages = asyncio.run(_run(sys.argv[1]))
    print(json.dumps({"events": stages.events, **stages.seconds}))  # noqa: T201


if __name__ == "__main__":
    main()
