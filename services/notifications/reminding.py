"""Plans the reminders whose time has come, in the process that sends, and again after whatever kept it from that."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee, read_addressees
from services.notifications.commands import PlanMessage
from services.notifications.conversations_rows import UNDER_WAY, read_sharing
from services.notifications.reactions import message_of
from services.notifications.reminders import LEAST, Round, reminder_of, rounds
from services.notifications.settings import own_settings
from services.notifications.tables import appointments, calls, messages
from services.notifications.writing import Letter, Recipient, Untold, Writer, writer_of
from shared.database import among
from shared.refusals import Refusal
from shared.relay import PASSING
from shared.seal import DataKey
from shared.service import Running

EVERY = 60.0
"""Seconds between two looks at the clock."""
OVER_AGAIN = timedelta(hours=1)
"""After so long every round is made again, for appointments that were heard of late."""
LOOKED_AT, TOGETHER = 5000, 500
"""Appointments read at a time, and reminders planned in one transaction."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Due:
    """A reminder that may have to be planned."""

    message: str
    appointment: str
    start: datetime
    move: str


async def remind(running: Running) -> None:
    """Plan reminders until cancelled, as long as this process leads: it is the one that sends."""
    if not own_settings(running.settings).reminders:
        return
    reminders = Reminders(running)
    while True:
        await running.relay.agreed.wait()
        try:
            await reminders.go_round()
        except (*PASSING, Refusal) as fault:
            _log.info("reminders wait", fault=type(fault).__name__)
        except Exception:
            _log.exception("reminders failed")
        await asyncio.sleep(EVERY)


class Reminders:
    """What one process has done about reminders, so that it looks at little more than once at anybody."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._writer: Writer = writer_of(running)
        self._done_until: datetime | None = None
        self._began: datetime | None = None
        self._untold: set[str] = set()

    async def go_round(self) -> None:
        """Make the rounds whose time has come since the last time; at first, and every hour, all that are not over."""
        now = self._running.clock.now()
        over_again = self._began is None or now - self._began >= OVER_AGAIN
        if over_again:
            # Why there was no reminder may hold no longer: the wording, the name, or the number has been put right.
            self._untold.clear()
        for each in rounds(now, None if over_again else self._done_until):
            async for some in self._to_remind(each, now):
                await self._plan(each, some)
        self._done_until = now
        if over_again:
            self._began = now

    async def _to_remind(self, round_: Round, now: datetime) -> AsyncIterator[Sequence[_Due]]:
        """The appointments of this round that have no reminder yet, some at a time."""
        after = (max(round_.begins, now + LEAST), "")
        while True:
            async with self._running.engine.connect() as connection:
                found = await _read(connection, round_, after)
                known = await _read_known(connection, found)
                new = [each for each in found if each.message not in known and each.message not in self._untold]
                due = await _read_used_to(connection, new, round_.booked_by)
            for at in range(0, len(due), TOGETHER):
                yield due[at : at + TOGETHER]
            if len(found) < LOOKED_AT:
                return
            after = (found[-1].start, found[-1].appointment)

    async def _plan(self, round_: Round, due: Sequence[_Due]) -> None:
        running = self._running
        async with running.engine.connect() as connection:
            addressees = await read_addressees(connection, {each.appointment for each in due})
        keys = await running.keys.find({each.patient for each in addressees.values()})
        # In threads, so that health, following and requests go on meanwhile.
        to = await asyncio.to_thread(self._recipients, addressees, keys)
        async with running.engine.connect() as connection:
            numbers = {appointment: who.number for appointment, who in to.items()}
            sharing = await read_sharing(connection, numbers, running.clock.now())
        told = [each for each in due if each.appointment in to]
        letters = [
            Letter(each.message, round_.kind, addressees[each.appointment].about, each.appointment in sharing)
            for each in told
        ]
        commands = await asyncio.to_thread(self._written, letters, addressees, to)
        recorded = await running.executor.execute_together(commands) if commands else ()
        planned = {each.event.message for each in recorded}
        # Nobody is called for want of a reminder: it tells nothing new.
        self._untold |= {each.message for each in due if each.message not in planned}

    def _recipients(self, addressees: Mapping[str, Addressee], keys: Mapping[str, DataKey]) -> Mapping[str, Recipient]:
        found = {id_: self._writer.recipient(each, keys.get(each.patient)) for id_, each in addressees.items()}
        return {id_: who for id_, who in found.items() if isinstance(who, Recipient)}

    def _written(
        self, letters: Sequence[Letter], addressees: Mapping[str, Addressee], to: Mapping[str, Recipient]
    ) -> Sequence[PlanMessage]:
        written = (
            self._writer.write(each, addressees[each.about.appointment], to[each.about.appointment]) for each in letters
        )
        return [each for each in written if not isinstance(each, Untold)]


async def _read(connection: AsyncConnection, round_: Round, after: tuple[datetime, str]) -> Sequence[_Due]:
    place = tuple_(appointments.c.start, appointments.c.id)
    rows = await connection.execute(
        select(appointments.c.id, appointments.c.start, appointments.c.move)
        .where(appointments.c.status == "booked", appointments.c.start >= after[0], appointments.c.start < round_.ends)
        .where(place > after, appointments.c.booked_at <= round_.booked_by)
        .order_by(appointments.c.start, appointments.c.id)
        .limit(LOOKED_AT)
    )
    return [_Due(reminder_of(round_.kind, row.id, row.start), row.id, row.start, row.move) for row in rows]


async def _read_known(connection: AsyncConnection, due: Sequence[_Due]) -> Collection[str]:
    ids = [each.message for each in due]
    return set(await connection.scalars(select(messages.c.id).where(among(messages.c.id, ids))))


async def _read_used_to(connection: AsyncConnection, due: Sequence[_Due], by: datetime) -> Sequence[_Due]:
    """Those whose appointment no move made, or whose patients were told of the move by then, or are by telephone.

    The text about a move may be late; the next minute is no time for a reminder of it.
    """
    moved = {message_of(each.move) for each in due if each.move}
    taken = messages.c.accepted_at
    told = select(messages.c.id).where(
        among(messages.c.id, moved), messages.c.state.not_in(UNDER_WAY), or_(taken.is_(None), taken <= by)
    )
    called = select(calls.c.message).where(among(calls.c.message, moved))
    heard = set(await connection.scalars(told.union_all(called))) if moved else set()
    return [each for each in due if not each.move or message_of(each.move) in heard]
