"""The sender: takes what is planned to the gateway, once, and settles what it cannot be sure of by asking.

Whatever goes wrong here ends the session, and the next begins like a process that has just started: what was at the
gateway then is of unknown outcome, and is looked up before anything else happens to it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from services.notifications.commands import (
    AttemptSend,
    Command,
    RecordAccepted,
    RecordReceipt,
    RecordRefused,
    RecordUnknown,
)
from services.notifications.conversations import reference_of
from services.notifications.gateways import (
    Absent,
    Deferred,
    Found,
    Gateway,
    Lost,
    Refused,
    Taken,
    Unreachable,
    open_gateway,
)
from services.notifications.outbox import Due, is_still_true, read_due, read_tried
from services.notifications.pacing import Pace, decent_hour
from services.notifications.settings import NotificationsSettings, own_settings
from services.notifications.wording import Text
from shared.events.envelope import Recorded
from shared.events.notifications import SendAttempted
from shared.refusals import Refusal
from shared.relay import PASSING
from shared.service import Running

TOGETHER = 500
"""Messages read from the outbox at a time."""
LOOK_AGAIN = 0.5
RELAY_WAIT = 5.0
RESTART_AFTER = 1.0
SLOWEST_LOOK = 30.0

ERASED = "The patient's data was erased"
OUTDATED = "The appointment was changed before the text could be sent"
BEGUN = "The appointment had begun before the text could be sent"

_log = structlog.get_logger(__name__)


async def send(running: Running) -> None:
    """Send until cancelled. Runs beside a live service only: a rebuild has no sender, and so no gateway."""
    settings = own_settings(running.settings)
    async with open_gateway(settings) as gateway:
        while True:
            try:
                await Sender(running, settings, gateway).work()
            except* (*PASSING, Refusal) as faults:
                _log.info("sender waits", faults=[type(fault).__name__ for fault in faults.exceptions])
            except* Exception:
                _log.exception("sender failed")
            await asyncio.sleep(RESTART_AFTER)


class Sender:
    """One session of sending."""

    def __init__(self, running: Running, settings: NotificationsSettings, gateway: Gateway) -> None:
        self._running = running
        self._settings = settings
        self._gateway = gateway
        self._pace = Pace(settings.rate)
        self._desks = asyncio.Semaphore(settings.concurrency)
        self._enquiries = asyncio.Semaphore(settings.concurrency)
        self._at_hand: set[str] = set()

    async def work(self) -> None:
        """Settle what others left at the gateway, and meanwhile send what is due, for ever.

        Only the process that leads the relay sends, so two never do.
        """
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._running.relay.agreed.wait()
                await self._take_up(tasks)
                await self._daylight()
                if not await self._dispatch(tasks):
                    await asyncio.sleep(LOOK_AGAIN)

    async def _take_up(self, tasks: asyncio.TaskGroup) -> None:
        """What was tried, but not by this session. Looked for again and again: an earlier one may commit late."""
        ours = frozenset(self._at_hand)
        async with self._running.engine.connect() as connection:
            tried = await read_tried(connection)
        for due in tried:
            if due.message not in ours:
                self._at_hand.add(due.message)
                tasks.create_task(self._doubt(due))

    async def _dispatch(self, tasks: asyncio.TaskGroup) -> int:
        """Start on the next messages that are due; how many there were."""
        ours = frozenset(self._at_hand)
        async with self._running.engine.connect() as connection:
            found = await read_due(connection, TOGETHER + len(ours))
        waiting = [due for due in found if due.message not in ours]
        texts = await self._open(waiting)
        for due in waiting:
            await self._desks.acquire()
            self._at_hand.add(due.message)
            tasks.create_task(self._send_first(due, texts.get(due.message)))
        return len(waiting)

    async def _open(self, waiting: Sequence[Due]) -> dict[str, Text]:
        """The texts of these messages. One is missing where the patient's key has been destroyed."""
        keys = await self._running.keys.find({due.patient for due in waiting})
        return {due.message: keys[due.patient].open(due.sealed, Text) for due in waiting if due.patient in keys}

    async def _send_first(self, due: Due, text: Text | None) -> None:
        due = replace(due, attempt=1)
        try:
            lost = await self._try(due, text)
        finally:
            self._desks.release()
        if not lost or await self._settle(due):
            self._at_hand.discard(due.message)

    async def _doubt(self, due: Due) -> None:
        await self._execute(RecordUnknown(due.message, due.attempt))
        if await self._settle(due):
            self._at_hand.discard(due.message)

    async def _settle(self, due: Due) -> bool:
        """Ask until the provider is sure. Try again only if it surely has nothing; then the same holds for that.

        False if that was done often enough: the message stays unknown, for a person to look into.
        """
        async with self._enquiries:
            while await self._surely_absent(due):
                if due.attempt >= self._settings.attempts:
                    return False
                text = (await self._open([due])).get(due.message)
                due = replace(due, attempt=due.attempt + 1)
                if not await self._try(due, text):
                    return True
            return True

    async def _surely_absent(self, due: Due) -> bool:
        """False if the provider has the message, which is then adopted. As long as it cannot say, ask again."""
        clock = asyncio.get_running_loop()
        begun, absent, wait = clock.time(), 0, self._settings.look_every
        while True:
            match await self._gateway.look_up(reference_of(due.message, due.attempt)):
                case Found() as found:
                    await self._adopt(due, found)
                    return False
                case Absent():
                    absent += 1
                case Unreachable():
                    absent = 0
            if absent >= self._settings.looks and clock.time() - begun >= self._settings.settle:
                return True
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, SLOWEST_LOOK)

    async def _adopt(self, due: Due, found: Found) -> None:
        await self._execute(RecordAccepted(due.message, due.attempt, found.provider_id))
        if found.status is not None:
            await self._execute(RecordReceipt(due.message, due.attempt, found.provider_id, found.status))

    async def _try(self, due: Due, text: Text | None) -> bool:
        """Make this attempt, if it still makes sense. True if its outcome is unknown."""
        await self._turn()
        if text is None:
            return await self._give_up(due, ERASED)
        # Its turn may have come a night after it was read.
        async with self._running.engine.connect() as connection:
            still_true = await is_still_true(connection, due.message)
        if not still_true:
            return await self._give_up(due, OUTDATED, outdated=True)
        if due.appointment_start <= self._running.clock.now():
            return await self._give_up(due, BEGUN)
        return await self._claim(due) and await self._hand_over(due, text)

    async def _give_up(self, due: Due, reason: str, *, outdated: bool = False) -> bool:
        """This attempt is not made, and none before it was taken: the outcome is known."""
        await self._execute(RecordRefused(due.message, due.attempt - 1, reason, outdated))
        return False

    async def _claim(self, due: Due) -> bool:
        """True once this attempt is ours and stands in both copies of the log, so that no crash can hide it."""
        claim = AttemptSend(due.message, due.number, due.attempt, self._gateway.provider)
        recorded = await self._execute(claim)
        if not any(isinstance(each.event, SendAttempted) for each in recorded):
            return False
        while not await self._running.relay.reached(recorded[-1].position, RELAY_WAIT):  # noqa: ASYNC110 (it tells when)
            await asyncio.sleep(LOOK_AGAIN)
        return True

    async def _hand_over(self, due: Due, text: Text) -> bool:
        """Until the provider has it, or will not have it. True if the answer was lost."""
        while True:
            match await self._gateway.send(text, reference_of(due.message, due.attempt)):
                case Taken(provider_id):
                    await self._execute(RecordAccepted(due.message, due.attempt, provider_id))
                    return False
                case Lost():
                    await self._execute(RecordUnknown(due.message, due.attempt))
                    return True
                case Refused(reason):
                    await self._execute(RecordRefused(due.message, due.attempt, reason))
                    return False
                case Deferred(reason, seconds):
                    if self._pace.pause(seconds):
                        _log.warning("the gateway holds us up", reason=reason, seconds=seconds)
            await self._turn()
            if due.appointment_start <= self._running.clock.now():
                await self._execute(RecordRefused(due.message, due.attempt, BEGUN))
                return False

    async def _turn(self) -> None:
        await self._daylight()
        await self._pace.turn()

    async def _daylight(self) -> None:
        now = self._running.clock.now()
        await asyncio.sleep((decent_hour(now) - now).total_seconds())

    async def _execute(self, command: Command) -> Sequence[Recorded]:
        return await self._running.executor.execute(command)
