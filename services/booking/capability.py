"""What the FHIR API can do, said in FHIR: the CapabilityStatement at `/metadata`."""

from services.booking.fhir import Json

_SEARCH = (
    ("status", "token", "free, busy or busy-unavailable (nobody has it, but the practice's systems are down)"),
    ("start", "date", "ge: from when; le: until when, if end is not given"),
    ("schedule", "reference", "The session the slot is in"),
    ("end", "date", "le: the slot ends by then. Not an R4 parameter: GP Connect's, as R6 will have it"),
    ("practice", "token", "ODS code; also as schedule.actor:HealthcareService.identifier"),
)


def capability_statement(date: str) -> Json:
    """The statement; `date` is the day it is made."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Daybook booking"},
        "implementation": {"description": "The diaries of a county's general practices"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "The header Daybook-Caller (public, nhs-111 or practice) says who asks; it decides "
                "which kept slots are seen and may be booked.",
                "resource": [_slot(), _resource("Schedule", "read"), _appointment()],
            }
        ],
    }


def _slot() -> Json:
    parameters = [{"name": name, "type": kind, "documentation": text} for name, kind, text in _SEARCH]
    return _resource("Slot", "read", "search-type") | {"searchInclude": ["Slot:schedule"], "searchParam": parameters}


def _appointment() -> Json:
    return _resource("Appointment", "read", "create", "update") | {
        "documentation": "The patient is contained. An update cancels: status, cancelationReason, and nothing else.",
        "versioning": "versioned-update",
        "readHistory": False,
        "updateCreate": False,
    }


def _resource(kind: str, *interactions: str) -> Json:
    return {"type": kind, "interaction": [{"code": code} for code in interactions]}
