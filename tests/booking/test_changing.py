"""What becomes of an appointment: amended, cancelled, marked on its day, settled after a lost one."""

from datetime import datetime, timedelta

import pytest

from services.booking.commands import (
    AmendAppointment,
    CancelAppointment,
    DeclineAppointment,
    Mark,
    MarkAppointment,
    Outcome,
    SettleAppointment,
)
from shared.events.booking import (
    AppointmentAmended,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    BookingEvent,
    PatientArrived,
)
from tests.booking.deciding import (
    BOB,
    FROZEN,
    MONDAY,
    NOW,
    REGISTERED,
    booked,
    cancelled,
    displaced,
    given,
    held,
    morning,
    moved,
    published,
)

ARRIVED = PatientArrived(session="monday", practice="A1", appointment="ann's")
FULFILLED = AppointmentFulfilled(session="monday", practice="A1", appointment="ann's")
MISSED = AppointmentMissed(session="monday", practice="A1", appointment="ann's")
MISTAKEN = AppointmentEnteredInError(session="monday", practice="A1", appointment="ann's", slots=("first",))


class TestAmending:
    AMEND = AmendAppointment("monday", "ann's", 2, "other details, sealed", NOW)
    AMENDED = AppointmentAmended(session="monday", practice="A1", appointment="ann's", details="other details, sealed")

    def test_gives_the_appointment_its_new_text(self) -> None:
        given(published(), booked()).when(self.AMEND).then(self.AMENDED)

    def test_to_what_it_says_already_changes_nothing(self) -> None:
        again = AmendAppointment("monday", "ann's", 3, "other details, sealed", NOW)
        given(published(), booked(), self.AMENDED).when(again).nothing_happens()

    def test_refuses_a_version_that_is_no_longer_the_newest(self) -> None:
        given(published(), booked(), self.AMENDED).when(self.AMEND).is_refused("version-mismatch", "If-Match")

    def test_refuses_an_appointment_that_is_not_there(self) -> None:
        given(published()).when(self.AMEND).is_refused("unknown-appointment")

    @pytest.mark.parametrize("ended", [cancelled("patient", "pat"), ARRIVED, FULFILLED, displaced()])
    def test_refuses_an_appointment_that_is_not_simply_booked(self, ended: BookingEvent) -> None:
        newest = AmendAppointment("monday", "ann's", 3, "other details, sealed", NOW)
        given(published(), booked(), ended).when(newest).is_refused("not-booked")

    def test_refuses_an_appointment_that_has_begun(self) -> None:
        late = AmendAppointment("monday", "ann's", 2, "other details, sealed", MONDAY)
        given(published(), booked()).when(late).is_refused("too-late")


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

    def test_goes_on_while_the_practice_is_frozen(self) -> None:
        given(REGISTERED, FROZEN, published(), booked()).when(self.CANCEL).then(cancelled("patient", "pat"))

    def test_a_displaced_appointment_frees_no_slot_for_it_has_none_and_is_never_too_late(self) -> None:
        late = CancelAppointment("monday", "ann's", 3, "patient", "pat", MONDAY)
        given(published(), booked(), displaced()).when(late).then(cancelled("patient", "pat", slots=()))

    def test_refuses_what_was_entered_in_error(self) -> None:
        newest = CancelAppointment("monday", "ann's", 3, "patient", "pat", NOW)
        given(published(), booked(), MISTAKEN).when(newest).is_refused("not-booked")

    def test_refuses_a_hold_in_which_nobody_is_booked(self) -> None:
        given(published(), held("ann's")).when(self.CANCEL).is_refused("not-booked", "status")


def mark(mark: Mark, version: int = 2, now: datetime = MONDAY) -> MarkAppointment:
    return MarkAppointment("monday", "ann's", version, mark, now)


class TestMarking:
    DAWN = datetime.fromisoformat("2024-07-22T00:00:00+01:00")
    MARKS: tuple[tuple[Mark, BookingEvent], ...] = (
        ("arrived", ARRIVED),
        ("fulfilled", FULFILLED),
        ("noshow", MISSED),
        ("entered-in-error", MISTAKEN),
    )

    @pytest.mark.parametrize(("as_", "event"), MARKS)
    def test_writes_down_what_the_practice_saw(self, as_: Mark, event: BookingEvent) -> None:
        given(published(), booked()).when(mark(as_)).then(event)

    @pytest.mark.parametrize(("as_", "event"), MARKS)
    def test_twice_is_marking_once(self, as_: Mark, event: BookingEvent) -> None:
        given(published(), booked(), event).when(mark(as_, version=2)).nothing_happens()

    @pytest.mark.parametrize(("as_", "event"), MARKS[:2])
    def test_a_patient_comes_on_the_day_in_london_and_not_before(self, as_: Mark, event: BookingEvent) -> None:
        given(published(), booked()).when(mark(as_, now=self.DAWN)).then(event)
        eve = mark(as_, now=self.DAWN - timedelta(seconds=1))
        given(published(), booked()).when(eve).is_refused("too-early", "Appointment.status")

    def test_nobody_misses_an_appointment_before_it_has_begun(self) -> None:
        early = mark("noshow", now=MONDAY - timedelta(seconds=1))
        given(published(), booked()).when(early).is_refused("too-early", "Appointment.status")

    def test_a_mistake_can_be_owned_up_to_at_any_time(self) -> None:
        given(published(), booked()).when(mark("entered-in-error", now=NOW)).then(MISTAKEN)

    @pytest.mark.parametrize(
        ("before", "as_", "event"),
        [
            (ARRIVED, "fulfilled", FULFILLED),
            (ARRIVED, "noshow", MISSED),
            (MISSED, "arrived", ARRIVED),
            (MISSED, "fulfilled", FULFILLED),
            (ARRIVED, "entered-in-error", MISTAKEN),
            (FULFILLED, "entered-in-error", MISTAKEN),
            (MISSED, "entered-in-error", MISTAKEN),
        ],
    )
    def test_what_can_follow_what(self, before: BookingEvent, as_: Mark, event: BookingEvent) -> None:
        given(published(), booked(), before).when(mark(as_, version=3)).then(event)

    @pytest.mark.parametrize(
        ("before", "as_"),
        [
            (FULFILLED, "arrived"),
            (FULFILLED, "noshow"),
            (displaced(), "arrived"),
            (displaced(), "fulfilled"),
            (cancelled("patient", "pat"), "arrived"),
            (cancelled("patient", "pat"), "entered-in-error"),
            (moved(), "entered-in-error"),
            (MISTAKEN, "fulfilled"),
        ],
    )
    def test_what_cannot_follow_what(self, before: BookingEvent, as_: Mark) -> None:
        given(published(), booked(), before).when(mark(as_, version=3)).is_refused("not-booked", "status")

    def test_a_displaced_appointment_that_was_a_mistake_frees_no_slot(self) -> None:
        none = AppointmentEnteredInError(session="monday", practice="A1", appointment="ann's")
        given(published(), booked(), displaced()).when(mark("entered-in-error", version=3)).then(none)

    def test_refuses_a_version_that_is_no_longer_the_newest(self) -> None:
        given(published(), booked(), ARRIVED).when(mark("fulfilled")).is_refused("version-mismatch", "If-Match")

    def test_refuses_a_hold_in_which_nobody_is_booked(self) -> None:
        given(published(), held("ann's")).when(mark("arrived")).is_refused("not-booked", "status")

    def test_refuses_an_appointment_that_is_not_there(self) -> None:
        given().when(mark("arrived")).is_refused("unknown-appointment")


class TestSettling:
    @pytest.mark.parametrize(
        ("outcome", "event"),
        [
            ("attended", AppointmentFulfilled(session="monday", practice="A1", appointment="ann's")),
            ("missed", AppointmentMissed(session="monday", practice="A1", appointment="ann's")),
            ("cancelled", cancelled("practice", "other")),
            ("elsewhere", cancelled("patient", "pat")),
        ],
    )
    def test_writes_down_what_became_of_the_appointment(self, outcome: Outcome, event: BookingEvent) -> None:
        given(published(), booked()).when(SettleAppointment("monday", "ann's", outcome)).then(event)

    @pytest.mark.parametrize(
        ("outcome", "event"),
        [
            ("attended", FULFILLED),
            ("missed", MISSED),
            ("cancelled", cancelled("practice", "other", slots=())),
            ("elsewhere", cancelled("patient", "pat", slots=())),
        ],
    )
    def test_a_displaced_appointment_too(self, outcome: Outcome, event: BookingEvent) -> None:
        given(published(), booked(), displaced()).when(SettleAppointment("monday", "ann's", outcome)).then(event)

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

    def test_one_that_is_displaced_meanwhile_calls_it_off_too(self) -> None:
        off = cancelled("patient", "pat", slots=())
        given(published(), booked(), displaced()).when(DeclineAppointment("monday", "ann's", MONDAY)).then(off)
