"""Makes a plan of who waits and what is free, each practice or hub by itself, and binds it by a hash."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from services.rebooking.eligibility import MOVABLE, FreeSlot, WaitingPatient, Window, window
from services.rebooking.fitting import fit
from services.rebooking.matching import NOWHERE, assign
from services.rebooking.rules import Rules
from shared.events.rebooking import Placement, Unplaced

T = TypeVar("T", WaitingPatient, FreeSlot)


@dataclass(frozen=True, slots=True)
class Part:
    """One practice's share of a plan, bound by its hash."""

    practice: str
    hash: str
    placements: tuple[Placement, ...]
    unplaced: tuple[Unplaced, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole outage's plan, made of the diary as it was at `read_position` of booking's log."""

    outage: str
    hash: str
    read_position: int
    expires_at: datetime
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Those who wait and the slots that some of them may have: of a practice, or of all that share their capacity."""

    practices: tuple[str, ...]
    patients: Sequence[WaitingPatient]
    slots: Sequence[FreeSlot]


Assigned = Sequence[tuple[WaitingPatient, FreeSlot | str]]
"""Each patient with a slot, or with the reason why there is none."""


def make_plan(
    rules: Rules,
    outage: str,
    waiting: Iterable[WaitingPatient],
    free: Iterable[FreeSlot],
    *,
    read_position: int,
    now: datetime,
) -> Plan:
    """The best plan of every practice. The same diary gives the same plan, and the same hash."""
    people = [*waiting]
    within = window(rules, now, [patient.start for patient in people])
    parts = [
        part
        for group in groups(rules, people, free)
        for part in _parts(outage, read_position, group, assign_group(rules, group, within))
    ]
    parts.sort(key=lambda part: part.practice)
    return Plan(
        outage=outage,
        hash=_fingerprint([outage, read_position, *(part.hash for part in parts)]),
        read_position=read_position,
        expires_at=now + timedelta(minutes=rules.lifetime_minutes),
        parts=tuple(parts),
    )


def groups(rules: Rules, waiting: Iterable[WaitingPatient], free: Iterable[FreeSlot]) -> Iterator[Group]:
    """Who is to be planned together; in each group the higher class first, and the sooner slot."""
    people, slots = _by_practice(waiting), _by_practice(free)
    for practices in sorted({rules.planned_with(practice) for practice in people}):
        yield Group(
            practices=practices,
            patients=sorted(
                (patient for practice in practices for patient in people.get(practice, ())),
                key=lambda patient: (rules.rank(patient.priority), patient.start, patient.appointment),
            ),
            slots=sorted(
                (slot for practice in practices for slot in slots.get(practice, ())),
                key=lambda slot: (slot.start, slot.slot),
            ),
        )


def assign_group(rules: Rules, group: Group, within: Window) -> Assigned:
    """The best assignment of the group's slots, in order of the patients; last, who cannot be moved at all."""
    waiting = [patient for patient in group.patients if patient.status in MOVABLE]
    gone = [patient for patient in group.patients if patient.status not in MOVABLE]
    pairs = fit(rules, waiting, group.slots, within)
    columns, demand = pairs.demand()
    return [
        *(
            (waiting[row], pairs.why_not(row) if column == NOWHERE else group.slots[columns[column]])
            for row, column in enumerate(assign(demand).tolist())
        ),
        *((patient, f"The appointment no longer stands: it is {patient.status}") for patient in gone),
    ]


def _parts(outage: str, read_position: int, group: Group, assigned: Assigned) -> Iterator[Part]:
    """The part of every practice of the group where somebody waits."""
    for practice in sorted({patient.practice for patient in group.patients}):
        here = [(patient, found) for patient, found in assigned if patient.practice == practice]
        placements = tuple(_placed(patient, slot) for patient, slot in here if isinstance(slot, FreeSlot))
        unplaced = tuple(_left(patient, reason) for patient, reason in here if isinstance(reason, str))
        fingerprint = _fingerprint([outage, practice, read_position, placements, unplaced])
        yield Part(practice, fingerprint, placements, unplaced)


def _placed(patient: WaitingPatient, slot: FreeSlot) -> Placement:
    return Placement(
        appointment=patient.appointment,
        patient=patient.patient,
        from_session=patient.session,
        to_session=slot.session,
        to_slot=slot.slot,
        to_start=slot.start,
        minutes=slot.minutes,
        priority=patient.priority,
        standing=patient.standing,
        to_practice="" if slot.practice == patient.practice else slot.practice,
    )


def _left(patient: WaitingPatient, reason: str) -> Unplaced:
    return Unplaced(
        appointment=patient.appointment,
        patient=patient.patient,
        priority=patient.priority,
        reason=reason,
        standing=patient.standing,
    )


def _by_practice(each: Iterable[T]) -> dict[str, list[T]]:
    practices: defaultdict[str, list[T]] = defaultdict(list)
    for one in each:
        practices[one.practice].append(one)
    return practices


def _fingerprint(value: Any) -> str:
    """SHA-256 of the value as canonical JSON."""
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
