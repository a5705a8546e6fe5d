"""Messages that wait to be sent, each about an appointment of its own, and the ledger's word on what became of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from services.notifications.app import BLUEPRINT, Settings
from services.notifications.commands import PlanMessage, Subject
from services.notifications.tables import messages
from services.notifications.wording import Text
from shared.events.notifications import MessageKind
from shared.log import head_position, read_streams
from shared.service import Running
from tests.harness import County
from tests.notifications.diary import NOW, PRACTICE, Diary, Moved
from tests.notifications.town import QUICK, until, warm

TOMORROW = NOW + timedelta(days=1)


@dataclass(slots=True)
class Outgoing:
    """A service without its sender. `planned` counts the messages."""

    county: County
    running: Running
    diary: Diary
    planned: int = 0
    booked: list[Moved] = field(default_factory=list)

    async def plan(self, *kinds: MessageKind, each: int = 1, mobile: str = "", start: datetime = TOMORROW) -> list[str]:
        """So many messages of each kind, to telephones of their own unless one is named; their ids."""
        kinds = kinds * each
        numbers = range(self.planned + 1, self.planned + len(kinds) + 1)
        self.planned += len(kinds)
        phones = [mobile or f"+447700900{300 + number}" for number in numbers]
        booked = await self.diary.book(*numbers, start=start, mobiles=phones)
        self.booked += booked
        keys = await self.running.keys.ensure({one.patient for one in booked})
        await self.county.caught_up()
        plans = [
            PlanMessage(
                message=f"{kind} {one.number}",
                about=Subject(PRACTICE, one.patient, one.appointment, "", ""),
                kind=kind,
                number=self.running.keys.pseudonym("number", one.mobile),
                sealed=keys[one.patient].seal(Text(one.mobile, f"Text {one.number}")),
                segments=1,
                appointment_start=start,
            )
            for kind, one in zip(kinds, booked, strict=True)
        ]
        await self.running.executor.execute_together(plans)
        return [plan.message for plan in plans]

    async def rows(self) -> Mapping[str, Mapping[str, Any]]:
        """The table's word on every message."""
        async with self.running.engine.connect() as connection:
            return {row["id"]: dict(row) for row in (await connection.execute(select(messages))).mappings()}

    async def until(self, **wanted: str) -> Mapping[str, Mapping[str, Any]]:
        """Wait until all messages are like that; the rows."""

        async def hold() -> bool:
            rows = (await self.rows()).values()
            return len(rows) == self.planned and all(
                row[name] == value for row in rows for name, value in wanted.items()
            )

        await until(hold)
        return await self.rows()

    async def happened(self, message: str) -> list[str]:
        """The names of the events of this message."""
        async with self.running.engine.connect() as connection:
            await head_position(connection)
            found = await read_streams(connection, {f"message/{message}": 0})
        return [type(recorded.event).__name__ for recorded in found]


@asynccontextmanager
async def outgoing(county: County, *, now: datetime = NOW, **settings: Any) -> AsyncIterator[Outgoing]:
    """Notifications at this instant, with nothing planned."""
    county.clock_at(now)
    async with county.service(BLUEPRINT, Settings, **{**QUICK, **settings}) as running:
        diary = Diary(county, running)
        await asyncio.gather(diary.register(), warm(running))
        yield Outgoing(county, running, diary)
