"""What the tables say a plan comes to: sums of those alike, who waits longest, and why others found no place."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.fairness import Alike
from services.rebooking.tables import appointments, placements, slots, unplaced

_PARTICULARS = re.compile(r" \(\d+\)| from \w{3} \d+ \w{3} .*")
"""The numbers and times of a reason, which differ from patient to patient."""

_WAIT = func.extract("epoch", placements.c.to_start - appointments.c.start)


@dataclass(frozen=True, slots=True)
class Longest:
    """Whose wait is the longest: the lost appointment, its practice, and how many hours."""

    appointment: str
    practice: str
    hours: float


@dataclass(frozen=True, slots=True)
class WithoutPlace:
    """An appointment for which the plan has no place, what was lost, and why there is none."""

    appointment: str
    practice: str
    priority: int
    start: datetime
    channel: str
    textable: bool
    reason: str


async def alike(connection: AsyncConnection, outage: str, plan: str) -> list[Alike]:
    """Everyone the plan names, those alike together."""
    keys = (appointments.c.priority, slots.c.channel, appointments.c.textable)
    placed = await connection.execute(
        select(placements.c.practice, *keys, func.count(), func.max(_WAIT), func.sum(_WAIT))
        .select_from(_with_lost(placements))
        .where(*_of(placements, outage, plan))
        .group_by(placements.c.practice, *keys)
    )
    left = await connection.execute(
        select(unplaced.c.practice, *keys, func.count())
        .select_from(_with_lost(unplaced))
        .where(*_of(unplaced, outage, plan))
        .group_by(unplaced.c.practice, *keys)
    )
    return [
        *(
            Alike(practice, priority, channel, textable, number, 0, float(longest), float(total))
            for practice, priority, channel, textable, number, longest, total in placed
        ),
        *(
            Alike(practice, priority, channel, textable, 0, number)
            for practice, priority, channel, textable, number in left
        ),
    ]


async def longest_waits(connection: AsyncConnection, outage: str, plan: str) -> Mapping[int, Longest]:
    """Of each priority, who waits longest; of several, the first by practice and appointment."""
    found = await connection.execute(
        select(placements.c.priority, placements.c.appointment, placements.c.practice, _WAIT.label("wait"))
        .join(appointments, appointments.c.appointment == placements.c.appointment)
        .where(*_of(placements, outage, plan))
        .ext(distinct_on(placements.c.priority))
        .order_by(placements.c.priority, _WAIT.desc(), placements.c.practice, placements.c.appointment)
    )
    return {row.priority: Longest(row.appointment, row.practice, round(float(row.wait) / 3600, 1)) for row in found}


async def by_day(connection: AsyncConnection, outage: str, plan: str) -> Mapping[str, int]:
    """How many are placed on which day in London."""
    day = func.date(func.timezone("Europe/London", placements.c.to_start))
    found = await connection.execute(
        select(day, func.count()).where(*_of(placements, outage, plan)).group_by(day).order_by(day)
    )
    return {on.isoformat(): number for on, number in found}


async def reasons(connection: AsyncConnection, outage: str, plan: str) -> Mapping[str, int]:
    """Why so many found no place, the most frequent reason first."""
    found = await connection.execute(
        select(unplaced.c.reason, func.count()).where(*_of(unplaced, outage, plan)).group_by(unplaced.c.reason)
    )
    counted: Counter[str] = Counter()
    for reason, number in found:
        counted[_PARTICULARS.sub("", reason)] += number
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))


async def without_place(connection: AsyncConnection, outage: str, plan: str) -> Sequence[WithoutPlace]:
    """Everyone for whom the plan has no place, by practice and the time that was lost."""
    found = await connection.execute(
        select(
            unplaced.c.appointment,
            unplaced.c.practice,
            unplaced.c.priority,
            appointments.c.start,
            slots.c.channel,
            appointments.c.textable,
            unplaced.c.reason,
        )
        .select_from(_with_lost(unplaced))
        .where(*_of(unplaced, outage, plan))
        .order_by(unplaced.c.practice, appointments.c.start, unplaced.c.appointment)
    )
    return [WithoutPlace(**row) for row in found.mappings()]


def _with_lost(named: Table) -> Any:
    return named.join(appointments, appointments.c.appointment == named.c.appointment).join(
        slots, slots.c.slot == appointments.c.slot
    )


def _of(named: Table, outage: str, plan: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return named.c.outage == outage, named.c.plan == plan
