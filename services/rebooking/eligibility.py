"""Which free slots fit which waiting patients by the rules, and, for those who get none, why not."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import numpy as np

from services.rebooking.matching import IMPOSSIBLE, Demand, Flags, Numbers
from services.rebooking.rules import Continuity, Rules
from shared.clock import in_london, london_date
from shared.events.booking import Channel

T = TypeVar("T", bound=str)

STANDING = ("booked", "arrived")
"""The states in which a patient still has the appointment."""

MOVABLE = (*STANDING, "displaced")
"""The states in which an appointment can give way to another: it stands, or its slots were withdrawn."""

_AFTERNOON = 13


@dataclass(frozen=True, slots=True)
class WaitingPatient:
    """A displaced appointment without a place. `status` is how its appointment now stands in the diary."""

    appointment: str
    patient: str
    practice: str
    session: str
    start: datetime
    minutes: int
    priority: int
    status: str
    channel: Channel
    clinician: str
    clinician_role: str


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot that nobody has and that the rules do not keep for others."""

    slot: str
    session: str
    practice: str
    start: datetime
    minutes: int
    channel: Channel
    clinician: str
    clinician_role: str


@dataclass(frozen=True, slots=True)
class Window:
    """New appointments start from `earliest` until before `latest`."""

    earliest: datetime
    latest: datetime


def window(rules: Rules, now: datetime, lost: Iterable[datetime]) -> Window:
    """Within what the rules look for slots for appointments that were to start then.

    A session can be withdrawn long before its day, and nobody is given an earlier time: the horizon goes with it.
    """
    return Window(
        earliest=now + timedelta(hours=rules.minimum_notice_hours),
        latest=max([now, *lost]) + timedelta(days=rules.horizon_days),
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """One row for each patient, one column for each slot: what speaks for and against each pair."""

    patients: Sequence[WaitingPatient]
    slots: Sequence[FreeSlot]
    within: Window
    waits: Numbers
    not_earlier: Flags
    role: Flags
    channel: Flags
    long_enough: Flags
    kept_free: Flags

    @property
    def suits(self) -> Flags:
        """Whether the patient could be seen in the slot at all."""
        return self.not_earlier & self.role & self.channel & self.long_enough

    def demand(self, rules: Rules) -> Demand:
        """The same as the assignment wants it."""
        return Demand(
            classes=np.array([rules.rank(patient.priority) for patient in self.patients], np.int64),
            waits=np.where(self.suits & ~self.kept_free, self.waits, IMPOSSIBLE),
            changes=_changes(rules.continuity, self.patients, self.slots),
        )

    def why_not(self, row: int) -> str:
        """Why this patient got none of the slots, in words: the first rule that leaves nothing."""
        patient, left = self.patients[row], self.not_earlier[row]
        if not left.any():
            ends = (max(self.within.earliest, patient.start), self.within.latest)
            first, last = (f"{in_london(end):%a %-d %b %H:%M}" for end in ends)
            return f"The practice has no free slot from {first} until {last}"
        for rule, otherwise in (
            (self.role[row], f"is with a {patient.clinician_role}"),
            (self.channel[row], f"suits a patient booked for {patient.channel}"),
            (self.long_enough[row], f"is {patient.minutes} minutes long"),
        ):
            before, left = np.count_nonzero(left), left & rule
            if not left.any():
                return f"None of the free slots that fit otherwise ({before}) {otherwise}"
        usable = np.count_nonzero(left & ~self.kept_free)
        if not usable:
            return f"All slots that fit ({np.count_nonzero(left)}) belong to the share of each day that stays free"
        return f"All slots that fit and may be used ({usable}) went to patients of the same or a higher priority"


def fit(rules: Rules, patients: Sequence[WaitingPatient], slots: Sequence[FreeSlot], within: Window) -> Fit:
    """The slots, in order of time, against the patients."""
    waits = _minutes(slots)[np.newaxis, :] - _minutes(patients)[:, np.newaxis]
    return Fit(
        patients=patients,
        slots=slots,
        within=within,
        waits=waits,
        not_earlier=waits >= 0,
        role=_matches(
            [patient.clinician_role for patient in patients],
            [slot.clinician_role for slot in slots],
            lambda role: {role} | rules.roles.get(role, frozenset()),
        ),
        channel=_matches(
            [patient.channel for patient in patients],
            [slot.channel for slot in slots],
            lambda channel: rules.channels[channel],
        ),
        long_enough=_numbers(slot.minutes for slot in slots)[np.newaxis, :]
        >= _numbers(patient.minutes for patient in patients)[:, np.newaxis],
        kept_free=_kept_free(rules.leave_free_percent, slots),
    )


def _kept_free(percent: int, slots: Sequence[FreeSlot]) -> Flags:
    """The last slots of each day in London, so many that at least this share of the day stays free."""
    days: defaultdict[date, list[int]] = defaultdict(list)
    for column, slot in enumerate(slots):
        days[london_date(slot.start)].append(column)
    kept = np.zeros(len(slots), np.bool_)
    for columns in days.values():
        share = -(-len(columns) * percent // 100)
        kept[columns[len(columns) - share :]] = True
    return kept


def _changes(weights: Continuity, patients: Sequence[WaitingPatient], slots: Sequence[FreeSlot]) -> Numbers:
    """What each slot would change for each patient, weighed."""

    def differs(of: Callable[[WaitingPatient | FreeSlot], Hashable], weight: int) -> Numbers:
        return np.where(_same([of(patient) for patient in patients], [of(slot) for slot in slots]), 0, weight)

    return (
        differs(lambda each: each.clinician, weights.clinician)
        + differs(lambda each: each.channel, weights.channel)
        + differs(lambda each: in_london(each.start).hour < _AFTERNOON, weights.half_of_day)
    )


def _same(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> Flags:
    codes = {value: code for code, value in enumerate({*ours, *theirs})}
    mine, other = (_numbers(codes[value] for value in values) for values in (ours, theirs))
    return np.equal.outer(mine, other)


def _matches(wanted: Sequence[T], offered: Sequence[T], suited_by: Callable[[T], Collection[T]]) -> Flags:
    rows = {want: np.isin(offered, list(suited_by(want))) for want in set(wanted)}
    return np.array([rows[want] for want in wanted], np.bool_).reshape(len(wanted), len(offered))


def _minutes(timed: Sequence[WaitingPatient] | Sequence[FreeSlot]) -> Numbers:
    """Starts as whole minutes of universal time, so that a wait over a change of clocks is a real one."""
    return _numbers(int(each.start.timestamp()) // 60 for each in timed)


def _numbers(values: Iterable[int]) -> Numbers:
    return np.fromiter(values, np.int64)
