"""The rules of the diary: practices, booking, cancelling, and what is written down after a lost day."""

from datetime import timedelta

import pytest

from services.booking.commands import (
    CancelAppointment,
    DeclineAppointment,
    FreezePractice,
    Outcome,
    RegisterPractice,
    ReopenPractice,
    SettleAppointment,
)
from shared.events.base import Event
from shared.events.booking import (
    AppointmentCancelled,
    AppointmentFulfilled,
    AppointmentMissed,
    CancelledBy,
    PatientArrived,
    PracticeFrozen,
    PracticeRegistered,
    PracticeReopened,
)
from tests.booking.deciding import (
    BOB,
    MONDAY,
    NOW,
    REGISTERED,
    book,
    booked,
    given,
    morning,
    moved,
    published,
    slot,
)

FROZEN = PracticeFrozen(practice="A1", outage="friday")
REOPENED = PracticeReopened(practice="A1", outage="friday")
FREEZE, REOPEN = FreezePractice("A1", "friday"), ReopenPractice("A1", "friday")
REGISTER = RegisterPractice("A1", "Harbour Surgery")


def cancelled(by: CancelledBy, reason: str) -> AppointmentCancelled:
    return AppointmentCancelled(
        session="monday", practice="A1", appointment="ann's", cancelled_by=by, reason=reason, slots=("first",)
    )


class TestAPractice:
    def test_is_registered(self) -> None:
        given().when(REGISTER).then(REGISTERED)

    def test_registered_twice_is_registered_once(self) -> None:
        given(REGISTERED).when(REGISTER).nothing_happens()

    def test_registered_with_other_details_is_corrected(self) -> None:
        corrected = PracticeRegistered(practice="A1", name="Harbour Medical Centre")
        given(REGISTERED).when(RegisterPractice("A1", "Harbour Medical Centre")).then(corrected)

    def test_stays_frozen_when_its_details_are_corrected(self) -> None:
        given(REGISTERED, FROZEN).when(RegisterPractice("A1", "Harbour"), FREEZE).nothing_happens()

    def test_freezes_when_its_systems_go_down(self) -> None:
        given(REGISTERED).when(FREEZE).then(FROZEN)

    def test_frozen_twice_by_one_outage_is_frozen_once(self) -> None:
        given(REGISTERED, FROZEN).when(FREEZE).nothing_happens()

    def test_that_keeps_no_diary_here_cannot_freeze(self) -> None:
        given().when(FREEZE).nothing_happens()

    def test_reopens_when_the_outage_is_over(self) -> None:
        given(REGISTERED, FROZEN).when(REOPEN).then(REOPENED)

    def test_reopened_twice_is_reopened_once(self) -> None:
        given(REGISTERED, FROZEN, REOPENED).when(REOPEN).nothing_happens()

    def test_is_not_frozen_again_by_an_outage_that_is_over(self) -> None:
        given(REGISTERED, FROZEN, REOPENED).when(FREEZE).nothing_happens()


class TestBooking:
    def test_gives_the_patient_the_slot(self) -> None:
        given(REGISTERED, published()).when(book()).then(booked())

    def test_twice_is_booking_once(self) -> None:
        given(REGISTERED, published(), booked()).when(book()).nothing_happens()

    def test_takes_several_slots_that_adjoin(self) -> None:
        first, second, _ = morning()
        given(REGISTERED, published()).when(book("ann's", first, second)).then(booked("ann's", first, second))

    def test_refuses_slots_with_a_gap_between_them(self) -> None:
        first, _, third = morning()
        given(REGISTERED, published()).when(book("ann's", first, third)).is_refused("slots-do-not-adjoin")

    def test_refuses_slots_out_of_order(self) -> None:
        first, second, _ = morning()
        given(REGISTERED, published()).when(book("ann's", second, first)).is_refused("slots-do-not-adjoin")

    def test_refuses_adjoining_slots_for_different_services(self) -> None:
        first, other = slot("first", MONDAY), slot("other", MONDAY + timedelta(minutes=10), service_type="Smears")
        past = (REGISTERED, published("monday", first, other))
        given(*past).when(book("ann's", first, other)).is_refused("slots-do-not-adjoin")

    def test_refuses_a_slot_that_is_taken(self) -> None:
        past = (REGISTERED, published(), booked("bob's", patient=BOB))
        given(*past).when(book()).is_refused("slot-taken", "Appointment.slot")

    def test_refuses_several_slots_of_which_one_is_taken(self) -> None:
        first, second, _ = morning()
        past = (REGISTERED, published(), booked("bob's", second, patient=BOB))
        given(*past).when(book("ann's", first, second)).is_refused("slot-taken")

    def test_takes_a_slot_that_has_come_free(self) -> None:
        past = (REGISTERED, published(), booked(), cancelled("patient", "pat"))
        given(*past).when(book("bob's", patient=BOB)).then(booked("bob's", patient=BOB))

    @pytest.mark.parametrize("past", [(), (REGISTERED,)])
    def test_refuses_a_slot_that_nobody_published(self, past: tuple[PracticeRegistered, ...]) -> None:
        given(*past).when(book()).is_refused("unknown-slot", "Appointment.slot")

    def test_refuses_no_slot_at_all(self) -> None:
        given(REGISTERED, published()).when(book(slots=())).is_refused("unknown-slot")

    def test_refuses_a_practice_that_is_frozen(self) -> None:
        given(REGISTERED, FROZEN, published()).when(book()).is_refused("practice-frozen")

    def test_goes_on_once_the_practice_has_reopened(self) -> None:
        given(REGISTERED, FROZEN, REOPENED, published()).when(book()).then(booked())

    def test_refuses_while_a_second_outage_lasts(self) -> None:
        second = PracticeFrozen(practice="A1", outage="second")
        given(REGISTERED, FROZEN, second, REOPENED, published()).when(book()).is_refused("practice-frozen")

    def test_refuses_a_slot_that_has_begun(self) -> None:
        given(REGISTERED, published()).when(book(now=MONDAY)).is_refused("slot-in-the-past", "Appointment.start")

    def test_refuses_another_start_than_that_of_the_slot(self) -> None:
        late = book(start=MONDAY + timedelta(minutes=5))
        given(REGISTERED, published()).when(late).is_refused("times-differ", "Appointment.start")

    def test_refuses_another_end_than_that_of_the_slot(self) -> None:
        long = book(end=MONDAY + timedelta(minutes=15))
        given(REGISTERED, published()).when(long).is_refused("times-differ", "Appointment.end")

    def test_refuses_a_slot_kept_for_nhs_111_to_all_others(self) -> None:
        kept = slot("first", MONDAY, kept_for="nhs-111")
        past = given(REGISTERED, published("monday", kept))
        past.when(book("ann's", kept)).is_refused("slot-kept")
        past.when(book("ann's", kept, caller="practice")).is_refused("slot-kept")
        past.when(book("ann's", kept, caller="nhs-111")).then(booked("ann's", kept))


class TestCancelling:
    CANCEL = CancelAppointment("monday", "ann's", 2, "patient", "pat", NOW)

    def test_calls_the_appointment_off_and_names_the_slots_that_are_free_again(self) -> None:
        given(published(), booked()).when(self.CANCEL).then(cancelled("patient", "pat"))

    def test_twice_is_cancelling_once(self) -> None:
        given(published(), booked(), cancelled("patient", "pat")).when(self.CANCEL).nothing_happens()

    def test_refuses_an_appointment_that_is_not_there(self) -> None:
        given(published()).when(self.CANCEL).is_refused("unknown-appointment")

    def test_refuses_a_version_that_is_no_longer_the_newest(self) -> None:
        arrived = PatientArrived(session="monday", practice="A1", appointment="ann's")
        given(published(), booked(), arrived).when(self.CANCEL).is_refused("version-mismatch", "If-Match")

    def test_does_not_mind_what_happened_to_other_appointments_meanwhile(self) -> None:
        _, second, _ = morning()
        past = (published(), booked(), booked("bob's", second, patient=BOB))
        given(*past).when(self.CANCEL).then(cancelled("patient", "pat"))

    def test_refuses_an_appointment_that_has_begun(self) -> None:
        late = CancelAppointment("monday", "ann's", 2, "patient", "pat", MONDAY)
        given(published(), booked()).when(late).is_refused("too-late")

    def test_refuses_an_appointment_that_was_moved_away(self) -> None:
        newest = CancelAppointment("monday", "ann's", 3, "patient", "pat", NOW)
        given(published(), booked(), moved()).when(newest).is_refused("not-booked")


class TestSettling:
    @pytest.mark.parametrize(
        ("outcome", "event"),
        [
            ("attended", AppointmentFulfilled(session="monday", practice="A1", appointment="ann's")),
            ("missed", AppointmentMissed(session="monday", practice="A1", appointment="ann's")),
            ("cancelled", cancelled("practice", "other")),
        ],
    )
    def test_writes_down_what_became_of_the_appointment(self, outcome: Outcome, event: Event) -> None:
        given(published(), booked()).when(SettleAppointment("monday", "ann's", outcome)).then(event)  # type: ignore[arg-type]

    def test_twice_is_settling_once(self) -> None:
        settle = SettleAppointment("monday", "ann's", "attended")
        given(published(), booked()).when(settle, settle).nothing_happens()

    def test_leaves_alone_what_has_ended_otherwise_or_never_was(self) -> None:
        settle = SettleAppointment("monday", "ann's", "attended")
        given(published(), booked(), moved()).when(settle).nothing_happens()
        given().when(settle).nothing_happens()


class TestDeclining:
    def test_calls_off_the_appointment_that_the_patient_was_moved_to(self) -> None:
        given(published(), booked()).when(DeclineAppointment("monday", "ann's", NOW)).then(cancelled("patient", "pat"))

    def test_twice_is_declining_once(self) -> None:
        decline = DeclineAppointment("monday", "ann's", NOW)
        given(published(), booked()).when(decline, decline).nothing_happens()

    def test_after_it_has_begun_cancels_nothing(self) -> None:
        given(published(), booked()).when(DeclineAppointment("monday", "ann's", MONDAY)).nothing_happens()
