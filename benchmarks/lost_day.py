"""The lost day that is measured: diaries in which a whole Friday was booked, and some of each day after it is free."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from random import Random

from services.booking.diary import COLUMNS
from services.operator.county import Practice, apportion, made_up_practices
from services.operator.county_clinics import Opening, Share, clinics
from services.operator.county_people import Person, people

PRACTICES = 181
"""As many as Kent and Medway has."""
LOST_DAY = date(2024, 7, 19)
WENT_DOWN, CAME_BACK = "2024-07-19T07:00:00+01:00", "2024-07-21T22:00:00+01:00"
MONDAY = "2024-07-22T07:05:00+01:00"
"""When the recovery begins: an hour before the first text may go out, so that all is planned by then. What is measured
ends with that, and sending, with a pretended provider on the same two cores, would be measured along with it."""

_LATER_DAYS = tuple(date(2024, 7, 22) + timedelta(days=week + day) for week in (0, 7) for day in range(5))
_FREE = 0.3
"""So much of each later day: about as much as a county has two weeks ahead, without the share kept for the day."""
_PRIORITIES = ((0, 54.0), (5, 34.0), (3, 7.5), (2, 3.7), (1, 0.8))
_BOOKED_AT = "2024-07-12T10:00:00+01:00"
_SEED = 19072024


@dataclass(frozen=True, slots=True)
class LostDay:
    """Practices with, each, so many appointments on the lost day."""

    practices: Sequence[Practice]
    appointments: Sequence[int]

    def diaries(self) -> Iterator[str]:
        """Diary files, one for each practice."""
        patients = people(Random(_SEED))
        for practice, number in zip(self.practices, self.appointments, strict=True):
            if number:
                yield _diary(practice.ods_code, number, patients)


def lost_day_of(appointments: int) -> LostDay:
    """A day of so many appointments: practices of the usual sizes, fewer for a small day, each with its share."""
    practices = made_up_practices(min(PRACTICES, max(1, appointments // 20)), _SEED)
    return LostDay(practices, apportion(appointments, [practice.registered_patients for practice in practices]))


def _diary(practice: str, number: int, patients: Iterator[Person]) -> str:
    rng = Random(f"{_SEED} {practice}")
    openings = clinics(Share(appointments=number, same_day=0, nhs111=0), rng)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for opening, person in zip(openings, islice(patients, number), strict=True):
        writer.writerow(_row(practice, LOST_DAY, opening) | _booking(opening, person, rng))
    for day in _LATER_DAYS:
        free = sorted(rng.sample(range(number), round(number * _FREE)))
        writer.writerows(_row(practice, day, openings[at]) for at in free)
    return text.getvalue()


def _row(practice: str, day: date, opening: Opening) -> dict[str, str]:
    columns = ("clinician", "clinician_role", "location", "service_type", "channel")
    return {
        "practice": practice,
        "session": f"{day}-{opening.session}",
        **dict(zip(columns, opening.columns, strict=True)),
        "start": f"{day}T{opening.clock}+01:00",
        "minutes": opening.minutes,
        "status": "free",
    }


def _booking(opening: Opening, person: Person, rng: Random) -> dict[str, str]:
    (priority,) = rng.choices([level for level, _ in _PRIORITIES], [weight for _, weight in _PRIORITIES])
    return {
        **person._asdict(),
        "status": "booked",
        "description": rng.choice(opening.reasons),
        "priority": str(priority),
        "booked_at": _BOOKED_AT,
        "source": "reception",
    }
