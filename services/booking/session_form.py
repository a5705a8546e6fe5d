"""A session as the plain API takes it, one clinician's list for one day, and slots to extend it by."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.booking.commands import Sheet
from services.booking.diary import LONGEST_SLOT
from services.booking.opening_form import OpeningForm
from services.booking.pages import kept_for, session_id, slot_id
from services.booking.practices import ods_code
from services.booking.rows import SessionRow
from shared.clock import london_date, parse_instant
from shared.events.booking import Channel, KeptFor, Slot
from shared.refusals import Refusal

MOST_SLOTS = 500

_YEARS = range(2000, 2200)

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
"""What no table refuses: PostgreSQL keeps any character but NUL."""


class SlotForm(BaseModel):
    """A slot to publish. `start` without offset is UK local time; `kept_for` follows from the service if left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str
    minutes: int = Field(ge=1, le=LONGEST_SLOT, strict=True)
    channel: Channel = "in-person"
    service_type: Text = ""
    kept_for: KeptFor | None = None


class SessionForm(BaseModel):
    """A session to publish."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    practice: str
    name: Text = Field(min_length=1)
    clinician: Text = Field(min_length=1)
    clinician_role: Text = ""
    location: Text = ""
    slots: tuple[SlotForm, ...] = Field(min_length=1, max_length=MOST_SLOTS)
    opening: OpeningForm | None = None


class SlotsForm(BaseModel):
    """Slots to add to a session; they are of its day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slots: tuple[SlotForm, ...] = Field(min_length=1, max_length=MOST_SLOTS)


def sheet(form: SessionForm) -> Sheet:
    """The page of the diary that the form describes. Raises `Refusal` if a start makes no sense."""
    day, slots = _slots(form.slots)
    session = session_id(ods_code(form.practice), form.name, form.clinician, day)
    return Sheet(
        session=session,
        practice=form.practice,
        name=form.name,
        clinician=form.clinician,
        clinician_role=form.clinician_role,
        location=form.location,
        slots=tuple(_slot(session, start, slot) for start, slot in slots),
    )


def added(form: SlotsForm, to: SessionRow) -> Sheet:
    """The new slots as a page of this session. Raises `Refusal` if a start makes no sense or is on another day."""
    day, slots = _slots(form.slots)
    if day != london_date(to.start):
        its_day = london_date(to.start).isoformat()
        raise Refusal(f"The session is of {its_day}, and so are its slots", code="another-day", where="slots")
    return Sheet(
        session=to.session,
        practice=to.practice,
        name=to.name,
        clinician=to.clinician,
        clinician_role=to.clinician_role,
        location=to.location,
        slots=tuple(_slot(to.session, start, slot) for start, slot in slots),
    )


def _slots(forms: Sequence[SlotForm]) -> tuple[date, Sequence[tuple[datetime, SlotForm]]]:
    """The one day that the slots are of, in London, and each with its start, in order of time."""
    starts = [_start(slot, place) for place, slot in enumerate(forms)]
    days = {london_date(start) for start in starts}
    if len(days) > 1:
        raise Refusal("A session is of one day", code="several-days", where="slots")
    return days.pop(), sorted(zip(starts, forms, strict=True), key=lambda slot: slot[0])


def _start(slot: SlotForm, place: int) -> datetime:
    where = f"slots[{place}].start"
    start = parse_instant(slot.start, where)
    if start.year not in _YEARS:
        raise Refusal("No diary is kept for that year", code="invalid-time", where=where)
    return start


def _slot(session: str, start: datetime, form: SlotForm) -> Slot:
    return Slot(
        id=slot_id(session, start),
        start=start,
        minutes=form.minutes,
        channel=form.channel,
        service_type=form.service_type,
        kept_for=form.kept_for or kept_for(form.service_type),
    )
