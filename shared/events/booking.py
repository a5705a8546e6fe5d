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


class PracticeFrozen(PracticeEvent, frozen=True):
    """No new appointments may come in while the outage lasts. Moves, cancellations and reading go on."""

    outage: str


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


class SlotsAdded(SessionEvent, frozen=True):
    """The session was extended; it now runs from `session_start` to `session_end`."""

    slots: tuple[Slot, ...]
    session_start: Instant | None = None
    session_end: Instant | None = None


class SlotsWithdrawn(SessionEvent, frozen=True):
    """Free slots, by id, were taken out of the session."""

    slots: tuple[str, ...]
    reason: str


class AppointmentBooked(SessionEvent, frozen=True):
    """A patient has these slots of this session.

    `details` is sealed with the patient's key (`shared.seal.Details`: description, comment). `priority` is 0 for none,
    else 1 (highest) to 9 (R4 Appointment.priority). `textable`: the patient has a mobile that can be texted.
    `replaces` is the appointment this one was moved from, and `move` the request that moved it.
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


class AppointmentAmended(SessionEvent, frozen=True):
    """The description or the comment was changed; `details` is the whole new sealed text."""

    appointment: str
    details: str


class AppointmentCancelled(SessionEvent, frozen=True):
    """The appointment is off and its `slots` are free. `reason` is an HL7 appointment-cancellation-reason code."""

    appointment: str
    cancelled_by: CancelledBy
    reason: str
    slots: tuple[str, ...] = ()


class AppointmentMoved(SessionEvent, frozen=True):
    """The appointment of this session gave way to another, in one transaction with the `AppointmentBooked` it names.

    `appointment`, `session`, `start`, `slots` are the old ones, and the slots are free again; `to_…` are the new ones.
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
    | PracticeFrozen
    | PracticeReopened
    | SessionPublished
    | SlotsAdded
    | SlotsWithdrawn
    | AppointmentBooked
    | AppointmentAmended
    | AppointmentCancelled
    | AppointmentMoved
    | MoveRejected
    | PatientArrived
    | AppointmentFulfilled
    | AppointmentMissed
)
