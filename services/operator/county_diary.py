"""One practice's diary as it stood on the lost Friday at half past eight: that day, and the ten working days after."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from services.operator.county_clinics import NHS_111, SAME_DAY, Opening, Share, clinics
from services.operator.county_people import Person

LOST_DAY = date(2024, 7, 19)
WORKING_DAYS = (LOST_DAY, *(date(2024, 7, 22) + timedelta(days=week + day) for week in (0, 7) for day in range(5)))
DIARY_COLUMNS = (
    "practice", "session", "clinician", "clinician_role", "location", "service_type", "channel", "start", "minutes",
    "status", "nhs_number", "given_name", "family_name", "birth_date", "mobile", "description", "priority",
    "booked_at", "source",
)  # fmt: skip

BOOKED_AHEAD = ((0, 0, 44.8), (1, 1, 8.5), (2, 7, 19.6), (8, 14, 12.3), (15, 21, 6.4), (22, 28, 4.2), (29, 56, 4.1))
"""From so many to so many days ahead, so many in a hundred: Kent and Medway, March 2019 to August 2021."""

_SPREAD = tuple(
    (days, share / (last + 1 - first)) for first, last, share in BOOKED_AHEAD for days in range(first, last + 1)
)
_WHOLE = sum(share for _, share in _SPREAD)
SHARE_ON_THE_DAY = 0.448
_KNOWN_PATIENTS = 0.1
"""Of the bookings of a later day, so many are of patients who have another in these two weeks."""

_PRIORITIES = ((0, 54.0), (5, 34.0), (3, 7.5), (2, 3.7), (1, 0.8))
_SOURCES = ("reception", "telephone", "online", "nhs-app")
_NOBODY = ("",) * 5


class Booking(NamedTuple):
    """An appointment of the lost day, as a receptionist with paper and pen would name it."""

    start: str
    nhs_number: str


@dataclass(frozen=True, slots=True)
class Diary:
    """What the practice exports: CSV text of so many rows, and its appointments on the lost day."""

    practice: str
    rows: int
    text: str
    lost_day: tuple[Booking, ...]


Newcomers = Callable[[int], tuple[Person, ...]]
"""Gives so many people who have no appointment yet."""


@dataclass(slots=True)
class _Desk:
    """The reception of one practice: who is known here, and what is drawn by lot."""

    rng: Random
    newcomers: Newcomers
    known: list[Person] = field(default_factory=list)

    def patients(self, wanted: int) -> list[Person]:
        """So many patients, each once: a few of them known already."""
        again = self.rng.sample(self.known, min(len(self.known), int(wanted * _KNOWN_PATIENTS)))
        new = self.newcomers(wanted - len(again))
        self.known.extend(new)
        both = [*again, *new]
        self.rng.shuffle(both)
        return both


def keep_diary(practice: str, share: Share, rng: Random, newcomers: Newcomers) -> Diary:
    """The whole diary of one practice: its clinics, the same each day, filled day by day."""
    desk = _Desk(rng, newcomers)
    openings = clinics(share, rng)
    rows = [row for day in WORKING_DAYS for row in _day(practice, openings, day, share, desk)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(DIARY_COLUMNS)
    writer.writerows(rows)
    start, status, nhs_number = (DIARY_COLUMNS.index(name) for name in ("start", "status", "nhs_number"))
    lost = (row for row in rows[: len(openings)] if row[status] == "booked")
    return Diary(practice, len(rows), text.getvalue(), tuple(Booking(row[start], row[nhs_number]) for row in lost))


def _day(practice: str, openings: Sequence[Opening], day: date, share: Share, desk: _Desk) -> list[tuple[str, ...]]:
    """One day's rows, booked and free."""
    booked_at = _bookings(openings, day, share, desk.rng)
    patients = iter(desk.patients(len(booked_at)))
    priorities = iter(_draw(_PRIORITIES, len(booked_at), desk.rng))
    rows = []
    for at, opening in enumerate(openings):
        when = booked_at.get(at)
        if when is None:
            booking: tuple[str, ...] = ("free", *_NOBODY, "", "", "", "")
        else:
            reason = desk.rng.choice(opening.reasons)
            booking = ("booked", *next(patients), reason, str(next(priorities)), when, desk.rng.choice(_SOURCES))
        rows.append(
            (
                practice,
                f"{day}-{opening.session}",
                *opening.columns,
                f"{day}T{opening.clock}+01:00",
                opening.minutes,
                *booking,
            )
        )
    return rows


def _bookings(openings: Sequence[Opening], day: date, share: Share, rng: Random) -> dict[int, str]:
    """When each booked opening, by its number, was booked. On the lost day everything is full but NHS 111's slots."""
    ahead = [at for at, opening in enumerate(openings) if opening.service_type not in (NHS_111, SAME_DAY)]
    from_lost_day = (day - LOST_DAY).days
    if from_lost_day:
        usual = round(share.appointments * share_booked_ahead(from_lost_day))
        taken = rng.sample(ahead, min(len(ahead), max(usual, round(len(ahead) * share.taken_ahead))))
        return _booked_at(taken, day, from_lost_day, rng)
    same_day = [at for at, opening in enumerate(openings) if opening.service_type == SAME_DAY]
    return _booked_at(ahead, day, 1, rng) | {at: _at_reception(day, rng) for at in same_day}


def share_booked_ahead(days: int) -> float:
    """The share of all appointments that is booked at least so many days ahead."""
    return sum(share for ahead, share in _SPREAD if ahead >= days) / _WHOLE


def _booked_at(taken: Sequence[int], day: date, least: int, rng: Random) -> dict[int, str]:
    leads = _draw([(days, share) for days, share in _SPREAD if days >= least], len(taken), rng)
    return {at: _at_reception(day - timedelta(days=lead), rng) for at, lead in zip(taken, leads, strict=True)}


def _at_reception(day: date, rng: Random) -> str:
    """Some minute of that day; on the lost day, before the systems went down at half past eight."""
    minute = rng.randrange(7 * 60 + 30, 8 * 60 + 30 if day == LOST_DAY else 18 * 60)
    return f"{day}T{minute // 60:02}:{minute % 60:02}+01:00"


def _draw(weighted: Sequence[tuple[int, float]], number: int, rng: Random) -> list[int]:
    return rng.choices([value for value, _ in weighted], cum_weights=list(accumulate(w for _, w in weighted)), k=number)
