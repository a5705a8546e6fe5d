"""The rules of plans and moves, each as what happened, what is asked, and what follows."""

from dataclasses import replace
from datetime import timedelta

from services.rebooking.commands import (
    ApprovePlan,
    ConfirmMove,
    ExpirePlan,
    ProposePlan,
    RefuseMove,
    RequestMoves,
)
from shared.events.rebooking import PlanExpired
from tests.rebooking.deciding import (
    ANSWER_BY,
    MOVE,
    MOVED,
    NOW,
    TUESDAY,
    approved,
    call,
    confirmed,
    declared,
    given,
    left,
    placement,
    proposed,
    reconciled,
    refused,
    requested,
)


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
        given(declared()).when(replace(self.command, placements=(), unplaced=(left(),))).is_refused("stale-plan")

    def test_an_approved_plan_is_carried_out_before_a_new_one_is_proposed(self) -> None:
        past = (declared(), reconciled(), proposed(), approved())
        given(*past).when(replace(self.command, plan="plan-b")).is_refused("plan-under-way", "A1")

    def test_who_could_not_be_moved_is_planned_anew(self) -> None:
        newer = replace(self.command, plan="plan-b", part="part of plan-b", follow_up=True)
        given(*MOVED[:-1], refused()).when(newer).then(proposed("plan-b", follow_up=True))


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


class TestExpirePlan:
    command = ExpirePlan("outage", "A1", "plan-a", NOW + timedelta(hours=4))
    expired = PlanExpired(
        outage="outage", practice="A1", plan="plan-a", part="part of plan-a", reason="It was not approved in time"
    )

    def test_a_plan_that_nobody_approved_in_time_expires_once(self) -> None:
        given(declared(), reconciled(), proposed()).when(self.command).then(self.expired)
        given(declared(), reconciled(), proposed()).when(self.command, self.command).nothing_happens()

    def test_it_does_not_expire_before_its_time_nor_for_another(self) -> None:
        early = replace(self.command, now=NOW + timedelta(hours=4, seconds=-1))
        given(declared(), reconciled(), proposed()).when(early).nothing_happens()
        given(declared(), reconciled(), proposed("plan-b")).when(self.command).nothing_happens()

    def test_what_was_approved_does_not_expire(self) -> None:
        given(declared(), reconciled(), proposed(), approved()).when(self.command).nothing_happens()
        given(*MOVED).when(self.command).nothing_happens()

    def test_what_has_expired_is_not_approved(self) -> None:
        given(declared(), reconciled(), proposed(), self.expired).when(TestApprovePlan.command).is_refused("stale-plan")


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
    confirm = ConfirmMove("outage", "A1", "lost", MOVE, "new", TUESDAY, textable=True, answer_by=ANSWER_BY)
    refuse = RefuseMove("outage", "A1", "lost", MOVE, "Taken")

    def test_a_move_is_confirmed(self) -> None:
        given(*MOVED[:-1]).when(self.confirm).then(confirmed())

    def test_who_cannot_be_texted_is_telephoned(self) -> None:
        untextable = replace(self.confirm, textable=False)
        given(*MOVED[:-1]).when(untextable).then(confirmed(), call("No mobile number to text: ring with the new time"))

    def test_a_refused_move_leaves_the_patient_waiting_and_nobody_need_ring(self) -> None:
        given(*MOVED[:-1]).when(self.refuse).then(refused())

    def test_who_cancelled_meanwhile_waits_no_more(self) -> None:
        over = replace(self.refuse, over="cancelled")
        given(*MOVED[:-1]).when(over).then(refused(), reconciled("cancelled", "diary"))

    def test_an_answer_that_comes_again_is_nothing(self) -> None:
        given(*MOVED).when(self.confirm).nothing_happens()
        given(*MOVED[:-1]).when(self.refuse, self.refuse).nothing_happens()

    def test_an_answer_to_a_question_never_asked_is_nothing(self) -> None:
        given().when(self.confirm).nothing_happens()
        given(*MOVED[:-1]).when(replace(self.confirm, move="another")).nothing_happens()
