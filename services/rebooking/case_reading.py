"""Reads the histories of outages out of the log, and remembers them, so that another look reads only what is new."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.case_history import History, tell
from services.rebooking.case_steps import COUNTED, Step, steps_of, told
from services.rebooking.tables import messages
from services.rebooking.views import Outage, outage_of
from shared.database import driver
from shared.events.envelope import decode, types_of

_TYPES = [kind for event in COUNTED for kind in types_of(event)]
_AT_ONCE = 5000
_REMEMBERED = 4


@dataclass(frozen=True, slots=True)
class Followed:
    """An outage, and the history of its cases as the log had it at `position`."""

    outage: Outage
    position: int
    history: History


@dataclass(slots=True)
class _Known:
    """What has been read of an outage: the log's steps up to `position`, and the history with `texts` in it."""

    position: int = 0
    steps: list[Step] = field(default_factory=list)
    texts: tuple[int, datetime | None] = (0, None)
    history: History = field(default_factory=lambda: tell(()))


class Histories:
    """The histories of the outages that were looked at last; others are read again from the beginning."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._reading = asyncio.Lock()

    async def follow(self, connection: AsyncConnection, outage: str) -> Followed:
        """The outage and its history. Raises `NotFound`.

        The connection must see one moment (repeatable read), and this be the first it sees: so what it reads from the
        tables afterwards is of the same moment, and never older than what is remembered here.
        """
        async with self._reading:
            declared = await outage_of(connection, outage)
            known = self._known.pop(outage, None) or _Known()
            await _read_on(connection, declared, known)
            self._known[outage] = known
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
            return Followed(declared, known.position, known.history)


async def _read_on(connection: AsyncConnection, outage: Outage, known: _Known) -> None:
    """Take in what the log and the texts have more than is known."""
    before = known.position
    while fresh := await _bodies(connection, outage, known.position):
        # In a thread, here and below, so that health, following and other requests go on meanwhile.
        known.position, steps = await asyncio.to_thread(_steps, fresh)
        known.steps.extend(steps)
    texts = await _texts(connection, outage)
    if known.position != before or texts != known.texts:
        taken = await _taken(connection, outage)
        known.history = await asyncio.to_thread(tell, [*known.steps, *taken])
        known.texts = texts


async def _bodies(connection: AsyncConnection, outage: Outage, after: int) -> Sequence[bytes]:
    streams = [f"recovery/{outage.outage}/{practice}" for practice in outage.practices]
    found = await (await driver(connection)).fetch(_BODIES, after, streams, _TYPES, _AT_ONCE)
    return [row["body"] for row in found]


_BODIES = """
    SELECT body FROM events
    WHERE position > $1 AND stream = ANY ($2::text[]) AND type = ANY ($3::text[])
    ORDER BY position LIMIT $4
"""


def _steps(bodies: Sequence[bytes]) -> tuple[int, list[Step]]:
    """The position of the last, and the steps of all."""
    recorded = [decode(body) for body in bodies]
    return recorded[-1].position, [step for each in recorded for step in steps_of(each)]


async def _texts(connection: AsyncConnection, outage: Outage) -> tuple[int, datetime | None]:
    """How many texts have been taken by the provider, and when the last was: enough to see whether there are more."""
    found = await connection.execute(
        select(func.count(messages.c.told_at), func.max(messages.c.told_at)).where(messages.c.outage == outage.outage)
    )
    number, newest = found.one()
    return number, newest


async def _taken(connection: AsyncConnection, outage: Outage) -> list[Step]:
    found = await connection.execute(
        select(messages.c.practice, messages.c.appointment, messages.c.told_at).where(
            messages.c.outage == outage.outage, messages.c.told_at.is_not(None)
        )
    )
    return [told(row.practice, row.appointment, row.told_at) for row in found]
