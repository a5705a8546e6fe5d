"""What views give: rows of the diary, as they were read, that cannot change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.booking.commands import Status
from shared.events.booking import Channel, Inflow, KeptFor

SlotStatus = Literal["free", "busy", "busy-unavailable", "busy-tentative"]
"""`busy-tentative`: held. `busy-unavailable`: withdrawn, or its practice takes no new appointments from who asks while
its systems are down."""


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot and whether it can be had."""

    slot: str
    session: str
    practice: str
    start: datetime
    end: datetime
    minutes: int
    channel: Channel
    service_type: str
    kept_for: KeptFor
    status: SlotStatus


@dataclass(frozen=True, slots=True)
class PracticeRow:
    """A practice, and who can book nothing new there now; `frozen` if anybody."""

    practice: str
    name: str
    town: str
    postcode: str
    telephone: str
    nhs111_slots_per_day: int
    frozen: bool
    keeps_out: Sequence[Inflow]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session, with the name of its practice."""

    session: str
    practice: str
    practice_name: str
    name: str
    clinician: str
    clinician_role: str
    location: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """An appointment with what has to be said beside it: where, with whom, how."""

    appointment: str
    session: str
    practice: str
    practice_name: str
    session_name: str
    clinician: str
    clinician_role: str
    location: str
    channel: Channel
    service_type: str
    slots: Sequence[str]
    start: datetime
    end: datetime
    minutes: int
    patient: str
    sealed: str
    details: str
    status: Status
    priority: int
    booked_at: datetime
    booked_by: str
    identifier: str
    replaces: str
    replaced_by: str
    reason: str
    booked_by_name: str
    booked_by_telephone: str
    until: datetime | None
    version: int
    changed_at: datetime
