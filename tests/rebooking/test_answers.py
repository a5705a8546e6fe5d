"""The rules of what patients text back about their new time, when, and how often; and of silence."""

from datetime import datetime, timedelta

import pytest

from services.rebooking.commands import LapseOffer, RecordAnswer, RequestMoves
from shared.events.notifications import Answer
from shared.events.rebooking import CallNeeded, OfferDeclined, OfferKept
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
    declined,
    given,
    kept,
    refused,
    requested,
    unanswered,
)

ANSWERS: tuple[Answer, ...] = ("keep", "another-time", "cancel", "stop", "wrong-number", "unclear")
BEGUN = "Answered after the new appointment had begun: ask what is meant"
EARLIER = "Answered an earlier text, about a time that has been changed since: ask what is meant"
CHANGING = "Answered while the time was being changed: tell them the new one and ask"


def says(answer: Answer, at: datetime = NOW, move: str = MOVE, fresh_offers: int = 2) -> RecordAnswer:
    return RecordAnswer("outage", "A1", move, answer, at, fresh_offers)


class TestInTime:
    def test_keep(self) -> None:
        given(*MOVED).when(says("keep")).then(kept())

    def test_another_time_is_declined_and_nobody_need_ring(self) -> None:
        given(*MOVED).when(says("another-time")).then(declined())

    def test_cancel_needs_no_call(self) -> None:
        given(*MOVED).when(says("cancel")).then(declined("cancel"))

    @pytest.mark.parametrize("answer", ["stop", "wrong-number", "unclear"])
    def test_everything_else_is_telephoned(self, answer: Answer) -> None:
        [event] = given(*MOVED).when(says(answer)).events
        assert isinstance(event, CallNeeded)

    def test_who_wants_texts_again_has_said_nothing_of_the_time(self) -> None:
        given(*MOVED).when(says("start")).nothing_happens()

    @pytest.mark.parametrize("answer", ANSWERS)
    def test_the_same_answer_again_is_nothing(self, answer: Answer) -> None:
        given(*MOVED).when(says(answer), says(answer)).nothing_happens()

    def test_a_patient_may_change_their_mind(self) -> None:
        given(*MOVED).when(says("another-time"), says("keep")).then(kept())
        given(*MOVED).when(says("keep"), says("cancel")).then(declined("cancel"))
        given(*MOVED).when(says("keep"), says("another-time")).then(declined())

    def test_after_a_cancellation_a_person_has_to_ask(self) -> None:
        reason = "Cancelled the new time, then answered again: ask what is meant"
        given(*MOVED).when(says("cancel"), says("keep")).then(call(reason))

    def test_an_answer_about_another_move_is_nothing(self) -> None:
        for answer in ANSWERS:
            given(*MOVED).when(says(answer, move="another")).nothing_happens()
            given().when(says(answer)).nothing_happens()


class TestSilence:
    lapse = LapseOffer("outage", "A1", MOVE, ANSWER_BY)

    def test_without_an_answer_in_time_the_appointment_stands_and_that_is_said_once(self) -> None:
        given(*MOVED).when(self.lapse).then(unanswered())
        given(*MOVED).when(self.lapse, self.lapse).nothing_happens()

    def test_until_then_there_is_time(self) -> None:
        early = LapseOffer("outage", "A1", MOVE, ANSWER_BY - timedelta(seconds=1))
        given(*MOVED).when(early).nothing_happens()

    @pytest.mark.parametrize("answer", ["keep", "another-time", "cancel"])
    def test_whoever_answered_was_not_silent(self, answer: Answer) -> None:
        given(*MOVED).when(says(answer), self.lapse).nothing_happens()

    def test_nobody_is_silent_about_a_move_that_has_not_been_made_or_has_given_way(self) -> None:
        given(*MOVED[:-1]).when(self.lapse).nothing_happens()
        given(*MOVED_AGAIN).when(self.lapse).nothing_happens()

    def test_moves_from_before_there_was_a_time_to_answer_never_lapse(self) -> None:
        given(*MOVED[:-1], confirmed(answer_by=None)).when(self.lapse).nothing_happens()

    def test_an_answer_that_comes_later_still_counts(self) -> None:
        late = ANSWER_BY + timedelta(hours=1)
        given(*MOVED, unanswered()).when(says("keep", late)).then(kept())
        given(*MOVED, unanswered()).when(says("another-time", late)).then(declined())
        given(*MOVED, unanswered()).when(says("cancel", late)).then(declined("cancel"))


class TestAfterTheAppointment:
    @pytest.mark.parametrize("answer", ["keep", "another-time", "cancel", "unclear"])
    def test_an_answer_changes_nothing_but_a_person_asks(self, answer: Answer) -> None:
        given(*MOVED).when(says(answer, TUESDAY)).then(call(BEGUN))
        given(*MOVED, unanswered()).when(says(answer, TUESDAY)).then(call(BEGUN))

    def test_it_is_the_newest_appointment_that_counts(self) -> None:
        newer = declined(move=FRESH_MOVE)
        given(*MOVED_AGAIN).when(says("another-time", TUESDAY, FRESH_MOVE)).then(newer)

    def test_what_was_said_before_may_be_said_again(self) -> None:
        given(*MOVED, kept()).when(says("keep", TUESDAY)).nothing_happens()


class TestFreshOffers:
    def test_the_patient_keeps_the_time_they_have_until_there_is_another(self) -> None:
        asked = (*MOVED, declined(), *FRESH_PLAN)
        given(*asked).when(RequestMoves("outage", "A1", "plan-b")).then(requested(FRESH_MOVE, FRESH))
        given(*asked, requested(FRESH_MOVE, FRESH), refused(FRESH_MOVE, "new")).when(says("keep")).then(kept())

    def test_so_many_are_made_and_then_a_person_finds_one_with_them(self) -> None:
        reason = "Asks for another time again, after all the fresh offers there are: find one together"
        first, second = says("another-time", fresh_offers=1), says("another-time", move=FRESH_MOVE, fresh_offers=1)
        given(*MOVED).when(first).then(declined())
        given(*MOVED_AGAIN).when(second).then(declined(move=FRESH_MOVE), call(reason))

    def test_with_none_to_make_a_person_rings_at_once(self) -> None:
        events = given(*MOVED).when(says("another-time", fresh_offers=0)).events
        assert [type(event) for event in events] == [OfferDeclined, CallNeeded]

    def test_to_waver_over_one_offer_uses_up_no_other(self) -> None:
        wavering = [says(answer, fresh_offers=1) for answer in ("another-time", "keep", "another-time", "keep")]
        given(*MOVED).when(*wavering, says("another-time", fresh_offers=1)).then(declined())

    def test_each_may_be_kept(self) -> None:
        [event] = given(*MOVED_AGAIN).when(says("keep", move=FRESH_MOVE)).events
        assert isinstance(event, OfferKept)
        assert event.move == FRESH_MOVE

    def test_an_answer_to_an_earlier_text_is_for_a_person(self) -> None:
        for answer in ("keep", "another-time", "cancel", "unclear"):
            given(*MOVED_AGAIN).when(says(answer)).then(call(EARLIER))

    def test_wanting_no_more_texts_is_said_of_the_number_whichever_text_it_answers(self) -> None:
        stop = "Wants no more texts: confirm the new time by telephone"
        given(*MOVED_AGAIN).when(says("stop")).then(call(stop))

    def test_an_answer_that_crosses_the_move_is_for_a_person(self) -> None:
        under_way = (*MOVED, declined(), *FRESH_PLAN, requested(FRESH_MOVE, FRESH))
        given(*under_way).when(says("keep")).then(call(CHANGING))
        given(*under_way).when(says("another-time")).nothing_happens()
