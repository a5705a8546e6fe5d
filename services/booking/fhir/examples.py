"""Requests and answers as they go over the wire, for the API's own description: Ann Teak, who does not exist.

The slots are those of Dr Jones's morning at practice A1 on Monday 22 July 2024; whoever publishes it can book them.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.booking.fhir import resources
from services.booking.fhir.desk import Place
from services.booking.fhir.resources import CANCELLATION_REASON, NHS_NUMBER, Json
from services.booking.fhir.written import blank_row
from services.booking.pages import session_id, slot_id
from services.booking.rows import AppointmentRow
from shared.seal import Details, PatientBlock

_MEDIA_TYPE = "application/fhir+json"
_MADE_AT = datetime(2024, 7, 19, 11, 0, tzinfo=UTC)
_START = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
_SESSION = session_id("A1", "Morning", "Dr Jones", date(2024, 7, 22))
_NINE, _TEN_PAST = (slot_id(_SESSION, _START + timedelta(minutes=minutes)) for minutes in (0, 10))
_ID = "01981f4e-7b1a-7c52-9d3e-5a0f6c2b8e11"
_LATER_ID = "01981f4e-9c40-7d18-8a6b-2f7e1d0c4b93"
_ANN = PatientBlock(
    nhs_number="9990000018",
    given_name="Ann",
    family_name="Teak",
    birth_date="1958-03-31",
    mobile="+447700900123",
)
_DETAILS = Details(description="Back pain", comment="Walks with a stick")


def _row(slot: str, start: datetime, **others: Any) -> AppointmentRow:
    place = Place(
        slot=slot,
        session=_SESSION,
        practice="A1",
        practice_name="Harbour Surgery",
        session_name="Morning",
        clinician="Dr Jones",
        clinician_role="GP",
        location="Room 1",
        channel="in-person",
        service_type="GP consultation",
        start=start,
        end=start + timedelta(minutes=10),
    )
    usual: dict[str, Any] = {"appointment": _ID, "minutes": 10, "booked_by": "A1", "version": 2}
    return replace(blank_row(place, _MADE_AT), **usual | others)


def _reason(code: str) -> Json:
    return {"coding": [{"system": CANCELLATION_REASON, "code": code}]}


HOLD: Json = {
    "resourceType": "Parameters",
    "parameter": [{"name": "slot", "valueReference": {"reference": f"Slot/{_NINE}"}}],
}
HELD = resources.appointment(_row(_NINE, _START, until=_MADE_AT + timedelta(minutes=10)), None, None)

BOOKING: Json = {
    "resourceType": "Appointment",
    "contained": [
        {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{"system": NHS_NUMBER, "value": _ANN.nhs_number}],
            "name": [{"family": _ANN.family_name, "given": [_ANN.given_name]}],
            "telecom": [{"system": "phone", "value": "07700 900123", "use": "mobile"}],
            "birthDate": _ANN.birth_date,
        }
    ],
    "status": "booked",
    "description": _DETAILS.description,
    "comment": _DETAILS.comment,
    "start": "2024-07-22T09:00:00+01:00",
    "end": "2024-07-22T09:10:00+01:00",
    "slot": [{"reference": f"Slot/{_NINE}"}],
    "created": "2024-07-19T12:00:00+01:00",
    "participant": [{"actor": {"reference": "#patient"}, "status": "accepted"}],
}
_BOOKED_ROW = _row(_NINE, _START, status="booked", patient="ann")
BOOKED = resources.appointment(_BOOKED_ROW, _ANN, _DETAILS)

CANCELLATION: Json = BOOKED | {"status": "cancelled", "cancelationReason": _reason("pat")}
CANCELLED = resources.appointment(replace(_BOOKED_ROW, status="cancelled", reason="pat", version=3), _ANN, _DETAILS)

RESCHEDULING: Json = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "slot", "valueReference": {"reference": f"Slot/{_TEN_PAST}"}},
        {"name": "reason", "valueCodeableConcept": _reason("pat")},
    ],
}
RESCHEDULED = resources.appointment(
    _row(
        _TEN_PAST,
        _START + timedelta(minutes=10),
        appointment=_LATER_ID,
        status="booked",
        patient="ann",
        replaces=_ID,
        version=4,
    ),
    _ANN,
    _DETAILS,
)

BATCH: Json = {
    "resourceType": "Bundle",
    "type": "batch",
    "entry": [
        {"request": {"method": "GET", "url": f"Slot/{_TEN_PAST}"}},
        {"resource": BOOKING, "request": {"method": "POST", "url": "Appointment"}},
    ],
}
BATCH_ANSWER: Json = {
    "resourceType": "Bundle",
    "type": "batch-response",
    "entry": [
        {
            "resource": {
                "resourceType": "Slot",
                "id": _TEN_PAST,
                "schedule": {"reference": f"Schedule/{_SESSION}"},
                "status": "free",
                "start": "2024-07-22T09:10:00+01:00",
                "end": "2024-07-22T09:20:00+01:00",
            },
            "response": {"status": "200"},
        },
        {
            "resource": BOOKED,
            "response": {"status": "201", "location": f"Appointment/{_ID}/_history/2", "etag": 'W/"2"'},
        },
    ],
}

REFUSED: Json = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "conflict",
            "details": {
                "coding": [
                    {"system": "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode", "code": "DUPLICATE_REJECTED"},
                    {"system": "urn:daybook:refusal", "code": "slot-taken"},
                ],
                "text": "The slot has been taken",
            },
            "diagnostics": "Appointment.slot: The slot has been taken",
            "expression": ["Appointment.slot"],
        },
        {
            "extension": [
                {"url": "urn:daybook:alternative-slot", "valueReference": {"reference": f"Slot/{_TEN_PAST}"}},
            ],
            "severity": "information",
            "code": "informational",
            "details": {"text": "Free at 2024-07-22T09:10:00+01:00"},
        },
    ],
}

_SEARCHES: dict[str, dict[str, str]] = {
    "Slot": {"start": "ge2024-07-22", "end": "le2024-07-26", "status": "free", "_include": "Slot:schedule"},
    "Schedule": {"date": "2024-07-22"},
    "Appointment": {"patient:identifier": f"{NHS_NUMBER}|{_ANN.nhs_number}"},
}


_HEADERS: dict[str, dict[str, Any]] = {
    "If-Match": {"required": True, "description": "The ETag of the version that was read", "example": 'W/"2"'},
    "If-None-Exist": {"description": "Book only if nothing has this identifier yet", "example": "identifier=urn:x|7"},
    "Idempotency-Key": {"description": "A name for this request: repeated under it, it is done once"},
}


def takes(body: Json, answer: Json, status: int, *headers: str) -> dict[str, Any]:
    """How a route that takes a resource is described: what is sent, what comes back, and how it is refused.

    `headers` are those it heeds beside the ones that every route does.
    """
    described = answers(status, str(answer["resourceType"]), answer)
    if "If-None-Exist" in headers:
        described["responses"]["200"] = described["responses"][str(status)] | {"description": "It exists already"}
    parameters = [{"name": name, "in": "header", "schema": {"type": "string"}, **_HEADERS[name]} for name in headers]
    return {
        "parameters": parameters,
        "requestBody": {"required": True, "content": {_MEDIA_TYPE: {"schema": _OBJECT, "example": body}}},
        **described,
    }


def answers(status: int, kind: str, example: Json | None = None) -> dict[str, Any]:
    """How a route that gives a resource of this kind is described."""
    content: dict[str, Any] = {"schema": _OBJECT}
    if example is not None:
        content["example"] = example
    refused = {"schema": _OBJECT, "example": REFUSED}
    return {
        "responses": {
            str(status): {"description": kind, "content": {_MEDIA_TYPE: content}},
            "4XX": {"description": "OperationOutcome", "content": {_MEDIA_TYPE: refused}},
            "5XX": {"description": "OperationOutcome", "content": {_MEDIA_TYPE: {"schema": _OBJECT}}},
        }
    }


def searches(kind: str) -> dict[str, Any]:
    """How a search by address is described: a few of its parameters; `/metadata` has them all."""
    parameters = [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string"}, "example": value}
        for name, value in _SEARCHES[kind].items()
    ]
    return {"parameters": parameters, **answers(200, "Bundle")}


def form(kind: str) -> dict[str, Any]:
    """How a search by form is described; its parameters may stand in the address as well."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in _SEARCHES[kind]}}
    content = {"application/x-www-form-urlencoded": {"schema": schema, "example": _SEARCHES[kind]}}
    return {"requestBody": {"required": False, "content": content}, **answers(200, "Bundle")}


_OBJECT: dict[str, Any] = {"type": "object", "required": ["resourceType"]}
