"""What booking can be asked to do. A command carries the instant and the new ids it needs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.events.booking import CancelledBy, Patient, Slot

Caller = Literal["public", "nhs-111", "practice"]
"""Who asks: it decides which kept slots may be used."""

Status = Literal["booked", "arrived", "fulfilled", "noshow", "cancelled", "moved"]
"""Where an appointment stands. `moved` is Daybook's own: to FHIR it is cancelled, and another replaces it."""

EntryStatus = Literal["booked", "arrived", "fulfilled", "noshow", "cancelled"]

Outcome = Literal["attended", "missed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the diary as somebody wrote it down: a session and its slots, in order of start."""

    session: str
    practice: str
    name: str
    clinician: str
    clinician_role: str
    location: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """An appointment as the diary of another system shows it."""

    appointment: str
    slot: str
    patient: Patient
    details: str
    textable: bool
    booked_at: datetime
    priority: int
    source: str
    status: EntryStatus


@dataclass(frozen=True, slots=True)
class RegisterPractice:
    """Keep this practice's diary, or correct what is known of the practice."""

    practice: str
    name: str
    town: str = ""
    postcode: str = ""
    telephone: str = ""
    nhs111_slots_per_day: int = 1


@dataclass(frozen=True, slots=True)
class FreezePractice:
    """Let no new appointments in while the outage lasts."""

    practice: str
    outage: str


@dataclass(frozen=True, slots=True)
class ReopenPractice:
    """The outage is over."""

    practice: str
    outage: str


@dataclass(frozen=True, slots=True)
class PublishSession:
    """Add a page to the diary, or more slots to one that is there. Nothing of it may have begun."""

    sheet: Sheet
    now: datetime


@dataclass(frozen=True, slots=True)
class ImportSession:
    """Take over a page and its appointments, past ones too, from the system that kept them so far.

    Allowed while the practice is frozen: it tells what had been booked, it books nothing new.
    """

    sheet: Sheet
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class BookAppointment:
    """Give a patient one slot, or several that adjoin. `start` and `end` must be those of the slots."""

    appointment: str
    practice: str
    session: str
    slots: tuple[str, ...]
    start: datetime
    end: datetime
    patient: Patient
    details: str
    textable: bool
    caller: Caller
    now: datetime
    priority: int = 0
    booked_by: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class CancelAppointment:
    """Call off an appointment to come. `version` is what the caller last saw of it."""

    session: str
    appointment: str
    version: int
    cancelled_by: CancelledBy
    reason: str
    now: datetime


@dataclass(frozen=True, slots=True)
class SettleAppointment:
    """Write down what became of an appointment of a lost day."""

    session: str
    appointment: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class DeclineAppointment:
    """The patient does not want the appointment they were moved to, nor another."""

    session: str
    appointment: str
    now: datetime


@dataclass(frozen=True, slots=True)
class MoveAppointment:
    """Give a displaced appointment another slot, in one transaction."""

    move: str
    outage: str
    practice: str
    appointment: str
    from_session: str
    to_session: str
    to_slot: str
    to_start: datetime
    to_appointment: str
    now: datetime


BookingCommand = (
    RegisterPractice
    | FreezePractice
    | ReopenPractice
    | PublishSession
    | ImportSession
    | BookAppointment
    | CancelAppointment
    | SettleAppointment
    | DeclineAppointment
    | MoveAppointment
)
