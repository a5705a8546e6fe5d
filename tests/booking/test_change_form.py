"""What a PUT would change in an appointment: the one thing that it may, and every other refused by its name."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.booking.fhir.change_form import Amendment, Cancellation, Change, Marking, Nothing, Release, read_change
from services.booking.fhir.examples import BOOKED, CANCELLED, HELD
from services.booking.fhir.forms import BookingForm
from services.booking.fhir.resources import Json
from shared.refusals import Refusal
from shared.seal import Details
from tests.booking.paper import patient, reason


def change(current: Json, **others: Any) -> Change:
    return read_change(current | others, current, made_up=True)


def refusal(current: Json, **others: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        change(current, **others)
    return refused.value.code, refused.value.where


def cancel(current: Json = BOOKED, **others: Any) -> Change:
    return change(current, **{"status": "cancelled", "cancelationReason": reason(), **others})


def without(resource: Json, *elements: str) -> Json:
    return {name: value for name, value in resource.items() if name not in elements}


def test_the_reason_says_who_cancels() -> None:
    assert cancel() == Cancellation("patient", "pat")
    assert cancel(cancelationReason=reason("pat-fb")) == Cancellation("patient", "pat-fb")
    assert cancel(cancelationReason=reason("prov-pers")) == Cancellation("practice", "prov-pers")
    assert cancel(cancelationReason=reason("oth-weath")) == Cancellation("practice", "oth-weath")


def test_an_equal_instant_with_another_offset_is_no_change() -> None:
    assert cancel(start="2024-07-22T08:00:00Z") == Cancellation("patient", "pat")


def test_what_is_left_out_of_a_cancellation_stays_as_it_is() -> None:
    sent = without(BOOKED, "meta", "comment", "contained") | {"status": "cancelled", "cancelationReason": reason()}
    assert read_change(sent, BOOKED, made_up=True) == Cancellation("patient", "pat")


def test_a_cancellation_sent_again_is_the_same() -> None:
    assert cancel(BOOKED) == Cancellation("patient", "pat")
    again = BOOKED | {"status": "cancelled", "cancelationReason": reason()}
    assert read_change(again, CANCELLED, made_up=True) == Cancellation("patient", "pat")
    with pytest.raises(Refusal, match="another reason"):
        read_change(again | {"cancelationReason": reason("prov")}, CANCELLED, made_up=True)


def test_what_was_cancelled_or_moved_sent_back_as_it_was_read_changes_nothing() -> None:
    moved = reason("other") | {"text": "Moved to another time"}
    for current in (CANCELLED, CANCELLED | {"cancelationReason": moved}):
        assert read_change(current, current, made_up=True) == Nothing()


@pytest.mark.parametrize(
    "others",
    [
        {"cancelationReason": {"text": "Feels better"}},
        {"cancelationReason": reason("whim")},
        {"cancelationReason": reason("pat-whim")},
        {"cancelationReason": "pat"},
        {"description": "Front pain"},
        {"start": "2024-07-22T09:10:00+01:00"},
        {"slot": [{"reference": "Slot/other"}]},
        {"specialty": [{"text": "Dermatology"}]},
        {"priority": True},
        {"id": "another"},
    ],
)
def test_a_cancellation_changes_nothing_else(others: dict[str, Any]) -> None:
    current = {"status": "cancelled", "cancelationReason": reason()} | others
    assert refusal(BOOKED, **current) == ("invalid-resource", f"Appointment.{next(iter(others))}")


def test_words_beside_the_reason_would_be_lost() -> None:
    worded = reason() | {"text": "Feels better"}
    assert refusal(BOOKED, status="cancelled", cancelationReason=worded)[0] == "not-kept"


def test_the_same_status_amends_description_and_comment() -> None:
    assert change(BOOKED, comment="In a wheelchair") == Amendment(
        Details(description="Back pain", comment="In a wheelchair")
    )
    assert read_change(without(BOOKED, "comment"), BOOKED, made_up=True) == Amendment(Details(description="Back pain"))
    assert change(BOOKED) == Nothing()


@pytest.mark.parametrize("element", ["start", "end", "slot", "participant"])
def test_an_amendment_is_the_whole_appointment(element: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_change(without(BOOKED, element), BOOKED, made_up=True)
    assert refused.value.where == f"Appointment.{element}"


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"description": "x" * 101}, "too-long"),
        ({"comment": "x" * 501}, "too-long"),
        ({"comment": 7}, "invalid-resource"),
        ({"description": ""}, "invalid-resource"),
        ({"priority": 1}, "invalid-resource"),
        ({"cancelationReason": reason()}, "invalid-resource"),
        ({"contained": [patient(birthDate="1958-04-01")]}, "invalid-resource"),
    ],
)
def test_an_amendment_amends_nothing_else(others: dict[str, Any], code: str) -> None:
    assert refusal(BOOKED, **others) == (code, f"Appointment.{next(iter(others))}")


@pytest.mark.parametrize("mark", ["arrived", "fulfilled", "noshow", "entered-in-error"])
def test_the_practice_marks_what_it_saw(mark: str) -> None:
    assert change(BOOKED, status=mark) == Marking(mark)  # type: ignore[arg-type]
    assert refusal(BOOKED, status=mark, comment="Late") == ("invalid-resource", "Appointment.comment")


@pytest.mark.parametrize("status", ["proposed", "pending", "waitlist", "checked-in", "", None, 7, ["booked"]])
def test_there_is_no_way_to_another_status(status: Any) -> None:
    assert refusal(BOOKED, status=status) == ("invalid-resource", "Appointment.status")


class TestAHold:
    BOOKING = BOOKED | {"status": "booked"}

    def test_is_confirmed_with_its_patient(self) -> None:
        found = read_change(self.BOOKING, HELD, made_up=True)
        assert isinstance(found, BookingForm)
        assert (found.patient.given_name, found.start) == ("Ann", datetime(2024, 7, 22, 8, tzinfo=UTC))

    def test_is_given_up_with_or_without_a_reason(self) -> None:
        assert change(HELD, status="cancelled") == Release()
        assert change(HELD, status="cancelled", cancelationReason=reason()) == Release()

    def test_can_be_neither_changed_nor_marked(self) -> None:
        assert refusal(HELD, description="Back pain") == ("invalid-resource", "Appointment.description")
        assert change(HELD) == Nothing()

    @pytest.mark.parametrize(
        "others",
        [
            {"slot": [{"reference": "Slot/other"}]},
            {"start": "2024-07-22T09:05:00+01:00", "minutesDuration": 5},
        ],
    )
    def test_is_confirmed_for_what_was_held(self, others: dict[str, Any]) -> None:
        with pytest.raises(Refusal) as refused:
            read_change(self.BOOKING | others, HELD, made_up=True)
        assert refused.value.where == f"Appointment.{next(iter(others))}"


@pytest.mark.parametrize("resource", [None, [], "Appointment", {}, {"resourceType": "Slot"}])
def test_anything_but_an_appointment_is_refused(resource: Any) -> None:
    with pytest.raises(Refusal) as refused:
        read_change(resource, BOOKED, made_up=True)
    assert (refused.value.code, refused.value.where) == ("wrong-resource", "resourceType")
