"""Brings receipts and replies to whoever sent the messages, and again until they are taken in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

import aiohttp

from services.notifications.sandbox.callbacks import Callback, Dialect
from services.notifications.sandbox.door import Door
from services.notifications.sandbox.journal import Brought, Provider, Settled, Told
from services.notifications.sandbox.knobs import Knobs
from services.notifications.sandbox.numbers import fate
from services.notifications.sandbox.phones import Message, Phones, Reply
from services.notifications.sandbox.sids import another_id
from shared.clock import Clock

BROKEN = (aiohttp.ClientError, TimeoutError)
FIRST_RETRY, SLOWEST_RETRY = 0.2, 5.0


class Courier:
    """The sandbox's way back to the service."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        phones: Phones,
        doors: Mapping[Provider, Door],
        dialects: Mapping[Provider, Dialect],
        clock: Clock,
    ) -> None:
        self._session = session
        self._phones = phones
        self._doors = doors
        self._dialects = dialects
        self._clock = clock
        self._errands: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    async def run(self, at_once: int) -> None:
        """Bring what an earlier process left behind, then whatever comes, until cancelled."""
        for message in list(self._phones.untold()):
            self.deliver(message)
        for reply in list(self._phones.not_brought()):
            self.bring(reply)
        async with asyncio.TaskGroup() as couriers:
            for _ in range(at_once):
                couriers.create_task(self._work())

    def deliver(self, message: Message) -> None:
        """Let the message reach its telephone, and its sender hear of it."""
        self._errands.put_nowait(lambda: self._deliver(message))

    def bring(self, reply: Reply) -> "asyncio.Future[None]":
        """Bring the reply; done when it was taken in."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._errands.put_nowait(lambda: self._bring(reply, taken))
        return taken

    async def _work(self) -> None:
        while True:
            errand = await self._errands.get()
            await errand()

    async def _deliver(self, message: Message) -> None:
        accepted, knobs = message.accepted, self._knobs(message.accepted.provider)
        if message.settled is None:
            now = self._clock.now() + timedelta(seconds=knobs.skew_s)
            self._phones.record(Settled(accepted.id, fate(accepted.phone), now))
        if knobs.receipts == "late":
            later = asyncio.get_running_loop().call_later
            later(knobs.late_ms / 1000, self._errands.put_nowait, lambda: self._tell(message))
        else:
            await self._tell(message)

    async def _tell(self, message: Message) -> None:
        for receipt in self._receipts(message):
            await self._post(receipt)
        self._phones.record(Told(message.accepted.id))

    def _receipts(self, message: Message) -> Sequence[Callback]:
        provider = message.accepted.provider
        dialect = self._dialects[provider]
        match self._knobs(provider).receipts:
            case "on" | "late":
                return dialect.receipts(message)
            case "doubled":
                return [receipt for receipt in dialect.receipts(message) for _ in range(2)]
            case "reordered":
                return dialect.reordered(message)
            case "off":
                return []

    async def _bring(self, reply: Reply, taken: "asyncio.Future[None]") -> None:
        replied = reply.replied
        dialect = self._dialects[replied.provider]
        ids = [replied.id]
        match self._knobs(replied.provider).replies:
            case "on":
                pass
            case "doubled":
                ids.append(replied.id)
            case "twice":
                ids.append(another_id(replied.provider, replied.id))
        for id in ids:
            await self._post(dialect.inbound(reply, id))
        self._phones.record(Brought(replied.id))
        if not taken.done():
            taken.set_result(None)

    def _knobs(self, provider: Provider) -> Knobs:
        return self._doors[provider].panel.knobs

    async def _post(self, callback: Callback) -> None:
        """Until it is taken in. As with Notify, a 4xx other than 429 is final: it would be refused again."""
        wait = FIRST_RETRY
        while await self._is_worth_repeating(callback):
            await asyncio.sleep(wait)
            wait = min(wait * 2, SLOWEST_RETRY)

    async def _is_worth_repeating(self, callback: Callback) -> bool:
        try:
            async with self._session.post(callback.url, data=callback.body, headers=callback.headers) as answer:
                return answer.status >= 500 or answer.status == 429
        except BROKEN:
            return True
