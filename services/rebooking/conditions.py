"""The conditions under which a patient can be seen in a slot: by the rules, and by what the patient has said."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np

from services.rebooking.eligibility import UNCONSTRAINED, FreeSlot, WaitingPatient
from services.rebooking.matching import Flags, Numbers
from services.rebooking.rules import Rules
from services.rebooking.times import Times, is_morning, times
from shared.clock import london_date
from shared.events.rebooking import Constraints

W = TypeVar("W", bound=Hashable)

_NONE = -1
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Condition:
    """Which slots suit which patients: a row for each thing that patients can want, and each patient's row.

    `words` go on from "none of the free slots …".
    """

    suits: Flags
    rows: Numbers
    words: Callable[[WaitingPatient], str]

    def pairs(self) -> Flags:
        """One row for each patient, one column for each slot."""
        return self.suits[self.rows]

    def of(self, row: int) -> Flags:
        """The slots that suit this patient."""
        suited: Flags = self.suits[self.rows[row]]
        return suited


@dataclass(frozen=True, slots=True)
class Coded:
    """Values as numbers: equal ones have the same."""

    number: Mapping[str, int]
    codes: Numbers

    def among(self, wanted: Collection[str]) -> Flags:
        """Where one of the wanted stands."""
        return np.fromiter((value in wanted for value in self.number), np.bool_, len(self.number))[self.codes]

    def codes_of(self, values: Iterable[str]) -> Numbers:
        """The numbers of these; of one that does not stand here, one that none has."""
        return np.fromiter((self.number.get(value, _NONE) for value in values), np.int64)


@dataclass(frozen=True, slots=True)
class Offered:
    """Slots as columns: what each has, as numbers, and which values those numbers stand for."""

    times: Times
    minutes: Numbers
    practices: Coded
    roles: Coded
    channels: Coded
    clinicians: Coded


def coded(values: Sequence[str]) -> Coded:
    """The values, numbered in order of appearance."""
    number = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return Coded(number, np.fromiter((number[value] for value in values), np.int64, len(values)))


def offered(slots: Sequence[FreeSlot]) -> Offered:
    """The slots as columns."""
    return Offered(
        times=times(slot.start for slot in slots),
        minutes=np.fromiter((slot.minutes for slot in slots), np.int64, len(slots)),
        practices=coded([slot.practice for slot in slots]),
        roles=coded([slot.clinician_role for slot in slots]),
        channels=coded([slot.channel for slot in slots]),
        clinicians=coded([slot.clinician for slot in slots]),
    )


def conditions(rules: Rules, patients: Sequence[WaitingPatient], slots: Offered) -> Iterator[Condition]:
    """All that must hold beside the time, in the order in which people ask why not."""
    yield _condition(
        [patient.clinician_role for patient in patients],
        lambda role: slots.roles.among({role} | rules.roles.get(role, frozenset())),
        lambda patient: f"is with a {patient.clinician_role}",
    )
    yield _condition(
        [patient.channel for patient in patients],
        lambda channel: slots.channels.among(rules.channels[channel]),
        lambda patient: f"suits a patient booked for {patient.channel}",
    )
    yield _condition(
        [patient.minutes for patient in patients],
        lambda minutes: slots.minutes >= minutes,
        lambda patient: f"is {patient.minutes} minutes long",
    )
    if any(each.longest_wait_days for each in rules.classes):
        yield _soon_enough(rules, patients, slots.times)
    if any(patient.constraints != UNCONSTRAINED for patient in patients):
        yield from _as_the_patient_can([patient.constraints for patient in patients], slots)
    if any(patient.declined for patient in patients):
        yield from _unlike_the_declined([patient.declined for patient in patients], slots.times)


def _condition(wanted: Sequence[W], suits: Callable[[W], Flags], words: Callable[[WaitingPatient], str]) -> Condition:
    number = {want: place for place, want in enumerate(dict.fromkeys(wanted))}
    rows = np.fromiter((number[want] for want in wanted), np.int64, len(wanted))
    return Condition(np.array([suits(want) for want in number], np.bool_), rows, words)


def _soon_enough(rules: Rules, patients: Sequence[WaitingPatient], starts: Times) -> Condition:
    days = {at: each.longest_wait_days for at, each in enumerate(rules.classes)}

    def limit(patient: WaitingPatient) -> int | None:
        longest = days[rules.rank(patient.priority)]
        return None if longest is None else london_date(patient.start).toordinal() + longest

    def words(patient: WaitingPatient) -> str:
        rank = rules.rank(patient.priority)
        return f"is within {days[rank]} days, the longest wait for {rules.classes[rank].name}"

    everything = np.ones(starts.days.shape, np.bool_)
    return _condition(
        [limit(patient) for patient in patients],
        lambda last: everything if last is None else starts.days <= last,
        words,
    )


def _as_the_patient_can(said: Sequence[Constraints], slots: Offered) -> Iterator[Condition]:
    """What patients have said, one thing after another; who has said nothing of it can have any slot."""
    starts = slots.times
    everything = np.ones(starts.days.shape, np.bool_)
    yield _condition(
        [each.not_before for each in said],
        lambda first: everything if first is None else starts.days >= first.toordinal(),
        lambda patient: f"is on {patient.constraints.not_before:%a %-d %b} or later, as the patient needs",
    )
    yield _condition(
        [each.not_after for each in said],
        lambda last: everything if last is None else starts.days <= last.toordinal(),
        lambda patient: f"is on {patient.constraints.not_after:%a %-d %b} or sooner, as the patient needs",
    )
    yield _condition(
        [each.weekdays for each in said],
        lambda days: np.isin((starts.days - 1) % 7 + 1, days) if days else everything,
        lambda patient: (
            f"is on a {_listed(_WEEKDAYS[day - 1] for day in patient.constraints.weekdays)}, as the patient needs"
        ),
    )
    yield _condition(
        [each.half_of_day for each in said],
        lambda half: everything if half is None else starts.mornings == (half == "morning"),
        lambda patient: f"is in the {patient.constraints.half_of_day}, as the patient needs",
    )
    yield _condition(
        [each.channels for each in said],
        lambda channels: slots.channels.among(channels) if channels else everything,
        lambda patient: f"is {_listed(patient.constraints.channels)}, as the patient needs",
    )
    yield _condition(
        [each.clinician for each in said],
        lambda clinician: slots.clinicians.among({clinician}) if clinician else everything,
        lambda patient: f"is with {patient.constraints.clinician}, as the patient needs",
    )


def _unlike_the_declined(declined: Sequence[tuple[datetime, ...]], starts: Times) -> Iterator[Condition]:
    """A fresh offer differs in its day from all that did not suit, and in its half of the day from the last."""
    everything = np.ones(starts.days.shape, np.bool_)
    yield _condition(
        declined,
        lambda times: ~np.isin(starts.days, [london_date(each).toordinal() for each in times]),
        lambda _: "is on another day than the times that the patient declined",
    )
    yield _condition(
        [is_morning(times[-1]) if times else None for times in declined],
        lambda was_morning: everything if was_morning is None else starts.mornings != was_morning,
        lambda patient: (
            "is in the "
            + ("afternoon" if is_morning(patient.declined[-1]) else "morning")
            + ", unlike the time that the patient declined last"
        ),
    )


def _listed(names: Iterable[str]) -> str:
    return " or ".join(names)
