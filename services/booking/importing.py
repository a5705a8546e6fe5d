"""Imports a diary: reads the file, compares it with what is known, seals what identifies, and executes page by page."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.booking.commands import Entry, EntryStatus, ImportSession
from services.booking.diary import Row, read_diary
from services.booking.known import known_diary
from services.booking.pages import Binding, Known, Line, Page, bind
from shared.access import Caller
from shared.events.booking import AppointmentBooked, Patient, SessionPublished, SlotsAdded
from shared.events.envelope import Recorded
from shared.records import BadRows, Fault
from shared.seal import DataKey, Details, PatientBlock
from shared.service import Running

EVENTS_TOGETHER = 1000
CHUNKS_AT_ONCE = 4
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed, and which rows it left out."""

    sessions: int
    slots: int
    appointments: int
    unchanged: int
    refused: Sequence[Fault]


async def import_diary(service: Running, text: str, caller: Caller, *, keep_good: bool) -> Imported:
    """Import the diary. Raises `BadRows`, with nothing stored, if a row is at fault and `keep_good` is not said.

    A practice that is not the caller's own is at fault like one that nobody has registered.

    Pages are committed some dozens at a time; the same file sent again goes on where a failure ended it.
    """
    reading = await asyncio.to_thread(read_diary, text, made_up=service.settings.made_up_numbers)
    known = await _known(service, reading.rows, caller)
    pseudonym = service.keys.pseudonym
    binding = await asyncio.to_thread(bind, reading.rows, known, lambda nhs_number: pseudonym("patient", nhs_number))
    faults = sorted((*reading.faults, *binding.faults), key=lambda fault: fault.line)
    if faults and not keep_good:
        raise BadRows(faults)
    changed = [news for page in binding.pages if (news := _news(page, known)) is not None]
    keys = await service.keys.ensure({line.patient for page in changed for line in page.lines if line.patient})
    now = service.clock.now()
    commands = await asyncio.to_thread(lambda: [_command(page, keys, now) for page in changed])
    recorded = await _execute(service, commands)
    return _count(binding, recorded, faults)


async def _known(service: Running, rows: Sequence[Row], caller: Caller) -> Known:
    if not rows:
        return Known(frozenset(), (), {}, {}, {})
    starts = [row.start for row in rows]
    own = {practice for practice in {row.practice for row in rows} if caller.belongs_to(practice)}
    async with service.engine.connect() as connection:
        return await known_diary(connection, own, min(starts) - _DAY, max(starts) + _DAY, service.clock.now())


def _news(page: Page, known: Known) -> Page | None:
    """The page with only those lines that tell something new, so that nothing is sealed for nothing."""
    slots = known.slots.get(page.sheet.session, {})
    lines = [line for line in page.lines if _tells(line, known)]
    fresh = tuple(slot for slot in page.sheet.slots if slot.id not in slots)
    return Page(replace(page.sheet, slots=fresh), lines) if lines or fresh else None


def _tells(line: Line, known: Known) -> bool:
    if not line.status:
        return False
    match known.statuses.get(line.appointment):
        case None:
            return True
        case "booked" | "arrived" as status:
            return line.status not in ("booked", status)
        case _:
            return False


def _command(page: Page, keys: Mapping[str, DataKey], now: datetime) -> ImportSession:
    """Called-off appointments go first: the slot may have been given to another since."""
    entries = [_entry(line, line.status, keys[line.patient], now) for line in page.lines if line.status]
    entries.sort(key=lambda entry: entry.status != "cancelled")
    return ImportSession(page.sheet, tuple(entries), now)


def _entry(line: Line, status: EntryStatus, key: DataKey, now: datetime) -> Entry:
    row = line.row
    mobile, textable = row.mobile
    block = PatientBlock(
        nhs_number=row.nhs_number,
        given_name=row.given_name,
        family_name=row.family_name,
        birth_date=row.birth_date,
        mobile=mobile,
    )
    return Entry(
        appointment=line.appointment,
        slot=line.slot.id,
        patient=Patient(id=line.patient, sealed=key.seal(block)),
        details=key.seal(Details(description=row.description)),
        textable=textable,
        booked_at=row.booked_at or now,
        priority=row.priority,
        source=row.source,
        status=status,
    )


async def _execute(service: Running, commands: Sequence[ImportSession]) -> list[Recorded]:
    """Some chunks at a time, so that one is decided while the stream takes its copy of another."""
    chunks = list(_chunks(commands))
    recorded: list[Recorded] = []
    for start in range(0, len(chunks), CHUNKS_AT_ONCE):
        executed = map(service.executor.execute_together, chunks[start : start + CHUNKS_AT_ONCE])
        for events in await asyncio.gather(*executed):
            recorded.extend(events)
    return recorded


def _chunks(commands: Sequence[ImportSession]) -> Iterator[list[ImportSession]]:
    """Commands whose events surely fit one transaction; a page is never parted."""
    chunk: list[ImportSession] = []
    events = 0
    for command in commands:
        most = 1 + sum(1 if entry.status == "booked" else 2 for entry in command.entries)
        if chunk and events + most > EVENTS_TOGETHER:
            yield chunk
            chunk, events = [], 0
        chunk.append(command)
        events += most
    if chunk:
        yield chunk


def _count(binding: Binding, recorded: Sequence[Recorded], faults: Sequence[Fault]) -> Imported:
    events = [record.event for record in recorded]
    added = {slot.id for event in events if isinstance(event, (SessionPublished, SlotsAdded)) for slot in event.slots}
    touched = {getattr(event, "appointment", "") for event in events} - {""}
    return Imported(
        sessions=sum(isinstance(event, SessionPublished) for event in events),
        slots=len(added),
        appointments=sum(isinstance(event, AppointmentBooked) for event in events),
        unchanged=binding.left_out
        + sum(
            line.slot.id not in added and line.appointment not in touched
            for page in binding.pages
            for line in page.lines
        ),
        refused=faults,
    )
