"""Rescheduling: other slots for the patient and the old ones back, in one transaction."""

from datetime import timedelta
from typing import Any

import pytest

from services.booking.commands import RescheduleAppointment
from shared.events.booking import AppointmentMissed, BookingEvent, Opening, PatientArrived, PracticeFrozen
from tests.booking.deciding import (
    BOB,
    CLINIC,
    FROZEN,
    LATER,
    MONDAY,
    NOW,
    OPENED,
    OWN,
    REGISTERED,
    SOON,
    TUESDAY,
    booked,
    cancelled,
    displaced,
    given,
    held,
    morning,
    moved,
    published,
    released,
    slot,
)

PAST = (REGISTERED, published(), booked(), published("tuesday", LATER))
NEW = booked("ann's new one", LATER, session="tuesday", replaces="ann's")
OLD = cancelled("patient", "pat", replaced_by="ann's new one")


def reschedule(**others: Any) -> RescheduleAppointment:
    usual: dict[str, Any] = {
        "practice": "A1",
        "from_session": "monday",
        "appointment": "ann's",
        "version": 2,
        "to_session": "tuesday",
        "to_slots": ("later",),
        "to_appointment": "ann's new one",
        "cancelled_by": "patient",
        "reason": "pat",
        "asker": OWN,
        "now": NOW,
    }
    return RescheduleAppointment(**(usual | others))


def test_gives_back_the_old_slots_and_takes_the_new_ones() -> None:
    given(*PAST).when(reschedule()).then(OLD, NEW)


def test_carries_over_all_that_is_the_patients_but_not_the_number_a_caller_gave_the_old_one() -> None:
    was: dict[str, Any] = {
        "priority": 5,
        "booked_by": "U1",
        "booked_by_name": "Harbour Clinic",
        "booked_by_telephone": "01632 960111",
    }
    before = booked(patient=BOB, identifier="urn:x|1", once="request 1", **was)
    after = booked("ann's new one", LATER, session="tuesday", patient=BOB, replaces="ann's", once="request 2", **was)
    past = (REGISTERED, published(), before, published("tuesday", LATER))
    given(*past).when(reschedule(once="request 2")).then(OLD, after)


def test_twice_is_rescheduling_once() -> None:
    given(*PAST).when(reschedule(), reschedule()).nothing_happens()
    again = reschedule(to_appointment="another", once="request")
    given(*PAST).when(reschedule(once="request"), again).nothing_happens()


def test_goes_to_other_slots_of_the_same_session_and_over_its_own() -> None:
    first, second, _ = morning()
    past = (REGISTERED, published(), booked("ann's", first))
    longer = reschedule(to_session="monday", to_slots=("first", "second"))
    after = booked("ann's new one", first, second, replaces="ann's")
    then = given(*past).when(longer).then(OLD, after)
    then.when(reschedule(appointment="ann's new one", version=4, to_appointment="newest")).is_refused("unknown-slot")


def test_leaves_slots_taken_over_from_itself_to_the_new_one() -> None:
    first, second, _ = morning()
    longer = reschedule(to_session="monday", to_slots=("first", "second"))
    back = reschedule(
        to_session="monday", to_slots=("first",), to_appointment="other", appointment="ann's new one", version=4
    )
    events = given(REGISTERED, published(), booked("ann's", first)).when(longer, back).events
    assert [event.stream for event in events] == ["session/monday", "session/monday"]
    taken_again = booked("bob's", second, patient=BOB)
    past = (REGISTERED, published(), booked("ann's", first), OLD, booked("ann's new one", first, replaces="ann's"))
    given(*past, taken_again).when(back).then(
        cancelled("patient", "pat", appointment="ann's new one", replaced_by="other"),
        booked("other", first, replaces="ann's new one"),
    )


@pytest.mark.parametrize("now", [NOW, MONDAY])
def test_a_displaced_appointment_can_be_rescheduled_even_after_it_would_have_begun(now: Any) -> None:
    off = cancelled("patient", "pat", slots=(), replaced_by="ann's new one")
    after = booked("ann's new one", LATER, session="tuesday", replaces="ann's", booked_at=now)
    past = (REGISTERED, published(), booked(), displaced(), published("tuesday", LATER))
    given(*past).when(reschedule(version=3, now=now)).then(off, after)


def test_ends_a_hold_in_its_way_whose_time_is_over() -> None:
    past = (REGISTERED, published(), booked("ann's", *morning()[1:2]), held())
    to_first = reschedule(to_session="monday", to_slots=("first",), now=SOON)
    given(*past).when(to_first).then(
        released("expired"),
        cancelled("patient", "pat", slots=("second",), replaced_by="ann's new one"),
        booked("ann's new one", replaces="ann's", booked_at=SOON),
    )


def test_obeys_the_rules_of_booking() -> None:
    taken = booked("bob's", LATER, session="tuesday", patient=BOB)
    given(*PAST, taken).when(reschedule()).is_refused("slot-taken")
    given(*PAST, held("bob's", LATER, session="tuesday")).when(reschedule()).is_refused("slot-taken")
    given(*PAST, FROZEN).when(reschedule()).is_refused("practice-frozen")
    to_others = PracticeFrozen(practice="A1", outage="friday", keeps_out=("public",))
    given(*PAST, to_others).when(reschedule()).then(OLD, NEW)
    given(*PAST[:-1]).when(reschedule()).is_refused("unknown-slot", "Appointment.slot")
    given(*PAST).when(reschedule(to_slots=("other",))).is_refused("unknown-slot")
    given(*PAST[:-1], published("tuesday", LATER, practice="B2")).when(reschedule()).is_refused("unknown-slot")
    kept = slot("later", TUESDAY, kept_for="nhs-111")
    given(*PAST[:-1], published("tuesday", kept)).when(reschedule()).is_refused("slot-kept")
    gap = published("tuesday", LATER, slot("last", TUESDAY + timedelta(hours=1)))
    given(*PAST[:-1], gap).when(reschedule(to_slots=("later", "last"))).is_refused("slots-do-not-adjoin")
    past = (REGISTERED, published(), displaced(), published("tuesday", LATER))
    given(*past[:2], booked(), *past[2:]).when(reschedule(version=3, now=TUESDAY)).is_refused("slot-in-the-past")


def test_goes_only_where_it_is_open_to_whoever_asks() -> None:
    given(*PAST).when(reschedule(asker=CLINIC)).is_refused("unknown-slot")
    assert given(*PAST, OPENED).when(reschedule(asker=CLINIC)).events
    closed = published("tuesday", LATER, opening=Opening(closed=True))
    given(*PAST[:-1], OPENED, closed).when(reschedule(asker=CLINIC)).is_refused("unknown-slot")


def test_refuses_an_appointment_that_is_not_there_or_at_another_practice() -> None:
    given(REGISTERED, published(), published("tuesday", LATER)).when(reschedule()).is_refused("unknown-appointment")
    given(*PAST).when(reschedule(practice="B2")).is_refused("unknown-appointment")


def test_refuses_a_version_that_is_no_longer_the_newest() -> None:
    given(*PAST).when(reschedule(version=1)).is_refused("version-mismatch", "If-Match")


@pytest.mark.parametrize(
    "ended",
    [
        cancelled("patient", "pat"),
        moved(),
        PatientArrived(session="monday", practice="A1", appointment="ann's"),
        AppointmentMissed(session="monday", practice="A1", appointment="ann's"),
    ],
)
def test_refuses_an_appointment_that_is_not_booked_any_more(ended: BookingEvent) -> None:
    given(*PAST, ended).when(reschedule(version=3)).is_refused("not-booked", "status")


def test_refuses_an_appointment_that_has_begun() -> None:
    given(*PAST).when(reschedule(now=MONDAY)).is_refused("too-late")
