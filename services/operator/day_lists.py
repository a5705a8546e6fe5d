"""The day lists of practices as rebooking gives them, from its own copy of the diaries."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert

from services.operator.asking import ask
from services.operator.settings import OperatorSettings
from shared.clock import london_date
from shared.refusals import Unavailable

T = TypeVar("T")

MOST_DAYS = 14
"""So far ahead is looked, and so many days can be asked for."""


class Entry(Struct, frozen=True, kw_only=True):
    """One slot, and who has it, if anybody. Of an erased patient nothing but the appointment is known."""

    start: datetime
    minutes: int
    status: str
    channel: str = ""
    service_type: str = ""
    kept_for: str = "anyone"
    appointment: str | None = None
    nhs_number: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    birth_date: str | None = None
    telephone: str | None = None
    priority: int | None = None
    erased: bool = False

    @property
    def ends(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)


class Session(Struct, frozen=True, kw_only=True):
    """One clinician's list for a morning or afternoon."""

    session: str
    name: str = ""
    clinician: str = ""
    clinician_role: str = ""
    location: str = ""
    slots: tuple[Entry, ...] = ()


class Day(Struct, frozen=True, kw_only=True):
    """A practice's sessions on one day, London time."""

    date: date
    sessions: tuple[Session, ...] = ()

    def is_over(self, now: datetime) -> bool:
        """Whether the last slot has ended; so it is with a day that has none."""
        return all(slot.ends <= now for session in self.sessions for slot in session.slots)


class DayList(Struct, frozen=True, kw_only=True):
    """What one practice has before it, as it was known at `as_of`."""

    practice: str
    name: str
    as_of: datetime
    days: tuple[Day, ...] = ()


class _Desk(Struct, frozen=True):
    """What `/v1/desk` says, as far as it matters here."""

    practices: dict[str, str]


class _Status(Struct, frozen=True):
    """What `/v1/status` says, as far as it matters here."""

    now: datetime


def ask_practices(settings: OperatorSettings) -> list[str]:
    """The codes of those the token lets us see: every practice that keeps a diary, or the one whose token it is."""
    return sorted(_understood(ask(settings, "rebooking", "GET", "/v1/desk"), _Desk).practices)


def ask_now(settings: OperatorSettings) -> datetime:
    """What time it is where the diary is kept."""
    return _understood(ask(settings, "rebooking", "GET", "/v1/status"), _Status).now


def ask_days(settings: OperatorSettings, practice: str, first: date | None, days: int) -> DayList:
    """The practice's list of so many days from this one, or from today, on."""
    query: dict[str, str | int] = {"days": days, **({"from": first.isoformat()} if first else {})}
    path = f"/v1/practices/{practice}/day-list"
    return _understood(ask(settings, "rebooking", "GET", path, params=query), DayList)


def next_days(settings: OperatorSettings, practice: str, now: datetime, wanted: int) -> DayList:
    """The next days on which the practice sees patients, at most so many, beginning with today unless it is over.

    Asks for no day more than it may need: every name has to be unsealed.
    """
    found: list[Day] = []
    lists = []
    for first, days in _stretches(london_date(now), wanted, found):
        lists.append(ask_days(settings, practice, first, days))
        found += [day for day in lists[-1].days if not day.is_over(now)]
    return DayList(practice=practice, name=lists[0].name, as_of=lists[0].as_of, days=tuple(found))


def _stretches(today: date, wanted: int, found: Sequence[Day]) -> Iterator[tuple[date, int]]:
    """From when, and how many days, to ask for next, while there are too few."""
    looked = 0
    while looked < MOST_DAYS and len(found) < wanted:
        days = min(wanted - len(found), MOST_DAYS - looked)
        yield today + timedelta(days=looked), days
        looked += days


def _understood(answer: Any, kind: type[T]) -> T:
    try:
        return convert(answer, kind)
    except ValidationError as unexpected:
        raise Unavailable(f"rebooking answers otherwise than expected: {unexpected}", code="service-failed") from None
