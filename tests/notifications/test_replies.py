"""What a patient's text means."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.commands import Subject
from services.notifications.replies import (
    CameIn,
    SentMessage,
    answered,
    candidates,
    code_of,
    is_same_text,
    needs_reading,
    read,
)
from shared.events.notifications import Answer
from shared.ids import derived_id

NOW = datetime(2024, 7, 22, 9, 0, tzinfo=UTC)


def sent(
    message: str, start: datetime, appointment: str = "", *, over: bool = False, superseded: bool = False
) -> SentMessage:
    about = Subject("G82002", f"patient of {message}", appointment or f"appointment of {message}", "", "")
    return SentMessage(message, about, NOW, start, over, superseded)


TOMORROW = sent("message-1", NOW + timedelta(days=1))
YESTERDAY = sent("message-2", NOW - timedelta(days=1))
NEXT_WEEK = sent("message-3", NOW + timedelta(days=7))
SEEN = sent("message-4", NOW + timedelta(minutes=5), over=True)
"""Who came early, and was seen."""
MOVED_ON = sent("message-6", NOW + timedelta(days=2), superseded=True)
"""Whose patient may not have heard yet that it has moved on."""
REMINDER = sent("message-5", TOMORROW.appointment_start, TOMORROW.about.appointment)


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
        ("START", "start"),
        ("unstop", "start"),
        ("Wrong number", "wrong-number"),
        ("not me", "wrong-number"),
        ("", "unclear"),
        ("1 but not before noon", "unclear"),
        ("12", "unclear"),
        ("1 or 2", "unclear"),
        ("don't cancel", "unclear"),
        ("please don't stop", "unclear"),
        ("the end", "unclear"),
        ("👍", "unclear"),
    ],
)
def test_only_a_plain_answer_is_acted_on(text: str, answer: str) -> None:
    assert (read(text).answer, read(text).code) == (answer, "")


@pytest.mark.parametrize("word", ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT"])
def test_the_words_that_end_texts_with_twilio_end_them_here(word: str) -> None:
    assert read(word).answer == "stop"


@pytest.mark.parametrize(
    ("text", "answer", "code"),
    [
        ("2 4821", "another-time", "4821"),
        ("4821 2", "another-time", "4821"),
        ("2-4821.", "another-time", "4821"),
        ("24821", "another-time", "4821"),
        ("CANCEL 4821", "cancel", "4821"),
        ("another time 4821, please", "another-time", "4821"),
        ("Please 4821: keep it", "keep", "4821"),
        ("STOP 4821", "stop", "4821"),
        ("4821", "unclear", "4821"),
        ("2 0482", "unclear", ""),
        ("2 48210", "unclear", ""),
        ("2 4821 4822", "unclear", "4822"),
        ("44821", "unclear", ""),
    ],
)
def test_a_code_names_the_message_that_an_answer_is_to(text: str, answer: str, code: str) -> None:
    assert (read(text).answer, read(text).code) == (answer, code)


def test_a_code_is_four_digits_and_always_the_same_and_those_of_a_household_differ() -> None:
    codes = [code_of(derived_id("message", str(number))) for number in range(500)]
    assert all(len(code) == 4 and 1000 <= int(code) <= 9999 for code in codes)
    assert codes == [code_of(derived_id("message", str(number))) for number in range(500)]
    assert len(set(codes)) > 460


def test_a_reply_answers_the_one_message_whose_appointment_is_to_come() -> None:
    assert answered([TOMORROW, YESTERDAY], NOW) == TOMORROW


def test_with_several_or_none_it_is_nobody_elses_guess() -> None:
    assert answered([TOMORROW, NEXT_WEEK], NOW) is None
    assert answered([YESTERDAY], NOW) is None
    assert answered([], NOW) is None


def test_two_texts_about_one_appointment_are_one_conversation_and_the_newest_is_answered() -> None:
    assert answered([REMINDER, TOMORROW], NOW) == REMINDER


def test_with_a_code_it_is_the_message_that_has_it_and_with_a_wrong_one_none() -> None:
    for message in (TOMORROW, NEXT_WEEK):
        assert answered([TOMORROW, NEXT_WEEK], NOW, code_of(message.message)) == message
    assert answered([TOMORROW], NOW, code_of(NEXT_WEEK.message)) is None
    assert answered([TOMORROW, YESTERDAY], NOW, code_of(YESTERDAY.message)) is None


def test_two_messages_with_the_same_code_are_nobody_elses_guess() -> None:
    twin = next(each for number in range(100_000) if code_of(each := str(number)) == code_of(TOMORROW.message))
    assert answered([TOMORROW, sent(twin, NEXT_WEEK.appointment_start)], NOW, code_of(twin)) is None


def test_an_answer_after_the_appointment_has_begun_answers_nothing_but_names_its_message() -> None:
    for late in (YESTERDAY, SEEN):
        assert answered([late], NOW) is None
        assert candidates([late], NOW) == [late]


def test_of_what_several_messages_explain_those_come_into_question_that_are_open() -> None:
    assert candidates([TOMORROW, YESTERDAY, NEXT_WEEK, SEEN], NOW) == [TOMORROW, NEXT_WEEK]
    assert answered([TOMORROW, SEEN], NOW) == TOMORROW
    assert candidates([], NOW) == []


def test_an_answer_that_may_be_to_what_has_moved_on_is_nobody_elses_guess() -> None:
    assert answered([MOVED_ON], NOW) is None
    assert candidates([MOVED_ON], NOW) == [MOVED_ON]
    assert answered([TOMORROW, MOVED_ON], NOW) is None
    assert candidates([TOMORROW, MOVED_ON], NOW) == [TOMORROW, MOVED_ON]
    assert answered([TOMORROW, MOVED_ON], NOW, code_of(TOMORROW.message)) == TOMORROW
    assert answered([TOMORROW, MOVED_ON], NOW, code_of(MOVED_ON.message)) is None


@pytest.mark.parametrize(
    ("answer", "matched", "asked", "same"),
    [
        ("cancel", False, [TOMORROW, NEXT_WEEK], False),
        ("cancel", True, [TOMORROW, NEXT_WEEK], True),
        ("stop", False, [TOMORROW, NEXT_WEEK], True),
        ("start", False, [TOMORROW, NEXT_WEEK], True),
        ("unclear", False, [TOMORROW, REMINDER, YESTERDAY], True),
        ("unclear", False, [], True),
    ],
)
def test_the_same_words_are_another_text_if_several_are_asked_and_nobody_knows_who_answered(
    answer: Answer, matched: bool, asked: list[SentMessage], same: bool
) -> None:
    earlier = CameIn("3", NOW, matched)
    assert is_same_text(earlier, [earlier], answer, asked, NOW + timedelta(minutes=1)) is same


@pytest.mark.parametrize(
    ("answer", "outage", "needed"),
    [
        ("keep", "", False),
        ("cancel", "", False),
        ("stop", "", False),
        ("another-time", "outage-1", False),
        ("another-time", "", True),
        ("wrong-number", "outage-1", False),
        ("wrong-number", "", True),
        ("unclear", "outage-1", True),
    ],
)
def test_a_person_reads_what_nothing_follows_from(answer: str, outage: str, needed: bool) -> None:
    assert needs_reading(answer, outage) is needed  # type: ignore[arg-type]
