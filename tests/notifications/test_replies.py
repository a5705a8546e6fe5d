"""What a patient's text means."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.replies import OpenMessage, answer_of, answered

NOW = datetime(2024, 7, 22, 9, 0, tzinfo=UTC)
TOMORROW = OpenMessage("message-1", "patient-1", NOW + timedelta(days=1))
YESTERDAY = OpenMessage("message-2", "patient-2", NOW - timedelta(days=1))
NEXT_WEEK = OpenMessage("message-3", "patient-3", NOW + timedelta(days=7))


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
