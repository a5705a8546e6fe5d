"""The rules of moving again whoever asked for another time: from plan to plan, until one suits, never worse off."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.rebooking.commands import ConfirmMove, ProposePlan, RefuseMove, RequestMoves
from shared.events.rebooking import CallMade, CallNeeded, RebookingEvent
from tests.rebooking.deciding import (
    ANSWER_BY,
    FRESH,
    FRESH_MOVE,
    FRESH_PLAN,
    MOVED,
    MOVED_AGAIN,
    NOW,
    THURSDAY,
    call,
    confirmed,
    declined,
    given,
    kept,
    left,
    placement,
    proposed,
    reconciled,
    refused,
    requested,
)

ASKED = (*MOVED, declined())
UNDER_WAY = (*ASKED, *FRESH_PLAN, requested(FRESH_MOVE, FRESH))
PROPOSE = ProposePlan("outage", "A1", "plan-b", "part of plan-b", 7, NOW + timedelta(hours=4), (FRESH,), ())
NOTHING_FRESH = "Asks for another time, and no free slot differs in day and half of the day"


class TestThePlan:
    def test_a_place_is_found_in_place_of_the_time_that_stands(self) -> None:
        given(*ASKED).when(PROPOSE).then(proposed("plan-b", placements=(FRESH,)))

    def test_a_decline_costs_no_priority(self) -> None:
        """Who has what claim is the lost appointment's to say, and goes into the next plan as it was in the first."""
        [event] = given(*ASKED).when(PROPOSE).events
        assert [(each.appointment, each.priority) for each in event.placements] == [  # type: ignore[union-attr]
            (each.appointment, each.priority) for each in proposed().placements
        ]

    @pytest.mark.parametrize("answer", [(), (kept(),), (declined("cancel"),)], ids=["none", "kept", "cancelled"])
    def test_only_who_asked_for_another_time_is_moved_again(self, answer: tuple[RebookingEvent, ...]) -> None:
        given(*MOVED, *answer).when(PROPOSE).is_refused("stale-plan", "A1")

    def test_it_is_the_newest_time_that_gives_way(self) -> None:
        for stale in (placement(), placement(standing="lost")):
            given(*ASKED).when(replace(PROPOSE, placements=(stale,))).is_refused("stale-plan")
        given(*MOVED_AGAIN, declined(move=FRESH_MOVE)).when(PROPOSE).is_refused("stale-plan")

    def test_not_before_booking_has_answered(self) -> None:
        given(*UNDER_WAY).when(replace(PROPOSE, plan="plan-c")).is_refused("stale-plan")

    def test_whoever_can_have_no_other_is_telephoned_once(self) -> None:
        nowhere = replace(PROPOSE, placements=(), unplaced=(left("new"),))
        events = proposed("plan-b", unplaced=(left("new"),)), call(NOTHING_FRESH)
        given(*ASKED).when(nowhere).then(*events).when(nowhere).then(events[0])

    def test_whoever_waits_for_a_first_place_need_not_be(self) -> None:
        nowhere = replace(PROPOSE, placements=(), unplaced=(left(),))
        events = given(*MOVED[:-1], refused()).when(nowhere).events
        assert not any(isinstance(event, CallNeeded) for event in events)

    def test_after_the_call_they_may_be_looked_for_again(self) -> None:
        nowhere = replace(PROPOSE, placements=(), unplaced=(left("new"),))
        made = CallMade(
            outage="outage", practice="A1", appointment="lost", patient="patient", outcome="another-time", made_by="Bea"
        )
        given(*ASKED, call(), made).when(nowhere).then(proposed("plan-b", unplaced=(left("new"),)), call(NOTHING_FRESH))


class TestTheMove:
    def test_whoever_decides_to_keep_their_time_after_all_is_not_moved(self) -> None:
        given(*ASKED, *FRESH_PLAN, kept()).when(RequestMoves("outage", "A1", "plan-b")).nothing_happens()

    @pytest.mark.parametrize("named", ["new", "lost"])
    def test_it_is_confirmed_by_whichever_appointment_gave_way(self, named: str) -> None:
        confirm = ConfirmMove("outage", "A1", named, FRESH_MOVE, "newer", THURSDAY, textable=True, answer_by=ANSWER_BY)
        given(*UNDER_WAY).when(confirm).then(confirmed(FRESH_MOVE, "newer", THURSDAY))
        given(*UNDER_WAY).when(confirm, confirm).nothing_happens()

    def test_refused_it_leaves_them_the_time_they_had_and_asking(self) -> None:
        refuse = RefuseMove("outage", "A1", "new", FRESH_MOVE, "Taken")
        after = given(*UNDER_WAY).when(refuse).then(refused(FRESH_MOVE, "new"))
        after.when(replace(PROPOSE, plan="plan-c", part="part of plan-c")).then(proposed("plan-c", placements=(FRESH,)))

    def test_whose_time_was_cancelled_meanwhile_is_looked_for_no_more(self) -> None:
        refuse = RefuseMove("outage", "A1", "new", FRESH_MOVE, "Taken", over="cancelled")
        given(*UNDER_WAY).when(refuse).then(refused(FRESH_MOVE, "new"), reconciled("cancelled", "diary"))
