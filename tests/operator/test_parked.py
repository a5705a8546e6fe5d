"""`daybook parked`: what it asks a service for, and what a person reads of the answer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.operator.app import main
from tests.operator.answering import Service, answering

WAITING: dict[str, Any] = {
    "event": "e-1",
    "source": "booking",
    "stream": "session/s-1",
    "position": 1204,
    "sequence": 3000,
    "subject": "daybook.booking.G82002.slots-added",
    "reason": "CheckViolationError: slots_minutes",
    "parked_at": "2024-07-22T08:00:00Z",
    "skipped_by": "",
    "skipped_because": "",
}
SKIPPED = {**WAITING, "event": "e-0", "skipped_by": "A. Operator", "skipped_because": "[published] twice"}
ANSWERS: dict[str, Any] = {
    "GET /v1/parked": [WAITING, SKIPPED],
    "POST /v1/parked/e-1/retry": {"skipped": "", "folded": ["e-1", "e-2"], "waits": ""},
    "POST /v1/parked/e-1/skip": {"skipped": "e-1", "folded": [], "waits": "e-2"},
}

Daybook = Callable[..., str]


@pytest.fixture
def rebooking() -> Iterator[Service]:
    with answering(ANSWERS) as service:
        yield service


@pytest.fixture
def booking() -> Iterator[Service]:
    with answering({"GET /v1/parked": b"[]"}) as service:
        yield service


@pytest.fixture
def daybook(
    tmp_path: Path,
    booking: Service,
    rebooking: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Daybook:
    """Runs a command that ends with this code; gives what it prints, or why it was refused."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("OPERATOR_BOOKING_URL", booking.url)
    monkeypatch.setenv("OPERATOR_REBOOKING_URL", rebooking.url)
    monkeypatch.setenv("COLUMNS", "220")

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr("sys.argv", ["daybook", "parked", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return said.err if code == 2 else said.out

    return run


def test_the_list_says_what_waits_and_what_was_skipped_and_ends_with_1(daybook: Daybook) -> None:
    said = daybook("list", "rebooking", code=1)
    for words in ("e-1", "session/s-1", "booking 1,204", "CheckViolationError", "waits"):
        assert words in said
    assert "skipped by A. Operator: [published] twice" in said


def test_where_everything_is_folded_it_says_so(daybook: Daybook) -> None:
    assert daybook("list", "booking") == "Every event has been folded.\n"


def test_a_retry_and_a_skip_say_who_and_why(daybook: Daybook, rebooking: Service) -> None:
    assert daybook("retry", "rebooking", "e-1", "--by", "A. Operator") == "Folded: 2\n"
    assert rebooking.asked[-1].json == {"by": "A. Operator"}

    said = daybook("skip", "rebooking", "e-1", "--by", "A. Operator", "--reason", "published twice")
    assert said == "Left out for good: e-1\nFolded: 0\nStill waits: e-2\n"
    assert rebooking.asked[-1].json == {"by": "A. Operator", "reason": "published twice"}


def test_for_programs_it_prints_the_facts(daybook: Daybook) -> None:
    assert msgspec.json.decode(daybook("list", "rebooking", "--json", code=1)) == {"rebooking": [WAITING, SKIPPED]}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("list", "nowhere"), "there is no service “nowhere”"),
        (("retry", "nowhere", "e-1", "--by", "A"), "there is no service “nowhere”"),
        (("retry", "rebooking", "e-9", "--by", "A"), "There is no such thing"),
        (("skip", "rebooking", "e-1", "--by", "A"), "--reason"),
    ],
)
def test_what_makes_no_sense_is_refused(daybook: Daybook, words: tuple[str, ...], complaint: str) -> None:
    assert complaint in daybook(*words, code=2)
