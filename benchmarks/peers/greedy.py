"""The planner one would have written first: whoever comes first, by priority and then by start, gets the first slot
that fits.

It obeys the same rules as ours. What it gives up is the best for all: it never looks back.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby

from services.rebooking.eligibility import MOVABLE, FreeSlot, WaitingPatient
from services.rebooking.rules import Rules
from shared.clock import london_date


def plan(
    rules: Rules, waiting: Iterable[WaitingPatient], free: Iterable[FreeSlot]
) -> list[tuple[WaitingPatient, FreeSlot]]:
    """Who gets what."""
    left = _usable(rules, free)
    placed = []
    for patient in sorted(waiting, key=lambda each: (rules.rank(each.priority), each.start, each.appointment)):
        slots = left[patient.practice]
        at = next((at for at, slot in enumerate(slots) if _fits(rules, patient, slot)), None)
        if at is not None and patient.status in MOVABLE:
            placed.append((patient, slots.pop(at)))
    return placed


def _usable(rules: Rules, free: Iterable[FreeSlot]) -> defaultdict[str, list[FreeSlot]]:
    """The slots of each practice in order of time, without the last of each day, which stay free."""
    usable: defaultdict[str, list[FreeSlot]] = defaultdict(list)
    in_order = sorted(free, key=lambda slot: (slot.practice, slot.start, slot.slot))
    for (practice, _), slots in groupby(in_order, key=_day):
        of_day = list(slots)
        usable[practice] += of_day[: len(of_day) - _kept(rules, of_day)]
    return usable


def _day(slot: FreeSlot) -> tuple[str, date]:
    return slot.practice, london_date(slot.start)


def _kept(rules: Rules, of_day: Sequence[FreeSlot]) -> int:
    return -(-len(of_day) * rules.leave_free_percent // 100)


def _fits(rules: Rules, patient: WaitingPatient, slot: FreeSlot) -> bool:
    roles = {patient.clinician_role} | rules.roles.get(patient.clinician_role, frozenset())
    return (
        slot.minutes >= patient.minutes
        and slot.start >= patient.start
        and slot.channel in rules.channels[patient.channel]
        and slot.clinician_role in roles
    )
