"""Booking's resources as FHIR R4 JSON, made directly: UK identifiers, and UK local times with their offset."""

from collections.abc import Mapping, Sequence
from datetime import datetime
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
DELIVERY_CHANNEL = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeliveryChannel"
REPLACES = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.replaces"
"""R5's `Appointment.replaces`, by the official name it has in R4."""

Json = dict[str, Any]

_CHANNELS: Mapping[Channel, str] = MappingProxyType(
    {"in-person": "In-person", "telephone": "Telephone", "video": "Video", "home": "In-person"}
)
_STATUSES: Mapping[Status, str] = MappingProxyType(
    {
        "booked": "booked",
        "arrived": "arrived",
        "fulfilled": "fulfilled",
        "noshow": "noshow",
        "cancelled": "cancelled",
        "moved": "cancelled",
    }
)


def local(instant: datetime) -> str:
    """The instant as people in the UK read it, with its offset."""
    return in_london(instant).isoformat()


def slot(row: SlotRow) -> Json:
    """A Slot."""
    return _without_blanks(
        {
            "resourceType": "Slot",
            "id": row.slot,
            "extension": [_delivery_channel(row.channel)],
            "serviceType": _text(row.service_type),
            "schedule": {"reference": f"Schedule/{row.session}"},
            "status": row.status,
            "start": local(row.start),
            "end": local(row.end),
            "comment": "" if row.kept_for == "anyone" else f"Kept for {row.kept_for}",
        }
    )


def schedule(row: SessionRow) -> Json:
    """A session, as a Schedule."""
    return {
        "resourceType": "Schedule",
        "id": row.session,
        "serviceCategory": _text(row.name),
        "actor": [_practice(row.practice, row.practice_name), *_staff(row)],
        "planningHorizon": {"start": local(row.start), "end": local(row.end)},
    }


def appointment(row: AppointmentRow, patient: PatientBlock | None, details: Details | None) -> Json:
    """An Appointment. Without `patient` and `details` it is one whose patient's key has been destroyed."""
    return _without_blanks(
        {
            "resourceType": "Appointment",
            "id": row.appointment,
            "meta": {"versionId": str(row.version), "lastUpdated": local(row.changed_at)},
            "extension": [_delivery_channel(row.channel), *_replaces(row.replaces)],
            "contained": [] if patient is None else [_patient(patient)],
            "identifier": _identifier(row.identifier),
            "status": _STATUSES[row.status],
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
            "participant": [{"actor": actor, "status": "accepted"} for actor in (_who(patient), *_where(row))],
        }
    )


def etag(row: AppointmentRow) -> str:
    """The weak entity tag of this version."""
    return f'W/"{row.version}"'


def bundle(total: int, links: Mapping[str, str], entries: Sequence[Json]) -> Json:
    """A searchset."""
    return _without_blanks(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": total,
            "link": [{"relation": relation, "url": url} for relation, url in links.items()],
            "entry": list(entries),
        }
    )


def entry(base: str, resource: Json, mode: str) -> Json:
    """A resource in a searchset; `mode` is match or include."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


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


def _who(block: PatientBlock | None) -> Json:
    if block is None:
        return {"type": "Patient", "display": "Erased"}
    return {
        "reference": "#patient",
        "type": "Patient",
        "identifier": {"system": NHS_NUMBER, "value": block.nhs_number},
        "display": f"{block.given_name} {block.family_name}",
    }


def _where(row: AppointmentRow) -> list[Json]:
    return [_practice(row.practice, row.practice_name), *_staff(row)]


def _practice(practice: str, name: str) -> Json:
    return {"type": "HealthcareService", "identifier": {"system": ODS_CODE, "value": practice}, "display": name}


def _staff(row: AppointmentRow | SessionRow) -> list[Json]:
    named = {"Practitioner": row.clinician, "PractitionerRole": row.clinician_role, "Location": row.location}
    return [{"type": kind, "display": display} for kind, display in named.items() if display]


def _delivery_channel(channel: Channel) -> Json:
    return {"url": DELIVERY_CHANNEL, "valueCode": _CHANNELS[channel]}


def _replaces(before: str) -> list[Json]:
    return [{"url": REPLACES, "valueReference": {"reference": f"Appointment/{before}"}}] if before else []


def _identifier(identifier: str) -> list[Json]:
    system, _, value = identifier.rpartition("|")
    return [_without_blanks({"system": system, "value": value})] if value else []


def _cancellation(row: AppointmentRow) -> Json:
    match row.status:
        case "cancelled":
            return {"coding": [{"system": CANCELLATION_REASON, "code": row.reason}]}
        case "moved":
            return {"coding": [{"system": CANCELLATION_REASON, "code": "other"}], "text": "Moved after an outage"}
        case _:
            return {}


def _text(text: str) -> list[Json]:
    return [{"text": text}] if text else []


def _without_blanks(resource: Json) -> Json:
    """FHIR knows no empty strings, lists or objects."""
    return {name: value for name, value in resource.items() if value not in ("", [], {})}
