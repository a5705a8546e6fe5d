"""Withdrawing slots: who would be displaced is looked at first, and nobody is forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.booking.commands import ImportSession, PublishSession, WithdrawSlots
from shared.events.booking import AppointmentFulfilled, AppointmentMoved, PatientArrived, SlotsAdded, SlotsWithdrawn
from shared.refusals import Refusal
from tests.booking.deciding import (
    BOB,
    FROZEN,
    LATER,
    MONDAY,
    NOW,
    REGISTERED,
    SOON,
    ask_to_move,
    book,
    booked,
    displaced,
    given,
    held,
    morning,
    moved,
    published,
    released,
    sheet,
    slot,
)
from tests.booking.test_paging import entry

END = MONDAY + timedelta(minutes=30)
WITHDRAW = WithdrawSlots("A1", "monday", ("first",), "Dr Jones is ill", "withdrawal", None, NOW)
WHOLE = replace(WITHDRAW, slots=())


def withdrawn(*slots: str, start: datetime = MONDAY, end: datetime = END) -> SlotsWithdrawn:
    return SlotsWithdrawn(
        session="monday",
        practice="A1",
        slots=slots,
        reason="Dr Jones is ill",
        session_start=start,
        session_end=end,
    )


FIRST = withdrawn("first", start=MONDAY + timedelta(minutes=10))
ALL = withdrawn("first", "second", "third", end=MONDAY)


class TestWithdrawing:
    def test_takes_the_slots_out_and_says_from_when_to_when_the_session_runs_now(self) -> None:
        given(published()).when(WITHDRAW).then(FIRST)
        last = withdrawn("third", end=MONDAY + timedelta(minutes=20))
        given(published()).when(replace(WITHDRAW, slots=("third",))).then(last)

    def test_without_naming_slots_takes_all_that_are_to_come(self) -> None:
        given(published()).when(WHOLE).then(ALL)
        rest = withdrawn("third", end=MONDAY + timedelta(minutes=20))
        given(published()).when(replace(WHOLE, now=MONDAY + timedelta(minutes=15))).then(rest)

    def test_twice_is_withdrawing_once(self) -> None:
        given(published()).when(WITHDRAW, WITHDRAW).nothing_happens()
        given(published()).when(WHOLE, WHOLE).nothing_happens()
        given(published()).when(WHOLE, WITHDRAW).nothing_happens()

    def test_refuses_a_session_that_is_not_there_or_at_another_practice(self) -> None:
        given().when(WITHDRAW).is_refused("no-such-session", "session")
        given(published(practice="B2")).when(WITHDRAW).is_refused("no-such-session", "session")

    def test_refuses_a_slot_that_the_session_never_had(self) -> None:
        given(published()).when(replace(WITHDRAW, slots=("first", "other"))).is_refused("unknown-slot", "slots")

    def test_refuses_a_slot_that_has_begun(self) -> None:
        given(published()).when(replace(WITHDRAW, now=MONDAY)).is_refused("slot-in-the-past", "slots")

    def test_leaves_an_appointment_that_has_begun_all_its_slots(self) -> None:
        first, second, _ = morning()
        past = (published(), booked("ann's", first, second))
        begun = MONDAY + timedelta(minutes=5)
        given(*past).when(replace(WITHDRAW, slots=("second",), now=begun)).is_refused("slot-in-the-past")
        rest = withdrawn("third", end=MONDAY + timedelta(minutes=20))
        given(*past).when(replace(WHOLE, now=begun)).then(rest)


class TestWithdrawingSlotsThatPatientsHave:
    PAST = (published(), booked())

    def test_needs_a_confirmation(self) -> None:
        given(*self.PAST).when(WITHDRAW).is_refused("confirmation-needed", "confirmation")

    def test_says_how_many_patients_it_is_about(self) -> None:
        second = booked("bob's", *morning()[1:2], patient=BOB)
        with pytest.raises(Refusal, match="1 patient has an appointment"):
            given(*self.PAST).when(WHOLE).nothing_happens()
        with pytest.raises(Refusal, match="2 patients have an appointment"):
            given(*self.PAST, second).when(WHOLE).nothing_happens()

    def test_refuses_a_confirmation_older_than_the_session(self) -> None:
        given(*self.PAST).when(replace(WITHDRAW, confirmed=1)).is_refused("withdrawal-changed", "confirmation")

    def test_displaces_each_of_them(self) -> None:
        given(*self.PAST).when(replace(WITHDRAW, confirmed=2)).then(FIRST, displaced())

    def test_displaces_somebody_from_the_slots_that_stay_too(self) -> None:
        first, second, _ = morning()
        past = (published(), booked("ann's", first, second))
        events = given(*past).when(replace(WITHDRAW, confirmed=2)).events
        assert [getattr(event, "slots", ()) for event in events] == [("first",), ("first", "second")]
        given(REGISTERED, *past, *events).when(book("bob's", second, patient=BOB)).then(
            booked("bob's", second, patient=BOB)
        )

    def test_displaces_a_patient_who_has_arrived_but_none_who_has_been_seen(self) -> None:
        arrived = PatientArrived(session="monday", practice="A1", appointment="ann's")
        seen = AppointmentFulfilled(session="monday", practice="A1", appointment="ann's")
        given(*self.PAST, arrived).when(replace(WITHDRAW, confirmed=3)).then(FIRST, displaced())
        given(*self.PAST, seen).when(WITHDRAW).then(FIRST)

    def test_goes_on_while_the_practice_is_frozen(self) -> None:
        given(REGISTERED, FROZEN, *self.PAST).when(replace(WITHDRAW, confirmed=2)).then(FIRST, displaced())

    def test_needs_no_confirmation_to_end_holds(self) -> None:
        given(published(), held()).when(WITHDRAW).then(FIRST, released("withdrawn"))
        given(published(), held()).when(replace(WITHDRAW, now=SOON)).then(FIRST, released("expired"))

    def test_the_displaced_can_be_moved_and_free_no_slot_then(self) -> None:
        gone = (published(), booked(), FIRST, displaced(), published("tuesday", LATER))
        new, old = given(*gone).when(ask_to_move()).events
        assert new == booked("ann's new one", LATER, session="tuesday", replaces="ann's", move="move")
        assert isinstance(old, AppointmentMoved)
        assert old.slots == ()
        assert moved().slots == ("first",)


class TestAWithdrawnSlot:
    PAST = (REGISTERED, published(), booked(), FIRST, displaced())
    AGAIN = SlotsAdded(session="monday", practice="A1", slots=morning()[:1], session_start=MONDAY, session_end=END)

    def test_cannot_be_booked(self) -> None:
        given(*self.PAST).when(book("bob's", patient=BOB)).is_refused("unknown-slot")

    def test_is_not_brought_back_by_a_file_that_still_lists_it(self) -> None:
        given(*self.PAST).when(ImportSession(sheet(), (), NOW)).nothing_happens()

    def test_keeps_its_displaced_appointment_as_it_is_whatever_such_a_file_says(self) -> None:
        given(*self.PAST).when(ImportSession(sheet(), (entry(),), NOW)).nothing_happens()
        given(*self.PAST).when(ImportSession(sheet(), (entry("cancelled"),), NOW)).nothing_happens()

    def test_takes_no_new_appointment_from_such_a_file(self) -> None:
        brought = ImportSession(sheet(), (entry("booked", "bob's"),), NOW)
        given(*self.PAST).when(brought).is_refused("slot-withdrawn", "slots[0].start")

    def test_comes_back_when_it_is_published_anew(self) -> None:
        publish = PublishSession(sheet(), NOW)
        then = given(*self.PAST).when(publish).then(self.AGAIN)
        then.when(publish).nothing_happens()
        then.when(book("bob's", patient=BOB)).then(booked("bob's", patient=BOB))

    def test_comes_back_to_a_session_that_had_lost_them_all(self) -> None:
        given(REGISTERED, published(), ALL).when(PublishSession(sheet(morning()[0]), NOW)).then(
            SlotsAdded(
                session="monday",
                practice="A1",
                slots=morning()[:1],
                session_start=MONDAY,
                session_end=MONDAY + timedelta(minutes=10),
            )
        )

    def test_makes_room_for_slots_of_another_length(self) -> None:
        quarter = slot("quarter", MONDAY + timedelta(minutes=5), 15)
        assert given(REGISTERED, published(), ALL).when(PublishSession(sheet(quarter), NOW)).events
