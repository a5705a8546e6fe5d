"""A session as the plain API takes it: one clinician's list for one day."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.booking.commands import Sheet
from services.booking.diary import LONGEST_SLOT
from services.booking.pages import kept_for, session_id, slot_id
from services.booking.practices import ods_code
from shared.clock import london_date, parse_instant
from shared.events.booking import Channel, KeptFor, Slot
from shared.refusals import Refusal


class SlotForm(BaseModel):
    """A slot to publish. `start` without offset is UK local time; `kept_for` follows from the service if left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str
    minutes: int = Field(ge=1, le=LONGEST_SLOT, strict=True)
    channel: Channel = "in-person"
    service_type: str = ""
    kept_for: KeptFor | None = None


class SessionForm(BaseModel):
    """A session to publish."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    practice: str
    name: str = Field(min_length=1)
    clinician: str = Field(min_length=1)
    clinician_role: str = ""
    location: str = ""
    slots: tuple[SlotForm, ...] = Field(min_length=1, max_length=500)


def sheet(form: SessionForm) -> Sheet:
    """The page of the diary that the form describes. Raises `Refusal` if a start makes no sense."""
    starts = [_start(slot, place) for place, slot in enumerate(form.slots)]
    days = {london_date(start) for start in starts}
    if len(days) > 1:
        raise Refusal("A session is of one day", code="several-days", where="slots")
    session = session_id(ods_code(form.practice), form.name, form.clinician, days.pop())
    slots = [_slot(session, start, slot) for start, slot in zip(starts, form.slots, strict=True)]
    return Sheet(
        session=session,
        practice=form.practice,
        name=form.name,
        clinician=form.clinician,
        clinician_role=form.clinician_role,
        location=form.location,
        slots=tuple(sorted(slots, key=lambda slot: slot.start)),
    )


def _start(slot: SlotForm, place: int) -> datetime:
    try:
        return parse_instant(slot.start)
    except Refusal as refusal:
        raise Refusal(refusal.message, code=refusal.code, where=f"slots[{place}].start") from None


def _slot(session: str, start: datetime, form: SlotForm) -> Slot:
    return Slot(
        id=slot_id(session, start),
        start=start,
        minutes=form.minutes,
        channel=form.channel,
        service_type=form.service_type,
        kept_for=form.kept_for or kept_for(form.service_type),
    )
