"""A booking asked for twice is booked once: `If-None-Exist` by its identifier, `Idempotency-Key` by a name of its own.

Both become the booking's `once`, which the decider looks at and a unique index guards, so that any race has one winner;
whoever loses it looks again, and finds what the winner booked. What a key was first used for is compared with the
booking itself, as it stands in the log: nothing beside it has to be kept, or could ever differ from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from services.booking.fhir.desk import Desk
from services.booking.fhir.forms import LONGEST_IDENTIFIER
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.written import answer, blank_row, changed_row, rendered
from services.booking.views import appointment_row
from shared.access import Caller
from shared.database import reader
from shared.events.base import Event
from shared.events.booking import AppointmentBooked, SlotsHeld
from shared.events.envelope import Recorded, decode, types_of
from shared.ids import derived_id
from shared.refusals import Conflict, Refusal
from shared.seal import DataKey, Details, PatientBlock, opened


@dataclass(frozen=True, slots=True)
class Once:
    """The name under which something is booked once.

    `same` says whether what was booked under it is what is asked for now; None if it need not be.
    """

    name: str
    same: "Same | None" = None


def key_name(ask: Ask, *scope: str) -> str:
    """What an `Idempotency-Key` of this client names; empty if it sent none."""
    if ask.idempotency_key is None:
        return ""
    key = ask.idempotency_key.strip()
    if not 1 <= len(key) <= LONGEST_IDENTIFIER:
        raise Refusal(
            f"An idempotency key has 1 to {LONGEST_IDENTIFIER} characters", code="bad-header", where="Idempotency-Key"
        )
    return derived_id("idempotency-key", ask.caller.organisation, ask.caller.client, *scope, key)


def criterion(ask: Ask) -> str:
    """The identifier (`system|value`) by which the create is conditional; empty if it is not."""
    if ask.if_none_exist is None:
        return ""
    sent = parse_qsl(ask.if_none_exist.removeprefix("Appointment").removeprefix("?"))
    (name, value) = sent[0] if len(sent) == 1 else ("", "")
    system, _, code = value.partition("|")
    if name != "identifier" or not system or not code or len(value) > 2 * LONGEST_IDENTIFIER:
        raise Refusal(
            "Daybook looks for what exists by identifier=system|value, and nothing else",
            code="bad-header",
            where="If-None-Exist",
        )
    return value


def criterion_name(caller: Caller, identifier: str) -> str:
    """The `once` of whoever creates this on the condition that there is none yet."""
    return derived_id("if-none-exist", caller.organisation or caller.client, identifier)


async def existing(desk: Desk, ask: Ask, identifier: str) -> Answer | None:
    """The one appointment with this identifier that the caller sees. Raises `Refusal` if there are several."""
    async with desk.service.engine.connect() as connection:
        raw = await reader(connection)
        found = await raw.fetch(_BY_IDENTIFIER, identifier, ask.caller.operates, ask.caller.organisation)
    if len(found) > 1:
        why = "Several appointments have this identifier, so none of them can be meant"
        raise Refusal(why, code="several-match", where="If-None-Exist")
    return await _as_it_stands(desk, ask, found[0]["appointment"]) if found else None


async def booked_before(desk: Desk, ask: Ask, once: Once) -> Answer | None:
    """The answer to what was booked under this name already, if anything was."""
    async with desk.service.engine.connect() as connection:
        found = await (await reader(connection)).fetchrow(_BY_ONCE, once.name)
    if found is None:
        return None
    if once.same is None:
        return await _as_it_stands(desk, ask, found["appointment"])
    recorded = await first_recorded(desk, found["session"], found["appointment"], AppointmentBooked)
    key = (await desk.service.keys.find([recorded.event.patient.id])).get(recorded.event.patient.id)
    if not once.same(recorded.event, key):
        raise key_reused()
    return await as_it_was(desk, ask, recorded)


async def first_recorded(desk: Desk, session: str, appointment: str, kind: type[Event]) -> Recorded:
    """The event of this kind that first spoke of the appointment."""
    async with desk.service.engine.connect() as connection:
        bodies = await (await reader(connection)).fetch(_OF_KIND, f"session/{session}", types_of(kind))
    return next(
        recorded for recorded in (decode(row["body"]) for row in bodies) if recorded.event.appointment == appointment
    )


async def as_it_was(desk: Desk, ask: Ask, recorded: Recorded) -> Answer:
    """The answer that whoever booked or held this was given, once more."""
    event: AppointmentBooked | SlotsHeld = recorded.event
    place = (await desk.places.find(event.slots[:1]))[event.slots[0]]
    row = changed_row(blank_row(place, recorded.recorded_at), recorded)
    return answer(ask, row, await rendered(desk, row), 201)


Same = Callable[[AppointmentBooked, DataKey | None], bool]
"""Whether a booking is of what is asked for; the key is its patient's, None if that has been destroyed."""


def same_booking(pseudonym: str, patient: PatientBlock, details: Details, asked: Mapping[str, object]) -> Same:
    """Whether it is of this patient, with this text and these other values."""

    def same(booked: AppointmentBooked, key: DataKey | None) -> bool:
        if booked.patient.id != pseudonym or any(getattr(booked, name) != value for name, value in asked.items()):
            return False
        # Of an erased patient nobody can say any more; and nothing is booked a second time on a doubt.
        return opened(key, booked.patient.sealed, PatientBlock) in (None, patient) and opened(
            key, booked.details, Details
        ) in (None, details)

    return same


def key_reused() -> Conflict:
    """To whoever uses a key for two different things."""
    return Conflict(
        "The key was used for something else before: use a new one for each request, and the same one to repeat it",
        code="key-reused",
        where="Idempotency-Key",
    )


async def _as_it_stands(desk: Desk, ask: Ask, appointment: str) -> Answer:
    async with desk.service.engine.connect() as connection:
        row = await appointment_row(connection, appointment)
    if row is None:
        raise RuntimeError("an appointment that was found a moment ago is gone")
    return answer(ask, row, await rendered(desk, row))


_BY_IDENTIFIER = """
    SELECT appointment FROM appointments
    WHERE identifier = $1 AND identifier <> '' AND ($2 OR $3 <> '' AND (practice = $3 OR booked_by = $3))
    LIMIT 2
"""
_BY_ONCE = "SELECT appointment, session FROM appointments WHERE once = $1 AND once <> ''"
_OF_KIND = "SELECT body FROM events WHERE stream = $1 AND type = ANY($2) ORDER BY version"
