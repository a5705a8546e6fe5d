"""Two toy services with a small history, and both copies of its log to compare, to lose and to make again."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import asyncpg

from shared.anchor import relay_still
from shared.broker import connect
from shared.database import Driver
from shared.key_copies import key_message, publish_keys
from shared.republish import Republished, republish
from shared.service import Running
from shared.stream import STREAM, Message, ensure_streams, publish
from shared.verify import Verified, verify
from shared.walking import info_of, stored_between
from shared.wire import Client
from tests.harness import County
from tests.shared.toys import outages, practices
from tests.shared.toys.practices import Freeze, FreezeTwo, Register
from tests.waiting import DEADLINE


def untold(*_: object) -> None:
    """For those who do not mind how far it is."""


class Held(NamedTuple):
    """What the stream holds in one place, to be altered at will."""

    sequence: int
    subject: str
    body: bytes


class Copies:
    """Both copies of a county's log, as an operator reaches them."""

    def __init__(self, county: County, client: Client, logs: Mapping[str, Driver]) -> None:
        self.county = county
        self.client = client
        self.logs = logs

    async def verified(self) -> Verified:
        return await verify(self.client, self.logs, tell=untold)

    async def republished(self, *, within: float = 2.0) -> Republished:
        async with AsyncExitStack() as still:
            for service, log in self.logs.items():
                await still.enter_async_context(relay_still(service, log, within))
            return await republish(self.client, self.logs, tell=untold)

    async def stream(self) -> list[Held]:
        """All that the stream holds."""
        if not (last := (await info_of(self.client)).state.last_seq):
            return []
        batches = stored_between(self.client, 1, last)
        return [Held(each.sequence, each.subject, each.body) async for batch in batches for each in batch]

    async def only(self, kept: list[Held], *, keys: bool = True) -> None:
        """The stream made again with these messages alone, as an older copy of it has; the keys stream whole."""
        await self.county.servers.fresh_streams()
        for service, log in self.logs.items() if keys else ():
            rows = await log.fetch("SELECT subject, wrapped FROM data_keys")
            made = [key_message(f"daybook-keys.{service}.{row['subject']}", row["wrapped"]) for row in rows]
            await publish_keys(self.client, made)
        for stored in kept:
            await publish(self.client, [Message(stored.subject, f"kept {stored.sequence}", stored.body)])

    async def lose_stream(self) -> None:
        """Gone, and not made again."""
        await self.client.jetstream().delete_stream(STREAM)

    async def make_streams(self) -> None:
        await ensure_streams(self.client)


@asynccontextmanager
async def copies_of(county: County) -> AsyncIterator[Copies]:
    """Both copies of the logs of booking and rebooking."""
    async with AsyncExitStack() as stack:
        client = await connect(county.servers.nats.url("operator"), "operator")
        stack.push_async_callback(client.close)
        logs: dict[str, Driver] = {}
        for blueprint, settings in ((practices.BLUEPRINT, practices.Settings), (outages.BLUEPRINT, outages.Settings)):
            url = (await county.settings(blueprint, settings)).database_url
            logs[blueprint.name] = await asyncpg.connect(url)
            stack.push_async_callback(logs[blueprint.name].close)
        yield Copies(county, client, logs)


@asynccontextmanager
async def both_at_work(county: County) -> AsyncIterator[tuple[Running, Running]]:
    async with (
        county.service(practices.BLUEPRINT, practices.Settings, relay_wait=0.2) as booking,
        county.service(outages.BLUEPRINT, outages.Settings, relay_wait=0.2) as rebooking,
    ):
        yield booking, rebooking


async def a_history(county: County, *, noted: bool = False) -> None:
    """Nine events of booking, two of them of one command, three patients' keys, and rebooking's two on top.

    `noted`: the databases know how far they have been copied, as they do a second later.
    """
    async with both_at_work(county) as (booking, _):
        await booking.keys.ensure({"patient-1", "patient-2", "patient-3"})
        for code in ("G1", "G2", "G3", "G4", "G5", "G6"):
            await booking.executor.execute(Register(code, f"Surgery {code}"))
        await booking.executor.execute(Freeze("G1", "outage-1"))
        await county.caught_up()
        await booking.executor.execute(FreezeTwo(("G2", "G4"), "outage-2"))
        await county.caught_up()
        if noted:
            await _noted(county)


async def _noted(county: County) -> None:
    async with copies_of(county) as copies, asyncio.timeout(DEADLINE):
        for log in copies.logs.values():
            while not await log.fetchval(_NOTED):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


_NOTED = "SELECT relayed.position = log_head.position FROM relayed, log_head"
