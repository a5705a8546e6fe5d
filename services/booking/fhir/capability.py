"""What the FHIR API can do, said in FHIR: the CapabilityStatement at `/metadata`."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from services.booking.fhir.definitions import HOLD, RESCHEDULE, search_parameter
from services.booking.fhir.resources import NHS_NUMBER, STATUSES, Json
from services.booking.fhir.slot_params import WIDEST

_STANDARD = "http://hl7.org/fhir/SearchParameter/"
_PRACTICE = "A practice, by ODS code"

_SEARCHES: Mapping[str, Sequence[tuple[str, str, str]]] = MappingProxyType(
    {
        "Slot": (
            (
                "status",
                "token",
                "Required: any of free, busy, busy-tentative (held) and busy-unavailable (systems down)",
            ),
            (
                "start",
                "date",
                f"ge: from when, required; le: until when, if end is not given. {WIDEST.days} days at most",
            ),
            (
                "schedule",
                "reference",
                "The session; schedule.actor.identifier or schedule.actor:HealthcareService: a practice",
            ),
            ("service-type", "token", "How the text of its type begins, whatever the case"),
        ),
        "Schedule": (
            ("_id", "token", "Its id, or several with commas"),
            ("actor", "reference", f"{_PRACTICE}; also actor.identifier, actor:HealthcareService"),
            ("date", "date", "When the session is on: eq, ge, gt, le, lt; may be repeated"),
        ),
        "Appointment": (
            ("_id", "token", "Its id, or several with commas"),
            ("_lastUpdated", "date", "When it last changed"),
            ("patient", "reference", f"Whose: patient:identifier={NHS_NUMBER}|…, also patient.identifier"),
            ("date", "date", "When it starts: eq, ge, gt, le, lt; may be repeated"),
            ("status", "token", f"Any of {', '.join(sorted(set(STATUSES.values())))}"),
            ("identifier", "token", "The booker's own, as system|value"),
            ("actor", "reference", f"{_PRACTICE}; also actor.identifier, actor:HealthcareService"),
            ("location", "reference", f"{_PRACTICE}; also location.identifier"),
            ("slot", "reference", "A slot that it has, or had"),
        ),
    }
)
_ADDED: Mapping[str, Sequence[Json]] = MappingProxyType(
    {
        "Slot": (
            search_parameter(
                "Slot", "end", "date", "le: the slot ends by then. GP Connect's, as R6 will have it", "Slot.end"
            ),
            search_parameter("Slot", "practice", "token", _PRACTICE),
            search_parameter(
                "Slot", "searchFilter", "token", "GP Connect's: as organisation type or ODS code, system|code"
            ),
        ),
        "Schedule": (search_parameter("Schedule", "practice", "token", _PRACTICE),),
        "Appointment": (
            search_parameter("Appointment", "practice", "token", _PRACTICE),
            search_parameter(
                "Appointment", "start", "date", "GP Connect's: twice, ge and le, dates not past", "Appointment.start"
            ),
        ),
    }
)
"""Parameters that R4 does not have."""

_READING = ("read", "vread", "history-instance", "search-type")


def capability_statement(date: str) -> Json:
    """The statement; `date` is the day it is made."""
    return {
        "resourceType": "CapabilityStatement",
        "contained": [*(added for kind in _ADDED for added in _ADDED[kind]), HOLD, RESCHEDULE],
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Daybook booking"},
        "implementation": {"description": "The diaries of a county's general practices"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "A practice's own system sees and changes all of that practice; others see the slots "
                "open to them and the appointments they booked. Searches take _count, _offset and _total, by GET and "
                "by POST to _search. A Slot search without a practice leaves total out beyond a thousand, but for "
                "_total=accurate. Slots in a search carry no version; read one to learn it.",
                "security": _security(),
                "resource": [_slot(), _schedule(), _appointment()],
                "interaction": [
                    {"code": "batch", "documentation": "POST a Bundle to the base address; 50 entries at most"},
                    {"code": "transaction", "documentation": "Writes only: all of them, or none"},
                ],
            }
        ],
    }


def _security() -> Json:
    system = "http://terminology.hl7.org/CodeSystem/restful-security-service"
    return {
        "service": [{"coding": [{"system": system, "code": code}]} for code in ("SMART-on-FHIR", "OAuth")],
        "description": "An OAuth 2 bearer token (JWT) with the caller's ODS code and organisation type, and the scopes "
        "of SMART: system/Slot.rs, system/Schedule.rs, system/Appointment.crus.",
    }


def _slot() -> Json:
    return _resource("Slot", *_READING) | {"versioning": "versioned", "searchInclude": ["Slot:schedule"]}


def _schedule() -> Json:
    return _resource("Schedule", *_READING) | {"versioning": "versioned"}


def _appointment() -> Json:
    operations = [
        {"name": definition["code"], "definition": f"#{definition['id']}", "documentation": definition["description"]}
        for definition in (HOLD, RESCHEDULE)
    ]
    return _resource("Appointment", *_READING, "create", "update") | {
        "documentation": "The patient is contained. An update cancels, confirms or gives up a hold, marks, or amends "
        "description and comment. Idempotency-Key makes a create safe to repeat. _sort takes date and -date.",
        "versioning": "versioned-update",
        "conditionalCreate": True,
        "searchInclude": ["Appointment:slot"],
        "operation": operations,
    }


def _resource(kind: str, *interactions: str) -> Json:
    standard = [_parameter(name, type, text, _definition(kind, name)) for name, type, text in _SEARCHES[kind]]
    added = [_parameter(each["code"], each["type"], each["description"], f"#{each['id']}") for each in _ADDED[kind]]
    return {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": False,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
        "searchParam": [*standard, *added],
    }


def _parameter(name: str, kind: str, text: str, definition: str) -> Json:
    return {"name": name, "definition": definition, "type": kind, "documentation": text}


def _definition(kind: str, name: str) -> str:
    """R4's own: those of every resource stand under Resource."""
    return f"{_STANDARD}Resource-{name[1:]}" if name.startswith("_") else f"{_STANDARD}{kind}-{name}"
