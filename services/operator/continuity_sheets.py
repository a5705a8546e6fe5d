"""What a continuity sheet says, in words ready to print; the web page, the PDF and the CSV file show the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from services.operator.day_lists import Day, DayList, Entry, Session
from shared.clock import in_london

BOXES = {"Came": "attended", "Did not come": "missed", "Cancelled": "cancelled", "Elsewhere": "elsewhere"}
"""What can be ticked, and the word for it in the file that is typed in afterwards."""

_KEPT = {"nhs-111": "kept for NHS 111", "same-day": "kept for the same day"}
_NO_PATIENT = {"free": "free", "held": "free, or just being booked"}


@dataclass(frozen=True, slots=True)
class Line:
    """One slot on paper. `name` is empty where somebody who comes can be written in."""

    time: str
    name: str
    known_by: str
    telephone: str
    about: str
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    """One session: what lies on one clinician's desk."""

    name: str
    clinician: str
    location: str
    lines: tuple[Line, ...]

    @property
    def booked(self) -> int:
        return sum(bool(line.name) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One practice's day."""

    ods_code: str
    practice: str
    date: date
    as_of: str
    pages: tuple[Page, ...]

    @property
    def day(self) -> str:
        return f"{self.date:%A %-d %B %Y}"

    @property
    def booked(self) -> int:
        return sum(page.booked for page in self.pages)


def sheets(listed: DayList) -> Iterator[Sheet]:
    """One for each day."""
    for day in listed.days:
        pages = tuple(page for each in _in_order(day) if (page := _page(each)).lines)
        yield Sheet(listed.practice, listed.name or listed.practice, day.date, moment(listed.as_of), pages)


def moment(instant: datetime) -> str:
    """As people say it: Monday 22 July 2024, 20:00."""
    return f"{in_london(instant):%A %-d %B %Y, %H:%M}"


def telephone(number: str) -> str:
    """A UK mobile as it is dialled, 07700 900123; any other number as it was given."""
    return f"0{number[3:7]} {number[7:]}" if number.startswith("+447") and len(number) == 13 else number


def nhs_number(digits: str) -> str:
    """999 123 4567, as on letters and cards."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}" if len(digits) == 10 else digits


def _in_order(day: Day) -> list[Session]:
    """By the clock, then by name, so that two prints of a day lie in the same order."""
    return sorted(
        (each for each in day.sessions if each.slots),
        key=lambda each: (min(slot.start for slot in each.slots), each.clinician, each.name, each.session),
    )


def _page(session: Session) -> Page:
    shown = sorted((slot for slot in session.slots if slot.status != "withdrawn"), key=lambda slot: slot.start)
    role = f" ({session.clinician_role})" if session.clinician_role else ""
    name = session.name or (f"From {in_london(shown[0].start):%H:%M}" if shown else "")
    return Page(name, f"{session.clinician}{role}", session.location, tuple(_line(slot) for slot in shown))


def _line(slot: Entry) -> Line:
    about = ", ".join(part for part in (slot.service_type, slot.channel, f"{slot.minutes} min") if part)
    return Line(
        time=f"{in_london(slot.start):%H:%M}",
        name=_name(slot),
        known_by=_known_by(slot),
        telephone=telephone(slot.telephone or ""),
        about=about,
        note=_note(slot),
    )


def _name(slot: Entry) -> str:
    """FAMILY NAME, given name; words in place of a name that has been erased."""
    if not slot.appointment:
        return ""
    if slot.erased or not (slot.family_name or slot.given_name):
        return "(name erased)"
    return ", ".join(part for part in ((slot.family_name or "").upper(), slot.given_name) if part)


def _known_by(slot: Entry) -> str:
    born = f"born {_date(slot.birth_date)}" if slot.birth_date else ""
    number = f"NHS {nhs_number(slot.nhs_number)}" if slot.nhs_number else ""
    return ", ".join(part for part in (born, number) if part)


def _note(slot: Entry) -> str:
    if slot.appointment:
        return "" if slot.status == "booked" else slot.status
    words = (_NO_PATIENT.get(slot.status, slot.status), _KEPT.get(slot.kept_for, ""))
    return ", ".join(word for word in words if word)


def _date(text: str) -> str:
    try:
        return f"{date.fromisoformat(text):%-d %b %Y}"
    except ValueError:
        return text
