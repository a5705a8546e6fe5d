"""Finding slots: which of the diary's slots, in a stretch of time, are there for whoever asks.

Plain SQL, which the driver keeps prepared: this is what the screens of every booking system ask all day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.keeping import NHS_111, standing_elsewhere
from services.booking.openness import Asked, Openness
from services.booking.rows import SlotRow, SlotStatus
from services.booking.viewing import Viewer
from shared.database import Driver, reader

COUNTED = 1_000
"""More slots of a whole county are not counted unless asked for: nobody pages so far, and counting them would take
longer than finding them. Those of one practice or session always are."""

_FEW = 20
"""So many practices or fewer are looked up one by one."""


@dataclass(frozen=True, slots=True)
class SlotSearch:
    """Slots wholly inside `start` to `end`. Without `practice` or `session`: any. `service_type` begins its text.

    With `count_all`, however many there are, they are counted.
    """

    start: datetime
    end: datetime
    statuses: Sequence[SlotStatus]
    viewer: Viewer
    practice: str | None = None
    session: str | None = None
    service_type: str = ""
    count: int = 100
    offset: int = 0
    count_all: bool = False


@dataclass(frozen=True, slots=True)
class SlotsFound:
    """One page of the slots found, whether others follow, and how many there are on all pages.

    `total` is None if they were not worth counting.
    """

    rows: Sequence[SlotRow]
    more: bool
    total: int | None


_COLUMNS = 's.slot, s.session, s.practice, s.start, s."end", s.minutes, s.channel, s.service_type, s.kept_for'
_STATUS = """
    CASE WHEN t.until IS NOT NULL THEN 'busy-tentative' WHEN t.slot IS NOT NULL THEN 'busy'
         WHEN s.withdrawn OR {frozen} THEN 'busy-unavailable' ELSE 'free' END AS status"""
_IS: Mapping[SlotStatus, str] = {
    "free": "t.slot IS NULL AND NOT {frozen}",
    "busy": "t.slot IS NOT NULL AND t.until IS NULL",
    "busy-tentative": "t.until IS NOT NULL",
    "busy-unavailable": "t.slot IS NULL AND {frozen}",
}


async def find_slots(connection: AsyncConnection, search: SlotSearch, now: datetime) -> SlotsFound:
    """The slots that match, by start."""
    driver = await reader(connection)
    practices = await _practices(driver, search, now) if _is_wide(search) and not search.viewer.all else None
    if practices == []:
        return SlotsFound([], more=False, total=0)
    asked = Asked()
    frozen = _frozen(asked, search.viewer)
    begins_with, matches = _matches(asked, search, practices, frozen, now)
    status = _STATUS.format(frozen=frozen)
    page = f"ORDER BY s.start, s.slot LIMIT {search.count + 1} OFFSET {search.offset}"
    records = await driver.fetch(f"{begins_with} SELECT {_COLUMNS}, {status} {matches} {page}", *asked.values)
    rows, more = [SlotRow(*record) for record in records[: search.count]], len(records) > search.count
    if not more and (rows or not search.offset):
        return SlotsFound(rows, more, search.offset + len(rows))
    most = COUNTED if _is_wide(search) and not search.count_all else None
    limit = f"LIMIT {most + 1}" if most else ""
    total = await driver.fetchval(
        f"{begins_with} SELECT count(*) FROM (SELECT {status} {matches} {limit}) AS t", *asked.values
    )
    return SlotsFound(rows, more, None if most and total > most else total)


async def slot_rows(connection: AsyncConnection, slots: Sequence[str], viewer: Viewer, now: datetime) -> list[SlotRow]:
    """These slots, withdrawn ones too, by start, as they are to this viewer: it may see them."""
    asked = Asked()
    status = _STATUS.format(frozen=_frozen(asked, viewer))
    found_in, these = _SLOTS.format(now=asked.put(now)), asked.put(list(slots))
    found = await (await reader(connection)).fetch(
        f"SELECT {_COLUMNS}, {status} {found_in} WHERE s.slot = ANY({these}) ORDER BY s.start, s.slot", *asked.values
    )
    return [SlotRow(*record) for record in found]


_SLOTS = """
    FROM slots AS s LEFT JOIN occupancy AS t ON t.slot = s.slot AND (t.until IS NULL OR t.until > {now})"""


def _frozen(asked: Asked, viewer: Viewer) -> str:
    """Whether the slot's practice takes no new appointments from this viewer."""
    own = asked.put(viewer.organisation)
    elsewhere = asked.put("practice" if viewer.all else standing_elsewhere(viewer.organisation_type))
    standing = f"CASE WHEN practice = {own}::text THEN 'practice' ELSE {elsewhere}::text END"
    return f"s.practice IN (SELECT practice FROM frozen WHERE keeps_out ? {standing})"


def _is_wide(search: SlotSearch) -> bool:
    """Whether it goes through the whole county."""
    return search.practice is None and search.session is None


async def _practices(driver: Driver, search: SlotSearch, now: datetime) -> list[str] | None:
    """The practices that can have something for who asks; None if they are too many to be worth naming."""
    if search.viewer.organisation_type == NHS_111:
        return None
    asked = Asked()
    open_to = Openness(asked, search.viewer, None, now)
    begin, end, own = asked.put(search.start), asked.put(search.end), asked.put(search.viewer.organisation)
    found = await driver.fetch(
        f"""{open_to.houses}
        SELECT practice FROM houses
        UNION SELECT practice FROM sessions WHERE opening IS NOT NULL AND start < {end} AND "end" > {begin}
        UNION SELECT practice FROM practices WHERE practice = {own} LIMIT {_FEW + 1}""",
        *asked.values,
    )
    return None if len(found) > _FEW else [record["practice"] for record in found]


def _matches(
    asked: Asked, search: SlotSearch, practices: Sequence[str] | None, frozen: str, now: datetime
) -> tuple[str, str]:
    """What the statement begins with, and its FROM … WHERE."""
    practice = search.practice
    begin, end = asked.put(search.start), asked.put(search.end)
    # Every slot lasts: what ends by then starts before then, and starts are what the index knows.
    wanted = [f's.start >= {begin} AND s.start < {end} AND s."end" <= {end} AND NOT s.withdrawn']
    wanted.append(" OR ".join(f"({_IS[status].format(frozen=frozen)})" for status in dict.fromkeys(search.statuses)))
    if practice is not None:
        wanted.append(f"s.practice = {asked.put(practice)}")
    if practices is not None:
        wanted.append(f"s.practice = ANY({asked.put(practices)}::text[])")
    if search.session is not None:
        session = asked.put(search.session)
        # Naming the practice as well lets its index find the slots.
        of = f"(SELECT practice FROM sessions WHERE session = {session})"
        wanted.append(f"s.session = {session} AND s.practice = {of}")
    if search.service_type:
        wanted.append(f"starts_with(lower(s.service_type), lower({asked.put(search.service_type)}))")
    found_in, begins_with = _SLOTS.format(now=asked.put(now)), ""
    if not (search.viewer.all or (practice is not None and search.viewer.owns(practice))):
        open_to = Openness(asked, search.viewer, practice, now)
        found_in, begins_with = f"{found_in} {open_to.joined}", open_to.houses
        wanted.append(open_to.seen)
    return begins_with, f"{found_in} WHERE {' AND '.join(f'({condition})' for condition in wanted)}"
