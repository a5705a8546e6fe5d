"""What an appointment is after it was written: made from the event, so that nobody has to read it back."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from msgspec.structs import asdict

from services.booking.fhir import resources
from services.booking.fhir.desk import Desk, Place
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.resources import Json
from services.booking.fhir.unsealing import unsealed
from services.booking.projections import project
from services.booking.rows import AppointmentRow
from services.booking.tables import appointments
from shared.events.envelope import Recorded
from shared.project import Put, Remove

_COLUMNS = frozenset(field.name for field in fields(AppointmentRow))


def about(recorded: Iterable[Recorded], appointment: str) -> Recorded | None:
    """The last of the events that is about this appointment."""
    mine = [each for each in recorded if getattr(each.event, "appointment", None) == appointment]
    return mine[-1] if mine else None


def blank_row(place: Place, at: datetime) -> AppointmentRow:
    """An appointment in a slot of this sort, of which nothing has happened yet."""
    return AppointmentRow(
        appointment="",
        session=place.session,
        practice=place.practice,
        practice_name=place.practice_name,
        session_name=place.session_name,
        clinician=place.clinician,
        clinician_role=place.clinician_role,
        location=place.location,
        channel=place.channel,
        service_type=place.service_type,
        slots=(place.slot,),
        start=place.start,
        end=place.end,
        minutes=0,
        patient="",
        sealed="",
        details="",
        status="held",
        priority=0,
        booked_at=at,
        booked_by="",
        identifier="",
        replaces="",
        replaced_by="",
        reason="",
        booked_by_name="",
        booked_by_telephone="",
        until=None,
        version=0,
        changed_at=at,
    )


def changed_row(row: AppointmentRow, recorded: Recorded) -> AppointmentRow:
    """The appointment after what was recorded about it, just as the projection writes it into the table."""
    news: dict[str, Any] = {}
    for change in project(recorded):
        if change.table is appointments and not isinstance(change, Remove):
            news |= asdict(change.row) if isinstance(change, Put) else change.values
    return replace(row, **{name: news[name] for name in _COLUMNS & news.keys()})


async def rendered(desk: Desk, row: AppointmentRow) -> Json:
    """The appointment as it is read: opened with the patient's key, if that has not been destroyed."""
    key = (await desk.service.keys.find([row.patient])).get(row.patient) if row.patient else None
    return unsealed(row, key)


def answer(ask: Ask, row: AppointmentRow, resource: Json, status: int = 200) -> Answer:
    """The appointment with what R4 wants to be said of its version."""
    headers = {
        "ETag": resources.etag(row),
        "Last-Modified": format_datetime(row.changed_at, usegmt=True),
    }
    if status == 201:
        headers["Location"] = f"{ask.base}/Appointment/{row.appointment}/_history/{row.version}"
    if row.status == "held" and row.until is not None:
        headers["Expires"] = format_datetime(row.until, usegmt=True)
    return Answer(resource, status, headers, row.practice)
