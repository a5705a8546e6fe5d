"""Reads the parameters of a Slot search: what is asked, in which stretch of time, and how much at once."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

from services.booking.fhir.search_dates import bad_parameter, is_whole_day, prefixed, read_stretch
from services.booking.fhir.search_params import PAGING, Parameters, Sorted, id_of, practice_code, sort_out
from services.booking.rows import SlotStatus
from services.booking.slot_search import SlotSearch
from services.booking.viewing import Viewer, known_filter, narrowed
from shared.clock import in_london
from shared.refusals import Refusal

WIDEST = timedelta(days=14)

NAMES = frozenset({"status", "start", "end", "schedule", "practice", "service-type", "searchFilter", *PAGING})
"""What a Slot is searched by; a practice has other names besides."""
INCLUDES = {
    "Slot:schedule": True,
    "Schedule:actor": False,
    "Schedule:actor:HealthcareService": False,
    "Schedule:actor:Location": False,
    "Schedule:actor:Practitioner": False,
    "Schedule:actor:PractitionerRole": False,
    "Location:managingOrganization": False,
}
"""Daybook's actors have no resources of their own: they stand in the Schedule by identifier and name."""

_ACTOR = re.compile(r"schedule\.actor(:[A-Za-z]+)?([.:]identifier)?|schedule:Schedule\.actor(\.identifier)?", re.I)
"""How the practice is named: BaRS writes `Schedule.actor:HealthcareService`, R4 `schedule.actor…`."""


def read_parameters(sent: Parameters, viewer: Viewer, *, strict: bool = False) -> tuple[SlotSearch, Sorted]:
    """The search, and its parameters sorted out. Raises `Refusal` for one that makes no sense, or is missing."""
    kept = [(name, value) for name, value in sent if name != "searchFilter" or known_filter(value)]
    asked = sort_out(kept, _known_as, includes=INCLUDES, strict=strict)
    filters = [found for value in asked.all("searchFilter") if (found := known_filter(value))]
    start, end = _stretch(asked)
    count, offset = asked.page
    practice, session = asked.one("practice"), asked.one("schedule")
    search = SlotSearch(
        start=start,
        end=end,
        statuses=_statuses(asked),
        viewer=narrowed(viewer, filters),
        practice=practice_code(practice) if practice else None,
        session=id_of(session, "Schedule") if session else None,
        service_type=asked.one("service-type"),
        count=count,
        offset=offset,
        count_all=asked.one("_total") == "accurate",
    )
    return search, asked


def _known_as(name: str) -> str | None:
    if _ACTOR.fullmatch(name):
        return "practice"
    bare = name.removesuffix(":text") if name == "service-type:text" else name
    return bare if bare in NAMES else None


def _stretch(asked: Sorted) -> tuple[datetime, datetime]:
    """From `start=ge…` to `end=le…` (GP Connect) or `start=le…` (BaRS)."""
    lower: list[datetime] = []
    upper: list[datetime] = []
    for name, value in asked.known:
        if name not in ("start", "end"):
            continue
        prefix, text = prefixed(value)
        if (name, prefix) == ("start", "ge"):
            lower.append(_instant(name, text, end_of_day=False))
        elif prefix == "le":
            upper.append(_instant(name, text, end_of_day=True))
        else:
            raise bad_parameter(name, "ask with start=ge… and end=le…")
    for bounds, parameter in ((lower, "start=ge…"), (upper, "end=le…")):
        if not bounds:
            raise Refusal(f"{parameter} is missing", code="missing-parameter", where=parameter)
        if len(bounds) > 1:
            raise bad_parameter(parameter[: parameter.index("=")], "give it once")
    return _checked(lower[0], upper[0])


def _checked(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    if end <= start:
        raise bad_parameter("end", "it ends before it begins")
    # Fourteen days on the wall: at a clock change they are an hour longer or shorter.
    if in_london(end).replace(tzinfo=None) - in_london(start).replace(tzinfo=None) > WIDEST:
        raise Refusal(f"At most {WIDEST.days} days can be searched at once", code="span-too-wide", where="start, end")
    return start, end


def _instant(name: str, text: str, *, end_of_day: bool) -> datetime:
    """A whole date of the UK, or a time with its offset; a month or a year is too coarse (GP Connect)."""
    stretch = read_stretch(name, text)
    if is_whole_day(text):
        return stretch.end if end_of_day else stretch.start
    if "T" not in text:
        raise bad_parameter(name, "write 2024-07-22 or, with its offset, 2024-07-22T09:00:00+01:00")
    return stretch.start


def _statuses(asked: Sorted) -> Sequence[SlotStatus]:
    known: dict[str, SlotStatus] = {status: status for status in get_args(SlotStatus)}
    wanted = asked.any_of("status")
    if not wanted:
        raise Refusal(
            f"status is missing: ask for free slots with status=free, or for any of {', '.join(known)}",
            code="missing-parameter",
            where="status",
        )
    if any(status not in known for status in wanted):
        raise bad_parameter("status", f"it is any of {', '.join(known)}")
    return [known[status] for status in wanted]
