"""The sender: takes what is planned to the providers, once, and settles what it cannot be sure of by asking.

Whatever goes wrong here ends the session, and the next begins like a process that has just started: what was at a
provider then is of unknown outcome, and is looked up before anything else happens to it.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from services.notifications.handing_over import LOOK_AGAIN, HandingOver, Resting, Session, Unsure
from services.notifications.hours import next_opening, open_lanes
from services.notifications.lanes import together
from services.notifications.lines import Exchange, Line, Place, exchange_of
from services.notifications.outbox import Due, read_due, read_last_hour, read_sent_since, read_tried
from services.notifications.pacing import Hourly
from services.notifications.points import Passing, Point, onwards
from services.notifications.providers import open_gateways
from services.notifications.routing import Policy
from services.notifications.settings import NotificationsSettings, own_settings
from services.notifications.settling import Settling
from services.notifications.wording import Text
from shared.refusals import Refusal
from shared.relay import PASSING
from shared.service import Running

READ_AGAIN = 1.0
"""Seconds after which what was read but not begun is left in the tables, and what is most urgent by then is read."""
RESTART_AFTER = 1.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Window:
    """Through which others see the sender at work, where there is one."""

    sender: "Sender | None" = None


async def send(
    running: Running, window: Window | None = None, *, policy: Policy | None = None, passing: Passing = onwards
) -> None:
    """Send until cancelled. Runs beside a live service only: a rebuild has no sender, and so no gateway."""
    settings, window = own_settings(running.settings), window or Window()
    async with open_gateways(settings) as gateways:
        exchange = exchange_of(gateways, settings, policy or Policy())
        while True:
            try:
                window.sender = Sender(running, settings, exchange, passing)
                await window.sender.work()
            except* (*PASSING, Refusal) as faults:
                _log.info("sender waits", faults=[type(fault).__name__ for fault in faults.exceptions])
            except* Exception:
                _log.exception("sender failed")
            await asyncio.sleep(RESTART_AFTER)


class Sender:
    """One session of sending. `parked`: the attempts, by message, that only a person can settle."""

    def __init__(
        self, running: Running, settings: NotificationsSettings, exchange: Exchange, passing: Passing = onwards
    ) -> None:
        self.exchange = exchange
        self.hourly = Hourly(settings.hourly_to_one)
        self.parked: dict[str, int] = {}
        self._session = Session(running, settings, exchange, self.hourly, passing)
        self._handing_over = HandingOver(self._session)
        self._settling = Settling(self._session, self._handing_over)
        self._desks = {line.provider: asyncio.Semaphore(settings.concurrency) for line in exchange.lines.values()}
        self._at_once = together(sum(line.rate for line in exchange.lines.values()))
        self._at_hand: set[str] = set()

    async def work(self) -> None:
        """Settle what others left at the providers, and meanwhile send what is due, for ever.

        Only the process that leads the relay sends, so two never do.
        """
        await self._session.running.relay.agreed.wait()
        await self._count()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._session.running.relay.agreed.wait()
                await self._take_up(tasks)
                if not await self._dispatch(tasks):
                    await self._rest()

    async def _count(self) -> None:
        """What was sent today and within the hour, by whoever sent it."""
        now = self._session.running.clock.now()
        async with self._session.running.engine.connect() as connection:
            self.hourly.note(await read_last_hour(connection, now))
            midnight = self.exchange.midnight()
            since = midnight + self._session.running.clock.offset
            self.exchange.note_sent(midnight, await read_sent_since(connection, since))

    async def _take_up(self, tasks: asyncio.TaskGroup) -> None:
        """What was tried, but not by this session. Looked for again and again: an earlier one may commit late."""
        ours = frozenset(self._at_hand)
        async with self._session.running.engine.connect() as connection:
            tried = await read_tried(connection)
        still = {(due.message, due.attempt) for due in tried}
        self.parked = {message: attempt for message, attempt in self.parked.items() if (message, attempt) in still}
        for due in tried:
            if due.message not in ours and self.parked.get(due.message) != due.attempt:
                self._at_hand.add(due.message)
                tasks.create_task(self._apart(due, self._doubt(due)))

    async def _dispatch(self, tasks: asyncio.TaskGroup) -> int:
        """Start on the messages that go next; how many were started."""
        waiting = await self._read()
        texts = await self._session.open(waiting)
        deadline = asyncio.get_running_loop().time() + READ_AGAIN
        shared = self.exchange.share_out(waiting, deadline)
        return sum(await asyncio.gather(*(self._start(tasks, line, dues, texts, deadline) for line, dues in shared)))

    async def _read(self) -> Sequence[Due]:
        now = self._session.running.clock.now()
        async with self._session.running.engine.connect() as connection:
            return await read_due(
                connection,
                open_lanes(now),
                self._at_once,
                beside=frozenset(self._at_hand),
                resting=self.hourly.full(now),
            )

    async def _start(
        self,
        tasks: asyncio.TaskGroup,
        line: Line,
        waiting: Sequence[Due],
        texts: Mapping[str, Text],
        deadline: float,
    ) -> int:
        """Start on these one after the other, each at its turn, as far as one comes before the deadline."""
        started = 0
        for due in waiting:
            if not self.hourly.take(due.number, self._session.running.clock.now()):
                continue
            place = await self._place(line, deadline)
            if place is None:
                self.hourly.give_back(due.number)
                break
            self._session.passing(Point.READ)
            self._at_hand.add(due.message)
            tasks.create_task(self._apart(due, self._carry(due, texts.get(due.message), place)))
            started += 1
        return started

    async def _place(self, line: Line, deadline: float) -> Place | None:
        """Wait for a desk and a turn. None if there is none in time, or if the provider has been closed meanwhile."""
        desk = self._desks[line.provider]
        try:
            async with asyncio.timeout_at(deadline):
                await desk.acquire()
        except TimeoutError:
            return None
        if await line.turn_by(deadline) and (place := self.exchange.admit(line)):
            return place
        desk.release()
        return None

    async def _apart(self, due: Due, work: Coroutine[Any, Any, None]) -> None:
        """What goes wrong with this message alone ends no other's: it is left as it is until the next session."""
        try:
            await work
        except PASSING:
            raise
        except Exception as fault:
            # What the fault says may name somebody.
            _log.error("a message is left until the next session", fault=type(fault).__name__)
        else:
            self._at_hand.discard(due.message)

    async def _carry(self, due: Due, text: Text | None, place: Place) -> None:
        try:
            came = await self._handing_over.attempt(due, text, place)
        finally:
            self._desks[place.line.provider].release()
        match came:
            case Unsure(unsure):
                await self._settle(unsure)
            case Resting(seconds) if seconds:
                await asyncio.sleep(seconds)

    async def _doubt(self, due: Due) -> None:
        await self._settle(await self._handing_over.lost(due))

    async def _settle(self, due: Due) -> None:
        if (parked := await self._settling.settle(due)) is not None:
            self.parked[parked.message] = parked.attempt
        else:
            self.parked.pop(due.message, None)

    async def _rest(self) -> None:
        """Until a lane opens, or there may be something new."""
        now = self._session.running.clock.now()
        opening = next_opening(now)
        wait = LOOK_AGAIN if opening is None else min(LOOK_AGAIN, (opening - now).total_seconds())
        await asyncio.sleep(wait)
