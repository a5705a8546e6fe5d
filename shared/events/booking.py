"""What booking publishes: the diary of every practice, page by page.

Streams: `session/<id>` (a page of the diary: one clinician's list for a morning, its slots, its appointments) and
`practice/<ods>` (what the practice as a whole allows).
"""

from typing import ClassVar, Literal

from msgspec import Struct

from shared.events.base import Event, Instant

Channel = Literal["in-person", "telephone", "video", "home"]
KeptFor = Literal["anyone", "nhs-111", "same-day"]
"""Whom a slot is kept for. `nhs-111` slots are the ring-fence of GMS 7.9B.1; `same-day` is the practice's own share."""

CancelledBy = Literal["patient", "practice"]

Inflow = Literal["practice", "nhs-111", "public"]
"""Who can book: the practice's own system, NHS 111, and any other organisation (online booking among them)."""

ALL_INFLOW: tuple[Inflow, ...] = ("practice", "nhs-111", "public")


class Slot(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A stretch of a clinician's time that one appointment can take. `minutes` are real minutes from `start`."""

    id: str
    start: Instant
    minutes: int
    channel: Channel = "in-person"
    service_type: str = ""
    kept_for: KeptFor = "anyone"


class Patient(Struct, frozen=True, kw_only=True, gc=False):
    """Who an appointment is for. `id` is a keyed pseudonym; `sealed` opens only with the patient's own data key.

    Inside the seal: `shared.seal.PatientBlock` (NHS number, names, birth date, mobile).
    """

    id: str
    sealed: str


class Opening(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """To whom, beside the practice itself, slots kept for anyone are open, and when each may be had.

    Empty `organisation_types` or `organisations` (ODS codes): no restriction of that sort. A slot is released
    `days_ahead` calendar days (London) before its day, or at once; not before `embargo_until`; and it closes
    `closes_minutes` before it starts. `closed`: to nobody else, whatever the practice as a whole allows.
    """

    closed: bool = False
    organisation_types: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    days_ahead: int | None = None
    embargo_until: Instant | None = None
    closes_minutes: int = 0


class PracticeEvent(Event, frozen=True):
    """An event of `practice/<ods>`."""

    service: ClassVar[str] = "booking"
    practice: str

    @property
    def stream(self) -> str:
        return f"practice/{self.practice}"


class SessionEvent(Event, frozen=True):
    """An event of `session/<id>`."""

    service: ClassVar[str] = "booking"
    session: str
    practice: str

    @property
    def stream(self) -> str:
        return f"session/{self.session}"


class PracticeRegistered(PracticeEvent, frozen=True):
    """A practice keeps its diary here from now on; said again, with other details, it replaces them."""

    name: str
    town: str = ""
    postcode: str = ""
    telephone: str = ""
    nhs111_slots_per_day: int = 1


class PracticeOpened(PracticeEvent, frozen=True):
    """To whom the practice's slots are open from now on, where a session does not say otherwise."""

    opening: Opening


class PracticeFrozen(PracticeEvent, frozen=True):
    """No new appointments may come in from those whom it keeps out, while the outage lasts. Moves, cancellations and
    reading go on. Said again for the same outage, it replaces what was said before.
    """

    outage: str
    keeps_out: tuple[Inflow, ...] = ALL_INFLOW


class PracticeReopened(PracticeEvent, frozen=True):
    """The outage that froze the practice is over."""

    outage: str


class SessionPublished(SessionEvent, frozen=True):
    """A page was added to the diary, with its slots in order of start."""

    name: str
    clinician: str
    clinician_role: str
    location: str
    slots: tuple[Slot, ...]
    opening: Opening | None = None


class SessionOpened(SessionEvent, frozen=True):
    """To whom this session is open from now on; without `opening`, to whomever its practice is."""

    opening: Opening | None = None


class SlotsAdded(SessionEvent, frozen=True):
    """The session was extended; it now runs from `session_start` to `session_end`."""

    slots: tuple[Slot, ...]
    session_start: Instant | None = None
    session_end: Instant | None = None


class SlotsWithdrawn(SessionEvent, frozen=True):
    """Slots, by id, were taken out of the session, which now runs from `session_start` to `session_end`.

    Whoever had one of them is displaced, in the same transaction. A session without slots ends when it starts.
    """

    slots: tuple[str, ...]
    reason: str
    session_start: Instant | None = None
    session_end: Instant | None = None


class SlotsHeld(SessionEvent, frozen=True):
    """Somebody is about to book these slots: until then, or until `until`, nobody else can. There is no patient yet.

    `appointment` is the id of the appointment that may come of it, `held_by` the organisation's ODS code.
    """

    appointment: str
    slots: tuple[str, ...]
    start: Instant
    minutes: int
    until: Instant
    held_at: Instant
    held_by: str = ""


class HoldReleased(SessionEvent, frozen=True):
    """The hold is over without a booking, and its `slots` are free."""

    appointment: str
    reason: Literal["expired", "given-up", "withdrawn"]
    slots: tuple[str, ...] = ()


class AppointmentBooked(SessionEvent, frozen=True):
    """A patient has these slots of this session, be it at once or after a hold of the same `appointment`.

    `details` is sealed with the patient's key (`shared.seal.Details`: description, comment). `priority` is 0 for none,
    else 1 (highest) to 9 (R4 Appointment.priority). `textable`: the patient has a mobile that can be texted.
    `replaces` is the appointment this one was moved from, and `move` the request that moved it. `booked_by` is the
    organisation's ODS code, with the name and telephone it gave; of a move it is `rebooking`, or, at another practice
    than the patient's own, the code of that one. `once` names the request: none is booked twice.
    """

    appointment: str
    slots: tuple[str, ...]
    start: Instant
    minutes: int
    patient: Patient
    details: str
    textable: bool
    booked_at: Instant
    priority: int = 0
    booked_by: str = ""
    identifier: str = ""
    replaces: str = ""
    move: str = ""
    booked_by_name: str = ""
    booked_by_telephone: str = ""
    once: str = ""


class AppointmentAmended(SessionEvent, frozen=True):
    """The description or the comment was changed; `details` is the whole new sealed text."""

    appointment: str
    details: str


class AppointmentCancelled(SessionEvent, frozen=True):
    """The appointment is off and its `slots` are free. `reason` is an HL7 appointment-cancellation-reason code.

    One that was displaced has no slots any more. `replaced_by` is the appointment it was rescheduled to, booked in the
    same transaction.
    """

    appointment: str
    cancelled_by: CancelledBy
    reason: str
    slots: tuple[str, ...] = ()
    replaced_by: str = ""


class AppointmentDisplaced(SessionEvent, frozen=True):
    """Its slots were withdrawn: the patient cannot be seen then, and waits for another time. Rebooking takes it up.

    `withdrawal` is the same for all that one withdrawal displaces; `reason` is a sentence for the practice. `slots` are
    all it had, withdrawn or not: it has none of them any more.
    """

    appointment: str
    patient: str
    start: Instant
    minutes: int
    withdrawal: str
    reason: str
    session_name: str = ""
    slots: tuple[str, ...] = ()


class AppointmentEnteredInError(SessionEvent, frozen=True):
    """There never was such an appointment; it was written down by mistake. Its `slots`, if it held any, are free."""

    appointment: str
    slots: tuple[str, ...] = ()


class AppointmentMoved(SessionEvent, frozen=True):
    """The appointment of this session gave way to another, in one transaction with the `AppointmentBooked` it names.

    `appointment`, `session`, `start`, `slots` are the old ones, and the slots are free again (a displaced one had lost
    them before); `to_…` are the new ones. `practice` is the one that the move was asked for, even if the old one was at
    another; `to_practice` is set if the new one is.
    """

    appointment: str
    start: Instant
    patient: str
    move: str
    outage: str
    to_appointment: str
    to_session: str
    to_slots: tuple[str, ...]
    to_start: Instant
    to_minutes: int
    textable: bool
    slots: tuple[str, ...] = ()
    to_practice: str = ""


class MoveRejected(SessionEvent, frozen=True):
    """A requested move could not be made; nothing has changed. `reason` is a sentence for the practice."""

    appointment: str
    move: str
    outage: str
    reason: str


class PatientArrived(SessionEvent, frozen=True):
    """The patient is in the waiting room."""

    appointment: str


class AppointmentFulfilled(SessionEvent, frozen=True):
    """The patient was seen."""

    appointment: str


class AppointmentMissed(SessionEvent, frozen=True):
    """The patient did not come."""

    appointment: str


BookingEvent = (
    PracticeRegistered
    | PracticeOpened
    | PracticeFrozen
    | PracticeReopened
    | SessionPublished
    | SessionOpened
    | SlotsAdded
    | SlotsWithdrawn
    | SlotsHeld
    | HoldReleased
    | AppointmentBooked
    | AppointmentAmended
    | AppointmentCancelled
    | AppointmentDisplaced
    | AppointmentEnteredInError
    | AppointmentMoved
    | MoveRejected
    | PatientArrived
    | AppointmentFulfilled
    | AppointmentMissed
)
