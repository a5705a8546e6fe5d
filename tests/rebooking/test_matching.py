"""The assignment is exact: on small cases against every assignment there is, on large ones against its promises."""

from itertools import product
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rebooking.matching import IMPOSSIBLE, NOWHERE, Demand, Numbers, assign


def demand(classes: list[int], waits: list[list[int]], changes: list[list[int]] | None = None) -> Demand:
    shape = (len(classes), len(waits[0]) if waits else 0)
    table = np.array(waits, np.int64).reshape(shape)
    return Demand(
        np.array(classes, np.int64),
        table,
        np.zeros(shape, np.int64) if changes is None else np.array(changes, np.int64),
    )


@st.composite
def small_demands(draw: st.DrawFn) -> Demand:
    patients, slots = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    cells = st.one_of(st.just(IMPOSSIBLE), st.integers(0, 4), st.integers(0, 40))
    table = st.lists(st.lists(cells, min_size=slots, max_size=slots), min_size=patients, max_size=patients)
    change = st.lists(st.lists(st.integers(0, 7), min_size=slots, max_size=slots), min_size=patients, max_size=patients)
    classes = st.lists(st.integers(0, 2), min_size=patients, max_size=patients)
    return demand(draw(classes), draw(table), draw(change))


@st.composite
def timed_demands(draw: st.DrawFn) -> Demand:
    """Waits as they are in a surgery: the slot's start less the lost start, so that many assignments tie."""
    patients, slots = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    lost = draw(st.lists(st.integers(0, 3), min_size=patients, max_size=patients))
    starts = draw(st.lists(st.integers(4, 9), min_size=slots, max_size=slots))
    fits = draw(st.lists(st.lists(st.booleans(), min_size=slots, max_size=slots), min_size=patients, max_size=patients))
    change = draw(
        st.lists(st.lists(st.integers(0, 3), min_size=slots, max_size=slots), min_size=patients, max_size=patients)
    )
    waits = [
        [s - p if ok else IMPOSSIBLE for s, ok in zip(starts, row, strict=True)]
        for p, row in zip(lost, fits, strict=True)
    ]
    return demand(draw(st.lists(st.integers(0, 2), min_size=patients, max_size=patients)), waits, change)


def worth(demand: Demand, chosen: Numbers | tuple[int, ...]) -> tuple[int, ...]:
    """Less is better: for each class those left out, the longest wait, the sum of waits; then the changes."""
    key: list[int] = []
    for priority in sorted(set(demand.classes.tolist())):
        rows = [r for r, c in enumerate(demand.classes) if c == priority]
        waits = [int(demand.waits[r, chosen[r]]) for r in rows if chosen[r] != NOWHERE]
        key += [len(rows) - len(waits), max(waits, default=0), sum(waits)]
    placed = [(r, c) for r, c in enumerate(chosen) if c != NOWHERE]
    return (*key, sum(int(demand.changes[r, c]) for r, c in placed))


def is_possible(demand: Demand, chosen: Numbers | tuple[int, ...]) -> bool:
    taken = [c for c in chosen if c != NOWHERE]
    return len(set(taken)) == len(taken) and all(
        demand.waits[r, c] != IMPOSSIBLE for r, c in enumerate(chosen) if c != NOWHERE
    )


def best_of_all(demand: Demand) -> tuple[int, ...]:
    patients, slots = demand.waits.shape
    every = product(range(NOWHERE, slots), repeat=patients)
    return min(worth(demand, chosen) for chosen in every if is_possible(demand, chosen))


@settings(max_examples=300, deadline=None)
@given(st.one_of(small_demands(), timed_demands()))
def test_no_assignment_at_all_is_better(demand: Demand) -> None:
    chosen = assign(demand)
    assert is_possible(demand, chosen)
    assert worth(demand, chosen) == best_of_all(demand)


def test_nobody_to_place_is_an_empty_assignment() -> None:
    assert assign(Demand(np.empty(0, np.int64), np.empty((0, 3), np.int64), np.empty((0, 3), np.int64))).tolist() == []


def test_without_slots_everybody_stays_unplaced() -> None:
    assert assign(demand([0, 1], [[], []])).tolist() == [NOWHERE, NOWHERE]


def test_a_higher_class_gets_the_only_slot() -> None:
    assert assign(demand([1, 0], [[5], [50]])).tolist() == [NOWHERE, 0]


def test_a_higher_class_gives_way_only_where_it_loses_nothing() -> None:
    """Either of two slots at the same hour serves the urgent patient; the other patient can use only the first."""
    assert assign(demand([0, 1], [[10, 10], [10, IMPOSSIBLE]])).tolist() == [1, 0]


def test_placing_more_comes_before_waiting_less() -> None:
    assert assign(demand([0, 0], [[1, 90], [1, IMPOSSIBLE]])).tolist() == [1, 0]


def test_the_longest_wait_comes_before_the_sum_of_waits() -> None:
    assert assign(demand([0, 0], [[0, 9], [5, 11]])).tolist() == [1, 0]


def test_a_familiar_clinician_decides_between_slots_that_are_otherwise_as_good() -> None:
    assert assign(demand([0, 0], [[10, 10], [10, 10]], [[4, 0], [0, 4]])).tolist() == [1, 0]


def a_practice(random: np.random.Generator, patients: int, slots: int) -> Demand:
    """A practice's displaced day and its two free weeks: many ties, four priority classes, roles and channels."""
    lost = np.sort(random.integers(0, 60, patients)) * 10
    starts = np.sort(random.integers(3, 17, slots) * 1440 + random.integers(0, 60, slots) * 10)
    same_role = (random.random(patients) < 0.51)[:, np.newaxis] == (random.random(slots) < 0.51)
    same_channel = (random.random(patients) < 0.6)[:, np.newaxis] == (random.random(slots) < 0.6)
    waits = np.where(same_role & same_channel, starts - lost[:, np.newaxis], IMPOSSIBLE)
    classes = random.choice(4, patients, p=[0.05, 0.1, 0.15, 0.7])
    return Demand(classes.astype(np.int64), waits.astype(np.int64), random.integers(0, 8, (patients, slots)))


@pytest.mark.parametrize("slots", [60, 90, 450])
def test_priority_is_never_inverted_in_a_whole_practice(slots: int) -> None:
    """Nobody stays unplaced, or could gain by it, beside a slot that a lower class holds."""
    practice = a_practice(np.random.default_rng(slots), 90, slots)
    chosen = assign(practice)
    assert is_possible(practice, chosen)
    holder = {int(slot): row for row, slot in enumerate(chosen) if slot != NOWHERE}
    for row in np.flatnonzero(chosen == NOWHERE):
        wanted = np.flatnonzero(practice.waits[row] != IMPOSSIBLE)
        assert all(int(slot) in holder for slot in wanted)
        assert all(practice.classes[holder[int(slot)]] <= practice.classes[row] for slot in wanted)


def test_a_county_is_planned_in_seconds() -> None:
    random = np.random.default_rng(181)
    county = [a_practice(random, 90, 450) for _ in range(181)]
    began = process_time()
    for practice in county:
        assign(practice)
    assert process_time() - began < 4
