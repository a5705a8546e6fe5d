"""The best assignment there is, found by OR-tools' min-cost flow: to be compared with, not to be used.

Class by class: how many can be placed, with which longest wait, and with which least sum of waits. What the classes
before have is kept by prices so high that nothing later could pay them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_LARGEST = 2**62
"""OR-tools counts in 64 bits."""


class TooLarge(Exception):
    """The prices would need more than 64 bits, so that nothing is proven."""


@dataclass(frozen=True, slots=True)
class Best:
    """What the best assignment comes to for one class."""

    placed: int
    longest: int
    total: int


@dataclass(frozen=True, slots=True)
class Edges:
    """Who could have what: a patient, of a class, a slot, the wait and the changes, one element of each."""

    patient: Numbers
    rank: Numbers
    slot: Numbers
    wait: Numbers
    change: Numbers

    def only(self, these: Flags | Numbers) -> "Edges":
        return Edges(self.patient[these], self.rank[these], self.slot[these], self.wait[these], self.change[these])


@dataclass(slots=True)
class Component:
    """Patients and slots that have nothing to do with others, and what the classes so far have got."""

    edges: Edges
    placed: dict[int, int] = field(default_factory=dict)

    def most(self, rank: int, limit: int) -> int:
        """How many of this class can be placed within the limit while the classes before keep all they have."""
        edges = self._within(rank, limit)
        members = np.unique(edges.patient[edges.rank == rank]).size
        return members - self._cheapest(edges, rank, np.zeros_like(edges.wait), members, staying=1) if members else 0

    def least(self, rank: int, limit: int) -> int:
        """The least sum of waits of this class, with as many placed as have been found possible."""
        edges = self._within(rank, limit)
        waits = np.where(edges.rank == rank, edges.wait, 0)
        return self._cheapest(edges, rank, waits, self.placed[rank]) if self.placed[rank] else 0

    def settle(self, rank: int, limit: int) -> None:
        """From now on nobody of this class waits longer."""
        self.edges = self.edges.only((self.edges.rank != rank) | (self.edges.wait <= limit))

    def changes(self) -> int:
        """The least changes, with everything else as good as it can be."""
        last = max(self.placed, default=0) + 1
        return self._cheapest(self.edges, last, self.edges.change, 0) if any(self.placed.values()) else 0

    def _within(self, rank: int, limit: int) -> Edges:
        edges = self.edges
        return edges.only((edges.rank < rank) | ((edges.rank == rank) & (edges.wait <= limit)))

    def _cheapest(self, edges: Edges, rank: int, costs: Numbers, supply: int, staying: int = 0) -> int:
        """The least cost among all that is best for the classes before; `staying` is the cost of each not placed."""
        before = {each: self.placed[each] for each in range(rank) if self.placed.get(each)}
        everybody = sum(before.values()) + supply
        prices, whole = costs.copy(), everybody * int(costs.max(initial=0)) + supply * staying + 1
        unit = whole
        for each in sorted(before, reverse=True):
            of = edges.rank == each
            above, most = _above_least(edges.patient[of], edges.wait[of], before[each])
            if unit * (most + 1) > _LARGEST:
                raise TooLarge
            prices[of] += unit * above
            unit *= most + 1
        supplies = {**before, **({rank: supply} if supply else {})}
        return _flow(edges, prices, supplies, bypass={rank: staying} if staying else {}) % whole


def _above_least(patients: Numbers, waits: Numbers, placed: int) -> tuple[Numbers, int]:
    """The waits, in a unit of their own, less what nobody can save; and what so many of them come to at the most."""
    _, members = np.unique(patients, return_inverse=True)
    least = np.full(members.max() + 1, waits.max())
    np.minimum.at(least, members, waits)
    if placed < least.size:
        least[:] = waits.min()
    above = waits - least[members]
    above //= max(1, int(np.gcd.reduce(above)))
    most = np.zeros_like(least)
    np.maximum.at(most, members, above)
    return above, int(np.sort(most)[least.size - placed :].sum())


def _flow(edges: Edges, prices: Numbers, supplies: dict[int, int], bypass: dict[int, int]) -> int:
    """The cost of the cheapest flow from the classes by way of patients and slots."""
    patients, first = np.unique(edges.patient, return_index=True)
    slots = np.unique(edges.slot)
    classes = {rank: patients.size + slots.size + place for place, rank in enumerate(supplies)}
    sink = patients.size + slots.size + len(classes)
    flow = SimpleMinCostFlow()

    def arcs(tails: Sequence[int] | Numbers, heads: Sequence[int] | Numbers, costs: Numbers) -> None:
        ends = np.asarray(tails, np.int32), np.asarray(heads, np.int32)
        flow.add_arcs_with_capacity_and_unit_cost(*ends, np.ones(len(costs), np.int64), costs)

    nodes = np.searchsorted(patients, edges.patient), patients.size + np.searchsorted(slots, edges.slot)
    belongs = [(classes[rank], node) for node, rank in enumerate(edges.rank[first].tolist()) if rank in classes]
    arcs(*nodes, prices)
    arcs([at for at, _ in belongs], [node for _, node in belongs], np.zeros(len(belongs), np.int64))
    arcs(patients.size + np.arange(slots.size), np.full(slots.size, sink), np.zeros(slots.size, np.int64))
    for rank, cost in bypass.items():
        flow.add_arc_with_capacity_and_unit_cost(classes[rank], sink, supplies[rank], cost)
    for rank, supply in supplies.items():
        flow.set_node_supply(classes[rank], supply)
    flow.set_node_supply(sink, -sum(supplies.values()))
    status = flow.solve()
    if status == flow.BAD_COST_RANGE:
        raise TooLarge
    if status != flow.OPTIMAL:
        raise AssertionError(f"OR-tools says {status}")
    return int(flow.optimal_cost())


def components(edges: Edges) -> Iterator[Component]:
    """The parts that have nothing to do with one another."""
    people = int(edges.patient.max(initial=-1)) + 1
    size = people + int(edges.slot.max(initial=-1)) + 1
    graph = csr_array((np.ones(edges.wait.size), (edges.patient, people + edges.slot)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    for label in np.unique(labels[edges.patient]):
        yield Component(edges.only(labels[edges.patient] == label))


def soonest(part: Component) -> Component:
    """With no more of the soonest slots for each patient than there are patients of the same or a higher class.

    Nobody needs a later one, since one of these would be free or a lower class's; so prices need fewer bits.
    """
    edges = part.edges
    order = np.lexsort((edges.wait, edges.patient))
    _, first, members = np.unique(edges.patient[order], return_index=True, return_inverse=True)
    ranks = edges.rank[order][first]
    place = np.arange(order.size) - first[members]
    rivals = np.count_nonzero(ranks[:, np.newaxis] >= ranks, axis=1)
    return Component(edges.only(order[place < rivals[members]]))


def best(parts: Sequence[Component], rank: int) -> Best:
    """What is best for the class, after the classes before have been settled; then it is settled itself."""
    longest = 0
    for part in parts:
        part.placed[rank] = part.most(rank, _LARGEST)
        longest = max(longest, _longest(part, rank, longest))
    total = 0
    for part in parts:
        total += part.least(rank, longest)
        part.settle(rank, longest)
    return Best(sum(part.placed[rank] for part in parts), longest, total)


def _longest(part: Component, rank: int, at_least: int) -> int:
    """The least limit, from this one on, within which as many can be placed."""
    placed = part.placed[rank]
    if not placed or part.most(rank, at_least) == placed:
        return at_least
    waits = np.unique(part.edges.wait[part.edges.rank == rank])
    low, high = int(np.searchsorted(waits, at_least, "right")), waits.size - 1
    while low < high:
        middle = (low + high) // 2
        if part.most(rank, int(waits[middle])) == placed:
            high = middle
        else:
            low = middle + 1
    return int(waits[low])
