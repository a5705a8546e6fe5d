"""Taking slots: who may have which, together or alone, and what lies in the way."""

from datetime import timedelta

import pytest

from services.booking.commands import Asker
from shared.events.booking import (
    BookingEvent,
    HoldReleased,
    Opening,
    PracticeFrozen,
    PracticeRegistered,
    PracticeReopened,
)
from tests.booking.deciding import (
    BOB,
    CLINIC,
    FROZEN,
    MONDAY,
    OPENED,
    REGISTERED,
    SOON,
    book,
    booked,
    cancelled,
    given,
    held,
    morning,
    published,
    released,
    slot,
)

REOPENED = PracticeReopened(practice="A1", outage="friday")


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

    def test_refuses_those_alone_whom_an_outage_keeps_out(self) -> None:
        own = PracticeFrozen(practice="A1", outage="friday", keeps_out=("practice",))
        others = PracticeFrozen(practice="A1", outage="second", keeps_out=("nhs-111", "public"))
        from_outside = book(asker=CLINIC)
        given(REGISTERED, OPENED, own, published()).when(book()).is_refused("practice-frozen")
        assert given(REGISTERED, OPENED, own, published()).when(from_outside).events
        given(REGISTERED, OPENED, others, published()).when(from_outside).is_refused("practice-frozen")
        assert given(REGISTERED, OPENED, others, published()).when(book()).events
        given(REGISTERED, OPENED, own, others, published()).when(from_outside).is_refused("practice-frozen")

    def test_refuses_a_slot_that_has_begun(self) -> None:
        given(REGISTERED, published()).when(book(now=MONDAY)).is_refused("slot-in-the-past", "Appointment.start")

    def test_refuses_another_start_than_that_of_the_slot(self) -> None:
        late = book(start=MONDAY + timedelta(minutes=5))
        given(REGISTERED, published()).when(late).is_refused("times-differ", "Appointment.start")

    def test_refuses_another_end_than_that_of_the_slot(self) -> None:
        long = book(end=MONDAY + timedelta(minutes=15))
        given(REGISTERED, published()).when(long).is_refused("times-differ", "Appointment.end")

    def test_says_who_booked_it_and_how_they_can_be_reached(self) -> None:
        by_the_clinic = booked(
            booked_by="U1", booked_by_name="Harbour Clinic", booked_by_telephone="01632 960111", once="request 1"
        )
        given(REGISTERED, OPENED, published()).when(book(asker=CLINIC, once="request 1")).then(by_the_clinic)

    def test_one_request_twice_is_booking_once_whatever_the_new_id(self) -> None:
        past = (REGISTERED, published(), booked(once="request 1"))
        given(*past).when(book("another", *morning()[1:2], once="request 1")).nothing_happens()
        given(*past, cancelled("patient", "pat")).when(book("another", once="request 1")).nothing_happens()

    def test_another_request_is_another_booking(self) -> None:
        second = morning()[1:2]
        past = (REGISTERED, published(), booked(once="request 1"))
        given(*past).when(book("another", *second, once="request 2")).then(booked("another", *second, once="request 2"))
        given(REGISTERED, published(), booked()).when(book("another", *second)).then(booked("another", *second))


class TestBookingFromOutside:
    def test_gives_a_slot_that_the_practice_has_opened(self) -> None:
        assert given(REGISTERED, OPENED, published()).when(book(asker=CLINIC)).events

    def test_gives_a_slot_that_the_session_alone_is_opened_for(self) -> None:
        assert given(REGISTERED, published(opening=Opening())).when(book(asker=CLINIC)).events

    @pytest.mark.parametrize(
        "past",
        [
            (REGISTERED, published()),
            (REGISTERED, OPENED, published(opening=Opening(closed=True))),
            (REGISTERED, OPENED, published(opening=Opening(organisation_types=("pharmacy",)))),
            (REGISTERED, OPENED, published(opening=Opening(organisations=("U2",)))),
            (REGISTERED, OPENED, published(opening=Opening(days_ahead=2))),
            (REGISTERED, OPENED, published(opening=Opening(embargo_until=MONDAY))),
            (REGISTERED, OPENED, published(opening=Opening(closes_minutes=5 * 24 * 60))),
            (REGISTERED, OPENED, published("monday", slot("first", MONDAY, kept_for="nhs-111"))),
            (REGISTERED, OPENED, published("monday", slot("first", MONDAY, kept_for="same-day"))),
        ],
    )
    def test_answers_as_if_a_slot_that_is_not_open_did_not_exist(self, past: tuple[BookingEvent, ...]) -> None:
        given(*past).when(book(asker=CLINIC)).is_refused("unknown-slot", "Appointment.slot")

    def test_tells_a_stranger_nothing_else_of_a_slot_that_is_not_open(self) -> None:
        hidden = (REGISTERED, FROZEN, published(), booked("bob's", patient=BOB))
        at_another_time = book(asker=CLINIC, start=MONDAY + timedelta(minutes=5))
        with_a_gap = book("ann's", morning()[0], morning()[2], asker=CLINIC)
        for wish in (book(asker=CLINIC), at_another_time, with_a_gap, book(asker=CLINIC, now=MONDAY)):
            given(*hidden).when(wish).is_refused("unknown-slot")

    def test_refuses_several_slots_of_which_one_is_not_open(self) -> None:
        first, fenced = slot("first", MONDAY), slot("fenced", MONDAY + timedelta(minutes=10), kept_for="nhs-111")
        past = (REGISTERED, OPENED, published("monday", first, fenced))
        given(*past).when(book("ann's", first, fenced, asker=CLINIC)).is_refused("unknown-slot")

    def test_says_so_if_an_open_slot_has_begun(self) -> None:
        late = book(asker=CLINIC, now=MONDAY)
        given(REGISTERED, OPENED, published()).when(late).is_refused("slot-in-the-past")

    def test_refuses_a_slot_of_another_practice_than_is_named(self) -> None:
        given(REGISTERED, OPENED, published(practice="B2")).when(book(asker=CLINIC)).is_refused("unknown-slot")

    def test_gives_nhs_111_the_slots_kept_for_it_whatever_the_practice_has_opened(self) -> None:
        kept = slot("first", MONDAY, kept_for="nhs-111")
        past = given(REGISTERED, published("monday", kept, opening=Opening(closed=True)))
        past.when(book("ann's", kept, asker=Asker("nhs-111", "Y1"))).then(booked("ann's", kept, booked_by="Y1"))

    def test_leaves_kept_slots_to_whom_they_are_kept_for_and_tells_the_practice_why(self) -> None:
        kept = slot("first", MONDAY, kept_for="nhs-111")
        past = given(REGISTERED, published("monday", kept))
        past.when(book("ann's", kept)).is_refused("slot-kept", "Appointment.slot")
        past.when(book("ann's", kept, now=MONDAY - timedelta(minutes=119))).then(
            booked("ann's", kept, booked_at=MONDAY - timedelta(minutes=119))
        )


class TestBookingASlotThatIsHeld:
    PAST = (REGISTERED, published(), held())

    def test_is_refused_as_long_as_the_hold_lasts(self) -> None:
        given(*self.PAST).when(book(now=SOON - timedelta(seconds=1))).is_refused("slot-taken", "Appointment.slot")

    def test_ends_a_hold_whose_time_is_over_and_takes_the_slot(self) -> None:
        given(*self.PAST).when(book(now=SOON)).then(released("expired"), booked(booked_at=SOON))

    def test_ends_each_such_hold_once_however_many_slots_it_has(self) -> None:
        first, second, third = morning()
        past = (REGISTERED, published(), held("both", first, second), held("last", third))
        over = HoldReleased(
            session="monday", practice="A1", appointment="both", reason="expired", slots=("first", "second")
        )
        alike = HoldReleased(session="monday", practice="A1", appointment="last", reason="expired", slots=("third",))
        whole = booked("ann's", first, second, third, booked_at=SOON)
        given(*past).when(book("ann's", first, second, third, now=SOON)).then(over, alike, whole)

    def test_takes_it_once_the_hold_was_given_up(self) -> None:
        given(*self.PAST, released("given-up")).when(book()).then(booked())
