"""The rules of who is in a recovery: what paper may say and when, who stops waiting, and what is noted of whom."""

from dataclasses import replace
from datetime import date

import pytest

from services.rebooking.commands import NoteConstraints, ReconcileAppointments, RequestMoves, StopWaiting
from shared.events.rebooking import Constraints, ConstraintsNoted, Evidence, Outcome, RebookingEvent
from tests.rebooking.deciding import (
    MOVED,
    MOVED_AGAIN,
    approved,
    declared,
    declined,
    finding,
    given,
    kept,
    proposed,
    reconciled,
    requested,
    unanswered,
)


class TestReconcileAppointments:
    @staticmethod
    def command(outcome: Outcome, evidence: Evidence = "paper") -> ReconcileAppointments:
        return ReconcileAppointments("outage", "A1", (finding(outcome, evidence),))

    def test_an_outcome_is_recorded_with_its_evidence(self) -> None:
        given(declared()).when(self.command("attended")).then(reconciled("attended", "paper"))

    def test_the_same_outcome_again_is_nothing(self) -> None:
        given(declared(), reconciled("attended", "paper")).when(self.command("attended")).nothing_happens()
        given(declared(), reconciled("displaced", "paper")).when(self.command("displaced")).nothing_happens()

    @pytest.mark.parametrize("outcome", ["attended", "missed", "cancelled", "elsewhere"])
    def test_the_rule_does_not_speak_where_somebody_has(self, outcome: Outcome) -> None:
        given(declared(), reconciled(outcome, "paper")).when(self.command("displaced", "rule")).nothing_happens()

    @pytest.mark.parametrize("assumed", ["triage", "displaced"])
    def test_paper_found_later_corrects_what_the_rule_assumed(self, assumed: Outcome) -> None:
        past = (declared(), reconciled(assumed, "rule"))
        given(*past).when(self.command("attended")).then(reconciled("attended", "paper"))

    def test_paper_does_not_contradict_paper(self) -> None:
        given(declared(), reconciled("missed", "paper")).when(self.command("attended")).is_refused("contradicts")
        given(declared(), reconciled("displaced", "paper")).when(self.command("attended")).is_refused("contradicts")

    def test_paper_comes_too_late_once_a_move_was_requested(self) -> None:
        given(*MOVED[:-1]).when(self.command("attended")).is_refused("contradicts")
        given(*MOVED).when(self.command("attended")).is_refused("contradicts")

    def test_who_typed_it_is_recorded(self) -> None:
        [event] = given(declared()).when(replace(self.command("elsewhere"), typed_by="Bea")).events
        assert (event.outcome, event.typed_by) == ("elsewhere", "Bea")  # type: ignore[union-attr]

    def test_only_practices_of_the_outage_are_reconciled(self) -> None:
        elsewhere = ReconcileAppointments("outage", "B2", (finding("attended"),))
        given(declared()).when(elsewhere).is_refused("unknown-practice", "practice")

    def test_only_a_declared_outage_is_reconciled(self) -> None:
        given().when(self.command("attended")).is_refused("unknown-outage")


class TestStopWaiting:
    def test_whoever_waits_stops_when_the_diary_shows_that_it_is_over(self) -> None:
        stop = StopWaiting("outage", "A1", "lost", "rescheduled")
        given(declared(), reconciled()).when(stop).then(reconciled("rescheduled", "diary"))

    @pytest.mark.parametrize("outcome", ["cancelled", "rescheduled", "attended", "missed"])
    def test_whoever_asked_for_another_time_stops_when_the_new_one_is_over(self, outcome: Outcome) -> None:
        stop = StopWaiting("outage", "A1", "new", outcome)
        given(*MOVED, declined()).when(stop).then(reconciled(outcome, "diary"))

    def test_once_only(self) -> None:
        stop = StopWaiting("outage", "A1", "new", "cancelled")
        given(*MOVED, declined()).when(stop, stop).nothing_happens()

    def test_what_becomes_of_a_new_time_that_was_not_declined_is_not_the_recoverys(self) -> None:
        stop = StopWaiting("outage", "A1", "new", "cancelled")
        for answer in ((), (kept(),), (unanswered(),), (declined("cancel"),)):
            given(*MOVED, *answer).when(stop).nothing_happens()

    def test_what_becomes_of_a_time_that_has_given_way_changes_nothing(self) -> None:
        for earlier in ("lost", "new"):
            given(*MOVED_AGAIN).when(StopWaiting("outage", "A1", earlier, "rescheduled")).nothing_happens()

    def test_booking_answers_first_where_it_was_asked(self) -> None:
        given(*MOVED[:-1]).when(StopWaiting("outage", "A1", "lost", "cancelled")).nothing_happens()


MORNINGS = Constraints(not_before=date(2024, 7, 24), weekdays=(3, 4), half_of_day="morning")


class TestNoteConstraints:
    command = NoteConstraints("outage", "A1", "lost", MORNINGS, "Bea")
    noted = ConstraintsNoted(
        outage="outage", practice="A1", appointment="lost", patient="patient", constraints=MORNINGS, noted_by="Bea"
    )

    @pytest.mark.parametrize("past", [(declared(), reconciled()), MOVED, (*MOVED, declined())])
    def test_they_are_noted_of_whoever_is_displaced_or_moved(self, past: tuple[RebookingEvent, ...]) -> None:
        given(*past).when(self.command).then(self.noted)

    def test_the_same_again_is_nothing_and_others_replace_them(self) -> None:
        given(declared(), reconciled(), self.noted).when(self.command).nothing_happens()
        others = Constraints(channels=("telephone",))
        [event] = given(declared(), reconciled(), self.noted).when(replace(self.command, constraints=others)).events
        assert event.constraints == others  # type: ignore[union-attr]

    def test_they_are_not_noted_of_whoever_needs_no_other_time(self) -> None:
        given(declared(), reconciled("attended")).when(self.command).is_refused("not-displaced", "appointment")
        given(declared()).when(self.command).is_refused("unknown-appointment", "appointment")

    @pytest.mark.parametrize(
        ("impossible", "where"),
        [
            (Constraints(not_before=date(2024, 7, 25), not_after=date(2024, 7, 24)), "not_after"),
            (Constraints(weekdays=(0, 1)), "weekdays"),
            (Constraints(weekdays=(8,)), "weekdays"),
        ],
    )
    def test_what_no_day_can_meet_is_refused(self, impossible: Constraints, where: str) -> None:
        command = replace(self.command, constraints=impossible)
        given(declared(), reconciled()).when(command).is_refused("bad-constraints", where)

    def test_a_plan_made_before_them_moves_the_others_only(self) -> None:
        two = (declared(), reconciled(), reconciled(appointment="other"), proposed("plan-a", "lost", "other"))
        noted_of_other = ConstraintsNoted(
            outage="outage", practice="A1", appointment="other", patient="patient", constraints=MORNINGS
        )
        for past in ((*two, noted_of_other, approved()), (*two, approved(), noted_of_other)):
            given(*past).when(RequestMoves("outage", "A1", "plan-a")).then(requested())
