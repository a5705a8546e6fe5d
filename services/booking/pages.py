"""Turns the rows of a diary into its pages, and finds what contradicts another row or what is known already."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from services.booking.commands import EntryStatus, Sheet, Status
from services.booking.diary import Row
from services.booking.states import slot_end
from shared.clock import in_london, london_date
from shared.events.booking import KeptFor, Slot
from shared.ids import derived_id
from shared.records import Fault

_OVER: AbstractSet[Status] = frozenset({"cancelled", "moved", "displaced", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when a clinician has a session."""

    session: str
    name: str
    practice: str
    clinician: str
    start: datetime
    end: datetime

    @property
    def in_words(self) -> str:
        """Why the clinician can be nowhere else."""
        start, end = in_london(self.start), in_london(self.end)
        return f"The clinician is in session “{self.name}” from {start:%Y-%m-%d %H:%M} to {end:%H:%M}"


@dataclass(frozen=True, slots=True)
class Known:
    """What booking holds already of the practices and days that a file is about.

    `slots` are by session those that stand, `withdrawn` those that were taken out.
    """

    practices: AbstractSet[str]
    spans: Sequence[Span]
    slots: Mapping[str, Mapping[str, Slot]]
    takers: Mapping[str, str]
    statuses: Mapping[str, Status]
    withdrawn: AbstractSet[str] = frozenset()


class Line(Struct, frozen=True, gc=False):
    """A row with the ids it comes to; a free slot has neither status nor appointment nor patient."""

    row: Row
    slot: Slot
    status: EntryStatus | None = None
    appointment: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One session of the file, with the rows that stand on it."""

    sheet: Sheet
    lines: Sequence[Line]

    @property
    def place(self) -> tuple[str, str]:
        """Where nobody can be twice at a time."""
        return self.sheet.practice, self.sheet.clinician


@dataclass(frozen=True, slots=True)
class Binding:
    """What the rows came to: the pages that can be imported, and what is wrong with the rows that cannot.

    `left_out` counts the rows about slots that were withdrawn here, which tell nothing new.
    """

    pages: Sequence[Page]
    faults: Sequence[Fault]
    left_out: int = 0


def session_id(practice: str, name: str, clinician: str, day: date) -> str:
    """The same page of the same diary is always the same session."""
    return derived_id("session", practice, name, clinician, day.isoformat())


def slot_id(session: str, start: datetime) -> str:
    """A slot is known by when it starts."""
    return derived_id("slot", session, start.isoformat())


@lru_cache(maxsize=1024)
def kept_for(service_type: str) -> KeptFor:
    """Whom the slot is kept for, as practices write it: “NHS 111”, “nhs-111”, “Same day”, “same-day triage”."""
    letters = "".join(letter for letter in service_type.lower() if letter.isalnum())
    if "nhs111" in letters:
        return "nhs-111"
    return "same-day" if "sameday" in letters else "anyone"


def bind(rows: Sequence[Row], known: Known, pseudonym: Callable[[str], str]) -> Binding:
    """The pages that these rows make. A row at fault is left out, so the others can be kept."""
    strangers = [row for row in rows if row.practice not in known.practices]
    faults = [Fault(row.line, "practice", f"No practice {row.practice} is registered here") for row in strangers]
    pages: list[Page] = []
    left_out = 0
    for draft in _drafts([row for row in rows if row.practice in known.practices], pseudonym):
        stale = {line.row.line for line in draft.lines if _stale(line, known)}
        left_out += len(stale)
        if (page := _without(draft, stale)) is None:
            continue
        found = list(_contradictions(page, known))
        faults.extend(found)
        if kept := _without(page, {fault.line for fault in found}):
            pages.append(kept)
    pages, overlapping = _apart(pages, known.spans)
    return Binding(pages, sorted((*faults, *overlapping), key=lambda fault: fault.line), left_out)


def _drafts(rows: Iterable[Row], pseudonym: Callable[[str], str]) -> Iterator[Page]:
    groups: dict[tuple[str, str, str, date], list[Row]] = {}
    day = lru_cache(london_date)
    for row in rows:
        groups.setdefault((row.practice, row.session, row.clinician, day(row.start)), []).append(row)
    for key, group in groups.items():
        session = session_id(*key)
        yield _page(session, [_line(session, row, pseudonym) for row in group])


def _line(session: str, row: Row, pseudonym: Callable[[str], str]) -> Line:
    slot = Slot(
        id=slot_id(session, row.start),
        start=row.start,
        minutes=row.minutes,
        channel=row.channel,
        service_type=row.service_type,
        kept_for=kept_for(row.service_type),
    )
    if row.status == "free":
        return Line(row, slot)
    patient = pseudonym(row.nhs_number)
    return Line(row, slot, row.status, derived_id("appointment", slot.id, patient), patient)


def _page(session: str, lines: Sequence[Line]) -> Page:
    first = lines[0].row
    slots = {line.slot.id: line.slot for line in lines}
    sheet = Sheet(
        session=session,
        practice=first.practice,
        name=first.session,
        clinician=first.clinician,
        clinician_role=first.clinician_role,
        location=first.location,
        slots=tuple(sorted(slots.values(), key=lambda slot: slot.start)),
    )
    return Page(sheet, lines)


def _without(page: Page, at_fault: AbstractSet[int]) -> Page | None:
    if not at_fault:
        return page
    kept = [line for line in page.lines if line.row.line not in at_fault]
    return _page(page.sheet.session, kept) if kept else None


def _stale(line: Line, known: Known) -> bool:
    """Whether the row is about a slot that was withdrawn here, and brings nobody new: the file is older than that."""
    return line.slot.id in known.withdrawn and (not line.status or line.appointment in known.statuses)


def _contradictions(page: Page, known: Known) -> Iterator[Fault]:
    first = page.lines[0].row
    for line in page.lines:
        if (line.row.clinician_role, line.row.location) != (first.clinician_role, first.location):
            yield Fault(
                line.row.line, "location", f"Role and location differ from those of the session in line {first.line}"
            )
        if line.slot.id in known.withdrawn:
            yield Fault(line.row.line, "start", "The slot was withdrawn; book the patient into another")
    known_slots = known.slots.get(page.sheet.session, {})
    yield from _differing(page.lines, known_slots)
    yield from _doubled(page.lines, known)
    yield from _running_over(page.lines, known_slots.values())


def _differing(lines: Iterable[Line], known: Mapping[str, Slot]) -> Iterator[Fault]:
    slots = dict(known)
    for line in lines:
        if slots.setdefault(line.slot.id, line.slot) != line.slot:
            yield Fault(line.row.line, "start", "The slot stands in the diary with other minutes, channel or service")


def _doubled(lines: Sequence[Line], known: Known) -> Iterator[Fault]:
    called_off = {line.appointment for line in lines if line.status == "cancelled"}
    takers: dict[str, str] = {}
    seen: set[str] = set()
    for line in lines:
        if not line.status:
            continue
        if line.appointment in seen:
            yield Fault(line.row.line, "nhs_number", "The patient has an appointment in this slot already")
        seen.add(line.appointment)
        if line.status == "cancelled" or known.statuses.get(line.appointment) in _OVER:
            continue
        before = known.takers.get(line.slot.id, line.appointment)
        if before in called_off:
            before = line.appointment
        if takers.setdefault(line.slot.id, before) != line.appointment:
            yield Fault(line.row.line, "start", "Another appointment has this slot")


def _running_over(lines: Iterable[Line], known: Iterable[Slot]) -> Iterator[Fault]:
    at = {line.slot.start: line.row.line for line in lines}
    slots = {slot.start: slot for slot in (*known, *(line.slot for line in lines))}
    for earlier, later in pairwise(slots[start] for start in sorted(slots)):
        if later.start < slot_end(earlier) and (later.start in at or earlier.start in at):
            line = at.get(later.start) or at[earlier.start]
            yield Fault(line, "start", "The slot begins before the one ahead of it has ended")


def _apart(pages: Sequence[Page], known: Iterable[Span]) -> tuple[list[Page], list[Fault]]:
    """The pages without those whose clinician is in another session at that time, and the faults of these."""
    kept: list[Page] = []
    overlapping: list[Fault] = []
    spans: dict[tuple[str, str], list[Span]] = {}
    for span in known:
        spans.setdefault((span.practice, span.clinician), []).append(span)
    for page in pages:
        own = _span(page, spans.get(page.place, ()))
        other = next((span for span in spans.get(page.place, ()) if _overlap(own, span)), None)
        if other is None:
            kept.append(page)
            spans.setdefault(page.place, []).append(own)
        else:
            overlapping.extend(Fault(line.row.line, "session", other.in_words) for line in page.lines)
    return kept, overlapping


def _span(page: Page, known: Iterable[Span]) -> Span:
    """The page's own span, with what was known of it before."""
    starts = [page.sheet.slots[0].start, *(span.start for span in known if span.session == page.sheet.session)]
    ends = [slot_end(page.sheet.slots[-1]), *(span.end for span in known if span.session == page.sheet.session)]
    return Span(page.sheet.session, page.sheet.name, *page.place, min(starts), max(ends))


def _overlap(one: Span, other: Span) -> bool:
    return one.session != other.session and one.start < other.end and other.start < one.end
