"""What the tables say of a batch of events, read at one look, for the reactions to it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.demand import became_of, waiting_for
from services.rebooking.demand_rows import ASKS_AGAIN
from services.rebooking.tables import messages, recoveries
from shared.database import among
from shared.events.base import Event
from shared.events.booking import (
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
    MoveRejected,
)
from shared.events.notifications import MessageFailed, MessageSilent
from shared.events.rebooking import AppointmentReconciled, Outcome

OVER = (
    AppointmentCancelled,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
)
"""What ends an appointment, so that nobody need wait for another in its place."""

Recoveries = Collection[tuple[str, str]]
"""Each by its outage and practice."""


@dataclass(frozen=True, slots=True)
class Known:
    """Of each message its outage, practice and appointment; of each appointment that is over, its outcome; and in which
    recoveries somebody waits for another in its place."""

    about: Mapping[str, tuple[str, str, str]]
    over: Mapping[str, Outcome]
    waiting: Mapping[str, Recoveries]


async def look(connection: AsyncConnection, events: Sequence[Event]) -> Known:
    """All that the reactions to these events have to know."""
    failed = [event.message for event in events if isinstance(event, MessageFailed | MessageSilent)]
    rejected = [event.appointment for event in events if isinstance(event, MoveRejected)]
    waiting = await _waiting(connection, events)
    over = await became_of(connection, [*rejected, *waiting])
    return Known(await _subjects(connection, failed), over, waiting)


async def _waiting(connection: AsyncConnection, events: Sequence[Event]) -> Mapping[str, Recoveries]:
    ended = [event.appointment for event in events if isinstance(event, OVER)]
    waiting = defaultdict(set, await waiting_for(connection, ended))
    for event in events:
        # Displaced and settled within one batch: the recovery that is about to begin is in no table yet.
        if isinstance(event, AppointmentDisplaced):
            waiting[event.appointment].add((event.withdrawal, event.practice))
        # Perhaps settled already, after the diary had been looked at, and before this was written down.
        if isinstance(event, AppointmentReconciled) and event.outcome == "displaced":
            waiting[event.appointment].add((event.outage, event.practice))
    for appointment, outage, practice in await _asking_for_another(connection, ended):
        waiting[appointment].add((outage, practice))
    return waiting


async def _asking_for_another(connection: AsyncConnection, asked: Sequence[str]) -> Sequence[tuple[str, str, str]]:
    """Which of these appointments came of a recovery and do not suit, with that recovery's outage and practice.

    The index has only those that came of one, and the engine wants to be told that no other is asked for.
    """
    if not asked:
        return []
    found = await connection.execute(
        select(recoveries.c.standing, recoveries.c.outage, recoveries.c.practice).where(
            among(recoveries.c.standing, asked), recoveries.c.standing != "", ASKS_AGAIN
        )
    )
    return [(appointment, outage, practice) for appointment, outage, practice in found]


async def _subjects(connection: AsyncConnection, failed: Sequence[str]) -> Mapping[str, tuple[str, str, str]]:
    if not failed:
        return {}
    found = await connection.execute(select(messages).where(among(messages.c.message, failed)))
    return {row.message: (row.outage, row.practice, row.appointment) for row in found}
