"""The waiting patients against the free slots: who could be seen in which, and why somebody gets none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce

import numpy as np

from services.rebooking.conditions import Condition, Offered, coded, conditions, offered
from services.rebooking.continuity import changes
from services.rebooking.eligibility import FreeSlot, WaitingPatient, Window
from services.rebooking.matching import IMPOSSIBLE, Demand, Flags, Numbers
from services.rebooking.needed import soonest
from services.rebooking.rules import Rules
from services.rebooking.times import Times, times
from shared.clock import in_london

_ALMOST_A_MINUTE = timedelta(minutes=1) - timedelta.resolution
"""Added to an instant, its whole minutes are those of the first minute that begins no sooner."""


@dataclass(frozen=True, slots=True)
class Fit:
    """One row for each patient, one column for each slot."""

    rules: Rules
    patients: Sequence[WaitingPatient]
    slots: Offered
    lost: Times
    within: Window
    waits: Numbers
    in_time: Flags
    conditions: Sequence[Condition]
    kept_free: Flags

    def demand(self) -> tuple[Numbers, Demand]:
        """What the assignment is made of, and the slots that it is about: those that it can need, in order of time."""
        suits = reduce(np.logical_and, (each.pairs() for each in self.conditions), self.in_time & ~self.kept_free)
        classes = np.array([self.rules.rank(patient.priority) for patient in self.patients], np.int64)
        needed = soonest(suits, classes, self.slots.times.minutes)
        columns = np.flatnonzero(needed.any(axis=0))
        waits = np.where(needed[:, columns], self.waits[:, columns], IMPOSSIBLE)
        return columns, Demand(
            classes, waits, changes(self.rules.continuity, self.patients, self.lost, self.slots, columns)
        )

    def why_not(self, row: int) -> str:
        """Why this patient got none of the slots, in words: the first rule that leaves nothing."""
        patient, left = self.patients[row], self.in_time[row]
        if not left.any():
            return self._no_time(patient)
        for condition in self.conditions:
            before, left = np.count_nonzero(left), left & condition.of(row)
            if not left.any():
                return f"None of the free slots that fit otherwise ({before}) {condition.words(patient)}"
        usable = np.count_nonzero(left & ~self.kept_free)
        if not usable:
            return f"All slots that fit ({np.count_nonzero(left)}) belong to the share of each day that stays free"
        return f"All slots that fit and may be used ({usable}) went to patients of the same or a higher priority"

    def _no_time(self, patient: WaitingPatient) -> str:
        notice = self.rules.notice(self.rules.classes[self.rules.rank(patient.priority)])
        ends = (max(self.within.now + notice, patient.start), self.within.latest)
        first, last = (f"{in_london(end):%a %-d %b %H:%M}" for end in ends)
        alone = len(self.rules.open_to(patient.practice)) == 1
        who = "The practice has" if alone else "The practice and its hub have"
        return f"{who} no free slot from {first} until {last}"


def fit(rules: Rules, patients: Sequence[WaitingPatient], free: Sequence[FreeSlot], within: Window) -> Fit:
    """The slots, in order of time, against the patients."""
    slots, lost = offered(free), times(patient.start for patient in patients)
    waits = np.subtract.outer(-lost.minutes, -slots.times.minutes)
    return Fit(
        rules=rules,
        patients=patients,
        slots=slots,
        lost=lost,
        within=within,
        waits=waits,
        in_time=(waits >= 0) & _noticed(rules, patients, slots, within) & _shared(rules, patients, slots),
        conditions=[*conditions(rules, patients, slots)],
        kept_free=_kept_free(rules.leave_free_percent, slots, np.array([slot.given for slot in free], np.int64)),
    )


def _noticed(rules: Rules, patients: Sequence[WaitingPatient], slots: Offered, within: Window) -> Flags:
    """Whether the patient would hear of it early enough."""
    earliest = times(within.now + rules.notice(each) + _ALMOST_A_MINUTE for each in rules.classes).minutes
    ranks = [rules.rank(patient.priority) for patient in patients]
    return np.less_equal.outer(earliest[ranks], slots.times.minutes)


def _shared(rules: Rules, patients: Sequence[WaitingPatient], slots: Offered) -> Flags:
    """Whether the slot's practice is the patient's or shares its capacity with it."""
    practices = coded([patient.practice for patient in patients])
    open_to = [slots.practices.among(rules.open_to(practice)) for practice in practices.number]
    return np.array(open_to, np.bool_).reshape(len(practices.number), slots.minutes.size)[practices.codes]


def _kept_free(percent: int, slots: Offered, given: Numbers) -> Flags:
    """The last slots of each day in London at each practice, so many that at least this share of the day stays free.

    What the recovery has given away already counts as the day's, so that planning again and again does not eat up
    the share.
    """
    kept = np.zeros(slots.minutes.size, np.bool_)
    days = slots.times.days * len(slots.practices.number) + slots.practices.codes
    for day in np.unique(days):
        columns = np.flatnonzero(days == day)
        share = -(-(columns.size + int(given[columns[0]])) * percent // 100)
        kept[columns[max(0, columns.size - share) :]] = True
    return kept
