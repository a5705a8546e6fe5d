"""`daybook at`: what a service says of the past, as a person reads it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.operator.app import main
from tests.operator.answering import answering

Said = Callable[..., tuple[int, str, list[dict[str, str]]]]

APPOINTMENT = {
    "appointment": "a",
    "at": "2024-07-19T08:10:00Z",
    "status": "booked",
    "slots": ["s"],
    "recorded_later": [
        {"recorded_at": "2024-07-22T08:00:00Z", "occurred_at": "2024-07-19T08:05:00Z", "words": "the patient was seen"}
    ],
}
SESSION = {
    "session": "s",
    "start": "2024-07-19T08:00:00Z",
    "slots": [
        {"start": "2024-07-19T08:00:00Z", "minutes": 10, "kept_for": "anyone", "status": "busy", "appointment": "a"}
    ],
    "appointments": {"a": "booked"},
    "recorded_later": [],
}
OUTAGE = {"outage": "o", "ended_at": None, "states": {"displaced": 3}, "recorded_later": {"attended": 2}}


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    def run(*words: str) -> tuple[int, str, list[dict[str, str]]]:
        answers = {
            "GET /v1/appointments/a": APPOINTMENT,
            "GET /v1/sessions/s": SESSION,
            "GET /v1/outages/o/at": OUTAGE,
        }
        with answering(answers) as service:
            monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
            monkeypatch.setenv("COLUMNS", "200")
            for name in ("BOOKING", "REBOOKING"):
                monkeypatch.setenv(f"OPERATOR_{name}_URL", service.url)
            monkeypatch.setattr("sys.argv", ["daybook", "at", *words])
            with pytest.raises(SystemExit) as ended:
                main()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out + printed.err, [asked.query for asked in service.asked]

    return run


def test_an_instant_without_offset_is_londons_and_answers_are_in_its_words(said: Said) -> None:
    code, text, asked = said("appointment", "a", "--at", "2024-07-19T09:10")
    assert (code, asked) == (0, [{"at": "2024-07-19T08:10:00+00:00"}])
    assert "Fri 19 July 2024, 9:10am" in text
    assert "Written down later, Mon 22 July 2024, 9:00am: the patient was seen" in text


def test_a_session_is_shown_slot_by_slot_and_an_outage_with_its_counts(said: Said) -> None:
    assert "9:00am  10       anyone    busy    a" in said("session", "s", "--at", "2024-07-19T09:10")[1]
    text = said("outage", "o", "--at", "2024-07-19T09:10")[1]
    assert "displaced" in text
    assert "Written down later: 2 attended" in text


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("appointment", "a", "--at", "Friday"), "--at: “Friday” is not a date and time"),
        (("session", "a/b", "--at", "2024-07-19T09:10"), "“a/b” is not the id of a session"),
        (("outage", "o", "--at", "2024-03-31T01:30"), "does not exist: the clocks go forward over it"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(said: Said, words: tuple[str, ...], complaint: str) -> None:
    code, text, asked = said(*words)
    assert (code, asked) == (2, [])
    assert complaint in text
