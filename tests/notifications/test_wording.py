"""What a patient reads."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.segments import is_gsm, size
from services.notifications.wording import MOVED_VARIABLES, MovedNotice, checked, clock_time, in_words, moved, plain
from shared.refusals import Refusal

START = datetime(2024, 7, 23, 8, 40, tzinfo=UTC)


def test_the_text_names_the_practice_and_the_new_time_and_says_what_no_answer_means() -> None:
    assert moved(MovedNotice("Sam", "Harbour Surgery", START)) == (
        "Sam, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at 9:40am.\n"
        "Reply 2 to change it, 3 to cancel. No reply keeps it."
    )


def test_who_is_to_be_seen_at_another_practice_is_told_where_that_is() -> None:
    text = moved(MovedNotice("Sam", "Harbour Surgery", START, "Mill Lane, Deal CT14 6AA"))
    assert text == (
        "Sam, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at 9:40am, at another GP surgery: "
        "Mill Lane, Deal CT14 6AA.\n"
        "Reply 2 to change it, 3 to cancel. No reply keeps it."
    )
    assert size(text).segments == 2


def test_a_usual_text_is_one_segment_even_on_the_longest_day() -> None:
    text = moved(MovedNotice("Margaret", "Northgate Medical Practice", datetime(2024, 9, 18, 9, 30, tzinfo=UTC)))
    assert size(text).segments == 1


def test_dates_are_in_words_and_times_as_on_the_wall() -> None:
    assert in_words(START) == "Tuesday 23 July 2024 at 9:40am"
    assert in_words(datetime(2024, 11, 5, 14, 0, tzinfo=UTC)) == "Tuesday 5 November 2024 at 2pm"


@pytest.mark.parametrize(
    ("wall", "words"),
    [
        (time(0, 0), "midnight"),
        (time(0, 5), "12:05am"),
        (time(9, 0), "9am"),
        (time(11, 59), "11:59am"),
        (time(12, 0), "midday"),
        (time(12, 30), "12:30pm"),
        (time(13, 5), "1:05pm"),
    ],
)
def test_midday_and_midnight_have_names(wall: time, words: str) -> None:
    assert clock_time(wall) == words


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Zoë", "Zoe"),
        ("Siân", "Sian"),
        ("O\u2019Brien", "O'Brien"),
        ("St James\u2019 Surgery \u2013 Dover", "St James' Surgery - Dover"),
        ("Ana\tMaría", "Ana Maria"),
        ("Renée", "Renée"),
        ("李", "李"),
    ],
)
def test_names_are_sent_in_letters_every_phone_has_where_there_are_such(written: str, sent: str) -> None:
    assert plain(written) == sent


@given(st.text(st.characters(categories=["L"], max_codepoint=0x24F), min_size=1))
def test_what_can_be_plain_stays_so(name: str) -> None:
    assert plain(plain(name)) == plain(name)
    assert "\n" not in plain(name)


def test_no_name_can_smuggle_in_a_variable_or_a_line() -> None:
    text = moved(MovedNotice("$when\nReply 3", "Harbour Surgery", START))
    assert text.startswith("$when Reply 3, Harbour Surgery")
    assert is_gsm(text)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("$first_name, $practice: $when, $clinic", "clinic"),
        ("$first_name, $when", "practice"),
        ("$first_name $practice $when costs $2", "stray"),
    ],
)
def test_a_template_with_a_missing_or_unknown_variable_is_refused(template: str, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        checked(template, MOVED_VARIABLES, name="moved.txt")
