"""What booking remembers in order to decide: the practice as a whole, and each page of its diary.

Each event makes a new state, so these are `Struct`s: a dataclass that cannot change takes five times as long to make.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from msgspec import Struct, field

from services.booking.commands import Standing, Status
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    CancelledBy,
    HoldReleased,
    Opening,
    PracticeRegistered,
    Slot,
    SlotsHeld,
)


class NotYet(Struct, frozen=True, gc=False):
    """Nobody has registered this practice or published this session. Moves can have been rejected all the same."""

    version: int = 0
    rejected: frozenset[str] = frozenset()


class Practice(Struct, frozen=True, gc=False):
    """A practice that keeps its diary here. `outages` are those that last, each with whom it keeps out."""

    registered: PracticeRegistered
    outages: Mapping[str, tuple[Standing, ...]] = field(default_factory=dict)
    over: frozenset[str] = frozenset()
    opening: Opening | None = None

    def keeps_out(self, standing: Standing) -> bool:
        """Whether it takes no new appointments now from whoever stands so."""
        return any(standing in kept_out for kept_out in self.outages.values())


class Appointment(Struct, frozen=True, gc=False):
    """An appointment as it was booked, where it stands now, and the version of the stream that brought it there."""

    booked: AppointmentBooked
    status: Status
    version: int
    move: str = ""

    @property
    def to_come(self) -> bool:
        """Whether the patient is still expected."""
        return self.status in ("booked", "arrived")

    @property
    def owed(self) -> bool:
        """Whether the patient is still to be seen: then, or, if displaced, at another time."""
        return self.to_come or self.status == "displaced"

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots it still has. A displaced one has lost them, maybe to somebody else by now."""
        return self.booked.slots if self.to_come or self.status in ("fulfilled", "noshow") else ()


class Hold(Struct, frozen=True, gc=False):
    """Slots that somebody is about to book, or was, and the version of the stream that brought it there."""

    held: SlotsHeld
    version: int
    released: bool = False

    def lasts(self, now: datetime) -> bool:
        """Whether nobody else can have the slots."""
        return not self.released and now < self.held.until


class Page(Struct, frozen=True, gc=False):
    """A published session: its slots, who has or holds them, and every appointment it ever had.

    `takers` are appointments and unreleased holds, by slot; `withdrawn` are the slots taken out, by id.
    """

    version: int
    practice: str
    name: str
    opening: Opening | None
    slots: Mapping[str, Slot]
    rejected: frozenset[str]
    takers: Mapping[str, str]
    appointments: Mapping[str, Appointment]
    holds: Mapping[str, Hold]
    withdrawn: frozenset[str]


State = NotYet | Practice | Page


@cache
def lasting(minutes: int) -> timedelta:
    """So long are so many minutes. Few different ones come, and making each anew is felt by the hundred thousand."""
    return timedelta(minutes=minutes)


def slot_end(slot: Slot) -> datetime:
    """When the next slot may begin."""
    return slot.start + lasting(slot.minutes)


def cancelled(known: Appointment, by: CancelledBy, reason: str, replaced_by: str = "") -> AppointmentCancelled:
    """The event that calls the appointment off and frees its slots."""
    booked = known.booked
    return AppointmentCancelled(
        session=booked.session,
        practice=booked.practice,
        appointment=booked.appointment,
        cancelled_by=by,
        reason=reason,
        slots=known.slots,
        replaced_by=replaced_by,
    )


def released(hold: Hold, reason: Literal["given-up", "withdrawn"], now: datetime) -> HoldReleased:
    """The event that ends the hold and frees its slots; if its time is over, that is the reason."""
    held = hold.held
    return HoldReleased(
        session=held.session,
        practice=held.practice,
        appointment=held.appointment,
        reason=reason if hold.lasts(now) else "expired",
        slots=held.slots,
    )
