"""What a practice's own system asks of booking, in FHIR: which slots are free, and to book one."""

from typing import Any

from services.operator.bearer import PracticeBearer
from tests.journeys.running import Daybook

ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
PATIENT = {
    "resourceType": "Patient",
    "id": "patient",
    "identifier": [{"system": NHS_NUMBER, "value": "9999999468"}],
    "name": [{"family": "Newcomer", "given": ["Ada"]}],
    "birthDate": "1971-03-14",
    "telecom": [{"system": "phone", "use": "mobile", "value": "07700 900123"}],
}


def system_of(daybook: Daybook, practice: str) -> PracticeBearer:
    """The token of the practice's system."""
    return PracticeBearer(daybook.token("--practice", practice))


def free_slots(daybook: Daybook, practice: str, system: PracticeBearer, first: str, last: str) -> list[dict[str, Any]]:
    """The slots on these days that anyone may have, in order of start."""
    search = {
        "schedule.actor:HealthcareService": f"{ODS_CODE}|{practice}",
        "status": "free",
        "start": f"ge{first}",
        "end": f"le{last}",
        "_count": "500",
    }
    found = daybook.ask("booking", "GET", "/fhir/R4/Slot", params=search, auth=system)["entry"]
    slots = [entry["resource"] for entry in found if entry["resource"]["resourceType"] == "Slot"]
    return sorted((slot for slot in slots if not slot.get("comment")), key=lambda slot: str(slot["start"]))


def book(daybook: Daybook, slot: dict[str, Any], system: PracticeBearer) -> str:
    """Book it for somebody nobody knew; raises if the answer is not 201."""
    appointment = {
        "resourceType": "Appointment",
        "status": "booked",
        "contained": [PATIENT],
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [{"actor": {"reference": "#patient"}, "status": "accepted"}],
    }
    return str(daybook.ask("booking", "POST", "/fhir/R4/Appointment", json=appointment, auth=system)["id"])
