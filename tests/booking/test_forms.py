"""What callers send as FHIR: what is read of it, and what is refused, element by element."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.booking.fhir import claims
from services.booking.fhir import resources as fhir
from services.booking.fhir.desk import Place
from services.booking.fhir.forms import BookingForm, read_booking, read_hold
from services.booking.fhir.resources import BOOKING_ORGANISATIONS, NHS_NUMBER, REPLACES
from services.booking.fhir.written import blank_row
from shared.refusals import Refusal
from tests.booking.paper import appointment, organisation, patient

BASE = "https://booking.example/fhir/R4"


def read(resource: Any) -> BookingForm:
    return read_booking(resource, made_up=True, base=BASE)


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


def test_the_booking_organisation_is_read_whole() -> None:
    form = read(appointment(contained=[patient(), organisation("111AA1")]))
    assert (form.booker.code, form.booker.name, form.booker.telephone) == ("111AA1", "Kent 111", "01227 000111")


def test_a_patient_without_a_telephone_can_be_booked() -> None:
    form = read(appointment(who=patient(telecom=[])))
    assert (form.patient.mobile, form.textable) == ("", False)


def test_the_older_spelling_of_the_nhs_number_system_is_taken() -> None:
    older = [{"system": "https://fhir.nhs.uk/id/nhs-number", "value": "9990000018"}]
    assert read(appointment(who=patient(identifier=older))).patient.nhs_number == "9990000018"


def test_a_slot_may_be_referred_to_by_its_whole_address() -> None:
    assert read(appointment(slot=[{"reference": f"{BASE}/Slot/s1", "type": "Slot"}])).slots == ("s1",)


def test_the_appointment_it_replaces_is_read() -> None:
    before = [{"url": REPLACES, "valueReference": {"reference": "Appointment/a1"}}]
    assert read(appointment(extension=before)).replaces == "a1"


@pytest.mark.parametrize("text", ["x" * 100, "ü" * 100, " a b\n"])
def test_text_up_to_the_limit_is_kept_whole(text: str) -> None:
    assert read(appointment(description=text)).details.description == text


@pytest.mark.parametrize(
    "written",
    ["2024-07-22T08:00:00Z", "2024-07-22T09:00:00+01:00", "2024-07-22T10:00:00+02:00", "2024-07-22T08:00:00.000Z"],
)
def test_an_instant_may_be_written_in_any_offset(written: str) -> None:
    assert read(appointment(start=written)).start == datetime(2024, 7, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("others", "code", "element"),
    [
        ({"slot": [{"reference": "Schedule/1"}]}, "invalid-resource", "slot[0]"),
        ({"slot": [{"reference": "https://elsewhere.example/Slot/1"}]}, "invalid-resource", "slot[0]"),
        ({"slot": [{"reference": "Slot/1/_history/2"}]}, "unknown-slot", "slot[0]"),
        ({"slot": "Slot/1"}, "invalid-resource", "slot"),
        ({"slot": []}, "invalid-resource", "slot"),
        ({"start": "2024-07-22T09:00:00"}, "invalid-resource", "start"),
        ({"start": "2024-07-22T09:00+01:00"}, "invalid-resource", "start"),
        ({"start": "2024-07-22T08:59:60+01:00"}, "invalid-resource", "start"),
        ({"start": "2024-02-30T09:00:00Z"}, "invalid-resource", "start"),
        ({"start": "tomorrow"}, "invalid-resource", "start"),
        ({"end": None}, "invalid-resource", "end"),
        ({"end": "9999-12-31T23:59:59-14:00", "minutesDuration": 15}, "invalid-resource", "minutesDuration"),
        ({"minutesDuration": 15}, "invalid-resource", "minutesDuration"),
        ({"minutesDuration": 10**30}, "invalid-resource", "minutesDuration"),
        ({"created": "yesterday"}, "invalid-resource", "created"),
        ({"description": "x" * 101}, "too-long", "description"),
        ({"comment": "x" * 501}, "too-long", "comment"),
        ({"description": 7}, "invalid-resource", "description"),
        ({"description": " "}, "invalid-resource", "description"),
        ({"status": "proposed"}, "invalid-resource", "status"),
        ({"priority": 10}, "invalid-resource", "priority"),
        ({"priority": True}, "invalid-resource", "priority"),
        ({"contained": []}, "invalid-resource", "contained"),
        ({"contained": [patient(), patient()]}, "invalid-resource", "contained"),
        ({"contained": [patient(), organisation("A1"), organisation("B2")]}, "invalid-resource", "contained"),
        ({"participant": []}, "invalid-resource", "participant"),
        ({"participant": [{"actor": {"reference": "#p"}}]}, "invalid-resource", "participant[0].status"),
        ({"participant": [{"status": "accepted"}]}, "invalid-resource", "participant[0].actor"),
        ({"identifier": [{"value": "1"}, {"value": "2"}]}, "invalid-resource", "identifier"),
        ({"identifier": [{"value": "1|2"}]}, "invalid-resource", "identifier[0].value"),
        ({"identifier": [{"system": "urn:x", "value": "1" * 300}]}, "too-long", "identifier"),
    ],
)
def test_an_element_that_makes_no_sense_is_named(others: dict[str, Any], code: str, element: str) -> None:
    assert refusal(appointment(**others)) == (code, f"Appointment.{element}")


@pytest.mark.parametrize(
    ("resource", "element"),
    [
        (appointment(reasonCode=[{"text": "Back pain"}]), "reasonCode"),
        (appointment(_description={"id": "d"}), "_description"),
        (appointment(meta={"tag": [{"code": "x"}]}), "meta.tag"),
        (appointment(text={"status": "additional", "div": "<div>More</div>"}), "text"),
        (appointment(language="cy"), "language"),
        (appointment(serviceType=[{"coding": [{"code": "x"}]}]), "serviceType"),
        (appointment(extension=[{"url": "urn:other", "valueString": "x"}]), "extension[0].valueString"),
        (appointment(extension=[{"url": "urn:other", "valueCode": "x"}]), "extension[0]"),
        (appointment(identifier=[{"system": "urn:x", "value": "1", "period": {}}]), "identifier[0].period"),
        (appointment(participant=[{"actor": {"reference": "#p"}, "period": {}}]), "participant[0].period"),
        (appointment(contained=[{"resourceType": "Location", "id": "l"}]), "contained[0]"),
        (appointment(who=patient(gender="female")), "contained[0].gender"),
        (appointment(who=patient(address=[{"city": "Deal"}])), "contained[0].address"),
        (appointment(who=patient(name=[{"family": "Teak", "prefix": ["Dr"]}])), "contained[0].name[0].prefix"),
        (appointment(who=patient(telecom=[{"system": "phone", "value": "1"}] * 2)), "contained[0].telecom"),
        (appointment(who=patient(telecom=[{"system": "email", "value": "a@b"}])), "contained[0].telecom[0].system"),
    ],
)
def test_what_would_be_lost_is_refused_by_its_name(resource: dict[str, Any], element: str) -> None:
    assert refusal(resource) == ("not-kept", f"Appointment.{element}")


@pytest.mark.parametrize(
    ("others", "code"),
    [
        ({"identifier": [{"system": NHS_NUMBER, "value": "9990000019"}]}, "bad-nhs-number"),
        ({"identifier": [{"system": NHS_NUMBER, "value": "999 000 0018"}]}, "bad-nhs-number"),
        ({"identifier": [{"system": "urn:other", "value": "9990000018"}]}, "bad-identifier-system"),
        ({"identifier": []}, "bad-identifier-system"),
        ({"name": []}, "invalid-resource"),
        ({"name": [{"family": "Teak", "given": [7]}]}, "invalid-resource"),
        ({"name": [{"family": "Teak", "given": ["Ann"], "use": "old"}]}, "invalid-resource"),
        ({"name": [{"family": "", "given": ["Ann"]}]}, "missing-name"),
        ({"name": [{"family": "x" * 101, "given": ["Ann"]}]}, "too-long"),
        ({"birthDate": "1958"}, "bad-birth-date"),
        ({"telecom": [{"system": "phone", "value": "none"}]}, "bad-telephone"),
        ({"telecom": [{"system": "phone", "value": "07700900123", "use": "old"}]}, "invalid-resource"),
    ],
)
def test_a_patient_who_cannot_be_identified_is_refused(others: dict[str, Any], code: str) -> None:
    assert refusal(appointment(who=patient(**others)))[0] == code


def test_a_refusal_never_repeats_what_was_sent() -> None:
    secret = "Teak of Whitstable"
    for resource in (
        appointment(who=patient(resourceType=secret)),
        appointment(who=patient(name=secret)),
        appointment(who=patient(**{secret: 1})),
        appointment(priority=secret, start=secret),
    ):
        with pytest.raises(Refusal) as refused:
            read(resource)
        assert secret not in f"{refused.value.message} {refused.value.where}"


@pytest.mark.parametrize("resource", [None, [], "Appointment", {}, {"resourceType": "Slot"}])
def test_anything_but_an_appointment_is_refused(resource: Any) -> None:
    assert refusal(resource) == ("wrong-resource", "resourceType")


class TestAHold:
    PENDING = appointment(status="pending") | {"contained": [], "participant": []}

    def test_has_slots_and_times(self) -> None:
        sent = {name: value for name, value in self.PENDING.items() if name not in ("description", "comment")}
        assert read_hold(sent).slots == ("slot-1",)

    @pytest.mark.parametrize("element", ["description", "comment", "contained", "identifier", "priority"])
    def test_has_nothing_yet_that_concerns_a_patient(self, element: str) -> None:
        own = {"contained": [patient()], "identifier": [{"value": "1"}], "priority": 2}
        sent = {name: value for name, value in self.PENDING.items() if name not in ("description", "comment")}
        with pytest.raises(Refusal) as refused:
            read_hold(sent | {element: own.get(element, "Back pain")})
        assert (refused.value.code, refused.value.where) == ("not-kept", f"Appointment.{element}")


class TestWhatTheSlotKnowsBetter:
    PLACE = Place(
        slot="slot-1",
        session="s",
        practice="A1",
        practice_name="Harbour Surgery",
        session_name="Morning",
        clinician="Dr Jones",
        clinician_role="GP",
        location="Room 1",
        channel="in-person",
        service_type="GP consultation",
        start=datetime(2024, 7, 22, 8, tzinfo=UTC),
        end=datetime(2024, 7, 22, 8, 10, tzinfo=UTC),
    )

    def check(self, **others: Any) -> None:
        form = read(appointment(**others))
        claims.check(form.claims, fhir.appointment(blank_row(self.PLACE, self.PLACE.start), None, None))

    def test_may_be_said_if_it_agrees(self) -> None:
        me = {"actor": {"reference": "#p"}, "status": "accepted"}
        surgery = {"identifier": {"system": "https://fhir.nhs.uk/id/ods-organization-code", "value": "A1"}}
        others = [{"actor": actor, "status": "accepted"} for actor in (surgery, {"display": "Dr Jones"})]
        rendered = fhir.appointment(blank_row(self.PLACE, self.PLACE.start), None, None)
        self.check(participant=[me, *others, *rendered["participant"]])
        self.check(serviceType=rendered["serviceType"], extension=rendered["extension"])

    @pytest.mark.parametrize(
        "actor",
        [
            {"reference": "Practitioner/5"},
            {"type": "Practitioner", "display": "Dr Smith"},
            {"identifier": {"system": fhir.ODS_CODE, "value": "B2"}},
        ],
    )
    def test_is_refused_if_it_names_somebody_else(self, actor: dict[str, Any]) -> None:
        me = {"actor": {"reference": "#p"}, "status": "accepted"}
        with pytest.raises(Refusal) as refused:
            self.check(participant=[me, {"actor": actor, "status": "accepted"}])
        assert (refused.value.code, refused.value.where) == ("unknown-reference", "Appointment.participant[1].actor")

    @pytest.mark.parametrize(
        "others",
        [
            {"serviceType": [{"text": "Dentistry"}]},
            {"extension": [{"url": fhir.GP_CONNECT_DELIVERY_CHANNEL, "valueCode": "Video"}]},
        ],
    )
    def test_is_refused_if_it_is_otherwise(self, others: dict[str, Any]) -> None:
        with pytest.raises(Refusal) as refused:
            self.check(**others)
        assert (refused.value.code, refused.value.where) == ("differs-from-slot", f"Appointment.{next(iter(others))}")


def test_the_booking_organisation_must_be_contained() -> None:
    nowhere = [{"url": BOOKING_ORGANISATIONS[0], "valueReference": {"reference": "#o"}}]
    assert refusal(appointment(extension=nowhere)) == ("unknown-reference", "Appointment.extension[0]")
