"""The parameters of an Appointment search: whose, when, where, and how nonsense is told from them."""

from datetime import UTC, datetime

import pytest

from services.booking.fhir.appointment_params import AppointmentSearch, read_appointment_parameters
from services.booking.fhir.resources import NHS_NUMBER, ODS_CODE
from services.booking.fhir.search_dates import EVER
from shared.refusals import Refusal

NOW = datetime(2024, 7, 19, 11, 0, tzinfo=UTC)
ANN = ("patient:identifier", f"{NHS_NUMBER}|9990000018")


def read(*sent: tuple[str, str]) -> AppointmentSearch:
    return read_appointment_parameters(sent, lambda number: f"pseudonym of {number}", NOW)[0]


def london(text: str) -> datetime:
    return datetime.fromisoformat(f"{text if 'T' in text else f'{text}T00:00'}+01:00")


def test_a_patient_is_named_by_nhs_number_in_every_way_it_is_written() -> None:
    for name in ("patient:identifier", "patient.identifier", "patient:Patient.identifier"):
        for system in (f"{NHS_NUMBER}|", "https://fhir.nhs.uk/id/nhs-number|", ""):
            assert read((name, f"{system}9990000018")).patients == ["pseudonym of 9990000018"]


def test_an_identifier_of_another_system_is_nobody_s() -> None:
    assert read(("patient:identifier", "https://elsewhere|9990000018")).patients == []


@pytest.mark.parametrize(
    ("dates", "start", "end"),
    [
        (("2024-07-22",), london("2024-07-22"), london("2024-07-23")),
        (("eq2024-07",), london("2024-07-01"), london("2024-08-01")),
        (("ge2024-07-22",), london("2024-07-22"), EVER[1]),
        (("gt2024-07-22",), london("2024-07-23"), EVER[1]),
        (("le2024-07-22",), EVER[0], london("2024-07-23")),
        (("lt2024-07-22",), EVER[0], london("2024-07-22")),
        (("ge2024-07-22", "lt2024-07-24"), london("2024-07-22"), london("2024-07-24")),
        (("2024-07-22T09:00:00+01:00",), london("2024-07-22T09:00:00"), london("2024-07-22T09:00:01")),
        (("2024-07-22T09:00+01:00",), london("2024-07-22T09:00:00"), london("2024-07-22T09:01:00")),
        (("ge2024-07-22T09:00:00 01:00",), london("2024-07-22T09:00:00"), EVER[1]),
    ],
)
def test_dates_are_those_of_r4(dates: tuple[str, ...], start: datetime, end: datetime) -> None:
    search = read(*(("date", date) for date in dates))
    assert (search.start, search.end) == (start, end)


def test_the_listing_of_gp_connect_begins_today_at_the_earliest() -> None:
    search = read(ANN, ("start", "ge2024-07-19"), ("start", "le2024-07-26"))
    assert (search.start, search.end) == (london("2024-07-19"), london("2024-07-27"))


def test_statuses_are_those_of_r4() -> None:
    assert read(ANN, ("status", "cancelled,pending")).statuses == ["held", "cancelled", "moved", "released"]
    assert read(ANN).statuses is None


def test_a_practice_is_an_actor_a_location_or_itself() -> None:
    for name in ("practice", "actor.identifier", "actor:HealthcareService", "location:identifier"):
        assert read(ANN, (name, f"{ODS_CODE}|A1")).practice == "A1"


def test_slots_and_ids_can_be_several() -> None:
    assert read(("slot", "Slot/a,b")).slots == ["a", "b"]
    assert read(("_id", "a,b")).ids == ["a", "b"]
    assert read(("identifier", "urn:x|7")).identifiers == ["urn:x|7"]


@pytest.mark.parametrize(
    ("sent", "code", "where"),
    [
        ((), "missing-parameter", "patient:identifier"),
        ((("status", "booked"), ("practice", "A1")), "missing-parameter", "patient:identifier"),
        ((("patient", "Patient/1"),), "bad-parameter", "patient"),
        ((("patient:identifier", f"{NHS_NUMBER}|9990000019"),), "bad-nhs-number", "nhs_number"),
        ((ANN, ("date", "2024-13-01")), "bad-parameter", "date"),
        ((ANN, ("date", "ne2024-07-22")), "bad-parameter", "date"),
        ((ANN, ("date", "2024-07-22T09:00:00")), "bad-parameter", "date"),
        ((ANN, ("start", "ge2024-07-19")), "bad-parameter", "start"),
        ((ANN, ("start", "ge2024-07-19"), ("start", "ge2024-07-20")), "bad-parameter", "start"),
        ((ANN, ("start", "ge2024-07-18"), ("start", "le2024-07-26")), "bad-parameter", "start"),
        ((ANN, ("start", "ge2024-07-22"), ("start", "le2024-07-20")), "bad-parameter", "start"),
        ((ANN, ("start", "ge2024-07-19T09:00:00+01:00"), ("start", "le2024-07-26")), "bad-parameter", "start"),
        ((ANN, ("start", "ge2024-07"), ("start", "le2024-08")), "bad-parameter", "start"),
        ((ANN, ("status", "gone")), "bad-parameter", "status"),
        ((("identifier", "7"),), "bad-parameter", "identifier"),
        ((ANN, ("_sort", "status")), "bad-parameter", "_sort"),
    ],
)
def test_nonsense_is_named(sent: tuple[tuple[str, str], ...], code: str, where: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(*sent)
    assert (refused.value.code, refused.value.where) == (code, where)
    assert "999" not in refused.value.message
