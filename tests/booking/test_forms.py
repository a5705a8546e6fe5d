"""What callers send as FHIR: what is read of it, and what is refused, element by element."""

from typing import Any

import pytest

from services.booking.fhir import NHS_NUMBER
from services.booking.forms import BookingForm, CancellationForm, read_booking, read_cancellation
from shared.refusals import Refusal
from tests.booking.paper import appointment, patient, reason


def read(resource: Any) -> BookingForm:
    return read_booking(resource, made_up=True)


def refusal(resource: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        read(resource)
    return refused.value.code, refused.value.where


def test_a_booking_is_read() -> None:
    form = read(appointment())
    assert form.slots == ("slot-1",)
    assert (form.patient.given_name, form.patient.mobile, form.textable) == ("Ann", "+447700900123", True)
    assert (form.details.description, form.details.comment) == ("Back pain", "Walks with a stick")
    assert (form.end - form.start).total_seconds() == 600


def test_the_booking_organisation_is_known_by_its_ods_code() -> None:
    organisation = {
        "resourceType": "Organization",
        "id": "o",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "111AA1"}],
    }
    assert read(appointment(contained=[patient(), organisation])).booked_by == "111AA1"


def test_a_mobile_goes_before_other_telephones() -> None:
    both = [{"system": "phone", "value": "01227 123456"}, {"system": "phone", "value": "07700900123", "use": "mobile"}]
    assert read(appointment(who=patient(telecom=both))).patient.mobile == "+447700900123"


def test_a_patient_without_a_telephone_can_be_booked() -> None:
    form = read(appointment(who=patient(telecom=[])))
    assert (form.patient.mobile, form.textable) == ("", False)


def test_the_older_spelling_of_the_nhs_number_system_is_taken() -> None:
    older = [{"system": "https://fhir.nhs.uk/id/nhs-number", "value": "9990000018"}]
    assert read(appointment(who=patient(identifier=older))).patient.nhs_number == "9990000018"


@pytest.mark.parametrize("text", ["x" * 100, "ü" * 100])
def test_text_up_to_the_limit_is_kept_whole(text: str) -> None:
    assert read(appointment(description=text)).details.description == text


@pytest.mark.parametrize(
    ("others", "code", "element"),
    [
        ({"slot": [{"reference": "Schedule/1"}]}, "invalid-resource", "slot"),
        ({"slot": "Slot/1"}, "invalid-resource", "slot"),
        ({"start": "2024-07-22T09:00:00"}, "invalid-resource", "start"),
        ({"start": "tomorrow"}, "invalid-resource", "start"),
        ({"end": None}, "invalid-resource", "end"),
        ({"minutesDuration": 15}, "invalid-resource", "minutesDuration"),
        ({"description": "x" * 101}, "too-long", "description"),
        ({"comment": "x" * 501}, "too-long", "comment"),
        ({"description": 7}, "invalid-resource", "description"),
        ({"status": "proposed"}, "invalid-resource", "status"),
        ({"priority": 10}, "invalid-resource", "priority"),
        ({"priority": True}, "invalid-resource", "priority"),
        ({"reasonCode": [{"text": "Back pain"}]}, "not-kept", "reasonCode"),
        ({"contained": []}, "invalid-resource", "contained"),
        ({"contained": [patient(), patient()]}, "invalid-resource", "contained"),
        ({"participant": []}, "invalid-resource", "participant"),
        ({"participant": [{"actor": {"reference": "#p"}}]}, "invalid-resource", "participant.status"),
        ({"identifier": [{"value": "1"}, {"value": "2"}]}, "invalid-resource", "identifier"),
    ],
)
def test_an_element_that_makes_no_sense_is_named(others: dict[str, Any], code: str, element: str) -> None:
    assert refusal(appointment(**others)) == (code, f"Appointment.{element}")


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"identifier": [{"system": NHS_NUMBER, "value": "9990000019"}]}, "bad-nhs-number"),
        ({"identifier": [{"system": NHS_NUMBER, "value": "999 000 0018"}]}, "bad-nhs-number"),
        ({"identifier": [{"system": "urn:other", "value": "9990000018"}]}, "bad-identifier-system"),
        ({"identifier": []}, "bad-identifier-system"),
        ({"name": []}, "invalid-resource"),
        ({"name": [{"family": "Teak", "given": [7]}]}, "invalid-resource"),
        ({"name": [{"family": "", "given": ["Ann"]}]}, "missing-name"),
        ({"birthDate": "1958"}, "bad-birth-date"),
        ({"telecom": [{"system": "phone", "value": "none"}]}, "bad-telephone"),
    ],
)
def test_a_patient_who_cannot_be_identified_is_refused(others: dict[str, Any], code: str) -> None:
    assert refusal(appointment(who=patient(**others)))[0] == code


@pytest.mark.parametrize("resource", [None, [], "Appointment", {}, {"resourceType": "Slot"}])
def test_anything_but_an_appointment_is_refused(resource: Any) -> None:
    assert refusal(resource) == ("wrong-resource", "resourceType")


CURRENT = appointment(id="1", meta={"versionId": "2"})


def cancel(**changes: Any) -> CancellationForm:
    return read_cancellation(CURRENT | {"status": "cancelled", "cancelationReason": reason()} | changes, CURRENT)


def test_the_reason_says_who_cancels() -> None:
    assert cancel() == CancellationForm("patient", "pat")
    assert cancel(cancelationReason=reason("pat-fb")) == CancellationForm("patient", "pat-fb")
    assert cancel(cancelationReason=reason("prov-pers")) == CancellationForm("practice", "prov-pers")
    assert cancel(cancelationReason=reason("oth-weath")) == CancellationForm("practice", "oth-weath")


def test_an_equal_instant_with_another_offset_is_no_change() -> None:
    assert cancel(start="2024-07-22T08:00:00Z") == CancellationForm("patient", "pat")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "booked"},
        {"cancelationReason": {"text": "Feels better"}},
        {"cancelationReason": reason("whim")},
        {"cancelationReason": "pat"},
        {"description": "Front pain"},
        {"start": "2024-07-22T09:10:00+01:00"},
        {"slot": [{"reference": "Slot/other"}]},
        {"specialty": [{"text": "Dermatology"}]},
        {"id": "another"},
    ],
)
def test_a_cancellation_changes_nothing_else(change: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        cancel(**change)
    assert (refused.value.code, refused.value.where) == ("invalid-resource", f"Appointment.{next(iter(change))}")
