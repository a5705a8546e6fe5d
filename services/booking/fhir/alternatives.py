"""Other slots for whoever came too late: the nearest free ones, of the same kind first."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.commands import Asker
from services.booking.keeping import effective, verdict
from services.booking.session_views import stored_opening
from shared.database import reader
from shared.events.booking import Channel, KeptFor

MOST = 5
_LOOKED_AT = 150
"""Candidates on either side. Beyond them there is a search."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for and could not be had: so many adjoining slots of this kind, from `start` on."""

    practice: str
    start: datetime
    slots: int
    channel: Channel
    service_type: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A free slot that the asker may have."""

    slot: str
    session: str
    start: datetime
    end: datetime
    channel: Channel
    service_type: str


Run = tuple[Candidate, ...]
"""Slots that can be booked together."""


def nearest(wanted: Wanted, candidates: Collection[Candidate]) -> Sequence[Run]:
    """The runs nearest to what was wanted: those by the same channel and for the same service before others."""

    def distance(run: Run) -> tuple[bool, bool, float, datetime, str]:
        first = run[0]
        away = abs((first.start - wanted.start).total_seconds())
        other_channel, other_service = first.channel != wanted.channel, first.service_type != wanted.service_type
        return other_channel or other_service, other_channel, away, first.start, first.slot

    return sorted(_runs(candidates, wanted.slots), key=distance)[:MOST]


async def free_slots(connection: AsyncConnection, wanted: Wanted, asker: Asker, now: datetime) -> Sequence[Candidate]:
    """The practice's free slots to come, before and after the time that was wanted, which the asker may have."""
    raw = await reader(connection)
    rows = await raw.fetch(_CANDIDATES, wanted.practice, wanted.start, now, _LOOKED_AT, asker.standing)
    return [
        Candidate(row["slot"], row["session"], row["start"], row["end"], row["channel"], row["service_type"])
        for row in rows
        if _may(asker, row["kept_for"], row["start"], row["of_session"], row["of_practice"], now)
    ]


def _runs(candidates: Collection[Candidate], length: int) -> Iterator[Run]:
    in_order = sorted(candidates, key=attrgetter("session", "start"))
    for _, group in groupby(in_order, key=attrgetter("session")):
        slots = tuple(group)
        for first in range(len(slots) - length + 1):
            run = slots[first : first + length]
            if all(map(_adjoin, run, run[1:])):
                yield run


def _adjoin(earlier: Candidate, later: Candidate) -> bool:
    alike = (earlier.channel, earlier.service_type) == (later.channel, later.service_type)
    return alike and earlier.end == later.start


def _may(asker: Asker, kept_for: KeptFor, start: datetime, of_session: Any, of_practice: Any, now: datetime) -> bool:
    opening = effective(stored_opening(of_session), stored_opening(of_practice))
    return verdict(asker, kept_for, start, opening, now) == "available"


_FREE = """
    SELECT slots.slot, slots.session, slots.start, slots."end", slots.channel, slots.service_type, slots.kept_for,
           sessions.opening AS of_session, openings.opening AS of_practice
    FROM slots
    JOIN sessions ON sessions.session = slots.session
    LEFT JOIN openings ON openings.practice = slots.practice
    WHERE slots.practice = $1 AND NOT slots.withdrawn AND slots.start > $3
      AND NOT EXISTS (SELECT FROM frozen WHERE frozen.practice = $1 AND frozen.keeps_out ? $5::text)
      AND NOT EXISTS (
          SELECT FROM occupancy
          WHERE occupancy.slot = slots.slot AND (occupancy.until IS NULL OR occupancy.until > $3)
      )
"""
_CANDIDATES = f"""
    ({_FREE} AND slots.start >= $2 ORDER BY slots.start LIMIT $4)
    UNION ALL
    ({_FREE} AND slots.start < $2 ORDER BY slots.start DESC LIMIT $4)
"""
