"""Reads the Appointments that callers send: what Daybook keeps of them, and a refusal for what it could not keep."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.booking.diary import LONGEST_DESCRIPTION
from services.booking.fhir.claims import Claims, read_claims
from services.booking.fhir.contained import Booker, check_narrative, patient_id, read_booker, read_patient
from services.booking.fhir.resources import (
    BOOKING_ORGANISATIONS,
    DELIVERY_CHANNEL,
    GP_CONNECT_DELIVERY_CHANNEL,
    REPLACES,
)
from services.booking.fhir.shapes import Appointment, Reference, shaped
from shared.refusals import Refusal
from shared.seal import Details, PatientBlock

LONGEST_COMMENT = 500
LONGEST_IDENTIFIER = 255
MOST_SLOTS = 48
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_CREATED = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?")
LOGICAL_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""What FHIR allows as an id."""


@dataclass(frozen=True, slots=True)
class BookingForm:
    """What somebody asks to be booked. Times are instants, in whichever offset they were written."""

    slots: tuple[str, ...]
    start: datetime
    end: datetime
    patient: PatientBlock
    textable: bool
    details: Details
    priority: int
    booker: Booker
    identifier: str
    replaces: str
    claims: Claims


@dataclass(frozen=True, slots=True)
class HoldForm:
    """What somebody asks to be held. Without `start` and `end`, as long as the slots are."""

    slots: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    booker: Booker
    claims: Claims


def read_booking(resource: Any, *, made_up: bool, base: str = "") -> BookingForm:
    """An Appointment that asks to be booked. References may be relative, or absolute under `base`."""
    sent = shaped(resource, Appointment)
    if sent.status != "booked":
        raise _refused("status", "An appointment is booked with status “booked”")
    patient, textable = read_patient(sent, made_up=made_up)
    start, end = _stretch(sent)
    return BookingForm(
        slots=_slots(sent, base),
        start=start,
        end=end,
        patient=patient,
        textable=textable,
        details=Details(
            description=text("description", sent.description, LONGEST_DESCRIPTION),
            comment=text("comment", sent.comment, LONGEST_COMMENT),
        ),
        priority=_priority(sent),
        booker=read_booker(sent),
        identifier=_identifier(sent),
        replaces=_extensions(sent, base),
        claims=read_claims(sent, patient.nhs_number),
    )


def read_hold(resource: Any, *, base: str = "") -> HoldForm:
    """An Appointment, still without its patient, whose slots are to be held."""
    sent = shaped(resource, Appointment)
    if sent.status != "pending":
        raise _refused("status", "Slots are held with status “pending”")
    premature = {
        "description": sent.description,
        "comment": sent.comment,
        "identifier": sent.identifier,
        "priority": sent.priority,
        "extension": _extensions(sent, base),
    }
    if patient_id(sent) or any(premature.values()):
        named = next((name for name, value in premature.items() if value), "contained")
        raise _refused(named, "A hold has no patient yet, nor what concerns them: send it when you book", "not-kept")
    start, end = _stretch(sent)
    booker = read_booker(sent)
    if booker.name or booker.telephone:
        raise _refused("contained", "A hold keeps the organisation's ODS code only: send the rest when you book")
    return HoldForm(_slots(sent, base), start, end, booker, read_claims(sent, ""))


def local_id(reference: Reference, kind: str, base: str, where: str) -> str:
    """The id of the resource referred to. Raises `Refusal` if it is of another kind, or nowhere that we could look."""
    path = reference.reference.removeprefix(f"{base}/") if base else reference.reference
    named, _, found = path.partition("/")
    if named != kind or reference.type not in ("", kind) or reference.identifier:
        raise Refusal(f"This must refer to {kind}/…", code="invalid-resource", where=where)
    if not LOGICAL_ID.fullmatch(found):
        code = "unknown-slot" if kind == "Slot" else "unknown-reference"
        raise Refusal(f"There is no such {kind.lower()}", code=code, where=where)
    return found


def text(element: str, sent: str | None, longest: int) -> str:
    """The whole text; too long a one is refused whole."""
    if sent is None:
        return ""
    if not sent.strip():
        raise _refused(element, "FHIR knows no empty text: leave the element out")
    if len(sent) > longest:
        raise _refused(element, f"The text has {len(sent)} characters; {longest} is the most", "too-long")
    return sent


def instant(element: str, sent: Any) -> datetime:
    """The instant that the element names, in any offset: 23:30Z and 00:30+01:00 are the same."""
    try:
        parsed = datetime.fromisoformat(sent) if isinstance(sent, str) and _INSTANT.fullmatch(sent) else None
    except ValueError:
        # No such day, or 23:59:60: no clock here shows a leap second.
        parsed = None
    if parsed is None:
        raise _refused(element, "A time is written with seconds and offset, as 2024-07-22T09:10:00+01:00")
    return parsed


def _stretch(sent: Appointment) -> tuple[datetime, datetime]:
    if sent.created is not None and not _CREATED.fullmatch(sent.created):
        raise _refused("created", "This is no date or time; Daybook writes down itself when it books")
    if sent.language and sent.language.partition("-")[0] != "en":
        raise _refused("language", "Daybook keeps English only", "not-kept")
    check_narrative(sent.text, "Appointment")
    start, end = instant("start", sent.start), instant("end", sent.end)
    if sent.minutes_duration is not None and sent.minutes_duration * 60 != (end - start).total_seconds():
        raise _refused("minutesDuration", "The duration is not that from start to end")
    return start, end


def _slots(sent: Appointment, base: str) -> tuple[str, ...]:
    if not 1 <= len(sent.slot) <= MOST_SLOTS:
        raise _refused("slot", f"Say which slots are to be taken, {MOST_SLOTS} at most")
    return tuple(
        local_id(reference, "Slot", base, f"Appointment.slot[{place}]") for place, reference in enumerate(sent.slot)
    )


def _priority(sent: Appointment) -> int:
    if not 0 <= sent.priority <= 9:
        raise _refused("priority", "A priority is 0 for none, else 1 (highest) to 9")
    return sent.priority


def _identifier(sent: Appointment) -> str:
    if not sent.identifier:
        return ""
    if len(sent.identifier) > 1:
        raise _refused("identifier", "Daybook keeps one business identifier of an appointment")
    system, value = sent.identifier[0].system, sent.identifier[0].value
    if not value or "|" in value:
        raise _refused("identifier[0].value", "An identifier has a value, without “|” in it")
    if max(len(system), len(value)) > LONGEST_IDENTIFIER:
        raise _refused("identifier", f"System and value have {LONGEST_IDENTIFIER} characters at most", "too-long")
    return f"{system}|{value}"


def _extensions(sent: Appointment, base: str) -> str:
    """The appointment that this one replaces, if any. Every other extension is one that Daybook knows, or refused."""
    replaces = ""
    organisations = {f"#{each.id}" for each in sent.contained if each.id}
    for place, extension in enumerate(sent.extension):
        where = f"extension[{place}]"
        referred = extension.value_reference or Reference()
        if extension.url == REPLACES and not replaces:
            replaces = local_id(referred, "Appointment", base, f"Appointment.{where}")
        elif extension.url in BOOKING_ORGANISATIONS:
            if referred.reference not in organisations:
                raise _refused(where, "This refers to nothing that is contained", "unknown-reference")
        elif extension.url not in (DELIVERY_CHANNEL, GP_CONNECT_DELIVERY_CHANNEL):
            raise _refused(where, "Daybook cannot keep this extension, so it does not take it", "not-kept")
    return replaces


def _refused(element: str, why: str, code: str = "invalid-resource") -> Refusal:
    return Refusal(why, code=code, where=f"Appointment.{element}")
