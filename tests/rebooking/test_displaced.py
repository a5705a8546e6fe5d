"""The rules of a withdrawn session: each patient is taken up once, and left alone when the diary says it is over."""

from dataclasses import replace
from typing import get_args

import pytest

from services.rebooking.commands import EndOutage, ReconcileAppointments, RefuseMove, StopWaiting, TakeUpDisplaced
from shared.events.rebooking import AppointmentReconciled, MoveRefused, OutageDeclared, Outcome, RebookingEvent
from tests.rebooking.deciding import (
    FRIDAY,
    MOVE,
    MOVED,
    NOW,
    approved,
    confirmed,
    declared,
    finding,
    given,
    proposed,
    reconciled,
    requested,
)

NAME = "Session withdrawn: Morning surgery, Friday 19 July 2024"
WITHDRAWN = OutageDeclared(
    outage="outage", name=NAME, practices=("A1",), started_at=NOW, ended_at=NOW, kind="withdrawal"
)
DISPLACED = reconciled("displaced", "withdrawn")
REFUSED = MoveRefused(
    outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient", reason="It is cancelled already"
)


class TestTakeUpDisplaced:
    command = TakeUpDisplaced("outage", "A1", NAME, NOW, "lost", "patient")

    def test_the_first_patient_makes_the_withdrawal_known(self) -> None:
        given().when(self.command).then(WITHDRAWN, DISPLACED)

    def test_the_next_comes_to_the_same_recovery(self) -> None:
        another = replace(self.command, appointment="another")
        given(WITHDRAWN, DISPLACED).when(another).then(reconciled("displaced", "withdrawn", "another"))

    @pytest.mark.parametrize(
        "since",
        [
            (),
            (proposed(), approved(), requested()),
            (proposed(), approved(), requested(), confirmed()),
            (reconciled("cancelled", "diary"),),
        ],
    )
    def test_the_same_patient_again_is_nothing_however_far_they_have_come(
        self, since: tuple[RebookingEvent, ...]
    ) -> None:
        given(WITHDRAWN, DISPLACED, *since).when(self.command).nothing_happens()


class TestNoOutage:
    def test_a_withdrawal_has_nothing_to_reconcile(self) -> None:
        paper = ReconcileAppointments("outage", "A1", (finding("attended"),))
        given(WITHDRAWN, DISPLACED).when(paper).is_refused("nothing-to-reconcile", "outage")

    def test_a_withdrawal_has_no_end(self) -> None:
        given(WITHDRAWN).when(EndOutage("outage", FRIDAY, NOW)).is_refused("not-an-outage", "outage")


class TestStopWaiting:
    command = StopWaiting("outage", "A1", "lost", "rescheduled")

    @pytest.mark.parametrize("outcome", [outcome for outcome in get_args(Outcome) if outcome != "displaced"])
    @pytest.mark.parametrize("past", [(declared(), reconciled()), (WITHDRAWN, DISPLACED)])
    def test_the_recovery_does_not_wait_for_a_patient_whose_appointment_is_over(
        self, past: tuple[OutageDeclared, AppointmentReconciled], outcome: Outcome
    ) -> None:
        given(*past).when(replace(self.command, outcome=outcome)).then(reconciled(outcome, "diary"))

    def test_hearing_it_twice_is_hearing_it_once(self) -> None:
        given(declared(), reconciled()).when(self.command, self.command).nothing_happens()

    def test_a_place_in_a_plan_is_given_up_with_it(self) -> None:
        past = (declared(), reconciled(), proposed(), reconciled("rescheduled", "diary"), approved())
        given(*past).when(self.command).nothing_happens()

    def test_what_somebody_wrote_of_the_day_stands(self) -> None:
        given(declared(), reconciled("attended", "paper")).when(self.command).nothing_happens()

    def test_while_a_move_is_under_way_booking_answers_first(self) -> None:
        given(*MOVED[:-1]).when(self.command).nothing_happens()

    def test_whoever_was_moved_waits_no_more(self) -> None:
        given(*MOVED).when(self.command).nothing_happens()

    def test_nobody_waits_of_whom_nothing_is_known(self) -> None:
        given(declared()).when(self.command).nothing_happens()


def test_a_move_refused_because_the_appointment_is_over_needs_no_call() -> None:
    refusal = RefuseMove("outage", "A1", "lost", MOVE, "It is cancelled already", over="cancelled")
    given(*MOVED[:-1]).when(refusal).then(REFUSED, reconciled("cancelled", "diary"))
