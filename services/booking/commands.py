"""What booking can be asked to do. A command carries the instant and the new ids it needs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.events.booking import CancelledBy, Inflow, Opening, Patient, Slot

Standing = Inflow
"""How whoever asks stands to the practice whose slot it is: its own system, NHS 111, or any other organisation."""

Status = Literal[
    "held",
    "booked",
    "arrived",
    "fulfilled",
    "noshow",
    "cancelled",
    "moved",
    "displaced",
    "released",
    "entered-in-error",
]
"""Where an appointment stands. `held` (to FHIR pending) has slots and no patient; a hold that came to nothing is
`released` (cancelled). A `moved` one (cancelled) has been replaced by another; a `displaced` one (waitlist) lost its
slots to a withdrawal and waits."""

Mark = Literal["arrived", "fulfilled", "noshow", "entered-in-error"]
"""What the practice can write down about an appointment on its day."""

EntryStatus = Literal["booked", "arrived", "fulfilled", "noshow", "cancelled"]

Outcome = Literal["attended", "missed", "cancelled", "elsewhere"]
"""What became of an appointment of a lost day. `elsewhere`: somebody else saw the patient, as at a hospital."""


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
class Asker:
    """The organisation that asks for slots, by its ODS code and type, and the name and telephone it gave."""

    standing: Standing
    organisation: str = ""
    organisation_type: str = ""
    name: str = ""
    telephone: str = ""


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
class OpenPractice:
    """Say to whom the practice's slots are open, where a session does not say otherwise."""

    practice: str
    opening: Opening


@dataclass(frozen=True, slots=True)
class FreezePractice:
    """Let no new appointments in from these while the outage lasts; said again, it replaces what was said before."""

    practice: str
    outage: str
    keeps_out: tuple[Standing, ...]


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
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Say to whom this session is open; without `opening`, to whomever its practice is."""

    practice: str
    session: str
    opening: Opening | None


@dataclass(frozen=True, slots=True)
class WithdrawSlots:
    """Take slots out of a session, or with none named all that are still to come.

    If patients have any of them, `confirmed` must be the session's version as it was when somebody looked at who they
    are. `withdrawal` is the new id that all those displaced will share.
    """

    practice: str
    session: str
    slots: tuple[str, ...]
    reason: str
    withdrawal: str
    confirmed: int | None
    now: datetime


@dataclass(frozen=True, slots=True)
class ImportSession:
    """Take over a page and its appointments, past ones too, from the system that kept them so far.

    Allowed while the practice is frozen: it tells what had been booked, it books nothing new. By `now`, holds in its
    way whose time is over end.
    """

    sheet: Sheet
    entries: tuple[Entry, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class BookAppointment:
    """Give a patient one slot, or several that adjoin. `start` and `end` must be those of the slots.

    `once`, if given, names the request: what was booked under it is not booked again.
    """

    appointment: str
    practice: str
    session: str
    slots: tuple[str, ...]
    start: datetime
    end: datetime
    patient: Patient
    details: str
    textable: bool
    asker: Asker
    now: datetime
    priority: int = 0
    identifier: str = ""
    replaces: str = ""
    once: str = ""


@dataclass(frozen=True, slots=True)
class HoldSlots:
    """Keep slots for somebody who is about to book them, until `until` or until they begin, whichever comes first.

    `until` is at most half an hour from now.
    """

    appointment: str
    practice: str
    session: str
    slots: tuple[str, ...]
    start: datetime
    end: datetime
    asker: Asker
    until: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class ConfirmHold:
    """Book what is held, for this patient. `version` is what the caller last saw of it."""

    practice: str
    session: str
    appointment: str
    version: int
    patient: Patient
    details: str
    textable: bool
    asker: Asker
    now: datetime
    priority: int = 0
    identifier: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give up what is held."""

    session: str
    appointment: str
    version: int
    now: datetime


@dataclass(frozen=True, slots=True)
class ExpireHolds:
    """Release every hold of the session whose time is over."""

    session: str
    now: datetime


@dataclass(frozen=True, slots=True)
class AmendAppointment:
    """Change the description or the comment of an appointment to come; `details` is the whole new sealed text."""

    session: str
    appointment: str
    version: int
    details: str
    now: datetime


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
class RescheduleAppointment:
    """Give the patient other slots of the same practice and give back the old ones, in one transaction."""

    practice: str
    from_session: str
    appointment: str
    version: int
    to_session: str
    to_slots: tuple[str, ...]
    to_appointment: str
    cancelled_by: CancelledBy
    reason: str
    asker: Asker
    now: datetime
    once: str = ""


@dataclass(frozen=True, slots=True)
class MarkAppointment:
    """Write down that the patient arrived, was seen, did not come, or that the entry was a mistake."""

    session: str
    appointment: str
    version: int
    mark: Mark
    now: datetime


@dataclass(frozen=True, slots=True)
class SettleAppointment:
    """Write down what became of an appointment of a lost day."""

    session: str
    appointment: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class DeclineAppointment:
    """The patient has answered a text: they do not want this appointment, nor another."""

    session: str
    appointment: str
    now: datetime


@dataclass(frozen=True, slots=True)
class MoveAppointment:
    """Give the patient of this practice another slot in place of an appointment, in one transaction.

    The slot is the practice's own, or that of `to_practice`, which shares its capacity, and of no other.
    """

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
    to_practice: str = ""


BookingCommand = (
    RegisterPractice
    | OpenPractice
    | FreezePractice
    | ReopenPractice
    | PublishSession
    | OpenSession
    | WithdrawSlots
    | ImportSession
    | BookAppointment
    | HoldSlots
    | ConfirmHold
    | ReleaseHold
    | ExpireHolds
    | AmendAppointment
    | CancelAppointment
    | RescheduleAppointment
    | MarkAppointment
    | SettleAppointment
    | DeclineAppointment
    | MoveAppointment
)
