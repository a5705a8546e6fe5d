"""Makes a plan of who waits and what is free, each practice by itself, and binds it by a hash."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from services.rebooking.eligibility import MOVABLE, FreeSlot, WaitingPatient, Window, fit, window
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
    slots, people = _by_practice(free), _by_practice(waiting)
    within = window(rules, now, [patient.start for patients in people.values() for patient in patients])
    parts = tuple(
        _part(rules, outage, read_position, practice, patients, slots.get(practice, ()), within)
        for practice, patients in sorted(people.items())
    )
    return Plan(
        outage=outage,
        hash=_fingerprint([outage, read_position, *(part.hash for part in parts)]),
        read_position=read_position,
        expires_at=now + timedelta(minutes=rules.lifetime_minutes),
        parts=parts,
    )


def _part(
    rules: Rules,
    outage: str,
    read_position: int,
    practice: str,
    patients: Sequence[WaitingPatient],
    slots: Sequence[FreeSlot],
    within: Window,
) -> Part:
    gone = [patient for patient in patients if patient.status not in MOVABLE]
    waiting = sorted(
        (patient for patient in patients if patient.status in MOVABLE),
        key=lambda patient: (rules.rank(patient.priority), patient.start, patient.appointment),
    )
    placements, unplaced = _assign(rules, waiting, sorted(slots, key=lambda slot: (slot.start, slot.slot)), within)
    unplaced += [_left(patient, f"The appointment no longer stands: it is {patient.status}") for patient in gone]
    fingerprint = _fingerprint([outage, practice, read_position, placements, unplaced])
    return Part(practice, fingerprint, tuple(placements), tuple(unplaced))


def _assign(
    rules: Rules, waiting: Sequence[WaitingPatient], slots: Sequence[FreeSlot], within: Window
) -> tuple[list[Placement], list[Unplaced]]:
    pairs = fit(rules, waiting, slots, within)
    placements: list[Placement] = []
    unplaced: list[Unplaced] = []
    for row, column in enumerate(assign(pairs.demand(rules)).tolist()):
        if column == NOWHERE:
            unplaced.append(_left(waiting[row], pairs.why_not(row)))
        else:
            placements.append(_placed(waiting[row], slots[column]))
    return placements, unplaced


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
    )


def _left(patient: WaitingPatient, reason: str) -> Unplaced:
    return Unplaced(appointment=patient.appointment, patient=patient.patient, priority=patient.priority, reason=reason)


def _by_practice(each: Iterable[T]) -> dict[str, list[T]]:
    practices: defaultdict[str, list[T]] = defaultdict(list)
    for one in each:
        practices[one.practice].append(one)
    return practices


def _fingerprint(value: Any) -> str:
    """SHA-256 of the value as canonical JSON."""
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
