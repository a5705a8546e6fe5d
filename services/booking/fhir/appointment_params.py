"""Reads the parameters of an Appointment search: whose, when, where, and in which state."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.booking.commands import Status
from services.booking.fhir.resources import NHS_NUMBER, STATUSES
from services.booking.fhir.search_dates import EVER, bad_parameter, is_whole_day, prefixed, read_bounds, read_stretch
from services.booking.fhir.search_params import PAGING, Parameters, Sorted, id_of, is_system, practice_code, sort_out
from shared.clock import london_date
from shared.nhs import nhs_number
from shared.refusals import Refusal

NAMES = frozenset(
    {
        *("_id", "_lastUpdated", "patient", "date", "start", "status", "identifier", "practice", "slot"),
        *("_sort", *PAGING),
    }
)
"""What an Appointment is searched by; some have other names besides."""
NARROWING = ("patient", "date", "start", "identifier", "slot", "_id")
"""One of these at least: nobody needs the whole diary at once."""
INCLUDES = {"Appointment:slot": True}

_PATIENT = re.compile(r"patient(:Patient)?[.:]identifier")
_PRACTICE = re.compile(r"(actor|location)(:[A-Za-z]+)?([.:]identifier)?|practice")


@dataclass(frozen=True, slots=True)
class AppointmentSearch:
    """None, of any field: whatever it is. `patients` are pseudonyms, `identifiers` `system|value`.

    `start` until just before `end` is when it begins; `changed` when it last changed, likewise.
    """

    patients: Collection[str] | None = None
    start: datetime = EVER[0]
    end: datetime = EVER[1]
    changed: tuple[datetime, datetime] = EVER
    statuses: Collection[Status] | None = None
    identifiers: Collection[str] | None = None
    practice: str | None = None
    slots: Collection[str] | None = None
    ids: Collection[str] | None = None
    newest_first: bool = False
    count: int = 100
    offset: int = 0


def read_appointment_parameters(
    sent: Parameters, pseudonym: Callable[[str], str], now: datetime, *, strict: bool = False
) -> tuple[AppointmentSearch, Sorted]:
    """The search, and its parameters sorted out; `pseudonym` gives that of an NHS number.

    Raises `Refusal` for a parameter that makes no sense, or if nothing narrows the search.
    """
    asked = sort_out(sent, _known_as, includes=INCLUDES, strict=strict)
    if not any(asked.all(name) for name in NARROWING):
        raise Refusal(
            "Say whose appointments, or when: give patient:identifier, date, start, identifier, slot or _id. "
            "Nobody needs the whole diary at once",
            code="missing-parameter",
            where="patient:identifier",
        )
    start, end = _when(asked, now)
    practice, (count, offset) = asked.one("practice"), asked.page
    search = AppointmentSearch(
        patients=_patients(asked, pseudonym),
        start=start,
        end=end,
        changed=read_bounds("_lastUpdated", asked.all("_lastUpdated")),
        statuses=_statuses(asked),
        identifiers=_listed(asked, "identifier", _identifier),
        practice=practice_code(practice) if practice else None,
        slots=_listed(asked, "slot", lambda text: id_of(text, "Slot")),
        ids=_listed(asked, "_id", str),
        newest_first=_newest_first(asked),
        count=count,
        offset=offset,
    )
    return search, asked


def _known_as(name: str) -> str | None:
    if _PATIENT.fullmatch(name):
        return "patient"
    if name == "patient":
        raise bad_parameter("patient", f"Daybook knows patients by NHS number: patient:identifier={NHS_NUMBER}|…")
    return "practice" if _PRACTICE.fullmatch(name) else name if name in NAMES else None


def _patients(asked: Sorted, pseudonym: Callable[[str], str]) -> Collection[str] | None:
    """The pseudonyms of the NHS numbers. Identifiers of other systems are nobody's here."""
    values = asked.any_of("patient")
    if not values:
        return None
    parts = [value.rpartition("|") for value in values]
    return [pseudonym(nhs_number(number)) for system, bar, number in parts if not bar or is_system(system, NHS_NUMBER)]


def _when(asked: Sorted, now: datetime) -> tuple[datetime, datetime]:
    first, last = read_bounds("date", asked.all("date"))
    if starts := asked.all("start"):
        since, until = _listing(starts, london_date(now))
        first, last = max(first, since), min(last, until)
    return first, last


def _listing(starts: Sequence[str], today: date) -> tuple[datetime, datetime]:
    """GP Connect's way to list a patient's appointments: two whole dates, none of them past."""
    bounds = dict(map(prefixed, starts))
    if len(starts) != 2 or bounds.keys() != {"ge", "le"}:
        raise bad_parameter("start", "give it twice, as start=ge… and start=le…")
    if not all(is_whole_day(text) for text in bounds.values()):
        raise bad_parameter("start", "give dates without times, as 2024-07-22")
    first, last = read_stretch("start", bounds["ge"]), read_stretch("start", bounds["le"])
    if last.end <= first.start:
        raise bad_parameter("start", "it ends before it begins")
    if london_date(first.start) < today:
        raise bad_parameter("start", "it reaches into the past; ask with date=ge… for what has been")
    return first.start, last.end


def _statuses(asked: Sorted) -> Collection[Status] | None:
    wanted = asked.any_of("status")
    known = set(STATUSES.values())
    if any(status not in known for status in wanted):
        raise bad_parameter("status", f"it is any of {', '.join(sorted(known))}")
    return [ours for ours, theirs in STATUSES.items() if theirs in wanted] if wanted else None


def _listed(asked: Sorted, name: str, read: Callable[[str], str]) -> Collection[str] | None:
    values = asked.any_of(name)
    return [read(value) for value in values] if values else None


def _identifier(text: str) -> str:
    system, bar, value = text.rpartition("|")
    if not bar or not value:
        raise bad_parameter("identifier", "give its system as well, as https://example.org/bookings|123")
    return f"{system}|{value}"


def _newest_first(asked: Sorted) -> bool:
    order = asked.one("_sort") or "date"
    if order not in ("date", "-date"):
        raise bad_parameter("_sort", "appointments are sorted by date or -date")
    return order == "-date"
