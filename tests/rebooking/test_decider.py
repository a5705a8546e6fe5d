"""The rules of rebooking, each as what happened, what is asked, and what follows."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.rebooking.commands import (
    ApprovePlan,
    ConfirmMove,
    DeclareOutage,
    EndOutage,
    NeedCall,
    ProposePlan,
    ReconcileAppointments,
    RecordAnswer,
    RefuseMove,
    RequestMoves,
)
from shared.events.notifications import Answer
from shared.events.rebooking import (
    CallMade,
    CallNeeded,
    Evidence,
    MoveRefused,
    OfferDeclined,
    OfferKept,
    OutageDeclared,
    OutageEnded,
    Outcome,
    PlanExpired,
    Unplaced,
    Wish,
)
from tests.rebooking.deciding import (
    FRIDAY,
    MOVE,
    MOVED,
    NOW,
    TUESDAY,
    approved,
    confirmed,
    declared,
    finding,
    given,
    placement,
    proposed,
    reconciled,
    requested,
)

SUNDAY = datetime.fromisoformat("2024-07-21T21:00+00:00")


def kept() -> OfferKept:
    return OfferKept(outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient")


def declined(wish: Wish) -> OfferDeclined:
    return OfferDeclined(outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient", wish=wish)


def call(reason: str) -> CallNeeded:
    return CallNeeded(outage="outage", practice="A1", appointment="lost", patient="patient", reason=reason)


class TestDeclareOutage:
    command = DeclareOutage("outage", "Friday", ("A1", "B2"), FRIDAY, None, "Ann", NOW)

    def test_an_outage_is_declared_before_its_end_is_known(self) -> None:
        event = OutageDeclared(
            outage="outage", name="Friday", practices=("A1", "B2"), started_at=FRIDAY, declared_by="Ann"
        )
        given().when(self.command).then(event)

    def test_an_outage_can_be_declared_when_it_is_over(self) -> None:
        [event] = given().when(replace(self.command, ended_at=SUNDAY)).events
        assert isinstance(event, OutageDeclared)
        assert event.ended_at == SUNDAY

    @pytest.mark.parametrize("ended_at", [FRIDAY, FRIDAY - timedelta(minutes=1)])
    def test_it_cannot_end_before_it_started(self, ended_at: datetime) -> None:
        given().when(replace(self.command, ended_at=ended_at)).is_refused("ends-before-start", "ended_at")

    def test_it_cannot_start_in_the_future(self) -> None:
        later = replace(self.command, started_at=NOW + timedelta(seconds=1))
        given().when(later).is_refused("starts-in-future", "started_at")

    def test_it_needs_a_practice(self) -> None:
        given().when(replace(self.command, practices=())).is_refused("no-practices", "practices")

    def test_declaring_twice_is_declaring_once(self) -> None:
        given(declared()).when(self.command).nothing_happens()


class TestEndOutage:
    command = EndOutage("outage", SUNDAY, NOW)

    def test_an_open_outage_ends(self) -> None:
        given(declared()).when(self.command).then(OutageEnded(outage="outage", practices=("A1",), ended_at=SUNDAY))

    def test_it_cannot_end_before_it_started(self) -> None:
        given(declared()).when(replace(self.command, ended_at=FRIDAY)).is_refused("ends-before-start", "ended_at")

    def test_it_cannot_end_in_the_future(self) -> None:
        later = replace(self.command, ended_at=NOW + timedelta(seconds=1))
        given(declared()).when(later).is_refused("ends-in-future", "ended_at")

    def test_it_ends_once(self) -> None:
        given(declared(SUNDAY)).when(self.command).nothing_happens()
        other = replace(self.command, ended_at=SUNDAY - timedelta(hours=1))
        given(declared(SUNDAY)).when(other).is_refused("already-ended", "ended_at")

    def test_only_a_declared_outage_ends(self) -> None:
        given().when(self.command).is_refused("unknown-outage")


class TestReconcileAppointments:
    @staticmethod
    def command(outcome: Outcome, evidence: Evidence = "paper") -> ReconcileAppointments:
        return ReconcileAppointments("outage", "A1", (finding(outcome, evidence),))

    def test_an_outcome_is_recorded_with_its_evidence(self) -> None:
        given(declared()).when(self.command("attended")).then(reconciled("attended", "paper"))

    def test_the_same_outcome_again_is_nothing(self) -> None:
        given(declared(), reconciled("attended", "paper")).when(self.command("attended")).nothing_happens()
        given(declared(), reconciled("displaced", "paper")).when(self.command("displaced")).nothing_happens()

    @pytest.mark.parametrize("outcome", ["attended", "missed", "cancelled"])
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

    def test_only_practices_of_the_outage_are_reconciled(self) -> None:
        elsewhere = ReconcileAppointments("outage", "B2", (finding("attended"),))
        given(declared()).when(elsewhere).is_refused("unknown-practice", "practice")

    def test_only_a_declared_outage_is_reconciled(self) -> None:
        given().when(self.command("attended")).is_refused("unknown-outage")


class TestProposePlan:
    command = ProposePlan("outage", "A1", "plan-a", "part of plan-a", 7, NOW + timedelta(hours=4), (placement(),), ())

    def test_a_plan_is_proposed_for_those_who_wait(self) -> None:
        given(declared(), reconciled()).when(self.command).then(proposed())

    def test_a_newer_plan_takes_the_place_of_one_that_was_not_approved(self) -> None:
        newer = replace(self.command, plan="plan-b", part="part of plan-b")
        gone = PlanExpired(
            outage="outage",
            practice="A1",
            plan="plan-a",
            part="part of plan-a",
            reason="A newer plan took its place",
        )
        given(declared(), reconciled(), proposed()).when(newer).then(gone, proposed("plan-b"))

    def test_the_same_plan_again_only_lives_longer(self) -> None:
        later = replace(self.command, expires_at=NOW + timedelta(hours=9))
        [event] = given(declared(), reconciled(), proposed()).when(later).events
        assert event != proposed()
        assert event.plan == "plan-a"  # type: ignore[union-attr]

    def test_nobody_is_planned_who_does_not_wait(self) -> None:
        given(declared(), reconciled("attended")).when(self.command).is_refused("stale-plan", "A1")
        nobody = Unplaced(appointment="nobody", patient="patient", priority=0, reason="No slot")
        given(declared(), reconciled()).when(replace(self.command, unplaced=(nobody,))).is_refused("stale-plan")

    def test_an_approved_plan_is_carried_out_before_a_new_one_is_proposed(self) -> None:
        past = (declared(), reconciled(), proposed(), approved())
        given(*past).when(replace(self.command, plan="plan-b")).is_refused("plan-under-way", "A1")

    def test_who_could_not_be_moved_is_planned_anew(self) -> None:
        refused = MoveRefused(
            outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient", reason="Taken"
        )
        newer = replace(self.command, plan="plan-b", part="part of plan-b")
        given(*MOVED[:-1], refused).when(newer).then(proposed("plan-b"))


class TestApprovePlan:
    command = ApprovePlan("outage", "A1", "plan-a", "part of plan-a", "Ann", NOW)

    def test_the_plan_that_was_proposed_is_approved(self) -> None:
        given(declared(), reconciled(), proposed()).when(self.command).then(approved())

    def test_an_expired_plan_is_refused(self) -> None:
        late = replace(self.command, now=NOW + timedelta(hours=4))
        given(declared(), reconciled(), proposed()).when(late).is_refused("plan-expired", "hash")

    def test_a_superseded_plan_is_refused(self) -> None:
        given(declared(), reconciled(), proposed("plan-b")).when(self.command).is_refused("stale-plan", "hash")

    def test_another_hash_of_the_part_is_refused(self) -> None:
        other = replace(self.command, part="another")
        given(declared(), reconciled(), proposed()).when(other).is_refused("stale-plan", "hash")

    def test_a_second_approval_is_refused(self) -> None:
        given(declared(), reconciled(), proposed(), approved()).when(self.command).is_refused("already-approved")
        given(*MOVED).when(self.command).is_refused("already-approved", "hash")


class TestRequestMoves:
    command = RequestMoves("outage", "A1", "plan-a")

    def test_every_placement_of_an_approved_plan_is_requested(self) -> None:
        two = (reconciled(), reconciled(appointment="other"))
        past = (declared(), *two, proposed("plan-a", "lost", "other"), approved())
        events = given(*past).when(self.command).events
        assert [(event.appointment, event.to_slot) for event in events] == [  # type: ignore[union-attr]
            ("lost", "slot of lost"),
            ("other", "slot of other"),
        ]

    def test_the_id_of_a_move_comes_from_its_plan(self) -> None:
        given(declared(), reconciled(), proposed(), approved()).when(self.command).then(requested())

    def test_asking_twice_is_asking_once(self) -> None:
        given(*MOVED[:-1]).when(self.command).nothing_happens()

    def test_a_plan_that_was_not_approved_moves_nobody(self) -> None:
        given(declared(), reconciled(), proposed()).when(self.command).nothing_happens()

    def test_who_was_found_on_paper_meanwhile_is_not_moved(self) -> None:
        past = (declared(), reconciled(), proposed(), approved(), reconciled("attended", "paper"))
        given(*past).when(self.command).nothing_happens()


class TestWhatBookingAnswers:
    confirm = ConfirmMove("outage", "A1", "lost", MOVE, "new", TUESDAY, textable=True)
    refuse = RefuseMove("outage", "A1", "lost", MOVE, "Taken")

    def test_a_move_is_confirmed(self) -> None:
        given(*MOVED[:-1]).when(self.confirm).then(confirmed())

    def test_who_cannot_be_texted_is_telephoned(self) -> None:
        untextable = replace(self.confirm, textable=False)
        given(*MOVED[:-1]).when(untextable).then(confirmed(), call("No mobile number to text: ring with the new time"))

    def test_a_refused_move_leaves_the_patient_waiting_and_somebody_rings(self) -> None:
        refused = MoveRefused(
            outage="outage", practice="A1", move=MOVE, appointment="lost", patient="patient", reason="Taken"
        )
        given(*MOVED[:-1]).when(self.refuse).then(refused, call("Could not be moved: Taken"))

    def test_an_answer_that_comes_again_is_nothing(self) -> None:
        given(*MOVED).when(self.confirm).nothing_happens()
        given(*MOVED[:-1]).when(self.refuse, self.refuse).nothing_happens()

    def test_an_answer_to_a_question_never_asked_is_nothing(self) -> None:
        given().when(self.confirm).nothing_happens()
        given(*MOVED[:-1]).when(replace(self.confirm, move="another")).nothing_happens()


class TestWhatThePatientAnswers:
    @staticmethod
    def says(answer: Answer) -> RecordAnswer:
        return RecordAnswer("outage", "A1", MOVE, answer)

    def test_keep(self) -> None:
        given(*MOVED).when(self.says("keep")).then(kept())

    def test_another_time_is_declined_and_telephoned(self) -> None:
        given(*MOVED).when(self.says("another-time")).then(declined("another-time"), call("Asks for another time"))

    def test_cancel_needs_no_call(self) -> None:
        given(*MOVED).when(self.says("cancel")).then(declined("cancel"))

    @pytest.mark.parametrize("answer", ["stop", "wrong-number", "unclear"])
    def test_everything_else_is_telephoned(self, answer: Answer) -> None:
        [event] = given(*MOVED).when(self.says(answer)).events
        assert isinstance(event, CallNeeded)

    @pytest.mark.parametrize("answer", ["keep", "another-time", "cancel", "stop", "wrong-number", "unclear"])
    def test_the_same_answer_again_is_nothing(self, answer: Answer) -> None:
        given(*MOVED).when(self.says(answer), self.says(answer)).nothing_happens()

    def test_a_patient_may_change_their_mind(self) -> None:
        given(*MOVED).when(self.says("another-time"), self.says("keep")).then(kept())
        given(*MOVED).when(self.says("keep"), self.says("cancel")).then(declined("cancel"))

    def test_after_a_cancellation_a_person_has_to_ask(self) -> None:
        reason = "Cancelled the new time, then answered again: ask what is meant"
        given(*MOVED).when(self.says("cancel"), self.says("keep")).then(call(reason))

    def test_an_answer_about_another_move_is_nothing(self) -> None:
        given(*MOVED).when(RecordAnswer("outage", "A1", "another", "keep")).nothing_happens()
        given().when(self.says("keep")).nothing_happens()


class TestNeedCall:
    @pytest.mark.parametrize("appointment", ["lost", "new"])
    def test_a_call_is_for_the_lost_appointment_by_whichever_it_was_named(self, appointment: str) -> None:
        given(*MOVED).when(NeedCall("outage", "A1", appointment, "No answer")).then(call("No answer"))

    def test_one_call_settles_all(self) -> None:
        given(*MOVED, call("No answer")).when(NeedCall("outage", "A1", "lost", "Asks for advice")).nothing_happens()

    def test_after_a_call_there_may_be_another(self) -> None:
        made = CallMade(
            outage="outage", practice="A1", appointment="lost", patient="patient", outcome="told", made_by="Ann"
        )
        past = (*MOVED, call("No answer"), made)
        given(*past).when(NeedCall("outage", "A1", "lost", "Number changed")).then(call("Number changed"))

    def test_a_call_about_an_unknown_appointment_is_nothing(self) -> None:
        given(*MOVED).when(NeedCall("outage", "A1", "unknown", "No answer")).nothing_happens()
