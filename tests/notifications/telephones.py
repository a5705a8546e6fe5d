"""Patients' telephones beside a service that sends nothing: they have had their texts, and answer them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Table, select

from services.notifications.app import BLUEPRINT, Settings
from services.notifications.commands import AttemptSend, Command, RecordAccepted
from services.notifications.inbound import take_in
from services.notifications.tables import messages
from services.notifications.turns import Turns
from services.notifications.wording import Text
from shared.service import Running
from tests.harness import County
from tests.notifications.diary import NOW, Diary, Moved
from tests.notifications.town import QUICK

_ids = count(1)


@dataclass(frozen=True, slots=True)
class Telephones:
    """`diary` says what booking has done; then the county catches up."""

    county: County
    running: Running
    diary: Diary
    turns: Turns = field(default_factory=Turns)

    async def told(self, *numbers: int, mobiles: Sequence[str] | None = None, **when: datetime) -> list[Moved]:
        """These patients have been moved, and have the texts."""
        moved = await self.diary.move(*numbers, mobiles=mobiles, **when)
        await self.arrived()
        return moved

    async def arrived(self) -> None:
        """Every message there is has been taken by the provider."""
        await self.county.caught_up()
        for row in await self.rows(messages):
            if row["state"] == "planned":
                sent: list[Command] = [
                    AttemptSend(row["id"], row["number"], 1, "notify"),
                    RecordAccepted(row["id"], 1, "notify", f"provider's {row['id']}"),
                ]
                await self.running.executor.execute_together(sent)

    async def text(
        self, mobile: str, text: str, *, provider: str = "notify", inbound: str = "", opt_out: str = ""
    ) -> None:
        """This telephone answers."""
        given = inbound or f"inbound {next(_ids)}"
        await take_in(
            self.running, self.turns, provider=provider, inbound=given, source=mobile, text=text, opt_out=opt_out
        )

    async def rows(self, table: Table, **among: Any) -> list[dict[str, Any]]:
        async with self.running.engine.connect() as connection:
            rows = await connection.execute(select(table).filter_by(**among))
            return [dict(row) for row in rows.mappings()]

    async def body(self, message: str) -> str:
        """What this message says."""
        (row,) = await self.rows(messages, id=message)
        keys = await self.running.keys.find({row["patient"]})
        return keys[row["patient"]].open(row["sealed"], Text).body


@asynccontextmanager
async def telephones(
    county: County, *, now: datetime = NOW, diary: Diary | None = None, **settings: Any
) -> AsyncIterator[Telephones]:
    """The service at that instant, and the diary begun, or one that was begun before."""
    county.clock_at(now)
    async with county.service(BLUEPRINT, Settings, **{**QUICK, **settings}) as running:
        kept = replace(diary, running=running) if diary else Diary(county, running)
        if diary is None:
            await kept.register()
        yield Telephones(county, running, kept)
