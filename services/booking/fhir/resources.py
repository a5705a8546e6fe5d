"""Booking's resources as FHIR R4 JSON, made directly: UK identifiers, and UK local times with their offset.

Where UK Core and GP Connect have an extension each for the same thing, both are written: UK Core's for who reads R4,
GP Connect's for the many systems that still look for the one they know.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from services.booking.commands import Status
from services.booking.rows import AppointmentRow, SessionRow, SlotRow
from shared.clock import in_london
from shared.events.booking import Channel
from shared.seal import Details, PatientBlock

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
CANCELLATION_REASON = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
REPLACES = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.replaces"
"""R5's `Appointment.replaces`, by the official name it has in R4."""
CANCELLATION_DATE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.cancellationDate"
"""R5's `Appointment.cancellationDate`, likewise."""

_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
_GP_CONNECT = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-"
DELIVERY_CHANNEL = f"{_UK_CORE}DeliveryChannel"
DELIVERY_CHANNELS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeliveryChannel"
GP_CONNECT_DELIVERY_CHANNEL = f"{_GP_CONNECT}DeliveryChannel-2"
BOOKING_ORGANISATIONS = (f"{_UK_CORE}BookingOrganization", f"{_GP_CONNECT}BookingOrganisation-1")
PRACTITIONER_ROLE = f"{_GP_CONNECT}PractitionerRole-1"
"""UK Core has none: R4 has the role as an actor of the Schedule, which is written too. In a diary it is free text."""

Json = dict[str, Any]

_CHANNELS: Mapping[Channel, str] = MappingProxyType(
    {"in-person": "In-person", "telephone": "Telephone", "video": "Video", "home": "In-person"}
)
STATUSES: Mapping[Status, str] = MappingProxyType(
    {
        "held": "pending",
        "booked": "booked",
        "arrived": "arrived",
        "fulfilled": "fulfilled",
        "noshow": "noshow",
        "cancelled": "cancelled",
        "moved": "cancelled",
        "released": "cancelled",
        "displaced": "waitlist",
        "entered-in-error": "entered-in-error",
    }
)
"""What R4 calls each of Daybook's."""


@lru_cache(maxsize=8192)
def local(instant: datetime) -> str:
    """The instant as people in the UK read it, with its offset."""
    return in_london(instant).isoformat()


def slot(row: SlotRow, meta: Json | None = None) -> Json:
    """A Slot."""
    resource: Json = {"resourceType": "Slot", "id": row.slot}
    if meta:
        resource["meta"] = meta
    resource["extension"] = _delivery_channel(row.channel)
    if row.service_type:
        resource["serviceType"] = [{"text": row.service_type}]
    resource["schedule"] = {"reference": f"Schedule/{row.session}"}
    resource["status"] = row.status
    resource["start"] = local(row.start)
    resource["end"] = local(row.end)
    if row.kept_for != "anyone":
        resource["comment"] = f"Kept for {row.kept_for}"
    return resource


def schedule(row: SessionRow, meta: Json | None = None) -> Json:
    """A session, as a Schedule."""
    role = [{"url": PRACTITIONER_ROLE, "valueCodeableConcept": {"text": row.clinician_role}}]
    return _without_blanks(
        {
            "resourceType": "Schedule",
            "id": row.session,
            "meta": meta or {},
            "extension": role if row.clinician_role else [],
            "serviceCategory": _text(row.name),
            "actor": [_practice(row.practice, row.practice_name), *_staff(row)],
            "planningHorizon": {"start": local(row.start), "end": local(row.end)},
        }
    )


def appointment(row: AppointmentRow, patient: PatientBlock | None, details: Details | None) -> Json:
    """An Appointment. Without `patient` and `details` it is a hold, or its patient's key has been destroyed."""
    organisation = _organisation(row)
    contained = [_patient(patient)] if patient else []
    return _without_blanks(
        {
            "resourceType": "Appointment",
            "id": row.appointment,
            "meta": meta(str(row.version), row.changed_at),
            "contained": [*contained, *organisation],
            "extension": [*_delivery_channel(row.channel), *_booked_by(organisation), *_lineage(row)],
            "identifier": _identifier(row.identifier),
            "status": STATUSES[row.status],
            "cancelationReason": _cancellation(row),
            "serviceType": _text(row.service_type),
            "priority": row.priority,
            "description": details.description if details else "",
            "start": local(row.start),
            "end": local(row.end),
            "minutesDuration": row.minutes,
            "slot": [{"reference": f"Slot/{slot}"} for slot in row.slots],
            "created": local(row.booked_at),
            "comment": details.comment if details else "",
            "participant": [{"actor": actor, "status": "accepted"} for actor in (*_who(row, patient), *_where(row))],
        }
    )


def meta(version: str, changed_at: datetime) -> Json:
    """Which version of a resource this is, and since when."""
    return {"versionId": version, "lastUpdated": local(changed_at)}


def etag(row: AppointmentRow) -> str:
    """The weak entity tag of this version."""
    return f'W/"{row.version}"'


def _patient(block: PatientBlock) -> Json:
    return _without_blanks(
        {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{"system": NHS_NUMBER, "value": block.nhs_number}],
            "name": [{"family": block.family_name, "given": [block.given_name]}],
            "telecom": [{"system": "phone", "value": block.mobile}] if block.mobile else [],
            "birthDate": block.birth_date,
        }
    )


def _who(row: AppointmentRow, block: PatientBlock | None) -> list[Json]:
    if not row.patient:
        return []
    if block is None:
        return [{"type": "Patient", "display": "Erased"}]
    identifier = {"system": NHS_NUMBER, "value": block.nhs_number}
    display = f"{block.given_name} {block.family_name}"
    return [{"reference": "#patient", "type": "Patient", "identifier": identifier, "display": display}]


def _where(row: AppointmentRow) -> list[Json]:
    return [_practice(row.practice, row.practice_name), *_staff(row)]


def _practice(practice: str, name: str) -> Json:
    return _without_blanks(
        {"type": "HealthcareService", "identifier": {"system": ODS_CODE, "value": practice}, "display": name}
    )


def _staff(row: AppointmentRow | SessionRow) -> list[Json]:
    named = {"Practitioner": row.clinician, "PractitionerRole": row.clinician_role, "Location": row.location}
    return [{"type": kind, "display": display} for kind, display in named.items() if display]


def _delivery_channel(channel: Channel) -> list[Json]:
    code = _CHANNELS[channel]
    concept = {"coding": [{"system": DELIVERY_CHANNELS, "code": code, "display": code}]}
    return [
        {"url": DELIVERY_CHANNEL, "valueCodeableConcept": concept},
        {"url": GP_CONNECT_DELIVERY_CHANNEL, "valueCode": code},
    ]


def _organisation(row: AppointmentRow) -> list[Json]:
    """Who booked, if it is known: an organisation, by its ODS code, or by the name and telephone it gave.

    What came from other diaries can have been booked by a word (“reception”), which is nobody's code.
    """
    known = {
        "identifier": [{"system": ODS_CODE, "value": row.booked_by}] if _is_code(row.booked_by) else [],
        "name": row.booked_by_name,
        "telecom": [{"system": "phone", "value": row.booked_by_telephone}] if row.booked_by_telephone else [],
    }
    if not any(known.values()):
        return []
    return [_without_blanks({"resourceType": "Organization", "id": "booking-organisation", **known})]


def _is_code(text: str) -> bool:
    return 2 <= len(text) <= 12 and text.isascii() and text.isalnum() and text == text.upper()


def _booked_by(organisation: list[Json]) -> list[Json]:
    reference = {"reference": "#booking-organisation"}
    return [{"url": url, "valueReference": reference} for url in BOOKING_ORGANISATIONS] if organisation else []


def _lineage(row: AppointmentRow) -> list[Json]:
    """What it came in the place of, and when it was called off."""
    found: list[Json] = []
    if row.replaces:
        found.append({"url": REPLACES, "valueReference": {"reference": f"Appointment/{row.replaces}"}})
    if row.status in ("cancelled", "moved", "released"):
        found.append({"url": CANCELLATION_DATE, "valueDateTime": local(row.changed_at)})
    return found


def _identifier(identifier: str) -> list[Json]:
    system, _, value = identifier.rpartition("|")
    return [_without_blanks({"system": system, "value": value})] if value else []


def _cancellation(row: AppointmentRow) -> Json:
    match row.status:
        case "cancelled" if row.replaced_by:
            return {"coding": [_reason(row.reason)], "text": "Moved to another time"}
        case "cancelled":
            return {"coding": [_reason(row.reason)]}
        case "moved":
            return {"coding": [_reason("other")], "text": "Moved to another time"}
        case "released":
            return {"coding": [_reason("other")], "text": "Held, and not booked"}
        case _:
            return {}


def _reason(code: str) -> Json:
    return {"system": CANCELLATION_REASON, "code": code}


def _text(text: str) -> list[Json]:
    return [{"text": text}] if text else []


def _without_blanks(resource: Json) -> Json:
    """FHIR knows no empty strings, lists or objects."""
    return {name: value for name, value in resource.items() if value not in ("", [], {})}
