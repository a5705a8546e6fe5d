"""Moves: both pages change together, or the asker is told why not; never a refusal, never twice."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentFulfilled,
    AppointmentMoved,
    BookingEvent,
    HoldReleased,
    MoveRejected,
    PracticeFrozen,
    Slot,
)
from tests.booking.deciding import (
    BOB,
    LATER,
    NOW,
    REGISTERED,
    SOON,
    TUESDAY,
    ask_to_move,
    book,
    booked,
    given,
    held,
    moved,
    published,
    slot,
)

PAST = (published(), booked(), published("tuesday", LATER))
NEW = booked("ann's new one", LATER, session="tuesday", replaces="ann's", move="move")


def rejected(reason: str) -> MoveRejected:
    return MoveRejected(
        session="monday", practice="A1", appointment="ann's", move="move", outage="outage", reason=reason
    )


def tuesday(*slots: Slot) -> tuple[BookingEvent, ...]:
    return (published(), booked(), published("tuesday", *slots))


def test_a_move_takes_the_new_slot_with_the_sealed_patient_as_it_is_and_gives_up_the_old_one() -> None:
    given(*PAST).when(ask_to_move()).then(NEW, moved())


def test_a_move_within_one_session_takes_another_slot_of_it() -> None:
    within = ask_to_move(to_session="monday", to_slot="third", to_start=published().slots[2].start)
    new, old = given(published(), booked()).when(within).events
    assert (new.stream, old.stream) == ("session/monday", "session/monday")


def test_a_move_asked_for_twice_is_made_once() -> None:
    given(*PAST).when(ask_to_move(), ask_to_move()).nothing_happens()


def test_a_rejected_move_asked_for_again_is_answered_once() -> None:
    given(published()).when(ask_to_move(), ask_to_move()).nothing_happens()
    given().when(ask_to_move(), ask_to_move()).nothing_happens()


def test_the_old_slot_is_free_after_the_move() -> None:
    again = book("bob's", patient=BOB)
    given(REGISTERED, *PAST).when(ask_to_move(), again).then(booked("bob's", patient=BOB))


def test_moves_go_on_while_the_practice_is_frozen() -> None:
    frozen = PracticeFrozen(practice="A1", outage="outage")
    given(REGISTERED, frozen, *PAST).when(ask_to_move()).then(NEW, moved())


def test_a_moved_appointment_can_be_moved_on() -> None:
    second = slot("second", TUESDAY + timedelta(minutes=10))
    on = ask_to_move(
        "move on",
        appointment="ann's new one",
        from_session="tuesday",
        to_slot="second",
        to_start=second.start,
        to_appointment="ann's newest",
    )
    new, old = given(*tuesday(LATER, second)).when(ask_to_move(), on).events
    assert new == booked("ann's newest", second, session="tuesday", replaces="ann's new one", move="move on")
    assert old.stream == "session/tuesday"


SHARED = slot("shared", TUESDAY + timedelta(hours=2))
AT_B2 = published("at B2", SHARED, practice="B2")
TO_B2: dict[str, Any] = {
    "to_session": "at B2",
    "to_slot": "shared",
    "to_start": SHARED.start,
    "to_practice": "B2",
}
"""Harbour Surgery shares the capacity of Mill Lane, whose code is B2."""


def test_a_move_may_take_a_slot_of_the_practice_that_it_names() -> None:
    new, old = given(*PAST, AT_B2).when(ask_to_move(**TO_B2)).events
    assert new == replace(
        booked("ann's new one", SHARED, session="at B2", replaces="ann's", move="move"), practice="B2", booked_by="A1"
    )
    assert isinstance(old, AppointmentMoved)
    assert (old.practice, old.to_practice, old.to_slots) == ("A1", "B2", ("shared",))


@pytest.mark.parametrize("named", ["", "C3"])
def test_a_move_takes_no_slot_of_a_practice_that_it_does_not_name(named: str) -> None:
    elsewhere = ask_to_move(**TO_B2 | {"to_practice": named})
    given(*PAST, AT_B2).when(elsewhere).then(rejected("The slot is at another practice"))


def test_a_move_that_names_another_practice_takes_no_slot_of_its_own() -> None:
    given(*PAST).when(ask_to_move(to_practice="B2")).then(rejected("The slot is at another practice"))


def test_no_practice_moves_what_is_another_practices() -> None:
    stranger = ask_to_move(practice="B2", to_practice="A1")
    (answer,) = given(*PAST).when(stranger).events
    assert isinstance(answer, MoveRejected)
    assert answer.reason == "The appointment is another practice's"


def test_who_was_moved_to_another_practice_stays_a_patient_of_their_own() -> None:
    """Moved on from there: to that practice again, be it by its own wish or theirs, and home."""
    later = slot("later still", SHARED.start + timedelta(minutes=10))
    past = (*PAST, published("at B2", SHARED, later, practice="B2"))
    on: dict[str, Any] = {
        "move": "move on",
        "appointment": "ann's new one",
        "from_session": "at B2",
        "to_appointment": "ann's newest",
    }
    there = on | {"to_session": "at B2", "to_slot": "later still", "to_start": later.start}
    wishes = (
        ask_to_move(**there, to_practice="B2"),
        ask_to_move(**there, practice="B2"),
        ask_to_move(**on),
    )
    ends = [given(*past).when(ask_to_move(**TO_B2), wish).events for wish in wishes]
    assert [(new.practice, new.booked_by, new.replaces) for new, _ in ends if isinstance(new, AppointmentBooked)] == [
        ("B2", "A1", "ann's new one"),
        ("B2", "A1", "ann's new one"),
        ("A1", "rebooking", "ann's new one"),
    ]
    assert [(old.stream, old.practice, old.to_practice) for _, old in ends if isinstance(old, AppointmentMoved)] == [
        ("session/at B2", "A1", "B2"),
        ("session/at B2", "B2", ""),
        ("session/at B2", "A1", ""),
    ]


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        ((), "The appointment is not in this session"),
        ((published(),), "The appointment is not in this session"),
        ((published(), booked()), "The slot is no longer in the diary"),
        (tuesday(slot("other", TUESDAY)), "The slot is no longer in the diary"),
        ((*PAST, booked("bob's", LATER, session="tuesday", patient=BOB)), "The slot has been taken"),
        (tuesday(slot("later", TUESDAY + timedelta(hours=1))), "The slot is at another time than was planned"),
        (tuesday(slot("later", TUESDAY, minutes=5)), "The slot is shorter than the appointment"),
        (tuesday(slot("later", TUESDAY, kept_for="nhs-111")), "The slot is kept for nhs-111"),
        (tuesday(slot("later", TUESDAY, kept_for="same-day")), "The slot is kept for same-day"),
        (
            (published(), booked(), published("tuesday", LATER, practice="B2")),
            "The slot is at another practice",
        ),
        (
            (*PAST, AppointmentFulfilled(session="monday", practice="A1", appointment="ann's")),
            "The appointment is fulfilled already",
        ),
        (
            (
                *PAST,
                AppointmentCancelled(
                    session="monday", practice="A1", appointment="ann's", cancelled_by="patient", reason="pat"
                ),
            ),
            "The appointment is cancelled already",
        ),
    ],
)
def test_a_move_that_cannot_be_made_is_rejected_with_its_reason(past: tuple[BookingEvent, ...], reason: str) -> None:
    given(*past).when(ask_to_move()).then(rejected(reason))


def test_a_move_into_a_slot_that_is_held_waits_for_the_hold_to_end() -> None:
    past = (*PAST, held("bob's", LATER, session="tuesday"))
    given(*past).when(ask_to_move()).then(rejected("The slot has been taken"))
    over, new, _ = given(*past).when(ask_to_move(now=SOON)).events
    assert over == HoldReleased(
        session="tuesday", practice="A1", appointment="bob's", reason="expired", slots=("later",)
    )
    assert isinstance(new, AppointmentBooked)


def test_a_move_into_a_slot_that_has_begun_is_rejected() -> None:
    given(*PAST).when(ask_to_move(now=TUESDAY)).then(rejected("The slot has begun already"))


def test_two_moves_of_one_appointment_make_one() -> None:
    other = slot("other", TUESDAY + timedelta(hours=1))
    second = ask_to_move("second move", to_slot="other", to_start=other.start, to_appointment="another")
    (answer,) = given(*tuesday(LATER, other)).when(ask_to_move(), second).events
    assert isinstance(answer, MoveRejected)
    assert answer.reason == "The appointment is moved already"
    assert other.start > NOW
