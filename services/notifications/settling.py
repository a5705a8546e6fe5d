"""What became of an attempt of unknown outcome: its provider is asked until it is sure, and nothing is ever guessed."""

import asyncio
from datetime import timedelta

from services.notifications.commands import RecordAccepted, RecordReceipt
from services.notifications.conversations import reference_of
from services.notifications.gateways import Absent, Finding, Found, Trace, Unknowable, Unreachable
from services.notifications.handing_over import LOOK_AGAIN, Came, HandingOver, Session, Unsure
from services.notifications.hours import opens
from services.notifications.lines import Line, Place
from services.notifications.outbox import Due
from services.notifications.pacing import HOUR
from services.notifications.points import Point

SLOWEST_LOOK = 30.0
KEPT_FOR = timedelta(hours=48)
"""How long a provider surely keeps what it took. That it has nothing of an older attempt proves nothing."""


class Settling:
    """Settles attempts of unknown outcome."""

    def __init__(self, session: Session, handing_over: HandingOver) -> None:
        self._session = session
        self._handing_over = handing_over
        at_once = session.settings.concurrency
        self._enquiries = {provider: asyncio.Semaphore(at_once) for provider in session.exchange.lines}

    async def settle(self, due: Due) -> Due | None:
        """Ask until the provider is sure. Try again only if it surely has nothing; then the same holds for that.

        None once that is over. Else the attempt of which nobody can be sure: a person has to look into it.
        """
        line = self._session.exchange.lines.get(due.provider)
        while line is not None:
            match found := await self._find_out(due, line):
                case Found():
                    await self._adopt(due, found)
                    return None
                case Absent() if due.unknowns < self._session.settings.attempts and self._is_recent(due):
                    self._session.passing(Point.ABSENT)
                    self._give_back(due)
                case _:
                    break
            again = await self._again(due, line)
            if not isinstance(again, Unsure):
                return None
            due = again.due
        self._session.passing(Point.PARKED)
        return due

    async def _find_out(self, due: Due, line: Line) -> Finding:
        """What the provider is sure of. As long as it cannot say, ask again."""
        clock, settings = asyncio.get_running_loop(), self._session.settings
        begun, absent, wait = clock.time(), 0, settings.look_every
        while True:
            match found := await self._look_up(due, line):
                case Found() | Unknowable():
                    return found
                case Absent():
                    absent += 1
                case Unreachable():
                    absent = 0
            if absent >= settings.looks and clock.time() - begun >= settings.settle:
                return found
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, SLOWEST_LOOK)

    async def _look_up(self, due: Due, line: Line) -> Finding:
        text = (await self._session.open([due])).get(due.message)
        at = due.attempted_at or self._session.running.clock.now()
        self._session.passing(Point.LOOKING)
        # A provider's times are of the real clock, unless it is a sandbox that pretends as we do: the earlier counts.
        at -= max(self._session.running.clock.offset, timedelta())
        async with self._enquiries[line.provider]:
            found = await line.gateway.look_up(Trace(reference_of(due.message, due.attempt), at, text))
        self._session.passing(Point.LOOKED)
        return found

    def _give_back(self, due: Due) -> None:
        """It was counted among the hour's, by us or as the tables tell of it; it never came to that number."""
        if due.attempted_at is not None and self._session.running.clock.now() - due.attempted_at < HOUR:
            self._session.hourly.give_back(due.number)

    def _is_recent(self, due: Due) -> bool:
        return due.attempted_at is None or self._session.running.clock.now() - due.attempted_at <= KEPT_FOR

    async def _adopt(self, due: Due, found: Found) -> None:
        accepted = RecordAccepted(due.message, due.attempt, due.provider, found.provider_id)
        news = (
            [RecordReceipt(due.message, due.attempt, due.provider, found.provider_id, found.status)]
            if found.status
            else []
        )
        await self._session.running.executor.execute_together([accepted, *news])
        self._session.passing(Point.ADOPTED)

    async def _again(self, due: Due, line: Line) -> Came:
        """The next attempt, where the last one was made: should that turn up there yet, it can be seen."""
        place = await self._until_it_may_go(due, line)
        text = (await self._session.open([due])).get(due.message)
        return await self._handing_over.attempt(due, text, place)

    async def _until_it_may_go(self, due: Due, line: Line) -> Place:
        clock, session = self._session.running.clock, self._session
        while True:
            await asyncio.sleep((opens(due.kind, clock.now()) - clock.now()).total_seconds())
            await line.turn()
            now = clock.now()
            # The turn may have been long in coming, if the provider asked for a pause: by now it may be night.
            if opens(due.kind, now) <= now and (place := session.exchange.admit(line)):
                if session.hourly.take(due.number, now):
                    return place
                session.exchange.give_back(place)
            await asyncio.sleep(LOOK_AGAIN)
