"""Proves plans of a whole county optimal against OR-tools' min-cost flow, and says how long ours took to make.

The eligibility is written down here a second time, plainly, so that the proof does not lean on what it proves.
"""

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import numpy as np

from benchmarks.exact import Best, Component, Edges, TooLarge, best, components, soonest
from services.operator.county import diaries, made_up_practices
from services.operator.county_diary import LOST_DAY, Diary
from services.rebooking.eligibility import FreeSlot, WaitingPatient
from services.rebooking.planning import Part, make_plan
from services.rebooking.rules import Rules
from shared.clock import london_date

NOW = datetime(2024, 7, 22, 7, 5, tzinfo=UTC)
"""The Monday after, in the morning."""

APPOINTMENTS = 61_600
"""On the lost day: of these, a little over 34,000 had been booked ahead and are displaced."""

_SEED = 2024
_PRACTICES = 181

Pairs = Mapping[tuple[str, str], int]
"""Who could have which slot, as appointment and slot, each with the wait in minutes."""


@dataclass(frozen=True, slots=True)
class Practice:
    """Who waits at one practice, and what is free there."""

    patients: Sequence[WaitingPatient]
    free: Sequence[FreeSlot]


def county(appointments: int, *, lopsided: bool) -> list[Practice]:
    """The demo's county on that Monday, with so many appointments on the lost day; those booked ahead are displaced."""
    practices = made_up_practices(_PRACTICES, _SEED)
    return [_practice(diary) for diary in diaries(practices, appointments, _SEED, lopsided=lopsided)]


def _practice(diary: Diary) -> Practice:
    patients: list[WaitingPatient] = []
    free: list[FreeSlot] = []
    for number, row in enumerate(csv.DictReader(io.StringIO(diary.text))):
        start = datetime.fromisoformat(row["start"]).astimezone(UTC)
        minutes, place = int(row["minutes"]), f"{diary.practice} {number:05}"
        with_whom: Any = (row["channel"], row["clinician"], row["clinician_role"])
        if row["service_type"] in ("Same day", "NHS 111"):
            continue
        if row["status"] == "free":
            free.append(FreeSlot(place, row["session"], diary.practice, start, minutes, *with_whom))
        elif london_date(start) == LOST_DAY:
            priority = int(row["priority"])
            lost = (place, place, diary.practice, row["session"], start, minutes, priority, "booked", *with_whom)
            patients.append(WaitingPatient(*lost))
    return Practice(patients, free)


def pairs_of(rules: Rules, practice: Practice) -> Pairs:
    """By the rules as a person would check them, one pair after another."""
    days: defaultdict[object, list[FreeSlot]] = defaultdict(list)
    for slot in sorted(practice.free, key=lambda slot: (slot.start, slot.slot)):
        days[london_date(slot.start)].append(slot)
    usable = [slot for day in days.values() for slot in day[: len(day) * (100 - rules.leave_free_percent) // 100]]
    earliest = NOW + timedelta(hours=rules.minimum_notice_hours)
    alike: defaultdict[tuple[str, str], list[FreeSlot]] = defaultdict(list)
    for slot in usable:
        if slot.start >= earliest:
            alike[slot.clinician_role, slot.channel].append(slot)
    return {
        (patient.appointment, slot.slot): int((slot.start - patient.start).total_seconds()) // 60
        for patient in practice.patients
        for channel in rules.channels[patient.channel]
        for slot in alike[patient.clinician_role, channel]
        if slot.minutes >= patient.minutes
    }


def comes_to(rules: Rules, practice: Practice, part: Part) -> list[Best]:
    """What the practice's part of the plan comes to, class by class."""
    lost = {patient.appointment: patient for patient in practice.patients}
    waits: defaultdict[int, list[int]] = defaultdict(list)
    for placement in part.placements:
        patient = lost[placement.appointment]
        wait = int((placement.to_start - patient.start).total_seconds()) // 60
        waits[rules.rank(patient.priority)].append(wait)
    every = (waits[rank] for rank in range(len(rules.classes)))
    return [Best(len(each), max(each, default=0), sum(each)) for each in every]


def optimum(rules: Rules, practice: Practice) -> list[Best]:
    """What the best assignment comes to, class by class. Raises `TooLarge`."""
    edges = edges_of(rules, practice)
    unit = int(np.gcd.reduce(edges.wait, initial=0)) or 1
    parts = [*components(replace(edges, wait=edges.wait // unit))]
    try:
        found = _by_class(rules, parts)
    except TooLarge:
        found = _by_class(rules, [soonest(part) for part in components(replace(edges, wait=edges.wait // unit))])
    return [Best(each.placed, each.longest * unit, each.total * unit) for each in found]


def _by_class(rules: Rules, parts: Sequence[Component]) -> list[Best]:
    ranks = range(len(rules.classes))
    return [best(parts, rank) for rank in ranks] if parts else [Best(0, 0, 0) for _ in ranks]


def edges_of(rules: Rules, practice: Practice) -> Edges:
    """The same as `pairs_of`, in numbers."""
    people = {patient.appointment: at for at, patient in enumerate(practice.patients)}
    slots = {slot.slot: at for at, slot in enumerate(practice.free)}
    ranks = [rules.rank(patient.priority) for patient in practice.patients]
    rows = [
        (people[lost], ranks[people[lost]], slots[free], wait)
        for (lost, free), wait in pairs_of(rules, practice).items()
    ]
    patient, rank, slot, wait = np.array(rows, np.int64).reshape(-1, 4).T
    return Edges(patient, rank, slot, wait, change=np.zeros_like(wait))


@dataclass(frozen=True, slots=True)
class Proof:
    """A county's plan: how many it is for, the seconds of processor time it took, and where it is proven the best."""

    displaced: int
    free: int
    seconds: float
    practices: int
    proven: int
    wrong: Sequence[str]


def prove(practices: Sequence[Practice], rules: Rules) -> Proof:
    """Make the whole county's plan, and compare each practice's part of it with the optimum."""
    waiting = [patient for practice in practices for patient in practice.patients]
    free = [slot for practice in practices for slot in practice.free]
    began = process_time()
    plan = make_plan(rules, "outage", waiting, free, read_position=0, now=NOW)
    seconds = process_time() - began
    parts = {part.practice: part for part in plan.parts}
    proven, wrong = 0, []
    for practice in practices:
        ods = practice.patients[0].practice
        try:
            same = comes_to(rules, practice, parts[ods]) == optimum(rules, practice)
        except TooLarge:
            continue
        proven += same
        wrong += [] if same else [ods]
    return Proof(len(waiting), len(free), seconds, len(practices), proven, wrong)


def main() -> int:
    """Prove both counties at full size; 1 if a plan is not proven optimal everywhere."""
    everywhere = True
    for lopsided in (False, True):
        proof = prove(county(APPOINTMENTS, lopsided=lopsided), Rules())
        everywhere &= proof.proven == proof.practices
        sys.stdout.write(
            f"{'lopsided' if lopsided else 'usual'} county: {proof.displaced:,} displaced, {proof.free:,} free slots, "
            f"planned in {proof.seconds:.1f} s of one processor; proven optimal on {proof.proven} of {proof.practices} "
            f"practices{', wrong at ' + ', '.join(proof.wrong) if proof.wrong else ''}\n"
        )
    return 0 if everywhere else 1


if __name__ == "__main__":
    sys.exit(main())
