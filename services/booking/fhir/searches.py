"""What a practice system finds over FHIR: slots to book, sessions, and its patients' appointments."""

from collections.abc import Sequence

from services.booking.appointment_search import find_appointments
from services.booking.fhir import resources
from services.booking.fhir.appointment_params import read_appointment_parameters
from services.booking.fhir.bundles import entry, left_aside, searchset
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.slot_params import read_parameters
from services.booking.fhir.unsealing import appointment_resources
from services.booking.schedule_search import find_schedules, read_schedule_parameters
from services.booking.slot_search import find_slots, slot_rows
from services.booking.viewing import viewer_of
from services.booking.views import session_rows
from shared.service import Running


async def search_slots(service: Running, ask: Ask) -> Answer:
    """Slots of at most 14 days, and with `_include=Slot:schedule` their sessions."""
    search, asked = read_parameters(ask.parameters, viewer_of(ask.caller), strict=ask.strict)
    async with service.engine.connect() as connection:
        found = await find_slots(connection, search, ask.now)
        wanted = {row.session for row in found.rows} if asked.all("_include") else set()
        schedules = await session_rows(connection, wanted) if wanted else []
    entries = [entry(ask.base, resources.slot(row), "match") for row in found.rows]
    entries += [entry(ask.base, resources.schedule(row), "include") for row in schedules]
    entries += left_aside(asked.ignored)
    links = asked.links(f"{ask.base}/Slot", following=found.more)
    return Answer(searchset(found.total, links, entries), practice=_whose(search.practice, found.rows))


async def search_schedules(service: Running, ask: Ask) -> Answer:
    """Sessions, by practice, date and id."""
    search, asked = read_schedule_parameters(ask.parameters, strict=ask.strict)
    async with service.engine.connect() as connection:
        found = await find_schedules(connection, search, viewer_of(ask.caller), ask.now)
    entries = [entry(ask.base, resources.schedule(row), "match") for row in found.rows]
    links = asked.links(f"{ask.base}/Schedule", following=found.total > search.offset + search.count)
    bundle = searchset(found.total, links, [*entries, *left_aside(asked.ignored)])
    return Answer(bundle, practice=_whose(search.practice, found.rows))


async def search_appointments(service: Running, ask: Ask) -> Answer:
    """Appointments, and with `_include=Appointment:slot` their slots."""

    def pseudonym(number: str) -> str:
        return service.keys.pseudonym("patient", number)

    search, asked = read_appointment_parameters(ask.parameters, pseudonym, ask.now, strict=ask.strict)
    async with service.engine.connect() as connection:
        found = await find_appointments(connection, search, ask.caller)
        wanted = {slot for row in found.rows for slot in row.slots} if asked.all("_include") else set()
        slots = await slot_rows(connection, sorted(wanted), viewer_of(ask.caller), ask.now) if wanted else []
    matching = await appointment_resources(service.keys, found.rows)
    entries = [entry(ask.base, resource, "match") for resource in matching]
    entries += [entry(ask.base, resources.slot(row), "include") for row in slots]
    entries += left_aside(asked.ignored)
    links = asked.links(f"{ask.base}/Appointment", following=found.total > search.offset + search.count)
    return Answer(searchset(found.total, links, entries), practice=_whose(search.practice, found.rows))


def _whose(practice: str | None, found: Sequence[object]) -> str:
    """For the trail: the practice that was asked for, if anything of it was found; else anybody may have written it."""
    return practice if practice and found else ""
