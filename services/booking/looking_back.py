"""An appointment or a session as it was at an instant: its stream of the log, folded up to what was known by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from services.booking.commands import Status
from services.booking.decider import decider
from services.booking.fhir.history import appointment_versions, session_versions
from services.booking.rows import AppointmentRow
from services.booking.states import Page, Practice, State
from services.booking.telling import words
from shared.clock import written
from shared.events.booking import ALL_INFLOW, Channel, Inflow, KeptFor, SessionPublished, Slot, SlotsAdded
from shared.events.envelope import Recorded
from shared.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Later:
    """What had happened by then, and was written down only afterwards, as after a day on paper."""

    type: str
    occurred_at: datetime
    recorded_at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class AppointmentThen:
    """An appointment, or a hold, as it was `at` an instant; so it had been `since`. Who it is for is not said."""

    appointment: str
    at: datetime
    since: datetime
    version: int
    status: Status
    practice: str
    session: str
    session_name: str
    clinician: str
    clinician_role: str
    location: str
    channel: Channel
    service_type: str
    slots: Sequence[str]
    start: datetime
    minutes: int
    priority: int
    booked_at: datetime
    booked_by: str
    replaces: str
    replaced_by: str
    until: datetime | None
    recorded_later: Sequence[Later]


_SHARED = {field.name for field in fields(AppointmentThen)} & {field.name for field in fields(AppointmentRow)}


@dataclass(frozen=True, slots=True)
class SlotThen:
    """A slot, and which appointment or hold had it."""

    slot: str
    start: datetime
    minutes: int
    channel: Channel
    service_type: str
    kept_for: KeptFor
    status: Literal["free", "busy", "held", "withdrawn"]
    appointment: str | None


@dataclass(frozen=True, slots=True)
class SessionThen:
    """A session as it was `at` an instant. `keeps_out`: from whom its practice took no new bookings."""

    session: str
    at: datetime
    since: datetime
    version: int
    practice: str
    name: str
    clinician: str
    clinician_role: str
    location: str
    start: datetime
    end: datetime
    keeps_out: Sequence[Inflow]
    slots: Sequence[SlotThen]
    appointments: Mapping[str, Status]
    recorded_later: Sequence[Later]


def appointment_then(events: Sequence[Recorded], appointment: str, at: datetime) -> AppointmentThen:
    """The appointment as it was. `events` are those of its session and practice. Raises `NotFound` before it was."""
    versions = appointment_versions(_by(events, at), appointment)
    about = [each for each in events if getattr(each.event, "appointment", "") == appointment]
    if not versions:
        raise _not_yet("appointment", about, at)
    row = versions[-1].row
    facts = {name: getattr(row, name) for name in _SHARED}
    return AppointmentThen(**facts, at=at, since=row.changed_at, recorded_later=_later(about, at))


def session_then(events: Sequence[Recorded], session: str, at: datetime) -> SessionThen:
    """The session as it was, slot by slot. Raises `NotFound` before it was."""
    known = _by(events, at)
    own = [each for each in events if each.stream == f"session/{session}"]
    versions, page = session_versions(known, session), _folded(known, f"session/{session}")
    if not versions or not isinstance(page, Page):
        raise _not_yet("session", own, at)
    row = versions[-1].row
    practice = _folded(known, f"practice/{row.practice}")
    shut = [kind for kind in ALL_INFLOW if isinstance(practice, Practice) and practice.keeps_out(kind)]
    return SessionThen(
        session=session,
        at=at,
        since=max(each.recorded_at for each in own if each.recorded_at <= at),
        version=page.version,
        practice=row.practice,
        name=row.name,
        clinician=row.clinician,
        clinician_role=row.clinician_role,
        location=row.location,
        start=row.start,
        end=row.end,
        keeps_out=shut,
        slots=[_slot(page, slot, at) for slot in sorted(_slots(known), key=lambda each: (each.start, each.id))],
        appointments={id: known.status for id, known in page.appointments.items()},
        recorded_later=_later(own, at),
    )


def _by(events: Sequence[Recorded], at: datetime) -> Sequence[Recorded]:
    return [each for each in events if each.recorded_at <= at]


def _folded(events: Sequence[Recorded], stream: str) -> State:
    state: State = decider.initial
    for each in events:
        if each.stream == stream:
            state = decider.evolve(state, each.event)
    return state


def _slots(events: Sequence[Recorded]) -> Sequence[Slot]:
    """All it ever had, as they were published last."""
    found: dict[str, Slot] = {}
    for each in events:
        if isinstance(each.event, SessionPublished | SlotsAdded):
            found |= {slot.id: slot for slot in each.event.slots}
    return list(found.values())


def _slot(page: Page, slot: Slot, at: datetime) -> SlotThen:
    taker = page.takers.get(slot.id)
    hold = page.holds.get(taker or "")
    if hold is not None and not hold.lasts(at):
        taker, hold = None, None
    taken: Literal["busy", "held"] = "held" if hold else "busy"
    status: Literal["free", "busy", "held", "withdrawn"] = taken if taker else "free"
    return SlotThen(
        slot=slot.id,
        start=slot.start,
        minutes=slot.minutes,
        channel=slot.channel,
        service_type=slot.service_type,
        kept_for=slot.kept_for,
        status=status if slot.id in page.slots else "withdrawn",
        appointment=taker,
    )


def _later(events: Sequence[Recorded], at: datetime) -> Sequence[Later]:
    return [
        Later(each.type, each.occurred_at, each.recorded_at, words(each.event, {}))
        for each in events
        if each.occurred_at <= at < each.recorded_at
    ]


def _not_yet(what: str, events: Sequence[Recorded], at: datetime) -> NotFound:
    first = min((each.recorded_at for each in events), default=None)
    since = f": the first that was recorded of it is of {written(first)}" if first else ""
    return NotFound(f"There was no such {what} at {written(at)}{since}", code="not-yet", where="at")
