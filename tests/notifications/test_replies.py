"""What a patient's text means."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.replies import SentMessage, answer_of, answered, candidates

NOW = datetime(2024, 7, 22, 9, 0, tzinfo=UTC)
TOMORROW = SentMessage("message-1", "patient-1", NOW + timedelta(days=1))
YESTERDAY = SentMessage("message-2", "patient-2", NOW - timedelta(days=1))
NEXT_WEEK = SentMessage("message-3", "patient-3", NOW + timedelta(days=7))
SEEN = SentMessage("message-4", "patient-4", NOW + timedelta(minutes=5), over=True)
"""Who came early, and was seen."""


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1", "keep"),
        (" 1. ", "keep"),
        ("Yes please!", "keep"),
        ("2", "another-time"),
        ("Another time, thanks", "another-time"),
        ("3", "cancel"),
        ("CANCEL", "cancel"),
        ("Stop", "stop"),
        ("STOP ALL", "stop"),
        ("Wrong number", "wrong-number"),
        ("not me", "wrong-number"),
        ("", "unclear"),
        ("1 but not before noon", "unclear"),
        ("12", "unclear"),
        ("1 or 2", "unclear"),
        ("don't cancel", "unclear"),
        ("please don't stop", "unclear"),
        ("👍", "unclear"),
    ],
)
def test_only_a_plain_answer_is_acted_on(text: str, answer: str) -> None:
    assert answer_of(text) == answer


def test_a_reply_answers_the_one_message_whose_appointment_is_to_come() -> None:
    assert answered([TOMORROW, YESTERDAY], NOW) == TOMORROW


def test_with_several_or_none_it_is_nobody_elses_guess() -> None:
    assert answered([TOMORROW, NEXT_WEEK], NOW) is None
    assert answered([YESTERDAY], NOW) is None
    assert answered([], NOW) is None


def test_an_answer_after_the_appointment_has_begun_answers_nothing_but_names_its_message() -> None:
    for late in (YESTERDAY, SEEN):
        assert answered([late], NOW) is None
        assert candidates([late], NOW) == [late]


def test_of_what_several_messages_explain_those_come_into_question_that_are_open() -> None:
    assert candidates([TOMORROW, YESTERDAY, NEXT_WEEK, SEEN], NOW) == [TOMORROW, NEXT_WEEK]
    assert answered([TOMORROW, SEEN], NOW) == TOMORROW
    assert candidates([], NOW) == []
