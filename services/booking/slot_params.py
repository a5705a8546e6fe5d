"""Reads the parameters of a Slot search: what is asked, in which stretch of time, and how much at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import get_args

from services.booking.commands import Caller
from services.booking.keeping import usable_before
from services.booking.rows import SlotStatus
from services.booking.slot_search import SlotSearch
from shared.clock import LONDON, in_london
from shared.refusals import Refusal

WIDEST = timedelta(days=14)
MOST = 1000
USUAL = 100

_KNOWN = frozenset({"status", "start", "end", "schedule", "practice", "_count", "_offset", "_include"})
_ACTOR = re.compile(r"schedule\.actor(:[A-Za-z]+)?(\.identifier)?", re.IGNORECASE)
"""How the practice is named: BaRS writes `Schedule.actor:HealthcareService`, R4 `schedule.actor…`."""
_WHOLE_DATE = re.compile(r"\d{4}-\d\d-\d\d")

Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, whether the Schedules come with it, and the parameters that were understood, for the self link."""

    search: SlotSearch
    with_schedules: bool
    used: Parameters


def read_parameters(sent: Parameters, caller: Caller, now: datetime) -> Asked:
    """The search. Parameters that Daybook does not know are ignored and left out, as R4 and GP Connect want."""
    known = [("practice" if _ACTOR.fullmatch(name) else name, value) for name, value in sent]
    used = [(name, value) for name, value in known if name in _KNOWN]
    start, end = _stretch(used)
    search = SlotSearch(
        start=start,
        end=end,
        statuses=_statuses(_one(used, "status")),
        usable=usable_before(caller, now),
        practice=re.split(r"[|/]", _one(used, "practice"))[-1],
        session=_one(used, "schedule").removeprefix("Schedule/"),
        count=_number(used, "_count", 1, MOST) or USUAL,
        offset=_number(used, "_offset", 0, 1_000_000),
    )
    return Asked(search, ("_include", "Slot:schedule") in used, used)


def _stretch(used: Parameters) -> tuple[datetime, datetime]:
    """From `start=ge…` to `end=le…` (GP Connect) or `start=le…` (BaRS)."""
    lower: list[datetime] = []
    upper: list[datetime] = []
    for name, value in used:
        if name not in ("start", "end"):
            continue
        if (name, value[:2]) == ("start", "ge"):
            lower.append(_instant(name, value[2:], end_of_day=False))
        elif value[:2] == "le":
            upper.append(_instant(name, value[2:], end_of_day=True))
        else:
            raise _bad(name, "ask with start=ge… and end=le…")
    for bounds, parameter in ((lower, "start=ge…"), (upper, "end=le…")):
        if not bounds:
            raise Refusal(f"{parameter} is missing", code="missing-parameter", where=parameter)
        if len(bounds) > 1:
            raise _bad(parameter[: parameter.index("=")], "give it once")
    return _checked(lower[0], upper[0])


def _checked(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    if end <= start:
        raise _bad("end", "it ends before it begins")
    # Fourteen days on the wall: at a clock change they are an hour longer or shorter.
    if in_london(end).replace(tzinfo=None) - in_london(start).replace(tzinfo=None) > WIDEST:
        raise Refusal(f"At most {WIDEST.days} days can be searched at once", code="span-too-wide", where="start, end")
    return start, end


def _instant(name: str, text: str, *, end_of_day: bool) -> datetime:
    """A whole date of the UK, or a time with its offset (whose “+” arrives as a space if it was not escaped)."""
    try:
        if _WHOLE_DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=end_of_day)
            return datetime.combine(day, time(), LONDON).astimezone(UTC)
        parsed = datetime.fromisoformat(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise _bad(name, "write 2024-07-22 or 2024-07-22T09:00:00+01:00") from None
    if parsed.tzinfo is None or len(text) < len("2024-07-22T09:00+00"):
        raise _bad(name, "a time needs its offset, as 2024-07-22T09:00:00+01:00")
    return parsed.astimezone(UTC)


def _statuses(text: str) -> Sequence[SlotStatus]:
    known: dict[str, SlotStatus] = {status: status for status in get_args(SlotStatus)}
    asked = text.split(",") if text else list(known)
    if unknown := [status for status in asked if status not in known]:
        raise _bad("status", f"“{unknown[0]}” is none of {', '.join(known)}")
    return [known[status] for status in asked]


def _number(used: Parameters, name: str, least: int, most: int) -> int:
    text = _one(used, name)
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) >= least):
        raise _bad(name, f"give a whole number from {least}")
    return min(int(text), most)


def _one(used: Parameters, name: str) -> str:
    values = [value for found, value in used if found == name]
    if len(values) > 1:
        raise _bad(name, "give it once")
    return values[0] if values else ""


def _bad(name: str, why: str) -> Refusal:
    return Refusal(f"The parameter {name} makes no sense: {why}", code="bad-parameter", where=name)
