"""Plans are the best there are: compared with another solver's at every practice of two whole counties."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from benchmarks.exact import Edges, components
from benchmarks.optimal import NOW, Practice, comes_to, county, edges_of, optimum, pairs_of
from services.rebooking.planning import Part, make_plan
from services.rebooking.rules import Rules

RULES = Rules()
APPOINTMENTS = 7_200
"""On the lost day; about 22 displaced at each of the 181 practices."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A practice with its part of the plan."""

    practice: Practice
    part: Part


@cache
def planned_county(*, lopsided: bool) -> list[Planned]:
    return [Planned(each, part_of(each)) for each in county(APPOINTMENTS, lopsided=lopsided)]


@pytest.fixture(params=["usual", "lopsided"])
def planned(request: pytest.FixtureRequest) -> list[Planned]:
    return planned_county(lopsided=request.param == "lopsided")


def part_of(practice: Practice) -> Part:
    (part,) = make_plan(RULES, "outage", practice.patients, practice.free, read_position=1, now=NOW).parts
    return part


def with_changes(practice: Practice) -> Edges:
    """As the rules weigh them: the clinician, the channel, and the half of the day in London, an hour from UTC's."""
    edges, weights = edges_of(RULES, practice), RULES.continuity
    changes = []
    for lost, free in zip(edges.patient.tolist(), edges.slot.tolist(), strict=True):
        patient, slot = practice.patients[lost], practice.free[free]
        changes.append(
            weights.clinician * (patient.clinician != slot.clinician)
            + weights.channel * (patient.channel != slot.channel)
            + weights.half_of_day * ((patient.start.hour < 12) != (slot.start.hour < 12))
        )
    return replace(edges, change=np.array(changes, np.int64))


def test_no_plan_of_any_practice_could_be_better(planned: list[Planned]) -> None:
    found = {each.part.practice: comes_to(RULES, each.practice, each.part) for each in planned}
    assert len(found) == 181
    assert found == {each.part.practice: optimum(RULES, each.practice) for each in planned}


def test_no_plan_that_is_as_good_would_change_less(planned: list[Planned]) -> None:
    for each in planned[:12]:
        edges = with_changes(each.practice)
        best = comes_to(RULES, each.practice, each.part)
        change = {(lost, free): cost for lost, free, cost in zip(edges.patient, edges.slot, edges.change, strict=True)}
        people = {patient.appointment: at for at, patient in enumerate(each.practice.patients)}
        slots = {slot.slot: at for at, slot in enumerate(each.practice.free)}
        ours = sum(change[people[one.appointment], slots[one.to_slot]] for one in each.part.placements)
        least = 0
        for part in components(edges):
            for rank, target in enumerate(best):
                part.placed[rank] = part.most(rank, 10**9)
                part.settle(rank, target.longest)
            least += part.changes()
        assert ours == least


def test_a_lopsided_county_leaves_many_without_a_place_at_a_third_of_its_practices() -> None:
    found = planned_county(lopsided=True)
    short = [each for each in found if len(each.practice.free) < len(each.practice.patients)]
    assert 50 < len(short) < 62
    assert sum(len(each.part.unplaced) for each in short) > 300


def test_nobody_of_a_lower_class_has_a_slot_that_one_of_a_higher_class_wanted_more(planned: list[Planned]) -> None:
    """A slot that was free, or somebody's of a lower class, would have been theirs."""
    for each in planned:
        rank = {patient.appointment: RULES.rank(patient.priority) for patient in each.practice.patients}
        has = {one.appointment: one.to_slot for one in each.part.placements}
        held_by = {slot: lost for lost, slot in has.items()}
        pairs = pairs_of(RULES, each.practice)
        for (lost, slot), wait in pairs.items():
            if slot not in held_by or rank[held_by[slot]] > rank[lost]:
                assert lost in has
                assert pairs[lost, has[lost]] <= wait


def test_slots_that_are_not_to_be_used_are_untouched(planned: list[Planned]) -> None:
    """Those kept for NHS 111 and for the same day are not among the free; the share that stays free is."""
    for each in planned:
        usable = {slot for _, slot in pairs_of(RULES, each.practice)}
        assert {one.to_slot for one in each.part.placements} <= usable
