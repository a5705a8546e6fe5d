"""The rules of the call list: who is on it, whose call it is, and what comes of telephoning."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.rebooking.commands import ClaimCall, ConfirmMove, NeedCall, RecordCall
from shared.events.rebooking import AppointmentReconciled, CallClaimed, CallMade, CallOutcome, RebookingEvent
from tests.rebooking.deciding import (
    ANSWER_BY,
    FRESH,
    FRESH_MOVE,
    FRESH_PLAN,
    MOVE,
    MOVED,
    MOVED_AGAIN,
    NOW,
    TUESDAY,
    call,
    confirmed,
    declared,
    declined,
    given,
    kept,
    reconciled,
    requested,
    unanswered,
)

TO_CALL = (*MOVED, call())
WAITS_TO_CALL = (declared(), reconciled(), call())
SOON = NOW + timedelta(minutes=20)


def claimed(by: str = "Bea", until: datetime = SOON) -> CallClaimed:
    return CallClaimed(
        outage="outage", practice="A1", appointment="lost", patient="patient", claimed_by=by, until=until
    )


def made(outcome: CallOutcome, by: str = "Bea", note: str = "") -> CallMade:
    return CallMade(
        outage="outage", practice="A1", appointment="lost", patient="patient", outcome=outcome, made_by=by, note=note
    )


def record(outcome: CallOutcome, by: str = "Bea", now: datetime = NOW, fresh_offers: int = 2) -> RecordCall:
    return RecordCall("outage", "A1", "lost", outcome, by, "", now, fresh_offers)


def told(outcome: str) -> AppointmentReconciled:
    """What became of a patient, as the caller was told."""
    return AppointmentReconciled(
        outage="outage",
        practice="A1",
        appointment="lost",
        patient="patient",
        outcome=outcome,  # type: ignore[arg-type]
        evidence="operator",
        typed_by="Bea",
    )


class TestWhoIsOnTheList:
    @pytest.mark.parametrize("appointment", ["lost", "new"])
    def test_a_call_is_for_the_lost_appointment_by_whichever_it_was_named(self, appointment: str) -> None:
        given(*MOVED).when(NeedCall("outage", "A1", appointment, "No answer")).then(call("No answer"))

    def test_one_call_settles_all(self) -> None:
        given(*TO_CALL).when(NeedCall("outage", "A1", "lost", "Asks for advice")).nothing_happens()

    def test_after_a_call_there_may_be_another(self) -> None:
        past = (*TO_CALL, made("keeps"))
        given(*past).when(NeedCall("outage", "A1", "lost", "Number changed")).then(call("Number changed"))

    def test_a_call_about_an_unknown_appointment_is_nothing(self) -> None:
        given(*MOVED).when(NeedCall("outage", "A1", "unknown", "No answer")).nothing_happens()

    def test_nobody_rings_about_a_time_that_has_given_way_to_another(self) -> None:
        given(*MOVED_AGAIN).when(NeedCall("outage", "A1", "new", "No answer")).nothing_happens()
        given(*MOVED_AGAIN).when(NeedCall("outage", "A1", "newer", "No answer")).then(call("No answer"))

    def test_nobody_rings_whoever_needs_nothing_more(self) -> None:
        given(declared(), reconciled("attended")).when(NeedCall("outage", "A1", "lost", "Why")).nothing_happens()

    def test_whoever_is_on_it_stays_there_once_only_when_moved_without_a_mobile(self) -> None:
        confirm = ConfirmMove("outage", "A1", "lost", MOVE, "new", TUESDAY, textable=False, answer_by=ANSWER_BY)
        given(*MOVED[:-1], call()).when(confirm).then(confirmed())


class TestClaim:
    command = ClaimCall("outage", "A1", "lost", "Bea", NOW, SOON)

    def test_whoever_takes_a_call_on_has_it_for_a_while(self) -> None:
        given(*TO_CALL).when(self.command).then(claimed())

    def test_nobody_else_takes_it_on_meanwhile(self) -> None:
        given(*TO_CALL, claimed("Ann")).when(self.command).is_refused("claimed", "by")

    def test_the_refusal_says_who_has_it_and_how_long_in_london(self) -> None:
        with pytest.raises(Exception, match="Ann is telephoning this patient: the call is theirs until 08:20"):
            _ = given(*TO_CALL, claimed("Ann")).when(self.command).events

    def test_a_claim_ends(self) -> None:
        later = replace(self.command, now=SOON, until=SOON + timedelta(minutes=20))
        given(*TO_CALL, claimed("Ann")).when(later).then(claimed(until=later.until))

    def test_ones_own_claim_can_be_extended_and_is_never_shortened(self) -> None:
        longer = replace(self.command, until=SOON + timedelta(minutes=5))
        given(*TO_CALL, claimed()).when(longer).then(claimed(until=longer.until))
        given(*TO_CALL, claimed()).when(self.command).nothing_happens()

    def test_a_call_that_nobody_need_make_is_not_taken_on(self) -> None:
        given(*MOVED).when(self.command).is_refused("no-call-needed", "appointment")
        given(*TO_CALL, made("keeps")).when(self.command).is_refused("no-call-needed")
        given(*WAITS_TO_CALL, reconciled("attended", "paper")).when(self.command).is_refused("no-call-needed")
        given(declared()).when(self.command).is_refused("unknown-appointment", "appointment")

    def test_a_call_that_reached_nobody_is_anybodys_again(self) -> None:
        past = (*TO_CALL, claimed("Ann"), made("no-answer", "Ann"))
        given(*past).when(self.command).then(claimed())


class TestWhatComesOfACall:
    def test_the_new_time_suits(self) -> None:
        given(*TO_CALL).when(record("keeps")).then(kept("telephone"), made("keeps"))
        given(*MOVED, unanswered(), call()).when(record("keeps")).then(kept("telephone"), made("keeps"))
        given(*MOVED, declined(), call()).when(record("keeps")).then(kept("telephone"), made("keeps"))

    def test_another_time_is_looked_for_and_nobody_need_ring_until_it_is_found(self) -> None:
        asked = declined("another-time", "telephone"), made("another-time")
        given(*TO_CALL).when(record("another-time")).then(*asked)

    def test_the_new_time_is_cancelled(self) -> None:
        given(*TO_CALL).when(record("cancels")).then(declined("cancel", "telephone"), made("cancels"))

    def test_what_was_texted_before_is_only_said_again(self) -> None:
        given(*MOVED, kept(), call()).when(record("keeps")).then(made("keeps"))
        given(*MOVED, declined(), call()).when(record("another-time")).then(made("another-time"))
        given(*MOVED, declined("cancel"), call()).when(record("cancels")).then(made("cancels"))

    @pytest.mark.parametrize("past", [WAITS_TO_CALL, TO_CALL, (*MOVED, declined("cancel"), call())])
    def test_what_the_caller_settled_otherwise_is_over_for_the_recovery(self, past: tuple[RebookingEvent, ...]) -> None:
        given(*past).when(record("settled")).then(told("rescheduled"), made("settled"))

    @pytest.mark.parametrize("outcome", ["no-answer", "left-message", "wrong-number"])
    def test_whoever_was_not_reached_stays_on_the_list(self, outcome: CallOutcome) -> None:
        again = given(*TO_CALL).when(record(outcome)).then(made(outcome))
        again.when(record(outcome, "Ann")).then(made(outcome, "Ann")).when(record("keeps")).then(
            kept("telephone"), made("keeps")
        )

    def test_a_note_is_kept_with_the_call(self) -> None:
        given(*TO_CALL).when(replace(record("no-answer"), note="sealed")).then(made("no-answer", note="sealed"))

    def test_a_call_is_made_once(self) -> None:
        given(*TO_CALL, made("keeps")).when(record("keeps")).is_refused("no-call-needed")
        given(declared()).when(record("keeps")).is_refused("unknown-appointment")

    def test_while_somebody_has_it_nobody_else_says_what_came_of_it(self) -> None:
        given(*TO_CALL, claimed("Ann")).when(record("keeps")).is_refused("claimed", "by")
        given(*TO_CALL, claimed("Ann")).when(record("no-answer", "Ann")).then(made("no-answer", "Ann"))
        given(*TO_CALL, claimed("Ann")).when(record("no-answer", now=SOON)).then(made("no-answer"))


class TestWhatACallCannotSay:
    def test_without_a_new_time_there_is_none_to_keep_or_change(self) -> None:
        given(*WAITS_TO_CALL).when(record("keeps")).is_refused("no-new-time", "outcome")
        given(*WAITS_TO_CALL).when(record("another-time")).is_refused("no-new-time", "outcome")

    def test_but_the_patient_may_want_none(self) -> None:
        given(*WAITS_TO_CALL).when(record("cancels")).then(told("cancelled"), made("cancels"))

    @pytest.mark.parametrize("outcome", ["keeps", "another-time", "cancels", "settled"])
    def test_while_booking_moves_the_patient_the_new_time_is_not_known(self, outcome: CallOutcome) -> None:
        under_way = (*MOVED, declined(), *FRESH_PLAN, requested(FRESH_MOVE, FRESH), call())
        given(*under_way).when(record(outcome)).is_refused("move-under-way", "outcome")
        given(*under_way).when(record("no-answer")).then(made("no-answer"))

    def test_a_time_given_up_is_not_there_to_keep(self) -> None:
        cancelled = (*MOVED, declined("cancel"), call())
        given(*cancelled).when(record("keeps")).is_refused("given-up", "outcome")
        given(*cancelled).when(record("another-time")).is_refused("given-up", "outcome")

    def test_after_the_last_fresh_offer_the_caller_settles_it(self) -> None:
        given(*MOVED_AGAIN, call()).when(record("another-time", fresh_offers=1)).is_refused("no-more-offers", "outcome")
        again = declined("another-time", "telephone", FRESH_MOVE), made("another-time")
        given(*MOVED_AGAIN, call()).when(record("another-time", fresh_offers=2)).then(*again)

    def test_a_time_that_has_begun_can_be_kept_but_no_longer_changed(self) -> None:
        given(*TO_CALL).when(record("another-time", now=TUESDAY)).is_refused("begun", "outcome")
        given(*TO_CALL).when(record("cancels", now=TUESDAY)).is_refused("begun", "outcome")
        given(*TO_CALL).when(record("keeps", now=TUESDAY)).then(kept("telephone"), made("keeps"))
