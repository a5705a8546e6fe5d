"""The rules of the ledger."""

from dataclasses import replace

import pytest
from msgspec import structs

from services.notifications.commands import (
    RaiseCall,
    RecordAccepted,
    RecordDeferred,
    RecordReceipt,
    RecordRefused,
    RecordReply,
    RecordSilent,
    RecordUnknown,
    RecordUnmatchedReply,
    ReleaseNumber,
    ResolveReply,
    SettleUnknown,
    SuppressNumber,
    SuppressPair,
)
from shared.events.notifications import NotificationsEvent, ReplyResolved, ReplyUnmatched
from tests.notifications.ledger import (
    ABOUT,
    MESSAGE,
    NUMBER,
    PLAN,
    REMIND,
    accepted,
    attempt,
    attempted,
    call,
    deferred,
    delivered,
    failed,
    found_out,
    given,
    not_theirs,
    planned,
    released,
    replied,
    silent,
    suppressed,
    unknown,
)


class TestPlan:
    def test_a_change_is_told_once(self) -> None:
        given().when(PLAN).then(planned).when(PLAN).nothing_happens()

    def test_a_silenced_number_gets_a_call_instead_of_a_text_once(self) -> None:
        given(suppressed).when(PLAN).then(call("The number wants no more texts")).when(PLAN).nothing_happens()

    def test_a_number_that_is_not_the_patients_gets_a_call_instead_too(self) -> None:
        given(not_theirs).when(PLAN).then(call("The number wants no more texts"))

    def test_a_number_that_is_not_one_patients_may_be_anothers(self) -> None:
        given(structs.replace(not_theirs, patient="patient-2")).when(PLAN).then(planned)

    def test_nobody_is_called_for_want_of_a_reminder(self) -> None:
        given(suppressed).when(REMIND).nothing_happens()

    def test_a_number_that_wants_texts_again_gets_them(self) -> None:
        given(suppressed, released).when(PLAN).then(planned)

    def test_who_is_not_the_patient_does_not_become_the_patient_by_wanting_texts(self) -> None:
        given(not_theirs, suppressed, released).when(PLAN).then(call("The number wants no more texts"))

    def test_who_cannot_be_texted_gets_a_call_once(self) -> None:
        asked = RaiseCall(MESSAGE, ABOUT, "There is no mobile number that can be texted")
        given().when(asked).then(call(asked.reason)).when(asked).nothing_happens()

    def test_no_text_is_planned_where_a_call_was_raised(self) -> None:
        given(call("There is no mobile number that can be texted")).when(PLAN).nothing_happens()


class TestAttempt:
    def test_the_first_attempt_is_claimed_by_one_only(self) -> None:
        given(planned).when(attempt(1)).then(attempted(1)).when(attempt(1)).nothing_happens()

    def test_while_one_attempt_may_be_going_on_there_is_no_other(self) -> None:
        given(planned, attempted(1)).when(attempt(2)).nothing_happens()

    def test_after_an_unknown_outcome_the_next_attempt_may_be_claimed_once(self) -> None:
        given(planned, attempted(1), unknown(1)).when(attempt(2)).then(attempted(2)).when(attempt(2)).nothing_happens()

    def test_what_was_certainly_not_sent_may_be_tried_with_another_provider(self) -> None:
        given(planned, attempted(1), deferred(1)).when(attempt(2, "twilio")).then(attempted(2, "twilio"))

    @pytest.mark.parametrize("outcome", [accepted(1), silent, delivered, failed("permanent")])
    def test_what_has_an_outcome_is_never_attempted_again(self, outcome: object) -> None:
        given(planned, attempted(1), outcome).when(attempt(2)).nothing_happens()  # type: ignore[arg-type]

    def test_a_number_silenced_since_the_plan_is_not_texted(self) -> None:
        given(planned, suppressed).when(attempt(1)).then(failed("refused", "The number wants no more texts"))
        given(planned, not_theirs).when(attempt(1)).then(failed("refused", "The number wants no more texts"))

    def test_what_was_never_planned_cannot_be_attempted(self) -> None:
        given().when(attempt(1)).is_refused("unknown-message", where="message")


class TestOutcome:
    def test_acceptance_is_recorded_once(self) -> None:
        took = RecordAccepted(MESSAGE, 1, "notify", "p-1")
        given(planned, attempted(1)).when(took).then(accepted(1)).when(took).nothing_happens()

    def test_a_lost_answer_is_recorded_once(self) -> None:
        lost = RecordUnknown(MESSAGE, 1)
        given(planned, attempted(1)).when(lost).then(unknown(1)).when(lost).nothing_happens()

    def test_the_attempts_of_unknown_outcome_are_counted(self) -> None:
        given(planned, attempted(1), unknown(1), attempted(2)).when(RecordUnknown(MESSAGE, 2)).then(
            unknown(2, unknowns=2)
        )

    def test_what_was_certainly_not_sent_is_not_counted_among_them(self) -> None:
        given(planned, attempted(1), deferred(1), attempted(2)).when(RecordUnknown(MESSAGE, 2)).then(unknown(2))

    def test_an_answer_that_was_not_lost_after_all_stands(self) -> None:
        given(planned, attempted(1), accepted(1)).when(RecordUnknown(MESSAGE, 1)).nothing_happens()

    def test_what_was_looked_up_and_found_is_adopted(self) -> None:
        given(planned, attempted(1), unknown(1)).when(RecordAccepted(MESSAGE, 1, "notify", "p-1")).then(accepted(1))

    def test_what_was_certainly_not_sent_waits_again_once(self) -> None:
        later = RecordDeferred(MESSAGE, 1, "The provider cannot be reached")
        given(planned, attempted(1)).when(later).then(deferred(1)).when(later).nothing_happens()

    def test_what_a_person_found_to_be_sent_is_not_sent_again(self) -> None:
        sent = SettleUnknown(MESSAGE, "sent", "Ada Okoro")
        given(planned, attempted(1), unknown(1)).when(sent).then(found_out(1, "sent")).when(
            attempt(2)
        ).nothing_happens()

    @pytest.mark.parametrize("thought", [deferred(1), found_out(1, "not-sent")])
    def test_what_was_thought_not_to_be_sent_and_is_found_after_all_is_not_sent_again(
        self, thought: NotificationsEvent
    ) -> None:
        found = RecordAccepted(MESSAGE, 1, "notify", "p-1")
        given(planned, attempted(1), unknown(1), thought).when(found).then(accepted(1)).when(
            attempt(2)
        ).nothing_happens()

    def test_an_earlier_attempt_that_is_found_names_its_own_provider(self) -> None:
        given(planned, attempted(1), deferred(1), attempted(2, "twilio")).when(
            RecordAccepted(MESSAGE, 1, "notify", "p-1")
        ).then(accepted(1))

    @pytest.mark.parametrize("attempt", [0, 1])
    def test_what_was_never_tried_is_not_taken_to_be_accepted(self, attempt: int) -> None:
        given(planned).when(RecordAccepted(MESSAGE, attempt, "notify", "p-1")).nothing_happens()

    def test_what_a_person_found_not_to_be_sent_is_sent(self) -> None:
        absent = SettleUnknown(MESSAGE, "not-sent", "Ada Okoro")
        given(planned, attempted(1), unknown(1)).when(absent).then(found_out(1, "not-sent")).when(attempt(2)).then(
            attempted(2)
        )

    @pytest.mark.parametrize("known", [accepted(1), deferred(1), failed("refused")])
    def test_a_person_cannot_settle_what_is_known(self, known: NotificationsEvent) -> None:
        sent = SettleUnknown(MESSAGE, "sent", "Ada Okoro")
        given(planned, attempted(1), known).when(sent).is_refused("not-unknown", where="message")

    def test_a_refusal_ends_it(self) -> None:
        refused = RecordRefused(MESSAGE, 1, "The provider refuses it")
        given(planned, attempted(1)).when(refused).then(failed("refused", refused.reason)).when(
            refused
        ).nothing_happens()

    def test_what_is_no_longer_true_is_never_attempted(self) -> None:
        outdated = RecordRefused(MESSAGE, 0, "The appointment was changed", outdated=True)
        given(planned).when(outdated).then(failed("outdated", outdated.reason)).when(attempt(1)).nothing_happens()

    def test_what_has_begun_is_never_attempted_and_nobody_was_told(self) -> None:
        begun = RecordRefused(MESSAGE, 0, "The appointment has begun")
        given(planned).when(begun).then(failed("refused", begun.reason)).when(attempt(1)).nothing_happens()


class TestReceipt:
    arrived = RecordReceipt(MESSAGE, 1, "notify", "p-1", "delivered")

    def test_a_receipt_settles_it_once(self) -> None:
        given(planned, attempted(1), accepted(1)).when(self.arrived).then(delivered).when(
            self.arrived
        ).nothing_happens()

    def test_a_receipt_that_overtakes_the_answer_proves_acceptance(self) -> None:
        given(planned, attempted(1)).when(self.arrived).then(accepted(1), delivered).when(
            RecordAccepted(MESSAGE, 1, "notify", "p-1")
        ).nothing_happens()

    def test_a_receipt_settles_what_nobody_could_know(self) -> None:
        given(planned, attempted(1), unknown(1)).when(self.arrived).then(accepted(1), delivered)

    def test_a_late_delivery_is_believed_against_a_failure_and_not_the_reverse(self) -> None:
        gave_up = RecordReceipt(MESSAGE, 1, "notify", "p-1", "temporary")
        given(planned, attempted(1), accepted(1)).when(gave_up).then(failed("temporary")).when(self.arrived).then(
            delivered
        ).when(gave_up).nothing_happens()

    def test_a_receipt_for_what_was_thought_not_to_be_sent_stops_the_next_attempt(self) -> None:
        given(planned, attempted(1), deferred(1)).when(self.arrived).then(accepted(1), delivered).when(
            attempt(2, "twilio")
        ).nothing_happens()

    def test_a_receipt_for_an_earlier_attempt_names_its_own_provider(self) -> None:
        given(planned, attempted(1), deferred(1), attempted(2, "twilio")).when(self.arrived).then(
            accepted(1), delivered
        ).when(RecordAccepted(MESSAGE, 2, "twilio", "p-2")).nothing_happens()

    def test_silence_is_recorded_once_and_ended_by_any_receipt(self) -> None:
        nothing = RecordSilent(MESSAGE, 1)
        given(planned, attempted(1), accepted(1)).when(nothing).then(silent).when(nothing).nothing_happens().when(
            self.arrived
        ).then(delivered).when(nothing).nothing_happens()

    def test_a_receipt_for_something_never_sent_is_refused(self) -> None:
        arrived = replace(self.arrived, attempt=2)
        given().when(arrived).is_refused("unknown-message")
        given(planned).when(arrived).is_refused("never-sent", where="reference")
        given(planned, attempted(1)).when(arrived).is_refused("never-sent", where="reference")


class TestReply:
    taken = RecordReply(MESSAGE, "reply-1", "keep", "sealed answer")

    def test_the_same_reply_twice_is_one(self) -> None:
        given(planned, attempted(1), accepted(1)).when(self.taken).then(replied("reply-1")).when(
            self.taken
        ).nothing_happens()

    def test_a_patient_may_change_their_mind(self) -> None:
        cancelled = RecordReply(MESSAGE, "reply-2", "cancel", "sealed answer")
        given(planned, replied("reply-1")).when(cancelled).then(replied("reply-2", "cancel"))

    def test_an_unmatched_reply_is_set_aside_once(self) -> None:
        aside = RecordUnmatchedReply(NUMBER, "reply-1", ("message-1", "message-2"), "sealed answer")
        given().when(aside).then(
            ReplyUnmatched(number=NUMBER, reply="reply-1", candidates=aside.candidates, sealed="sealed answer")
        ).when(aside).nothing_happens()


class TestStop:
    stop = SuppressNumber(NUMBER, "STOP", (MESSAGE,))

    def test_stop_silences_the_number_and_raises_a_call_once(self) -> None:
        given(planned, attempted(1), accepted(1)).when(self.stop).then(suppressed, call("STOP")).when(
            self.stop
        ).nothing_happens()

    def test_stop_to_a_reminder_calls_nobody(self) -> None:
        given(structs.replace(planned, kind="reminder-1")).when(self.stop).then(suppressed)

    def test_a_wrong_number_parts_number_and_patient_and_raises_a_call_once(self) -> None:
        wrong = SuppressPair(NUMBER, ABOUT.patient, "Not me", (MESSAGE,))
        given(planned, attempted(1), accepted(1)).when(wrong).then(not_theirs, call("Not me")).when(
            wrong
        ).nothing_happens()

    def test_start_ends_the_silence_once(self) -> None:
        start = ReleaseNumber(NUMBER)
        given(suppressed).when(start).then(released).when(start).nothing_happens()

    def test_of_two_people_who_settle_a_reply_the_second_is_told(self) -> None:
        read = ResolveReply(NUMBER, "reply-1", "Ada Okoro")
        resolved = ReplyResolved(number=NUMBER, reply="reply-1", resolved_by="Ada Okoro")
        given().when(read).then(resolved).when(read).is_refused("already-resolved", where="reply")

    def test_stop_from_a_number_with_nothing_open_silences_it(self) -> None:
        given().when(SuppressNumber(NUMBER, "STOP", ())).then(suppressed)
