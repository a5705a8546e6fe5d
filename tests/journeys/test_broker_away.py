"""The broker may be away: booking goes on, and the others catch up when it is back."""

from typing import Any

from services.operator.bearer import PracticeBearer
from shared.events.booking import AppointmentBooked
from tests.journeys.recovery import District, fill, log_of
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


def free_slot(daybook: Daybook, practice: str, system: PracticeBearer) -> dict[str, Any]:
    search = {
        "schedule.actor:HealthcareService": f"{ODS_CODE}|{practice}",
        "status": "free",
        "start": "ge2024-07-30",
        "end": "le2024-08-02",
    }
    found = daybook.ask("booking", "GET", "/fhir/R4/Slot", params=search, auth=system)["entry"]
    slots: list[dict[str, Any]] = [entry["resource"] for entry in found]
    return next(slot for slot in slots if not slot.get("comment"))


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


def test_without_the_broker_booking_goes_on_and_the_others_catch_up_later(daybook: Daybook, district: District) -> None:
    fill(daybook, district)
    practice = district.codes[0]
    system = PracticeBearer(daybook.token("--practice", practice))
    slot = free_slot(daybook, practice, system)

    daybook.control("stop", "nats")
    try:
        booked = book(daybook, slot, system)
        status = daybook.ask("booking", "GET", "/v1/status")
        assert status["broker"] == "down"
        assert status["relayed"] == status["position"] - 1
        assert daybook.ask("rebooking", "GET", "/v1/status")["followed"]["booking"] == status["relayed"]
        assert "up, without the broker" in daybook.command("status").stdout
    finally:
        daybook.control("start", "nats")

    daybook.at_rest()
    for follower in ("rebooking", "notifications"):
        assert daybook.ask(follower, "GET", "/v1/status")["followed"]["booking"] == status["position"]
    events = [recorded.event for recorded in log_of(daybook.settings)]
    assert len([each for each in events if isinstance(each, AppointmentBooked) and each.appointment == booked]) == 1
