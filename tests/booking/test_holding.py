"""Holding slots for a few minutes: nobody else can book them, and nobody but the holder confirms."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.booking.commands import Asker, ConfirmHold, ExpireHolds, HoldSlots, ReleaseHold
from shared.events.booking import AppointmentCancelled, HoldReleased, PracticeFrozen
from tests.booking.deciding import (
    ANN,
    BOB,
    CLINIC,
    FROZEN,
    MONDAY,
    NOW,
    OPENED,
    OWN,
    REGISTERED,
    SOON,
    booked,
    cancelled,
    given,
    held,
    morning,
    published,
    released,
    slot,
)

PAST = (REGISTERED, published(), held())


def hold(**others: Any) -> HoldSlots:
    usual: dict[str, Any] = {
        "appointment": "held",
        "practice": "A1",
        "session": "monday",
        "slots": ("first",),
        "start": MONDAY,
        "end": MONDAY + timedelta(minutes=10),
        "asker": OWN,
        "until": SOON,
        "now": NOW,
    }
    return HoldSlots(**(usual | others))


class TestHolding:
    def test_keeps_the_slot_until_then(self) -> None:
        given(REGISTERED, published()).when(hold()).then(held())

    def test_keeps_several_slots_that_adjoin(self) -> None:
        first, second, third = morning()
        both = hold(slots=("first", "second"), end=MONDAY + timedelta(minutes=20))
        given(REGISTERED, published()).when(both).then(held("held", first, second))
        given(REGISTERED, published()).when(hold(slots=("first", third.id))).is_refused("slots-do-not-adjoin")

    def test_twice_is_holding_once(self) -> None:
        given(*PAST).when(hold()).nothing_happens()
        given(*PAST, released("given-up")).when(hold()).nothing_happens()
        given(*PAST, booked("held")).when(hold()).nothing_happens()

    def test_says_which_organisation_holds(self) -> None:
        given(REGISTERED, OPENED, published()).when(hold(asker=CLINIC)).then(held(held_by="U1"))

    def test_is_for_those_whom_no_outage_keeps_out(self) -> None:
        past = (REGISTERED, OPENED, PracticeFrozen(practice="A1", outage="friday", keeps_out=("public",)), published())
        given(*past).when(hold(asker=CLINIC)).is_refused("practice-frozen")
        given(*past).when(hold()).then(held())

    def test_lasts_half_an_hour_at_most(self) -> None:
        longest = NOW + timedelta(minutes=30)
        given(REGISTERED, published()).when(hold(until=longest)).then(held(until=longest))
        longer = hold(until=longest + timedelta(seconds=1))
        given(REGISTERED, published()).when(longer).is_refused("hold-too-long", "until")

    def test_ends_when_its_slots_begin_if_not_before(self) -> None:
        now = MONDAY - timedelta(minutes=5)
        late = hold(now=now, until=now + timedelta(minutes=10))
        given(REGISTERED, published()).when(late).then(held(until=MONDAY, held_at=now))

    def test_refuses_a_hold_that_would_be_over_already(self) -> None:
        given(REGISTERED, published()).when(hold(until=NOW)).is_refused("hold-in-the-past", "until")

    @pytest.mark.parametrize("taker", [booked("bob's", patient=BOB), held("another")])
    def test_refuses_a_slot_that_somebody_else_has_or_holds(self, taker: Any) -> None:
        given(REGISTERED, published(), taker).when(hold()).is_refused("slot-taken", "Appointment.slot")

    def test_ends_another_hold_whose_time_is_over(self) -> None:
        later = SOON + timedelta(minutes=5)
        again = held("again", until=later, held_at=SOON)
        given(*PAST).when(hold(appointment="again", now=SOON, until=later)).then(released("expired"), again)

    def test_obeys_the_rules_of_booking(self) -> None:
        given(REGISTERED, published()).when(hold(asker=CLINIC)).is_refused("unknown-slot")
        given(REGISTERED, FROZEN, published()).when(hold()).is_refused("practice-frozen")
        given(REGISTERED, published()).when(hold(start=NOW)).is_refused("times-differ")
        past = hold(now=MONDAY, until=MONDAY + timedelta(minutes=1))
        given(REGISTERED, published()).when(past).is_refused("slot-in-the-past")
        kept = published("monday", slot("first", MONDAY, kept_for="nhs-111"))
        given(REGISTERED, kept).when(hold()).is_refused("slot-kept")


class TestConfirming:
    CONFIRM = ConfirmHold("A1", "monday", "held", 2, ANN, "details, sealed", True, OWN, NOW)

    def test_books_what_is_held_for_the_patient(self) -> None:
        given(*PAST).when(self.CONFIRM).then(booked("held"))

    def test_says_who_booked_it(self) -> None:
        by_the_clinic = booked(
            "held",
            booked_by="U1",
            booked_by_name="Harbour Clinic",
            booked_by_telephone="01632 960111",
            priority=5,
            identifier="urn:x|1",
        )
        confirm = replace(self.CONFIRM, asker=CLINIC, priority=5, identifier="urn:x|1")
        given(REGISTERED, published(), held(held_by="U1")).when(confirm).then(by_the_clinic)

    def test_asks_no_more_whether_the_slot_is_open(self) -> None:
        closed_meanwhile = (REGISTERED, published(), held(held_by="U1"))
        assert given(*closed_meanwhile).when(replace(self.CONFIRM, asker=CLINIC)).events

    def test_twice_is_confirming_once(self) -> None:
        given(*PAST).when(self.CONFIRM, self.CONFIRM).nothing_happens()

    def test_for_another_patient_once_it_is_booked_is_refused(self) -> None:
        for_bob = replace(self.CONFIRM, patient=BOB)
        given(*PAST).when(self.CONFIRM, for_bob).is_refused("version-mismatch", "If-Match")

    def test_once_it_was_cancelled_is_refused(self) -> None:
        off = cancelled("patient", "pat", appointment="held")
        given(*PAST, booked("held"), off).when(self.CONFIRM).is_refused("version-mismatch")

    def test_refuses_a_hold_that_is_not_there(self) -> None:
        given(REGISTERED, published()).when(self.CONFIRM).is_refused("unknown-appointment")
        given(REGISTERED).when(self.CONFIRM).is_refused("unknown-appointment")

    @pytest.mark.parametrize("asker", [CLINIC, Asker("practice", "")])
    def test_answers_another_organisation_as_if_there_were_none(self, asker: Asker) -> None:
        others = replace(self.CONFIRM, asker=asker)
        given(*PAST).when(others).is_refused("unknown-appointment")
        given(*PAST, booked("held")).when(others).is_refused("unknown-appointment")
        given(*PAST, released("expired")).when(others).is_refused("unknown-appointment")

    def test_refuses_a_hold_whose_time_is_over_whether_or_not_that_was_written_down(self) -> None:
        late = replace(self.CONFIRM, now=SOON)
        given(*PAST).when(late).is_refused("hold-expired")
        given(*PAST, released("expired")).when(late).is_refused("hold-expired")
        given(*PAST, released("given-up")).when(self.CONFIRM).is_refused("hold-expired")

    def test_refuses_another_version(self) -> None:
        given(*PAST).when(replace(self.CONFIRM, version=1)).is_refused("version-mismatch", "If-Match")

    def test_is_a_new_appointment_and_waits_while_the_practice_is_frozen(self) -> None:
        given(*PAST, FROZEN).when(self.CONFIRM).is_refused("practice-frozen")
        to_others = PracticeFrozen(practice="A1", outage="friday", keeps_out=("nhs-111", "public"))
        assert given(*PAST, to_others).when(self.CONFIRM).events


class TestReleasing:
    RELEASE = ReleaseHold("monday", "held", 2, NOW)

    def test_frees_the_slots(self) -> None:
        given(*PAST).when(self.RELEASE).then(released("given-up"))

    def test_twice_is_releasing_once(self) -> None:
        given(*PAST).when(self.RELEASE, self.RELEASE).nothing_happens()

    def test_says_so_if_the_time_was_over_anyhow(self) -> None:
        given(*PAST).when(replace(self.RELEASE, now=SOON)).then(released("expired"))

    def test_refuses_a_hold_that_is_not_there(self) -> None:
        given(published()).when(self.RELEASE).is_refused("unknown-appointment")
        given().when(self.RELEASE).is_refused("unknown-appointment")

    def test_refuses_another_version_and_what_has_been_booked_meanwhile(self) -> None:
        given(*PAST).when(replace(self.RELEASE, version=1)).is_refused("version-mismatch")
        given(*PAST, booked("held")).when(self.RELEASE).is_refused("version-mismatch")


class TestExpiring:
    def test_releases_every_hold_whose_time_is_over(self) -> None:
        first, second, third = morning()
        longer = held("longer", second, until=SOON + timedelta(seconds=1))
        past = (published(), held(), longer, held("given up", third))
        gone = HoldReleased(
            session="monday", practice="A1", appointment="given up", reason="given-up", slots=("third",)
        )
        given(*past, gone).when(ExpireHolds("monday", SOON)).then(released("expired"))
        assert first.id in held().slots

    def test_leaves_alone_what_has_been_booked(self) -> None:
        given(*PAST, booked("held")).when(ExpireHolds("monday", SOON)).nothing_happens()

    def test_finds_nothing_in_a_session_that_is_not_there(self) -> None:
        given().when(ExpireHolds("monday", SOON)).nothing_happens()


def test_a_slot_booked_after_a_hold_is_free_again_once_that_is_cancelled() -> None:
    off = cancelled("patient", "pat", appointment="held")
    assert isinstance(off, AppointmentCancelled)
    given(*PAST, booked("held"), off).when(hold(appointment="again")).then(held("again"))
