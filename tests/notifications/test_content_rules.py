"""What a text may say, and that each rule is named with the template, the line and what to do."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.content_rules import Draft, clinical_words, faults_of_template, faults_of_text
from services.notifications.segments import size
from services.notifications.templating import forbidden_words, read_sources
from services.notifications.wording import TEMPLATES

VARIABLES = frozenset({"first_name", "practice", "when", "code"})
GOOD = "$first_name, $practice has moved your appointment to $when.\nReply 2$code to change it, 3$code to cancel."
CLINICAL = forbidden_words()


def faults(text: str, variables: frozenset[str] = VARIABLES) -> list[str]:
    return [str(fault) for fault in faults_of_template("en/moved.txt", Draft(text, variables, CLINICAL))]


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_daybook_says_itself_keeps_every_rule(name: str) -> None:
    assert read_sources(None, "en")[name].faults(CLINICAL) == []


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        (GOOD.replace("$practice", "We"), 1, "$practice is missing"),
        (GOOD.replace("$when", "soon"), 1, "$when is missing"),
        (GOOD + "\n$clinic", 3, "there is no variable $clinic here, only $code, $first_name, $practice, $when"),
        (GOOD + "\n${whenever}", 3, "there is no variable $whenever"),
        (GOOD + " It costs $2.", 2, "a stray $: write $$ for the sign"),
        ("Dear " + GOOD, 1, "begin with $first_name"),
        (GOOD + "\nCall us if you cannot come.", 3, "a second thing (“Call”)"),
        (GOOD.replace("to cancel", "or phone us"), 2, "a second thing (“phone”)"),
        (GOOD + " Can you come? Is it fine?", 2, "a second question"),
        (GOOD.replace("2$code", "2"), 2, "write 2$code"),
        (GOOD.replace("3$code to cancel", "3 to cancel$code"), 2, "$code has to stand right behind the number"),
        (GOOD.replace("3$code to cancel", "3$code to stop texts, or STOP"), 2, "“STOP” alone is for networks"),
        (GOOD.replace("Reply 2$code to change it, 3$code", "Reply cancel"), 2, "“cancel” alone is for networks"),
        (GOOD + "\nHave your NHS number ready.", 3, "“NHS number”: never ask for personal details"),
        (GOOD + "\nWe need your date of birth.", 3, "never ask for personal details"),
        (GOOD.replace("your appointment", "your smear"), 1, "“smear” is clinical"),
        (GOOD.replace("your appointment", "your COVID Vaccination"), 1, "“Vaccination” is clinical"),
        (GOOD + "\nWe are closed on Monday.", 3, "“Monday”: dates and times come from $when alone"),
        (GOOD + "\nWe are closed from 5 May.", 3, "“5 May”"),
        (GOOD + "\nWe are closed on 23/07.", 3, "“23/07”"),
        (GOOD + "\nCome by 9:30.", 3, "“9:30”"),
        (GOOD + "\nSee http://www.nhs.uk/moved.", 3, "a link has to be whole"),
        (GOOD + "\nSee nhs.uk/moved.", 3, "a link has to be whole"),
        (GOOD + "\nSee https://bit.ly/3xYz.", 3, "be on nhs.uk or gov.uk"),
        (GOOD + "\nSee https://fake-nhs.uk/moved.", 3, "be on nhs.uk or gov.uk"),
        (GOOD + "\nSee https://me@www.nhs.uk/.", 3, "a link has to be whole"),
        (GOOD + "\nSee https://www.nhs.uk/?n=$first_name.", 3, "hold no ? or #"),
        (GOOD + "\nThat\u2019s all.", 3, "write ' instead of \u2019"),
    ],
)
def test_each_rule_names_the_file_the_line_and_what_to_do(text: str, line: int, complaint: str) -> None:
    (fault,) = [fault for fault in faults(text) if complaint in fault]
    assert fault.startswith(f"en/moved.txt, line {line}: ")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + " No reply keeps it.",
        GOOD + "\nMore at https://www.nhs.uk/2024-changes.",
        GOOD.replace("$first_name", "${first_name}").replace("2$code", "2${code}"),
        GOOD.replace("3$code to cancel", "3$code to cancel, within 2 days"),
        "$first_name, $practice sees you on $when. We will phone or text you if that changes. You may come early.",
        "$first_name, $practice sees you on $when. Parking costs $$5.",
        "$first_name, mae gan $practice apwyntiad i chi ar $when. Croeso i ŵyl y dŵr.",
    ],
)
def test_what_keeps_the_rules_passes(text: str) -> None:
    assert faults(text) == []


def test_a_text_that_confirms_asks_for_no_number() -> None:
    (fault,) = faults("$first_name, $practice: $when stands. Reply 3 to cancel.", VARIABLES - {"code"})
    assert "takes none: leave the numbers out" in fault


def test_a_word_is_clinical_by_itself_or_by_its_beginning() -> None:
    words = clinical_words("# remarks\nscan\nvaccin*\nself-harm\n")
    assert [match[0] for match in words.finditer("Scan, scandal; VACCINES, self-harm")] == [
        "Scan",
        "VACCINES",
        "self-harm",
    ]


TEXT = "Sam, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at 9:40am.\nReply 2 4821 to change it."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (TEXT.removeprefix("Sam"), "it begins with no name"),
        (TEXT.replace("Sam", "9990000018"), "an NHS number"),
        (TEXT.replace("Surgery", "Surgery 999 000 0018"), "an NHS number"),
        (TEXT.replace("Surgery", "Surgery 999-000-0018"), "an NHS number"),
        (TEXT.replace("Surgery", "Surgery 9 9 9 0 0 0 0 0 1 8"), "an NHS number"),
        (TEXT.replace("Tuesday 23 July 2024", "23/07/2024"), "a date in figures"),
        (TEXT.replace("Tuesday 23 July 2024", "2024-07-23"), "a date in figures"),
        (TEXT.replace("Tuesday 23 July 2024", "23.7.24"), "a date in figures"),
        (TEXT.replace("Sam", "Sam www.example.com"), "a link"),
        (TEXT.replace("Sam", "bit.ly/3xYz"), "a link"),
        (TEXT + "x" * 918, "longer than 918 characters"),
        (TEXT + "李" * 130, "more than 3 segments"),
    ],
)
def test_a_finished_text_is_looked_through_for_what_names_brought_with_them(text: str, complaint: str) -> None:
    (fault,) = [fault for fault in faults_of_text(text, size(text)) if complaint in fault]
    assert not re.search(r"\d{10}", fault), "the complaint does not repeat what it is about"


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace("Harbour Surgery", "St.James 24/7 Surgery, Deal CT14 6AA, phone 01304 960123"),
        TEXT.replace("Harbour Surgery", "Surgery 999 000 0019"),
        TEXT.replace("Harbour Surgery", "Surgery 10-12, Dr. Brown-Smith"),
        TEXT + " https://www.nhs.uk/moved.",
    ],
)
def test_telephone_numbers_addresses_and_other_ten_digits_are_none_of_that(text: str) -> None:
    assert faults_of_text(text, size(text)) == []


@given(st.text(max_size=60))
def test_no_name_makes_the_look_through_stumble(name: str) -> None:
    faults_of_text(f"{name}, {TEXT}", size(name + TEXT))
