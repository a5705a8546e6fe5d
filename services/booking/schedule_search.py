"""Finding sessions: those of a practice for its own system, and for others those with a slot that is open to them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.fhir.search_dates import EVER, read_bounds
from services.booking.fhir.search_params import PAGING, Parameters, Sorted, practice_code, sort_out
from services.booking.fhir.slot_params import INCLUDES
from services.booking.openness import Asked, Openness
from services.booking.rows import SessionRow
from services.booking.viewing import Viewer
from services.booking.views import session_rows
from shared.database import reader

NAMES = frozenset({"_id", "date", "practice", *PAGING})
"""What a Schedule is searched by; a practice has other names besides."""

_ACTOR = re.compile(r"actor(:[A-Za-z]+)?([.:]identifier)?|practice")
_WITHOUT_MENTION = {include: False for include, served in INCLUDES.items() if not served}


@dataclass(frozen=True, slots=True)
class ScheduleSearch:
    """Sessions that are on at some time from `start` until just before `end`. Without `practice` or `ids`: any."""

    start: datetime = EVER[0]
    end: datetime = EVER[1]
    practice: str | None = None
    ids: Collection[str] | None = None
    count: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class SchedulesFound:
    """One page of the sessions found, and how many there are on all pages."""

    rows: Sequence[SessionRow]
    total: int


def read_schedule_parameters(sent: Parameters, *, strict: bool = False) -> tuple[ScheduleSearch, Sorted]:
    """The search, and its parameters sorted out. Raises `Refusal` for one that makes no sense."""
    asked = sort_out(sent, _known_as, includes=_WITHOUT_MENTION, strict=strict)
    start, end = read_bounds("date", asked.all("date"))
    practice, (count, offset) = asked.one("practice"), asked.page
    search = ScheduleSearch(
        start=start,
        end=end,
        practice=practice_code(practice) if practice else None,
        ids=asked.any_of("_id") or None,
        count=count,
        offset=offset,
    )
    return search, asked


_OPEN_SLOTS = """
    SELECT FROM slots AS s {joined}
    WHERE s.practice = q.practice AND s.start >= q.start AND s.start < q."end" AND s.session = q.session
        AND NOT s.withdrawn AND ({seen})"""


def _known_as(name: str) -> str | None:
    return "practice" if _ACTOR.fullmatch(name) else name if name in NAMES else None


async def find_schedules(
    connection: AsyncConnection, search: ScheduleSearch, viewer: Viewer, now: datetime
) -> SchedulesFound:
    """The sessions that match and that the viewer may see, by start."""
    asked = Asked()
    begins_with, wanted = _matches(asked, search, viewer, now)
    driver = await reader(connection)
    found = await driver.fetch(
        f"{begins_with} SELECT q.session, count(*) OVER () AS total FROM sessions AS q WHERE {wanted} "
        f"ORDER BY q.start, q.session LIMIT {search.count} OFFSET {search.offset}",
        *asked.values,
    )
    if not found and (search.offset or not search.count):
        counted = f"{begins_with} SELECT count(*) FROM sessions AS q WHERE {wanted}"
        return SchedulesFound([], await driver.fetchval(counted, *asked.values))
    rows = await session_rows(connection, [record["session"] for record in found])
    return SchedulesFound(rows, found[0]["total"] if found else 0)


def _matches(asked: Asked, search: ScheduleSearch, viewer: Viewer, now: datetime) -> tuple[str, str]:
    """What the statement begins with, and its conditions on the sessions `q`."""
    conditions = [f'q."end" > {asked.put(search.start)} AND q.start < {asked.put(search.end)}']
    if search.practice is not None:
        conditions.append(f"q.practice = {asked.put(search.practice)}")
    if search.ids is not None:
        conditions.append(f"q.session = ANY({asked.put(list(search.ids))}::text[])")
    begins_with = ""
    if not (viewer.all or (search.practice is not None and viewer.owns(search.practice))):
        open_to = Openness(asked, viewer, search.practice, now)
        begins_with = open_to.houses
        own = f"q.practice = {asked.put(viewer.organisation)}"
        conditions.append(f"{own} OR EXISTS ({_OPEN_SLOTS.format(joined=open_to.joined, seen=open_to.seen)})")
    return begins_with, " AND ".join(f"({condition})" for condition in conditions)
