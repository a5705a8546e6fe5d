"""The county that is measured: its practices, two working weeks of open slots, and made-up patients who want them."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from services.booking.diary import COLUMNS
from services.booking.fhir.resources import NHS_NUMBER
from services.booking.pages import session_id, slot_id
from services.operator.county import Practice, made_up_practices
from services.operator.county_people import Person, people
from shared.clock import LONDON

PRACTICES = 181
"""As many as Kent and Medway has."""
SLOTS_IN_A_SESSION = 20
MINUTES = 10
_DAYS = 10
_BEGINNINGS = (time(8, 30), time(13, 30))
_SEED = 19072024


@dataclass(frozen=True, slots=True)
class Session:
    """One clinician's morning or afternoon: `SLOTS_IN_A_SESSION` open slots of `MINUTES`, from `start` on."""

    id: str
    practice: str
    name: str
    clinician: str
    start: datetime

    def starts(self) -> Iterator[datetime]:
        """When each slot starts."""
        return (self.start + timedelta(minutes=MINUTES * number) for number in range(SLOTS_IN_A_SESSION))

    @property
    def end(self) -> datetime:
        """When the last slot ends."""
        return self.start + timedelta(minutes=MINUTES * SLOTS_IN_A_SESSION)


@dataclass(frozen=True, slots=True)
class County:
    """Practices and their sessions, in order of practice. All times have London's offset."""

    practices: Sequence[Practice]
    sessions: Sequence[Session]

    def slots(self) -> list[tuple[Session, str, datetime]]:
        """Every slot: its session, its id, its start."""
        return [(session, slot_id(session.id, start), start) for session in self.sessions for start in session.starts()]

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last of the fourteen days in which all of it lies."""
        first = min(session.start for session in self.sessions).date()
        return first, first + timedelta(days=13)


def county_of(slots: int, today: date) -> County:
    """At least so many open slots, spread evenly over the practices and the ten working days from next Monday on."""
    practices = made_up_practices(min(PRACTICES, max(1, slots // SLOTS_IN_A_SESSION)), _SEED)
    monday = today + timedelta(days=7 - today.weekday())
    days = [monday + timedelta(days=week + day) for week in (0, 7) for day in range(5)]
    sessions = [_session(practices, days, number) for number in range(-(-slots // SLOTS_IN_A_SESSION))]
    return County(practices, sorted(sessions, key=lambda session: session.practice))


def _session(practices: Sequence[Practice], days: Sequence[date], number: int) -> Session:
    """A page for every practice, then the next day's, and then the next clinician's or half of the day."""
    rest, practice = divmod(number, len(practices))
    turn, day = divmod(rest, len(days))
    clinician, half = f"Dr {turn // 2 + 1}", turn % 2
    start = datetime.combine(days[day], _BEGINNINGS[half], LONDON)
    name = ("Morning", "Afternoon")[half]
    code = practices[practice].ods_code
    return Session(session_id(code, name, clinician, days[day]), code, name, clinician, start)


def diary_files(county: County, practices_at_once: int = 12) -> Iterator[str]:
    """The sessions as diary files, each of so many practices: all slots free."""
    for first in range(0, len(county.practices), practices_at_once):
        codes = {practice.ods_code for practice in county.practices[first : first + practices_at_once]}
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for session in county.sessions:
            if session.practice in codes:
                writer.writerows(_row(session, start) for start in session.starts())
        yield text.getvalue()


def _row(session: Session, start: datetime) -> dict[str, str]:
    return {
        "practice": session.practice,
        "session": session.name,
        "clinician": session.clinician,
        "clinician_role": "GP",
        "location": "Room 1",
        "service_type": "GP consultation",
        "channel": "in-person",
        "start": start.isoformat(),
        "minutes": str(MINUTES),
        "status": "free",
    }


def wishes(county: County) -> list[dict[str, Any]]:
    """An Appointment to be booked for every slot, in no order, each for a patient of its own."""
    slots = county.slots()
    Random(_SEED).shuffle(slots)
    patients = people(Random(_SEED + 1))
    return [_wish(slot, start, patient) for (_, slot, start), patient in zip(slots, patients, strict=False)]


def _wish(slot: str, start: datetime, patient: Person) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "contained": [_patient(patient)],
        "status": "booked",
        "description": "Cough for three weeks",
        "comment": "Would like a chaperone",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=MINUTES)).isoformat(),
        "slot": [{"reference": f"Slot/{slot}"}],
        "created": start.replace(tzinfo=None).date().isoformat(),
        "participant": [{"actor": {"reference": "#patient"}, "status": "accepted"}],
    }


def _patient(person: Person) -> dict[str, Any]:
    telephone = [{"system": "phone", "value": person.mobile, "use": "mobile"}] if person.mobile else []
    return {
        "resourceType": "Patient",
        "id": "patient",
        "identifier": [{"system": NHS_NUMBER, "value": person.nhs_number}],
        "name": [{"family": person.family_name, "given": [person.given_name]}],
        **({"telecom": telephone} if telephone else {}),
        "birthDate": person.birth_date,
    }
