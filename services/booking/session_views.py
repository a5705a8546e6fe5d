"""What is read of one session or slot: to whom it is open, and everything that decides who may have it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.keeping import effective
from services.booking.tables import frozen, occupancy, openings, practices, sessions, slots
from shared.events.booking import Inflow, KeptFor, Opening


@dataclass(frozen=True, slots=True)
class Openings:
    """What a session says of whom it is open to, and what its practice says; None: nothing."""

    session: Opening | None
    practice: Opening | None

    @property
    def effective(self) -> Opening:
        """The one that counts."""
        return effective(self.session, self.practice)


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """All that a slot's being had or not rests on. `taken_until` is when a hold of it ends.

    `kept_out`: those from whom its practice takes no new appointments now.
    """

    slot: str
    practice: str
    session: str
    start: datetime
    kept_for: KeptFor
    withdrawn: bool
    taken: bool
    taken_until: datetime | None
    kept_out: Collection[Inflow]
    openings: Openings


async def session_openings(connection: AsyncConnection, session: str) -> Openings:
    """The openings that a session's slots go by."""
    found = await connection.execute(
        select(sessions.c.opening.label("of_session"), openings.c.opening.label("of_practice"))
        .join(openings, openings.c.practice == sessions.c.practice, isouter=True)
        .where(sessions.c.session == session)
    )
    return _openings(found.mappings().one())


async def practice_opening(connection: AsyncConnection, practice: str) -> Opening | None:
    """What the practice has said of whom it is open to."""
    return stored_opening(await connection.scalar(select(openings.c.opening).where(openings.c.practice == practice)))


async def is_registered(connection: AsyncConnection, practice: str) -> bool:
    """Whether the practice keeps its diary here."""
    return bool(await connection.scalar(select(exists().where(practices.c.practice == practice))))


async def slot_facts(connection: AsyncConnection, slot: str) -> SlotFacts | None:
    """One slot, withdrawn ones too."""
    found = await connection.execute(
        select(
            *(slots.c[name] for name in ("slot", "practice", "session", "start", "kept_for", "withdrawn")),
            occupancy.c.slot.is_not(None).label("taken"),
            occupancy.c.until.label("taken_until"),
            kept_out_of(slots.c.practice).label("kept_out"),
            sessions.c.opening.label("of_session"),
            openings.c.opening.label("of_practice"),
        )
        .join(sessions, sessions.c.session == slots.c.session)
        .join(openings, openings.c.practice == slots.c.practice, isouter=True)
        .join(occupancy, occupancy.c.slot == slots.c.slot, isouter=True)
        .where(slots.c.slot == slot)
    )
    row = found.mappings().one_or_none()
    if row is None:
        return None
    facts = {name: value for name, value in row.items() if not name.startswith("of_")}
    return SlotFacts(**facts, openings=_openings(row))


def kept_out_of(practice: ColumnElement[str]) -> ColumnElement[Any]:
    """In SQL, whom the outages of this practice keep out, whichever of them."""
    kinds = select(func.jsonb_array_elements_text(frozen.c.keeps_out)).where(frozen.c.practice == practice)
    return func.array(kinds.scalar_subquery())


def _openings(row: Mapping[Any, Any]) -> Openings:
    return Openings(stored_opening(row["of_session"]), stored_opening(row["of_practice"]))


def stored_opening(stored: Any) -> Opening | None:
    """An opening as a table keeps it, decoded from its JSON."""
    return None if stored is None else msgspec.convert(stored, Opening)
