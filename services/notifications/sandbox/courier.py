"""Brings receipts and replies to whoever sent the messages, as Notify does: a POST with a bearer token, and again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import aiohttp
import msgspec
from msgspec import Struct

from services.notifications.gateways import BROKEN
from services.notifications.sandbox.journal import Brought, Settled, Status, Told
from services.notifications.sandbox.knobs import Panel
from services.notifications.sandbox.phones import Message, Phones, Reply
from shared.clock import Clock

MAGIC: Mapping[str, Status] = {"+447700900002": "permanent-failure", "+447700900003": "temporary-failure"}
"""Notify's magic numbers. To every other number messages are delivered."""

OUR_NUMBER = "447700900999"
"""What the patients see as sender, and answer to."""

FIRST_RETRY, SLOWEST_RETRY = 0.2, 5.0

_TIMES: Mapping[str, int] = {"on": 1, "doubled": 2, "off": 0}


class Receipt(Struct, frozen=True):
    """Notify's delivery receipt."""

    id: str
    reference: str
    to: str
    status: Status
    created_at: datetime
    completed_at: datetime
    sent_at: datetime
    template_id: str
    notification_type: str = "sms"
    template_version: int = 1


class ReceivedText(Struct, frozen=True):
    """Notify's received text."""

    id: str
    source_number: str
    message: str
    date_received: datetime
    destination_number: str = OUR_NUMBER


class Courier:
    """The sandbox's way back to the service."""

    def __init__(self, session: aiohttp.ClientSession, phones: Phones, panel: Panel, clock: Clock) -> None:
        self._session = session
        self._phones = phones
        self._panel = panel
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
        accepted, knobs = message.accepted, self._panel.knobs
        if message.settled is None:
            status = MAGIC.get(accepted.phone, "delivered")
            self._phones.record(Settled(accepted.id, status, self._clock.now()))
        if knobs.receipts == "late":
            later = asyncio.get_running_loop().call_later
            later(knobs.late_ms / 1000, self._errands.put_nowait, lambda: self._tell(message, 1))
        else:
            await self._tell(message, _TIMES[knobs.receipts])

    async def _tell(self, message: Message, times: int) -> None:
        for _ in range(times):
            await self._post("/v1/receipts", _receipt(message))
        self._phones.record(Told(message.accepted.id))

    async def _bring(self, reply: Reply, taken: "asyncio.Future[None]") -> None:
        replied = reply.replied
        text = ReceivedText(replied.id, replied.phone.removeprefix("+"), replied.text, replied.at)
        await self._post("/v1/inbound", text)
        self._phones.record(Brought(replied.id))
        if not taken.done():
            taken.set_result(None)

    async def _post(self, path: str, body: Struct) -> None:
        """Until it is taken in. As with Notify, a 4xx other than 429 is final: it would be refused again."""
        wait = FIRST_RETRY
        while await self._is_worth_repeating(path, msgspec.json.encode(body)):
            await asyncio.sleep(wait)
            wait = min(wait * 2, SLOWEST_RETRY)

    async def _is_worth_repeating(self, path: str, body: bytes) -> bool:
        try:
            async with self._session.post(path, data=body) as answer:
                return answer.status >= 500 or answer.status == 429
        except BROKEN:
            return True


def _receipt(message: Message) -> Receipt:
    accepted, settled = message.accepted, message.settled
    if settled is None:
        raise ValueError("there is no receipt before the end")
    return Receipt(
        id=accepted.id,
        reference=accepted.reference,
        to=accepted.phone,
        status=settled.status,
        created_at=accepted.at,
        completed_at=settled.at,
        sent_at=accepted.at,
        template_id=accepted.template,
    )
