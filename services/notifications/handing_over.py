"""One attempt at a message: claimed in both copies of the log, made if it still has something to tell, and recorded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.notifications.commands import (
    AttemptSend,
    Command,
    RecordAccepted,
    RecordDeferred,
    RecordRefused,
    RecordUnknown,
    SuppressNumber,
)
from services.notifications.conversations import reference_of
from services.notifications.gateways import Deferred, Lost, Refused, Taken
from services.notifications.lines import Exchange, Line, Place
from services.notifications.outbox import Due, read_status
from services.notifications.pacing import Hourly
from services.notifications.points import Passing, Point
from services.notifications.relevance import moot
from services.notifications.settings import NotificationsSettings
from services.notifications.wording import Text
from shared.events.envelope import Recorded
from shared.events.notifications import OutcomeUnknown, SendAttempted
from shared.seal import opened
from shared.service import Running

RELAY_WAIT = 5.0
LOOK_AGAIN = 0.5

ERASED = "The patient's data was erased"
OPTED_OUT = "The number has told the provider that it wants no texts"
COPY_LATE = "The copy of the log was away for too long"


@dataclass(frozen=True, slots=True)
class Resting:
    """It was certainly not sent, and better not tried again for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Unsure:
    """The attempt may have been taken or not."""

    due: Due


Came = Resting | Unsure | None
"""What came of it, if it is not over."""


@dataclass(frozen=True, slots=True)
class Session:
    """What one session of sending works with. `hourly` is its own; the lines outlive it."""

    running: Running
    settings: NotificationsSettings
    exchange: Exchange
    hourly: Hourly
    passing: Passing

    async def open(self, waiting: Sequence[Due]) -> dict[str, Text]:
        """The texts of these messages. One is missing where the patient's key has been destroyed."""
        keys = await self.running.keys.find({due.patient for due in waiting})
        texts = {due.message: opened(keys.get(due.patient), due.sealed, Text) for due in waiting}
        return {message: text for message, text in texts.items() if text}


class HandingOver:
    """Makes attempts. Whoever calls has a turn and a place on the line, and one among the hour's to that number."""

    def __init__(self, session: Session) -> None:
        self._running = session.running
        self._exchange = session.exchange
        self._hourly = session.hourly
        self._pass = session.passing

    async def attempt(self, due: Due, text: Text | None, place: Place) -> Came:
        """Make the next attempt, if it still makes sense."""
        if text is None:
            await self._withdraw(due, place, RecordRefused(due.message, due.attempt, ERASED))
            return None
        async with self._running.engine.connect() as connection:
            status = await read_status(connection, due.appointment)
        if over := moot(due.kind, status, due.appointment_start, self._running.clock.now()):
            await self._withdraw(due, place, RecordRefused(due.message, due.attempt, over.reason, over.outdated))
            return None
        claimed = await self._claim(due, place)
        return await self._call(claimed, text, place) if claimed else None

    async def _withdraw(self, due: Due, place: Place, refused: RecordRefused) -> None:
        """This attempt is not made, and none before it was taken: the outcome is known."""
        self._give_back(due, place)
        await self._record(refused)
        self._pass(Point.WITHDRAWN)

    async def _claim(self, due: Due, place: Place) -> Due | None:
        """The attempt once it is ours and stands in both copies of the log, so that no crash can hide it."""
        self._pass(Point.CLAIMING)
        recorded = await self._record(AttemptSend(due.message, due.number, due.attempt + 1, place.line.provider))
        self._pass(Point.CLAIMED)
        if not any(isinstance(each.event, SendAttempted) for each in recorded):
            self._give_back(due, place)
            return None
        claimed = _tried(due, place.line, recorded[-1].recorded_at)
        if await self._running.relay.reached(recorded[-1].position, RELAY_WAIT):
            return claimed
        while not await self._running.relay.reached(recorded[-1].position, RELAY_WAIT):  # noqa: ASYNC110 (it tells when)
            await asyncio.sleep(LOOK_AGAIN)
        # By now it may be night, or the appointment over: it waits its turn once more.
        await self._defer(claimed, place, COPY_LATE)
        return None

    async def _call(self, due: Due, text: Text, place: Place) -> Came:
        self._pass(Point.CALLING)
        outcome = await place.line.gateway.send(text, reference_of(due.message, due.attempt))
        self._pass(Point.ANSWERED)
        self._exchange.hear(place.line, outcome)
        match outcome:
            case Taken(provider_id):
                await self._record(RecordAccepted(due.message, due.attempt, due.provider, provider_id))
                self._pass(Point.ACCEPTED)
                return None
            case Refused():
                await self._refused(due, outcome)
                return None
            case Deferred(hindrance, reason, seconds):
                await self._defer(due, place, reason)
                return Resting(seconds if hindrance == "misconfigured" else 0.0)
            case Lost():
                return Unsure(await self.lost(due))

    async def lost(self, due: Due) -> Due:
        """Record that nobody knows what became of this attempt."""
        recorded = await self._record(RecordUnknown(due.message, due.attempt))
        self._pass(Point.LOST)
        unknowns = [each.event.unknowns for each in recorded if isinstance(each.event, OutcomeUnknown)]
        return replace(due, unknowns=max([due.unknowns, *unknowns]))

    async def _refused(self, due: Due, refused: Refused) -> None:
        refusal = RecordRefused(due.message, due.attempt, refused.reason)
        if not refused.opted_out:
            await self._record(refusal)
            self._pass(Point.REFUSED)
        else:
            # The ledger must not go on believing that this number can be texted.
            await self._record(refusal, SuppressNumber(due.number, OPTED_OUT, (due.message,)))
            self._pass(Point.SUPPRESSED)

    async def _defer(self, due: Due, place: Place, reason: str) -> None:
        self._give_back(due, place)
        await self._record(RecordDeferred(due.message, due.attempt, reason))
        self._pass(Point.DEFERRED)

    def _give_back(self, due: Due, place: Place) -> None:
        self._exchange.give_back(place)
        self._hourly.give_back(due.number)

    async def _record(self, *commands: Command) -> Sequence[Recorded]:
        return await self._running.executor.execute_together(commands)


def _tried(due: Due, line: Line, at: datetime) -> Due:
    return replace(due, attempt=due.attempt + 1, provider=line.provider, attempted_at=at)
