"""Which free slots a plan can need at all: of those that suit a patient, the soonest, as many as there are rivals."""

import numpy as np
from scipy.sparse.csgraph import connected_components

from services.rebooking.matching import Flags, Numbers


def soonest(suits: Flags, classes: Numbers, starts: Numbers) -> Flags:
    """Of the slots that suit each patient, the first in time, and all that start together with the last of these.

    As many as there are patients of the same or a higher class who may be after them, the patient included. A best
    assignment gives nobody a later one: of the soonest, one would be free or a lower class's, and taking that instead
    would be better for the patient and worse for nobody who counts as much. `starts` are in order.
    """
    if not suits.size:
        return suits
    groups = _groups(suits)
    rivals = np.count_nonzero((groups[:, np.newaxis] == groups) & (classes[:, np.newaxis] >= classes), axis=1)
    reached = np.cumsum(suits, axis=1, dtype=np.int32) >= rivals[:, np.newaxis]
    last = np.where(reached.any(axis=1), reached.argmax(axis=1), starts.size - 1)
    needed: Flags = suits & (starts <= starts[last][:, np.newaxis])
    return needed


def _groups(suits: Flags) -> Numbers:
    """A number for each patient, the same for any two who may be after one slot, be it by way of others."""
    rows = [row.tobytes() for row in np.packbits(suits, axis=1)]
    kinds = {row: place for place, row in enumerate(dict.fromkeys(rows))}
    wanted = suits[[rows.index(row) for row in kinds]].astype(np.float32)
    _, group = connected_components(wanted @ wanted.T > 0, directed=False)
    return np.array([group[kinds[row]] for row in rows], np.int64)
