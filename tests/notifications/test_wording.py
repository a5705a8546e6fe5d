"""What a patient reads."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.segments import is_gsm, size
from services.notifications.templating import MADE_UP, load, read_sources
from services.notifications.wording import TEMPLATES, Notice, Wordings, clock_time, in_words, plain
from shared.events.notifications import MessageKind
from shared.refusals import Refusal

START = datetime(2024, 7, 23, 8, 40, tzinfo=UTC)


@pytest.fixture(scope="module")
def wordings() -> Wordings:
    return load(None, "en")


SAM = Notice("Sam", "Harbour Surgery", START)
AWAY = Notice("Sam", "Harbour Surgery", START, "Mill Lane, Deal CT14 6AA")
WHEN = "Tuesday 23 July 2024 at 9:40am"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (
            "moved",
            f"Sam, Harbour Surgery has moved your appointment to {WHEN}.\n"
            "Reply 2 to change it, 3 to cancel. No reply keeps it.",
        ),
        (
            "reminder-3",
            f"Sam, you have an appointment with Harbour Surgery on {WHEN}.\nIf you cannot come, reply 3 to cancel.",
        ),
        (
            "reminder-1",
            f"Sam, a reminder of your appointment with Harbour Surgery on {WHEN}.\n"
            "If you cannot come, reply 3 to cancel.",
        ),
        ("kept", f"Sam, thank you. Your appointment with Harbour Surgery on {WHEN} stands."),
        (
            "asked",
            "Sam, Harbour Surgery will look for another time. "
            f"Until we text you one, your appointment on {WHEN} stands.",
        ),
        ("cancelled", f"Sam, your appointment with Harbour Surgery on {WHEN} is cancelled, as you asked."),
    ],
)
def test_each_text_names_the_practice_and_the_time_and_what_to_do(
    wordings: Wordings, kind: MessageKind, text: str
) -> None:
    assert wordings.write(kind, SAM) == text


@pytest.mark.parametrize("kind", ["moved", "reminder-3", "reminder-1"])
def test_who_is_to_be_seen_at_another_practice_is_told_where_that_is(wordings: Wordings, kind: MessageKind) -> None:
    text = wordings.write(kind, AWAY)
    assert f"{WHEN}, at another GP surgery: Mill Lane, Deal CT14 6AA.\n" in text
    assert "Harbour Surgery" in text
    assert size(text).segments == 2


@pytest.mark.parametrize("kind", ["kept", "asked", "cancelled"])
def test_who_answered_has_been_told_where(wordings: Wordings, kind: MessageKind) -> None:
    assert wordings.write(kind, AWAY) == wordings.write(kind, SAM)


@pytest.mark.parametrize("kind", get_args(MessageKind))
def test_a_usual_text_is_one_segment_even_on_the_longest_day(wordings: Wordings, kind: MessageKind) -> None:
    its = size(wordings.write(kind, replace(MADE_UP, place="")))
    assert (its.coding, its.segments) == ("gsm-7", 1)


def test_where_two_texts_wait_for_an_answer_a_code_follows_each_number(wordings: Wordings) -> None:
    assert "\nReply 2 4821 to change it, 3 4821 to cancel. No" in wordings.write("moved", replace(SAM, code=" 4821"))
    assert "reply 3 4821 to cancel." in wordings.write("reminder-1", replace(AWAY, code=" 4821"))
    assert "4821" not in wordings.write("kept", replace(SAM, code=" 4821"))


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


def test_no_name_can_smuggle_in_a_variable_or_a_line(wordings: Wordings) -> None:
    text = wordings.write("moved", Notice("$when %(when)s\nReply 3", "Harbour Surgery", START))
    assert text.startswith("$when %(when)s Reply 3, Harbour Surgery")
    assert is_gsm(text)


class TestOnesOwn:
    """A folder of wording, as an operator writes it."""

    @staticmethod
    def folder(at: Path, **files: str) -> Path:
        """`en_moved="…"` is written to `en/moved.txt`."""
        for name, text in files.items():
            language, _, template = name.partition("_")
            (at / language).mkdir(exist_ok=True)
            (at / language / f"{template}.txt").write_text(text, encoding="utf-8")
        return at

    def test_it_takes_the_place_of_ours_as_far_as_it_goes(self, tmp_path: Path, wordings: Wordings) -> None:
        own = load(self.folder(tmp_path, en_kept="$first_name, 100% fine: $practice, $when. It costs $$0.\n"), "en")
        assert own.write("kept", SAM) == f"Sam, 100% fine: Harbour Surgery, {WHEN}. It costs $0."
        assert own.write("moved", SAM) == wordings.write("moved", SAM)

    def test_a_language_is_chosen_and_english_stands_in_for_what_it_lacks(
        self, tmp_path: Path, wordings: Wordings
    ) -> None:
        folder = self.folder(
            tmp_path, cy_kept="$first_name, diolch. $practice, $when.", en_kept="$first_name, ta. $practice, $when."
        )
        assert load(folder, "cy").write("kept", SAM).startswith("Sam, diolch.")
        assert load(folder, "cy").write("asked", SAM) == wordings.write("asked", SAM)
        assert load(folder, "en").write("kept", SAM).startswith("Sam, ta.")
        assert load(None, "cy") == wordings

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("$first_name, $practice: $when, $clinic", "en/kept.txt, line 1: there is no variable $clinic here"),
            ("$first_name, $when", "en/kept.txt, line 1: $practice is missing"),
            ("$first_name, $practice:\n$when costs $2", "en/kept.txt, line 2: a stray $: write"),
            ("$first_name, $practice, $when: 999 000 0018", "en/kept.txt, line 1: it holds an NHS number"),
            ("$first_name, $practice, $when" + " and on" * 130, "en/kept.txt, line 1: it is longer than 918"),
            ("", "en/kept.txt, line 1: $first_name is missing"),
        ],
    )
    def test_a_wrong_template_is_refused_with_its_file_and_line(
        self, tmp_path: Path, text: str, complaint: str
    ) -> None:
        with pytest.raises(Refusal, match=re.escape(complaint)) as refused:
            load(self.folder(tmp_path, en_kept=text), "en")
        assert refused.value.where == "en/kept.txt"

    def test_everything_that_is_wrong_is_said_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(Refusal) as refused:
            load(self.folder(tmp_path, en_kept="$first_name", en_asked="$practice"), "en")
        assert refused.value.message.count("en/kept.txt, line 1: ") == 2
        assert refused.value.message.count("en/asked.txt, line 1: ") == 3

    def test_a_misspelt_file_is_refused_with_the_name_that_was_meant(self, tmp_path: Path) -> None:
        with pytest.raises(Refusal, match=r"en/remimder-3.txt is no template: is reminder-3.txt meant\?"):
            load(self.folder(tmp_path, **{"en_remimder-3": "$first_name"}), "en")

    def test_what_a_computer_hides_in_folders_is_no_template(self, tmp_path: Path, wordings: Wordings) -> None:
        (self.folder(tmp_path, en_kept="$first_name: $practice, $when.") / "en" / ".DS_Store").touch()
        assert load(tmp_path, "en").write("moved", SAM) == wordings.write("moved", SAM)

    def test_a_folder_without_templates_is_refused_with_where_they_belong(self, tmp_path: Path) -> None:
        (tmp_path / "moved.txt").write_text("$first_name")
        with pytest.raises(Refusal, match=r"holds no templates: put them there as cy/moved.txt or en/moved.txt"):
            load(tmp_path, "cy")

    def test_a_file_in_other_letters_than_utf_8_is_refused(self, tmp_path: Path) -> None:
        file = self.folder(tmp_path, en_kept="") / "en" / "kept.txt"
        file.write_bytes(b"$first_name \xff")
        with pytest.raises(Refusal, match=r"kept.txt cannot be read"):
            load(tmp_path, "en")

    @pytest.mark.parametrize("language", ["", "../en", "EN", "english please", "/etc"])
    def test_a_language_is_no_path(self, language: str) -> None:
        with pytest.raises(Refusal, match="is not the name of a set of templates"):
            load(None, language)


def test_every_kind_of_message_has_its_template() -> None:
    assert {name.removesuffix("_away") for name in TEMPLATES} == set(get_args(MessageKind))
    assert {source.file.name for source in read_sources(None, "en").values()} == {f"{name}.txt" for name in TEMPLATES}
