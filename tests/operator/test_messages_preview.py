"""`daybook messages preview`: what a plan's texts come to, and what one's own wording looks like."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.operator.app import main
from tests.operator.answering import Asked, Service, answering

SHORT = {"text": "Sam, [yes]", "coding": "gsm-7", "units": 10, "segments": 1}
LONG = {"text": "Ann, 李", "coding": "ucs-2", "units": 90, "segments": 2}
NOBODY: dict[str, Any] = {
    "messages": 0,
    "segments": 0,
    "by_segments": {},
    "ucs2": 0,
    "price_pence": 2.4,
    "cost_pence": 0.0,
    "without_mobile": 0,
    "opted_out": 0,
    "erased": 0,
    "against_rules": 0,
    "longest": None,
    "typical": None,
}
FIRST = {
    **NOBODY, "messages": 2000, "segments": 2100, "by_segments": {"1": 1900, "2": 100}, "cost_pence": 5040.0,
    "without_mobile": 40, "erased": 1, "longest": LONG, "typical": SHORT,
}  # fmt: skip
SECOND = {
    **NOBODY, "messages": 10, "segments": 10, "by_segments": {"1": 10}, "cost_pence": 24.0, "ucs2": 3,
    "opted_out": 1, "longest": SHORT, "typical": SHORT,
}  # fmt: skip
CAMPAIGN = {"planned": 500, "waiting": 180, "segments": 510}
ROWS = [{"appointment": "a1"}, {"appointment": "a2"}]

Daybook = Callable[..., str]


def page(asked: Asked) -> dict[str, Any]:
    """Two pages, of a row each."""
    return {"notices": ROWS[1:], "after": None} if asked.query.get("after") else {"notices": ROWS[:1], "after": "A1/a1"}


def figures(asked: Asked) -> dict[str, Any]:
    match asked.json["notices"]:
        case [{"appointment": "a1"}]:
            return FIRST
        case [{"appointment": "a2"}]:
            return SECOND
        case _:
            return NOBODY


@pytest.fixture
def services() -> Iterator[Service]:
    answers: dict[str, Any] = {
        "GET /v1/outages": [{"outage": "o1", "name": "Friday", "kind": "outage"}],
        "GET /v1/outages/o1/plan/notices": page,
        "GET /v1/outages/empty/plan/notices": {"notices": [], "after": None},
        "POST /v1/messages/preview": figures,
        "GET /v1/outages/o1/messages": CAMPAIGN,
        "GET /v1/outages/empty/messages": {**CAMPAIGN, "planned": 0},
    }
    with answering(answers) as service:
        yield service


@pytest.fixture
def daybook(
    tmp_path: Path, services: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Daybook:
    """Runs a command that ends with this code; gives all that it prints."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OPERATOR_REBOOKING_URL", services.url)
    monkeypatch.setenv("OPERATOR_NOTIFICATIONS_URL", services.url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["daybook", "messages", "preview", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return said.out + said.err

    return run


def test_a_campaign_is_counted_priced_and_shown_before_it_is_sent(daybook: Daybook) -> None:
    said = daybook("o1")
    assert "2,010 texts in 2,110 segments: £50.64 before VAT, at 2.4p a segment." in said
    assert (
        "42 patients to be telephoned instead: no mobile number that can be texted (40), no texts wanted (1), "
        "data erased (1)." in said
    )
    assert (
        "Besides, 500 texts in 510 segments (£12.24) have been planned already; 180 of them are still to be sent."
        in said
    )
    for row in (("1 segment", "1,910", "£45.84"), ("2 segments", "100", "£4.80"), ("not in GSM letters", "3")):
        assert any(all(cell in line for cell in row) for line in said.splitlines())
    assert "A typical text, 1 segment (10 characters):\n  Sam, [yes]" in said
    assert "The longest, 2 segments (90 characters, not in GSM letters):\n  Ann, 李" in said


def test_programs_get_the_sums_of_all_pages(daybook: Daybook) -> None:
    found = msgspec.json.decode(daybook("--json"))
    assert found["by_segments"] == {"1": 1910, "2": 100}
    assert (found["messages"], found["cost_pence"], found["ucs2"]) == (2010, 5064.0, 3)
    assert (found["longest"], found["typical"], found["planned"]) == (LONG, SHORT, CAMPAIGN)


def test_one_practice_is_asked_about_alone(daybook: Daybook, services: Service) -> None:
    assert "planned already" not in daybook("o1", "--practice", "a1")
    pages = [asked.query for asked in services.asked if asked.path.endswith("/notices")]
    assert pages == [{"practice": "A1", "limit": "5000"}, {"practice": "A1", "limit": "5000", "after": "A1/a1"}]


def test_where_nothing_would_be_sent_that_is_said(daybook: Daybook) -> None:
    said = daybook("empty")
    assert said == (
        "No text would be sent: there is no plan that can be approved, or it moves nobody who can be texted.\n"
    )


class TestOnesOwnWording:
    """Without an outage, and without a service."""

    @staticmethod
    def folder(at: Path, text: str, name: str = "kept.txt") -> str:
        (at / "en").mkdir(exist_ok=True)
        (at / "en" / name).write_text(text)
        return str(at)

    def test_each_template_is_shown_as_it_would_read(self, daybook: Daybook, services: Service, tmp_path: Path) -> None:
        said = daybook("--templates", self.folder(tmp_path, "$first_name, fine. $practice, $when.\n"))
        assert "en/kept.txt: 1 segment (" in said
        assert "  Margaret, fine. Northgate Medical Practice, Wednesday 18 September 2024 at 10:30am." in said
        assert "en/moved.txt (Daybook's own): 1 segment (160 characters), 2 with a code\n" in said
        assert said.splitlines()[-1] == "All keep the rules."
        assert services.asked == []

    def test_every_broken_rule_is_named_with_file_and_line(self, daybook: Daybook, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, "$first_name, your blood test at $practice is on $when.\nReply CANCEL.")
        said = daybook("--templates", folder, code=1)
        assert "en/kept.txt breaks the rules:\n  en/kept.txt, line 1: “blood” is clinical" in said
        assert "\n  en/kept.txt, line 2: “CANCEL” alone is for networks" in said
        assert said.splitlines()[-1] == "1 of 9 break the rules."
        (wrong,) = [
            each
            for each in msgspec.json.decode(daybook("--templates", folder, "--json", code=1))["templates"]
            if each["faults"]
        ]
        assert (wrong["file"], wrong["own"], len(wrong["faults"])) == ("en/kept.txt", True, 3)

    def test_what_is_no_folder_of_templates_is_refused(self, daybook: Daybook, tmp_path: Path) -> None:
        misspelt = self.folder(tmp_path, "$first_name", "keept.txt")
        assert "en/keept.txt is no template: is kept.txt meant?" in daybook("--templates", misspelt, code=2)
        assert "holds no templates" in daybook("--templates", str(tmp_path / "none"), code=2)
        assert "not the name of a set" in daybook("--templates", misspelt, "--language", "Welsh", code=2)
        assert "leave the outage out" in daybook("o1", "--templates", misspelt, code=2)
