"""The resources as they are written: valid R4, UK identifiers and times, and nothing that is not known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from fhir.resources.R4B import get_fhir_model_class

from services.booking.commands import Status
from services.booking.fhir import resources as fhir
from services.booking.fhir.resources import Json
from services.booking.rows import AppointmentRow, SessionRow, SlotRow
from shared.seal import Details, PatientBlock

NINE = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
BOOKED = datetime(2024, 7, 19, 11, 0, tzinfo=UTC)

SLOT = SlotRow(
    "slot-1", "monday", "A1", NINE, NINE + timedelta(minutes=10), 10, "home", "GP consultation", "anyone", "free"
)
SESSION = SessionRow(
    "monday", "A1", "Harbour Surgery", "Morning", "Dr Jones", "GP", "Room 1", NINE, NINE + timedelta(hours=3)
)
ROW = AppointmentRow(
    appointment="ann-s",
    session="monday",
    practice="A1",
    practice_name="Harbour Surgery",
    session_name="Morning",
    clinician="Dr Jones",
    clinician_role="GP",
    location="Room 1",
    channel="video",
    service_type="GP consultation",
    slots=("slot-1",),
    start=NINE,
    end=NINE + timedelta(minutes=10),
    minutes=10,
    patient="pseudonym",
    sealed="",
    details="",
    status="booked",
    priority=0,
    booked_at=BOOKED,
    booked_by="U1",
    identifier="urn:practice|7",
    replaces="",
    replaced_by="",
    reason="",
    booked_by_name="Harbour Clinic",
    booked_by_telephone="01632 960111",
    until=None,
    version=3,
    changed_at=BOOKED,
)
ANN = PatientBlock(nhs_number="9990000018", given_name="Ann", family_name="Teak", birth_date="1958-03-31")
DETAILS = Details(description="Back pain")


def valid(resource: Json) -> Json:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


def appointment(**others: Any) -> Json:
    return valid(fhir.appointment(replace(ROW, **others), ANN, DETAILS))


def extensions(resource: Json) -> dict[str, Any]:
    """The value of each extension, by its address."""
    return {each["url"]: next(value for name, value in each.items() if name != "url") for each in resource["extension"]}


class TestASlot:
    def test_says_how_the_patient_is_seen_for_uk_core_and_for_gp_connect(self) -> None:
        found = extensions(valid(fhir.slot(SLOT)))
        assert found[fhir.DELIVERY_CHANNEL]["coding"][0]["code"] == "In-person"
        assert found[fhir.GP_CONNECT_DELIVERY_CHANNEL] == "In-person"

    def test_is_whom_it_is_kept_for_only_if_it_is_kept(self) -> None:
        assert "comment" not in fhir.slot(SLOT)
        assert valid(fhir.slot(replace(SLOT, kept_for="nhs-111")))["comment"] == "Kept for nhs-111"

    @pytest.mark.parametrize(
        ("instant", "local"),
        [
            ("2024-10-27T00:30:00+00:00", "2024-10-27T01:30:00+01:00"),
            ("2024-10-27T01:30:00+00:00", "2024-10-27T01:30:00+00:00"),
            ("2025-03-30T00:59:00+00:00", "2025-03-30T00:59:00+00:00"),
            ("2025-03-30T01:00:00+00:00", "2025-03-30T02:00:00+01:00"),
        ],
    )
    def test_is_told_in_local_time_over_both_clock_changes(self, instant: str, local: str) -> None:
        assert fhir.slot(replace(SLOT, start=datetime.fromisoformat(instant)))["start"] == local


class TestASession:
    def test_names_its_practice_its_clinician_and_their_role(self) -> None:
        schedule = valid(fhir.schedule(SESSION))
        assert schedule["actor"][0]["identifier"] == {"system": fhir.ODS_CODE, "value": "A1"}
        assert [actor["type"] for actor in schedule["actor"][1:]] == ["Practitioner", "PractitionerRole", "Location"]
        assert extensions(schedule) == {fhir.PRACTITIONER_ROLE: {"text": "GP"}}
        assert schedule["serviceCategory"] == [{"text": "Morning"}]

    def test_without_a_role_has_none(self) -> None:
        schedule = valid(fhir.schedule(replace(SESSION, clinician_role="", location="", name="")))
        assert "extension" not in schedule
        assert "serviceCategory" not in schedule


class TestAnAppointment:
    @pytest.mark.parametrize("status", get_args(Status))
    def test_is_valid_wherever_it_stands(self, status: Status) -> None:
        assert appointment(status=status, reason="prov")["status"] == fhir.STATUSES[status]

    def test_that_is_off_says_why_and_since_when(self) -> None:
        off = appointment(status="cancelled", reason="pat")
        assert off["cancelationReason"] == {"coding": [{"system": fhir.CANCELLATION_REASON, "code": "pat"}]}
        assert extensions(off)[fhir.CANCELLATION_DATE] == "2024-07-19T12:00:00+01:00"
        assert fhir.CANCELLATION_DATE not in extensions(appointment())

    def test_that_gave_way_to_another_says_so(self) -> None:
        for change in ({"status": "moved"}, {"status": "cancelled", "reason": "pat", "replaced_by": "new"}):
            assert appointment(**change)["cancelationReason"]["text"] == "Moved to another time"
        after = extensions(appointment(replaces="old"))
        assert after[fhir.REPLACES] == {"reference": "Appointment/old"}

    def test_names_who_booked_it(self) -> None:
        booked = appointment()
        organisation = booked["contained"][1]
        assert organisation["identifier"] == [{"system": fhir.ODS_CODE, "value": "U1"}]
        assert (organisation["name"], organisation["telecom"][0]["value"]) == ("Harbour Clinic", "01632 960111")
        for url in fhir.BOOKING_ORGANISATIONS:
            assert extensions(booked)[url] == {"reference": f"#{organisation['id']}"}

    def test_booked_by_a_word_of_another_diary_names_nobody(self) -> None:
        booked = appointment(booked_by="reception", booked_by_name="", booked_by_telephone="")
        assert [each["resourceType"] for each in booked["contained"]] == ["Patient"]
        assert not set(fhir.BOOKING_ORGANISATIONS) & extensions(booked).keys()

    def test_that_is_only_held_has_no_patient(self) -> None:
        held = valid(
            fhir.appointment(replace(ROW, status="held", patient="", booked_by="", booked_by_name=""), None, None)
        )
        assert "HealthcareService" in held["participant"][0]["actor"]["type"]
        assert "description" not in held

    def test_of_a_patient_who_was_erased_says_that_somebody_was_there(self) -> None:
        erased = valid(fhir.appointment(ROW, None, None))
        assert erased["participant"][0]["actor"] == {"type": "Patient", "display": "Erased"}

    def test_says_which_version_it_is(self) -> None:
        assert appointment()["meta"] == {"versionId": "3", "lastUpdated": "2024-07-19T12:00:00+01:00"}
