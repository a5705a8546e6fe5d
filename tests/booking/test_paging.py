"""Publishing a page of the diary, extending it, and taking one over with its appointments."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.booking.commands import Entry, EntryStatus, ImportSession, PublishSession
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentFulfilled,
    AppointmentMissed,
    BookingEvent,
    Opening,
    Patient,
    PatientArrived,
    PracticeFrozen,
    SessionOpened,
    SlotsAdded,
)
from tests.booking.deciding import (
    ANN,
    BOB,
    MONDAY,
    NOW,
    REGISTERED,
    SOON,
    booked,
    given,
    held,
    morning,
    moved,
    published,
    released,
    sheet,
    slot,
)

FOURTH = slot("fourth", MONDAY + timedelta(minutes=30))


def imported(appointment: str = "ann's", *, patient: Patient = ANN) -> AppointmentBooked:
    return booked(appointment, patient=patient, booked_by="reception")


def entry(status: EntryStatus = "booked", appointment: str = "ann's", slot: str = "first") -> Entry:
    patient = ANN if appointment == "ann's" else BOB
    return Entry(appointment, slot, patient, "details, sealed", True, NOW, 0, "reception", status)


def cancelled(appointment: str = "ann's") -> AppointmentCancelled:
    return AppointmentCancelled(
        session="monday",
        practice="A1",
        appointment=appointment,
        cancelled_by="practice",
        reason="other",
        slots=("first",),
    )


def settled(status: EntryStatus) -> BookingEvent:
    names = {"session": "monday", "practice": "A1", "appointment": "ann's"}
    match status:
        case "arrived":
            return PatientArrived(**names)
        case "fulfilled":
            return AppointmentFulfilled(**names)
        case "noshow":
            return AppointmentMissed(**names)
        case _:
            return cancelled()


class TestPublishing:
    PUBLISH = PublishSession(sheet(), NOW)

    def test_adds_the_session_with_its_slots(self) -> None:
        given(REGISTERED).when(self.PUBLISH).then(published())

    def test_twice_is_publishing_once(self) -> None:
        given(REGISTERED).when(self.PUBLISH, self.PUBLISH).nothing_happens()

    def test_slots_that_are_new_extend_a_known_session(self) -> None:
        extended = SlotsAdded(
            session="monday",
            practice="A1",
            slots=(FOURTH,),
            session_start=MONDAY,
            session_end=MONDAY + timedelta(minutes=40),
        )
        more = PublishSession(sheet(*morning(), FOURTH), NOW)
        given(REGISTERED).when(self.PUBLISH, more).then(extended)
        given(REGISTERED).when(self.PUBLISH, more, more).nothing_happens()

    def test_refuses_a_practice_that_is_not_registered(self) -> None:
        given().when(self.PUBLISH).is_refused("unknown-practice", "practice")

    def test_refuses_a_slot_that_has_begun(self) -> None:
        begun = PublishSession(sheet(), MONDAY + timedelta(minutes=10))
        given(REGISTERED).when(begun).is_refused("slot-in-the-past", "slots[0].start")

    def test_refuses_slots_that_overlap(self) -> None:
        long = slot("first", MONDAY, minutes=15)
        overlapping = PublishSession(sheet(long, *morning()[1:]), NOW)
        given(REGISTERED).when(overlapping).is_refused("slots-overlap", "slots[1].start")

    def test_refuses_a_known_slot_with_other_properties(self) -> None:
        other = replace(self.PUBLISH, sheet=sheet(slot("first", MONDAY, minutes=5)))
        given(REGISTERED, published()).when(other).is_refused("slot-differs", "slots[0].start")

    def test_goes_on_while_the_practice_is_frozen_since_locums_come_after_an_outage(self) -> None:
        frozen = PracticeFrozen(practice="A1", outage="friday")
        given(REGISTERED, frozen).when(self.PUBLISH).then(published())

    def test_can_say_at_once_to_whom_the_session_is_open(self) -> None:
        opened = replace(self.PUBLISH, opening=Opening(days_ahead=1))
        given(REGISTERED).when(opened).then(published(opening=Opening(days_ahead=1)))
        given(REGISTERED).when(opened, opened).nothing_happens()

    def test_of_a_known_session_can_open_it_otherwise_and_leaves_it_as_it_is_if_nothing_is_said(self) -> None:
        closed = replace(self.PUBLISH, opening=Opening(closed=True))
        news = SessionOpened(session="monday", practice="A1", opening=Opening(closed=True))
        given(REGISTERED, published()).when(closed).then(news)
        given(REGISTERED, published(opening=Opening(closed=True))).when(self.PUBLISH).nothing_happens()


class TestImporting:
    IMPORT = ImportSession(sheet(), (entry(),), NOW)

    def test_takes_over_the_page_and_its_appointments(self) -> None:
        given(REGISTERED).when(self.IMPORT).then(published(), imported())

    def test_twice_is_importing_once(self) -> None:
        given(REGISTERED).when(self.IMPORT, self.IMPORT).nothing_happens()

    @pytest.mark.parametrize("status", ["arrived", "fulfilled", "noshow", "cancelled"])
    def test_writes_down_where_each_appointment_stands(self, status: EntryStatus) -> None:
        stands = ImportSession(sheet(), (entry(status),), NOW)
        given(REGISTERED).when(stands).then(published(), imported(), settled(status))
        given(REGISTERED).when(stands, stands).nothing_happens()

    def test_learns_what_became_of_an_appointment_since_the_last_import(self) -> None:
        given(REGISTERED).when(self.IMPORT, ImportSession(sheet(), (entry("noshow"),), NOW)).then(settled("noshow"))

    def test_a_slot_called_off_by_one_patient_can_be_another_s(self) -> None:
        both = ImportSession(sheet(), (entry("cancelled"), entry("booked", "bob's")), NOW)
        expected = (published(), imported(), cancelled(), imported("bob's", patient=BOB))
        given(REGISTERED).when(both).then(*expected)

    def test_refuses_a_second_appointment_in_one_slot(self) -> None:
        both = ImportSession(sheet(), (entry(), entry("booked", "bob's")), NOW)
        given(REGISTERED).when(both).is_refused("slot-taken", "slots[0].start")

    def test_does_not_undo_what_was_done_here_since_the_file_was_written(self) -> None:
        given(REGISTERED, published(), imported(), moved()).when(self.IMPORT).nothing_happens()
        given(REGISTERED, published(), imported(), cancelled()).when(self.IMPORT).nothing_happens()

    def test_goes_on_while_the_practice_is_frozen_since_it_books_nothing_new(self) -> None:
        frozen = PracticeFrozen(practice="A1", outage="friday")
        given(REGISTERED, frozen).when(self.IMPORT).then(published(), imported())

    def test_refuses_a_practice_that_is_not_registered(self) -> None:
        given().when(self.IMPORT).is_refused("unknown-practice")

    def test_refuses_a_slot_that_somebody_is_just_booking(self) -> None:
        given(REGISTERED, published(), held()).when(self.IMPORT).is_refused("slot-taken", "slots[0].start")

    def test_ends_a_hold_in_its_way_whose_time_is_over(self) -> None:
        later = replace(self.IMPORT, now=SOON)
        given(REGISTERED, published(), held()).when(later).then(released("expired"), imported())
