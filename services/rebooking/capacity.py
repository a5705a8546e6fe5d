"""What one more session would do: the marginal value of capacity, exact, by planning again with the session there."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice

from holidays import country_holidays
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.demand import read_diary
from services.rebooking.eligibility import MOVABLE, FreeSlot, WaitingPatient, Window, window
from services.rebooking.planning import Assigned, Group, assign_group, groups
from services.rebooking.rules import ExtraSession, Rules
from shared.clock import LONDON, in_london

_BEGINS = time(9)
_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MarginalValue:
    """What a further session of this role at this practice on this day would do, compared with the plan as it is.

    `more_by_class` are the further patients placed, by priority class: fewer of a lower one if a higher one gains by
    it. `days_saved` is how much less everybody waits together; whoever has no place counts as waiting to the end
    of the horizon. The longest wait is that of those who are placed.
    """

    practice: str
    day: date
    role: str
    more_placed: int
    more_by_class: Mapping[str, int]
    days_saved: float
    longest_wait_days_before: float
    longest_wait_days_after: float


async def value_of_capacity(
    connection: AsyncConnection, rules: Rules, outage: str, practices: Collection[str], days: int, now: datetime
) -> list[MarginalValue]:
    """For each of these practices, or all where somebody waits, and each of the next so many working days.

    The connection must see one moment (repeatable read). The computing is done in a thread of its own.
    """
    together = sorted({each for practice in practices for each in rules.planned_with(practice)})
    diary = await read_diary(connection, outage, rules, now, together)
    return await asyncio.to_thread(
        lambda: marginal_value(rules, diary.patients(), diary.slots(), days, now, practices=practices)
    )


def marginal_value(
    rules: Rules,
    waiting: Sequence[WaitingPatient],
    free: Sequence[FreeSlot],
    days: int,
    now: datetime,
    *,
    practices: Collection[str] = (),
) -> list[MarginalValue]:
    """The same of those who wait and what is free; in order of practice and day."""
    within = window(rules, now, [patient.start for patient in waiting])
    values = [
        value for group in groups(rules, waiting, free) for value in _of_group(rules, group, within, practices, days)
    ]
    return sorted(values, key=lambda value: (value.practice, value.day))


def _of_group(
    rules: Rules, group: Group, within: Window, practices: Collection[str], days: int
) -> Iterator[MarginalValue]:
    """Of the practices of a group, the group's plan made again for each further session."""
    group = replace(group, patients=[patient for patient in group.patients if patient.status in MOVABLE])
    here = sorted({patient.practice for patient in group.patients})
    asked = [practice for practice in here if not practices or practice in practices]
    if not asked:
        return
    as_it_is = assign_group(rules, group, within)
    for practice in asked:
        role = _most_waited_for(rules, as_it_is, practice, within)
        for day in _working_days(within, days):
            session = _session(rules.extra_session, practice, role, day)
            more = sorted([*group.slots, *session], key=lambda slot: (slot.start, slot.slot))
            with_it = assign_group(rules, replace(group, slots=more), within)
            yield _difference(rules, practice, day, role, as_it_is, with_it, within)


def _difference(
    rules: Rules, practice: str, day: date, role: str, before: Assigned, after: Assigned, within: Window
) -> MarginalValue:
    placed = _placed_by_class(rules, after)
    placed.subtract(_placed_by_class(rules, before))
    saved = _all_waits(before, within) - _all_waits(after, within)
    return MarginalValue(
        practice=practice,
        day=day,
        role=role,
        more_placed=placed.total(),
        more_by_class={each.name: placed[each.name] for each in rules.classes if placed[each.name]},
        days_saved=_in_days(saved),
        longest_wait_days_before=_in_days(_longest(before)),
        longest_wait_days_after=_in_days(_longest(after)),
    )


def _most_waited_for(rules: Rules, assigned: Assigned, practice: str, within: Window) -> str:
    """The role for which the practice's patients wait longest, all together: first those who can be seen in person."""
    waits: dict[str, tuple[timedelta, timedelta]] = {}
    for patient, slot in assigned:
        if patient.practice == practice:
            in_person, otherwise = waits.get(patient.clinician_role, (timedelta(), timedelta()))
            wait = _wait(patient, slot, within)
            suits = "in-person" in rules.channels[patient.channel]
            waits[patient.clinician_role] = (in_person + wait, otherwise) if suits else (in_person, otherwise + wait)
    return max(sorted(waits), key=lambda role: waits[role])


def _wait(patient: WaitingPatient, slot: FreeSlot | str, within: Window) -> timedelta:
    """Whoever has no place waits to the end of the horizon at least."""
    return (slot.start if isinstance(slot, FreeSlot) else within.latest) - patient.start


def _all_waits(assigned: Assigned, within: Window) -> timedelta:
    return sum((_wait(patient, slot, within) for patient, slot in assigned), timedelta())


def _longest(assigned: Assigned) -> timedelta:
    return max(
        (slot.start - patient.start for patient, slot in assigned if isinstance(slot, FreeSlot)), default=timedelta()
    )


def _placed_by_class(rules: Rules, assigned: Assigned) -> Counter[str]:
    ranks = (rules.rank(patient.priority) for patient, slot in assigned if isinstance(slot, FreeSlot))
    return Counter(rules.classes[rank].name for rank in ranks)


def _in_days(duration: timedelta) -> float:
    return round(duration / _DAY, 1)


def _session(extra: ExtraSession, practice: str, role: str, day: date) -> list[FreeSlot]:
    """A morning of slots in person, with a clinician nobody knows yet."""
    begins = datetime.combine(day, _BEGINS, LONDON).astimezone(UTC)
    return [
        FreeSlot(
            slot=f"a further slot {number:03}",
            session="a further session",
            practice=practice,
            start=begins + number * timedelta(minutes=extra.minutes),
            minutes=extra.minutes,
            channel="in-person",
            clinician="",
            clinician_role=role,
        )
        for number in range(extra.slots)
    ]


def _working_days(within: Window, number: int) -> list[date]:
    """The first so many on which the session could begin in time: not at weekends, nor on England's bank holidays."""
    closed = country_holidays("GB", subdiv="ENG")
    first = in_london(within.earliest)
    days = (first.date() + _DAY * later for later in count(int(first.time() > _BEGINS)))
    return [*islice((day for day in days if day.weekday() < _SATURDAY and day not in closed), number)]
