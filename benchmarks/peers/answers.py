"""What the peer answers: FHIR R4 JSON of its rows, element for element what Daybook answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.responses import JSONResponse

from benchmarks.peers.models import Appointment, Patient, Practice, Session, Slot
from benchmarks.peers.shapes import NHS_NUMBER

ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
DELIVERY_CHANNEL = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeliveryChannel"
DELIVERY_CHANNELS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-DeliveryChannel"
GP_CONNECT = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-GPConnect-"
LONDON = ZoneInfo("Europe/London")
_CHANNELS = {"in-person": "In-person", "telephone": "Telephone", "video": "Video", "home": "In-person"}

Json = dict[str, Any]

_BOOKED_BY = [
    {"url": url, "valueReference": {"reference": "#booking-organisation"}}
    for url in (
        "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-BookingOrganization",
        f"{GP_CONNECT}BookingOrganisation-1",
    )
]


class FhirResponse(JSONResponse):
    """A resource, never to be stored on the way."""

    media_type = "application/fhir+json"

    def __init__(self, content: Json, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store", **(headers or {})})


def local(instant: datetime) -> str:
    """With London's offset."""
    return instant.astimezone(LONDON).isoformat()


def appointment(row: Appointment) -> Json:
    """An Appointment with its patient, its slots and whom to see."""
    slot = row.slots[0]
    return _filled(
        {
            "resourceType": "Appointment",
            "id": str(row.id),
            "meta": {"versionId": str(row.version), "lastUpdated": local(row.updated)},
            "extension": [*_delivery_channel(slot.channel), *_BOOKED_BY],
            "contained": [_patient(row.patient), _organisation(row.booked_by)],
            "status": row.status,
            "serviceType": [{"text": slot.service_type}],
            "priority": row.priority,
            "description": row.description,
            "start": local(row.start),
            "end": local(row.end),
            "minutesDuration": int((row.end - row.start).total_seconds() // 60),
            "slot": [{"reference": f"Slot/{each.id}"} for each in row.slots],
            "created": local(row.created),
            "comment": row.comment,
            "participant": [
                {"actor": actor, "status": "accepted"} for actor in (_who(row.patient), *_where(slot.session))
            ],
        }
    )


def slot(row: Slot) -> Json:
    """A Slot."""
    return {
        "resourceType": "Slot",
        "id": str(row.id),
        "extension": _delivery_channel(row.channel),
        "serviceType": [{"text": row.service_type}],
        "schedule": {"reference": f"Schedule/{row.session_id}"},
        "status": "free" if row.appointment_id is None else "busy",
        "start": local(row.start),
        "end": local(row.end),
    }


def schedule(row: Session) -> Json:
    """A session."""
    return {
        "resourceType": "Schedule",
        "id": str(row.id),
        "extension": [{"url": f"{GP_CONNECT}PractitionerRole-1", "valueCodeableConcept": {"text": row.clinician_role}}],
        "serviceCategory": [{"text": row.name}],
        "actor": _where(row),
        "planningHorizon": {"start": local(row.start), "end": local(row.end)},
    }


def searchset(
    base: str, total: int, links: Mapping[str, str], slots: Sequence[Slot], sessions: Sequence[Session]
) -> Json:
    """The slots found, and the sessions that go with them."""
    entries = [_entry(base, slot(row), "match") for row in slots]
    entries += [_entry(base, schedule(row), "include") for row in sessions]
    return _filled(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": total,
            "link": [{"relation": relation, "url": url} for relation, url in links.items()],
            "entry": entries,
        }
    )


def outcome(code: str, text: str) -> Json:
    """An OperationOutcome with one issue."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]}


def headers(base: str, row: Appointment) -> dict[str, str]:
    """What R4 wants to be said of this version."""
    return {
        "ETag": f'W/"{row.version}"',
        "Last-Modified": format_datetime(row.updated, usegmt=True),
        "Location": f"{base}/Appointment/{row.id}/_history/{row.version}",
    }


def _delivery_channel(channel: str) -> list[Json]:
    code = _CHANNELS[channel]
    concept = {"coding": [{"system": DELIVERY_CHANNELS, "code": code, "display": code}]}
    return [
        {"url": DELIVERY_CHANNEL, "valueCodeableConcept": concept},
        {"url": f"{GP_CONNECT}DeliveryChannel-2", "valueCode": code},
    ]


def _entry(base: str, resource: Json, mode: str) -> Json:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def _patient(row: Patient) -> Json:
    return _filled(
        {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{"system": NHS_NUMBER, "value": row.nhs_number}],
            "name": [{"family": row.family_name, "given": [row.given_name]}],
            "telecom": [{"system": "phone", "value": row.mobile}] if row.mobile else [],
            "birthDate": row.birth_date.isoformat(),
        }
    )


def _organisation(code: str) -> Json:
    return {
        "resourceType": "Organization",
        "id": "booking-organisation",
        "identifier": [{"system": ODS_CODE, "value": code}],
    }


def _who(row: Patient) -> Json:
    return {
        "reference": "#patient",
        "type": "Patient",
        "identifier": {"system": NHS_NUMBER, "value": row.nhs_number},
        "display": f"{row.given_name} {row.family_name}",
    }


def _where(row: Session) -> list[Json]:
    staff = {"Practitioner": row.clinician, "PractitionerRole": row.clinician_role, "Location": row.location}
    return [_practice(row.practice), *({"type": kind, "display": name} for kind, name in staff.items() if name)]


def _practice(row: Practice) -> Json:
    return {
        "type": "HealthcareService",
        "identifier": {"system": ODS_CODE, "value": row.code},
        "display": row.name,
    }


def _filled(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if value not in ("", [], {})}
