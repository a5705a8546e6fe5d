"""`daybook messages`: what it asks notifications for, and what a person reads of the answer."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.operator.app import main
from tests.operator.answering import Service, answering

STEP = {"at": "2024-07-22T09:00:00Z", "what": "send-attempted", "attempt": 1, "provider": "notify", "reason": ""}
STORY: dict[str, Any] = {
    "message": "m-1",
    "practice": "A1",
    "kind": "moved",
    "outage": "o1",
    "appointment_start": "2024-07-23T08:10:00Z",
    "state": "failed",
    "attempts": 2,
    "provider": "notify",
    "reference": "m-1.2",
    "detail": "The number [is] not in service",
    "history": [{**STEP, "said": "Attempt 1: given to GOV.UK Notify"}, {**STEP, "said": "It did not arrive"}],
}
COUNTS = {"planned": 1200, "waiting": 30, "accepted": 1100, "delivered": 1000, "silent": 2, "failed": 70, "unknown": 3}
FIGURES = {**COUNTS, "attempted": 1150, "outdated": 5, "segments": 2400, "cost_pence": 5760.0, "replies": {"keep": 800}}
CAMPAIGN: dict[str, Any] = {
    **FIGURES,
    "outage": "o1",
    "calls": 70,
    "by_kind": {"moved": FIGURES, "kept": {**FIGURES, "cost_pence": 240.0}},
    "by_provider": {"twilio": COUNTS},
    "failures": [{"failure": "refused", "reason": "No such number", "messages": 65}],
}
UNKNOWN = {**STORY, "since": "2024-07-22T09:00:00Z", "telephone": "+447700900123"}
CANDIDATE = {
    "message": "m-1",
    "kind": "moved",
    "practice": "A1",
    "practice_name": "Mill Lane",
    "first_name": "Ada",
    "when": "Tuesday 23 July 2024 at 9:10am",
    "status": "booked",
    "state": "delivered",
    "code": "4821",
    "answered": "keep",
}
REPLY = {"reply": "r-1", "minutes": 95, "text": "3 for [the] boy", "candidates": [CANDIDATE]}
TOLD = {
    "erased": False,
    "messages": [
        {
            **STORY,
            "text": "Dear Ada, …",
            "telephone": "+447700900123",
            "answers": [{"reply": "r", "received_at": "2024-07-22T10:00:00Z", "answer": "keep", "text": "1 [thanks]"}],
        }
    ],
    "unmatched": [{"reply": "r-1", "received_at": "2024-07-22T10:30:00Z", "open": True, "resolved_by": ""}],
    "calls": [{"raised_at": "2024-07-22T11:00:00Z", "reason": "No mobile number"}],
}
LONG_ID = "38222324-1099-5b99-84cb-9fbc6a4c3b17"
ANSWERS: dict[str, Any] = {
    "GET /v1/outages/o1/messages": CAMPAIGN,
    "GET /v1/outages/o2/messages": {**CAMPAIGN, "by_kind": {}},
    "GET /v1/outages/o1/messages/list": {"messages": [STORY], "after": "m-1"},
    "GET /v1/outages/o2/messages/list": {"messages": [{**STORY, "message": LONG_ID}], "after": ""},
    "GET /v1/messages/m-1": STORY,
    "POST /v1/messages/m-1/outcome": STORY,
    "POST /v1/patients/messages": TOLD,
    "GET /v1/unknown": [UNKNOWN],
    "GET /v1/replies": [REPLY, {**REPLY, "reply": "r-2", "text": None, "candidates": []}],
    "POST /v1/replies/r-1/resolution": {"reply": "r-1", "message": "m-1", "answer": "keep", "resolved_by": "Joan"},
}

Daybook = Callable[..., str]


@pytest.fixture
def notifications() -> Iterator[Service]:
    with answering(ANSWERS) as service:
        yield service


@pytest.fixture
def daybook(
    tmp_path: Path, notifications: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Daybook:
    """Runs a command that ends with this code; gives what it prints, or why it was refused."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("OPERATOR_NOTIFICATIONS_URL", notifications.url)
    monkeypatch.setenv("COLUMNS", "220")

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["daybook", "messages", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return said.err if code else said.out

    return run


def test_a_campaign_is_told_in_sentences_and_every_kind_counted_apart(daybook: Daybook) -> None:
    said = daybook("campaign", "o1")
    assert "1,200 patients are told of a new time: 1,000 telephones have the text, 30 texts wait to be sent" in said
    assert "All texts of this outage have cost £60.00 before VAT." in said
    for words in ("daybook messages unknown", "confirmation: kept", "twilio", "No such number (refused)", "800"):
        assert words in said


def test_an_outage_without_texts_is_not_told_as_a_campaign_of_none(daybook: Daybook) -> None:
    assert daybook("campaign", "o2").strip() == "No text about such an outage has been planned."


def test_the_messages_of_a_campaign_are_listed_page_by_page(daybook: Daybook, notifications: Service) -> None:
    said = daybook("list", "o1", "--state", "failed", "--practice", "a1", "--limit", "1", "--after", "m-0")
    assert notifications.asked[-1].query == {"state": "failed", "practice": "A1", "limit": "1", "after": "m-0"}
    for words in ("m-1", "Tue 23 Jul, 09:10", "The number [is] not in service", "There are more: --after m-1"):
        assert words in said


def test_on_a_narrow_screen_an_id_is_still_told_whole(daybook: Daybook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, *rows = daybook("list", "o2").splitlines()
    assert not [row for row in rows if "…" in row]


def test_a_message_is_told_step_by_step(daybook: Daybook) -> None:
    said = daybook("show", "m-1")
    assert "new time, A1, for Tue 23 Jul, 09:10: failed" in said
    assert said.index("Attempt 1: given to GOV.UK Notify") < said.index("It did not arrive")


class TestOnePatient:
    def told(self, daybook: Daybook, notifications: Service, *words: str) -> str:
        said = daybook("patient", *words)
        assert notifications.asked[-1].json == {"nhs_number": "9990000018"}
        assert notifications.asked[-1].path == "/v1/patients/messages"
        return said

    def test_is_asked_for_without_an_echo(
        self, daybook: Daybook, notifications: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: dict[str, Any] = {}

        def prompt(text: str, **how: Any) -> str:
            asked.update(how)
            return "9990000018"

        monkeypatch.setattr("typer.prompt", prompt)
        said = self.told(daybook, notifications)
        assert asked["hide_input"] is True
        for words in (
            "Dear Ada",
            "+447700900123",
            "1 [thanks]",
            "no one message explains",
            "somebody was to telephone. No mobile number",
        ):
            assert words in said

    def test_or_is_read_from_standard_input(
        self, daybook: Daybook, notifications: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("9990000018\n"))
        self.told(daybook, notifications, "--nhs-number", "-")

    def test_is_never_named_on_the_command_line(self, daybook: Daybook, notifications: Service) -> None:
        said = daybook("patient", "--nhs-number", "9990000018", code=2)
        assert "must not stand in a command" in said
        assert "9990000018" not in said
        assert notifications.asked == []


def test_unknown_outcomes_say_what_to_look_for_and_are_settled(daybook: Daybook, notifications: Service) -> None:
    said = daybook("unknown")
    for words in ("m-1.2", "notify", "+447700900123", "daybook messages settle MESSAGE"):
        assert words in said
    assert "It is sent, if it is still true." in daybook("settle", "m-1", "--not-sent", "--by", "Joan")
    assert notifications.asked[-1].json == {"verdict": "not-sent", "by": "Joan"}
    assert "Nothing is sent again." in daybook("settle", "m-1", "--sent", "--by", "Joan")
    assert notifications.asked[-1].json == {"verdict": "sent", "by": "Joan"}


def test_replies_are_read_with_what_they_may_answer_and_resolved(daybook: Daybook, notifications: Service) -> None:
    said = daybook("replies")
    for words in ("3 for [the] boy", "Ada, Mill Lane (A1), Tuesday 23 July 2024 at 9:10am (booked)", "(erased)"):
        assert words in said
    assert "code 4821; answered before: keep" in said
    daybook("resolve", "r-1", "--message", "m-1", "--answer", "keep", "--by", "Joan")
    assert notifications.asked[-1].json == {"message": "m-1", "answer": "keep", "by": "Joan"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "../accesses"), "“../accesses” is not the id of a message"),
        (("show", "m-9"), "There is no such thing"),
        (("list", "o1", "--state", "lost"), "“lost” is none of planned"),
        (("settle", "m-1"), "say what you found: --sent or --not-sent"),
        (("resolve", "r-1", "--answer", "maybe"), "“maybe” is none of keep"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(daybook: Daybook, words: tuple[str, ...], said: str) -> None:
    assert said in daybook(*words, code=2)


@pytest.mark.parametrize(
    "words",
    [
        ("campaign", "o1"),
        ("list", "o1"),
        ("show", "m-1"),
        ("unknown",),
        ("replies",),
        ("settle", "m-1", "--sent"),
        ("resolve", "r-1", "--answer", "nothing"),
    ],
)
def test_programs_get_the_facts_as_json(daybook: Daybook, words: tuple[str, ...]) -> None:
    assert msgspec.json.decode(daybook(*words, "--json"))
