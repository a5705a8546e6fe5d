"""Who gets which slot: an exact assignment that never lets a lower priority class take what a higher one could use.

Class by class, from the highest: as many placed as possible, then their longest wait as short as possible, then the
sum of their waits as small as possible; at the very end, over all, the least change for the patients. Each objective is
optimised among *all* the solutions that are still best for those before it, never in just one of them.

How those solutions are kept: solving a stage gives, beside one best assignment, prices for the slots (the dual of the
assignment problem). An assignment is as good as the best one exactly if it uses only edges that cost what the prices
say (`tight`) and takes every slot with a price (`owed`). So later stages see only tight edges, may not touch owed
slots with new people, and must keep the owed ones taken. All costs are integers below 2**53, which floats hold exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

Flags = NDArray[np.bool_]
Costs = NDArray[np.float64]
Numbers = NDArray[np.int64]

IMPOSSIBLE = -1
"""The wait of a patient for a slot that they may not have."""

NOWHERE = -1
"""The slot of a patient for whom there is none."""

FOR_EVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Demand:
    """One row for each patient, one column for each slot."""

    classes: Numbers
    """The priority class of each patient; 0 is the highest."""
    waits: Numbers
    """How long each patient would wait for each slot, in whole minutes, or `IMPOSSIBLE`."""
    changes: Numbers
    """How much each slot would change for each patient, weighed; 0 for nothing."""


@dataclass(frozen=True, slots=True)
class _Stage:
    """All assignments that are still best: rows of the settled patients, columns of slots, then of places in the queue.

    A queue column stands for staying unplaced. A class gets exactly as many as it has patients that cannot be placed.
    """

    rows: Numbers
    tight: Flags
    owed: Flags


@dataclass(frozen=True, slots=True)
class _Graph:
    """Who may have what at this stage, row by row, each pair with its wait."""

    settled: int
    slots: int
    starts: Numbers
    columns: Numbers
    waits: Numbers

    def placeable(self, limit: int) -> int:
        """How many new patients can have a slot within `limit` while the settled ones keep all they have.

        The owed slots need no thought here: new patients may not take them, and whoever can be placed at all can be
        placed with every owed slot taken as well (the theorem of Mendelsohn and Dulmage).
        """
        kept = self.waits <= limit
        starts = np.append(0, np.cumsum(kept))[self.starts]
        shape = (self.starts.size - 1, self.slots)
        graph = csr_array((np.ones(starts[-1], np.bool_), self.columns[kept], starts), shape=shape)
        return int(np.count_nonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0)) - self.settled


def assign(demand: Demand) -> Numbers:
    """The column of each row's slot, or `NOWHERE`."""
    patients, slots = demand.waits.shape
    stage = _Stage(np.empty(0, np.int64), np.empty((0, slots), np.bool_), np.zeros(slots, np.bool_))
    for priority in np.unique(demand.classes):
        stage = _settle(stage, np.flatnonzero(demand.classes == priority), demand.waits)
    chosen = np.full(patients, NOWHERE, np.int64)
    if stage.rows.size:
        chosen[stage.rows] = _least_change(stage, demand.changes)
    chosen[chosen >= slots] = NOWHERE
    return chosen


def _settle(stage: _Stage, rows: Numbers, waits: Numbers) -> _Stage:
    """Add a class of patients to those already settled, keeping all that is best for it."""
    slots = waits.shape[1]
    wanted = (waits[rows] != IMPOSSIBLE) & ~stage.owed[:slots]
    graph = _graph(stage, wanted, waits[rows])
    placed = graph.placeable(FOR_EVER)
    wanted &= waits[rows] <= _shortest_longest_wait(graph, np.where(wanted, waits[rows], FOR_EVER), placed)
    old_queue = np.zeros((rows.size, stage.tight.shape[1] - slots), np.bool_)
    new_queue = np.ones((rows.size, rows.size - placed), np.bool_)
    allowed = np.block(
        [[stage.tight, np.zeros((stage.rows.size, rows.size - placed), np.bool_)], [wanted, old_queue, new_queue]]
    )
    costs = np.full(allowed.shape, np.inf)
    costs[allowed] = 0
    costs[stage.rows.size :, :slots][wanted] = waits[rows][wanted]
    owed = np.append(stage.owed, np.zeros(rows.size - placed, np.bool_))
    return _Stage(np.append(stage.rows, rows), *_best(costs, owed))


def _graph(stage: _Stage, wanted: Flags, waits: Numbers) -> _Graph:
    """The settled patients with their tight edges, which cost no wait, and the new ones with the slots they want."""
    allowed = np.zeros((stage.rows.size + wanted.shape[0], stage.tight.shape[1]), np.bool_)
    allowed[: stage.rows.size] = stage.tight
    allowed[stage.rows.size :, : wanted.shape[1]] = wanted
    settled = np.zeros(np.count_nonzero(stage.tight), np.int64)
    counts = np.count_nonzero(allowed, axis=1)
    return _Graph(
        settled=stage.rows.size,
        slots=allowed.shape[1],
        starts=np.append(0, np.cumsum(counts)),
        columns=np.nonzero(allowed)[1],
        waits=np.append(settled, waits[wanted]),
    )


def _shortest_longest_wait(graph: _Graph, waits: Numbers, placed: int) -> int:
    """The least limit on the wait under which just as many patients can be placed."""
    if not placed:
        return 0
    candidates = np.unique(graph.waits)
    soonest = np.sort(waits.min(axis=1))
    low, high = int(np.searchsorted(candidates, soonest[placed - 1])), candidates.size - 1
    tried = low
    while low < high:
        if graph.placeable(int(candidates[tried])) == placed:
            high = tried
        else:
            low = tried + 1
        tried = (low + high) // 2
    return int(candidates[low])


def _best(costs: Costs, owed: Flags) -> tuple[Flags, Flags]:
    """Every edge that some best assignment uses, and every column that all of them use."""
    useful = np.isfinite(costs).any(axis=0)
    priced = _insist(costs[:, useful], owed[useful])
    rows, columns = linear_sum_assignment(priced)
    over_own = priced - priced[rows, columns][:, np.newaxis]
    prices = np.zeros(priced.shape[1])
    while True:
        lower = np.minimum(prices, (over_own + prices[columns][:, np.newaxis]).min(axis=0))
        if np.array_equal(lower, prices):
            break
        prices = lower
    tight = np.zeros(costs.shape, np.bool_)
    tight[:, useful] = over_own + prices[columns][:, np.newaxis] == prices
    still_owed = np.zeros(owed.shape, np.bool_)
    still_owed[useful] = prices < 0
    return tight, still_owed


def _insist(costs: Costs, owed: Flags) -> Costs:
    """The same costs, with a reward for each owed column that no saving elsewhere can outweigh."""
    finite = costs[np.isfinite(costs)]
    reward = costs.shape[0] * finite.max(initial=0) + 1
    return np.where(owed, costs - reward, costs)


def _least_change(stage: _Stage, changes: Numbers) -> Numbers:
    costs = np.zeros(stage.tight.shape)
    costs[:, : changes.shape[1]] = changes[stage.rows]
    _, columns = linear_sum_assignment(_insist(np.where(stage.tight, costs, np.inf), stage.owed))
    return columns.astype(np.int64)
