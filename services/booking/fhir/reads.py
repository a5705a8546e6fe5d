"""What a practice system reads over FHIR: a slot, a session or an appointment as it is, was, and has been.

What a caller may not see is, word for word, what does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.appointment_search import may_see
from services.booking.changing import unknown_appointment
from services.booking.fhir import resources
from services.booking.fhir.bundles import history as history_bundle
from services.booking.fhir.bundles import version_entry
from services.booking.fhir.history import appointment_versions, session_versions, slot_versions
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.resources import Json
from services.booking.fhir.search_dates import read_bounds
from services.booking.fhir.search_params import sort_out
from services.booking.fhir.searches import search_appointments, search_schedules, search_slots
from services.booking.fhir.unsealing import appointment_resources
from services.booking.guarding import no_such_slot
from services.booking.schedule_search import ScheduleSearch, find_schedules
from services.booking.session_views import slot_facts
from services.booking.viewing import sees_slot, viewer_of
from services.booking.views import appointment_row
from shared.events.envelope import Recorded
from shared.log import read_streams
from shared.refusals import NotFound
from shared.service import Running

Kind = Literal["Slot", "Schedule", "Appointment"]

HISTORY_PARAMETERS = frozenset({"_count", "_offset", "_since"})


@dataclass(frozen=True, slots=True)
class Past:
    """The versions of a resource, oldest first: their numbers, since when, and how they read."""

    practice: str
    numbers: Sequence[str]
    since: Sequence[datetime]
    resources: Sequence[Json]


async def read(service: Running, ask: Ask, kind: Kind, id: str) -> Answer:
    """The resource as it is. Raises `NotFound` if there is none for this caller."""
    if kind != "Appointment":
        past = await _past(service, ask, kind, id)
        return _answer(past, len(past.numbers) - 1)
    async with service.engine.connect() as connection:
        row = await appointment_row(connection, _storable(id))
    if row is None or not may_see(ask.caller, row):
        raise unknown_appointment()
    (resource,) = await appointment_resources(service.keys, [row])
    return Answer(resource, headers=_headers(str(row.version), row.changed_at), practice=row.practice)


async def vread(service: Running, ask: Ask, kind: Kind, id: str, version: str) -> Answer:
    """The resource as it was in this version. Raises `NotFound` if it never had one of that number."""
    past = await _past(service, ask, kind, id)
    if version not in past.numbers:
        raise NotFound("It never had a version of this number", code="no-such-version", where="_history")
    return _answer(past, past.numbers.index(version))


async def history(service: Running, ask: Ask, kind: Kind, id: str) -> Answer:
    """Every version of the resource, newest first. Raises `NotFound` if there is no such resource for this caller."""
    past = await _past(service, ask, kind, id)
    asked = sort_out(ask.parameters, _of_history, includes={}, strict=ask.strict)
    earliest, _ = read_bounds("_since", [f"ge{value}" for value in asked.all("_since")])
    newest_first = [place for place in reversed(range(len(past.numbers))) if past.since[place] >= earliest]
    count, offset = asked.page
    entries = [
        version_entry(ask.base, past.resources[place], past.since[place], first=place == 0)
        for place in newest_first[offset : offset + count]
    ]
    links = asked.links(f"{ask.base}/{kind}/{id}/_history", following=offset + count < len(newest_first))
    # A history has no entry for what was ignored; the self link, without it, tells.
    return Answer(history_bundle(len(newest_first), links, entries), practice=past.practice)


async def search(service: Running, ask: Ask, kind: Kind) -> Answer:
    """The resources that match and that this caller may see, as a searchset."""
    match kind:
        case "Slot":
            return await search_slots(service, ask)
        case "Schedule":
            return await search_schedules(service, ask)
        case "Appointment":
            return await search_appointments(service, ask)


def _of_history(name: str) -> str | None:
    return name if name in HISTORY_PARAMETERS else None


async def _past(service: Running, ask: Ask, kind: Kind, id: str) -> Past:
    match kind:
        case "Slot":
            return await _past_of_slot(service, _storable(id), ask)
        case "Schedule":
            return await _past_of_session(service, _storable(id), ask)
        case "Appointment":
            return await _past_of_appointment(service, _storable(id), ask)


async def _past_of_slot(service: Running, slot: str, ask: Ask) -> Past:
    async with service.engine.connect() as connection:
        facts = await slot_facts(connection, slot)
        viewer = viewer_of(ask.caller)
        if facts is None or not sees_slot(viewer, facts, ask.now):
            raise no_such_slot()
        events = await _events(connection, facts.session, facts.practice)
        versions = slot_versions(events, slot, viewer.standing(facts.practice), ask.now)
    shown = [resources.slot(version.row, resources.meta(version.number, version.at)) for version in versions]
    return Past(facts.practice, [each.number for each in versions], [each.at for each in versions], shown)


async def _past_of_session(service: Running, session: str, ask: Ask) -> Past:
    async with service.engine.connect() as connection:
        wanted = ScheduleSearch(ids=[session])
        found = await find_schedules(connection, wanted, viewer_of(ask.caller), ask.now)
        if not found.rows:
            raise NotFound("There is no such session", code="no-such-session", where="session")
        practice = found.rows[0].practice
        versions = session_versions(await _events(connection, session, practice), session)
    shown = [resources.schedule(version.row, resources.meta(version.number, version.at)) for version in versions]
    return Past(practice, [each.number for each in versions], [each.at for each in versions], shown)


async def _past_of_appointment(service: Running, appointment: str, ask: Ask) -> Past:
    async with service.engine.connect() as connection:
        row = await appointment_row(connection, appointment)
        if row is None or not may_see(ask.caller, row):
            raise unknown_appointment()
        versions = appointment_versions(await _events(connection, row.session, row.practice), appointment)
    shown = await appointment_resources(service.keys, [version.row for version in versions])
    return Past(row.practice, [each.number for each in versions], [each.at for each in versions], shown)


async def _events(connection: AsyncConnection, session: str, practice: str) -> list[Recorded]:
    # The log is read through the driver, which wants a transaction: SQLAlchemy's own first statement begins it.
    await connection.execute(select(1))
    return await read_streams(connection, {f"session/{session}": 0, f"practice/{practice}": 0})


def _answer(past: Past, place: int) -> Answer:
    return Answer(
        past.resources[place], headers=_headers(past.numbers[place], past.since[place]), practice=past.practice
    )


def _headers(version: str, since: datetime) -> dict[str, str]:
    return {"ETag": f'W/"{version}"', "Last-Modified": format_datetime(since, usegmt=True)}


def _storable(id: str) -> str:
    """The id, or one that nothing has: PostgreSQL would not even look for a NUL character."""
    return "" if "\0" in id else id
