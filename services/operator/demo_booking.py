"""A practice system of the demo: it finds a free slot over FHIR, books it, and reads what it has booked."""

from collections.abc import Iterable
from typing import Any

from services.operator.demo_services import Place
from shared.refusals import NotFound

_NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
_ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"

_PATIENT = {
    "resourceType": "Patient",
    "id": "patient",
    "identifier": [{"system": _NHS_NUMBER, "value": "9990000018"}],
    "name": [{"family": "Latecomer", "given": ["Lena"]}],
    "birthDate": "1971-03-14",
    "telecom": [{"system": "phone", "use": "mobile", "value": "07700 900123"}],
}


async def free_slot(place: Place, practices: Iterable[str]) -> tuple[Place, dict[str, Any]]:
    """The system of the first of these practices that has such a slot: kept for nobody, and free from 30 July on; and
    its first, as a FHIR Slot. Raises `NotFound` if none has any.
    """
    for practice in practices:
        system = place.as_practice(practice)
        search: dict[str, str | int] = {
            "schedule.actor:HealthcareService": f"{_ODS_CODE}|{practice}",
            "status": "free",
            "start": "ge2024-07-30",
            "end": "le2024-08-02",
        }
        found = await system.get("booking", "/fhir/R4/Slot", **search)
        for entry in found["entry"]:
            if not entry["resource"].get("comment"):
                return system, entry["resource"]
    raise NotFound("no practice has a free slot from 30 July to 2 August to book meanwhile", code="no-free-slot")


async def book_meanwhile(place: Place, slot: dict[str, Any]) -> None:
    """Book it for somebody, read it back, and say so."""
    booked = await place.post(
        "booking",
        "/fhir/R4/Appointment",
        {
            "resourceType": "Appointment",
            "status": "booked",
            "contained": [_PATIENT],
            "description": "Stitches to be taken out",
            "start": slot["start"],
            "end": slot["end"],
            "slot": [{"reference": f"Slot/{slot['id']}"}],
            "participant": [{"actor": {"reference": "#patient"}, "status": "accepted"}],
        },
    )
    read = await place.get("booking", f"/fhir/R4/Appointment/{booked['id']}")
    place.screen.says(
        f"Meanwhile booking takes a booking over FHIR, and reads it back: {read['status']}, {read['start']}."
    )
