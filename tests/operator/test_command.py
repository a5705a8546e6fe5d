"""The `daybook` command as a person meets it: what it prints, what it refuses, and its exit codes."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from services.operator.app import main
from services.operator.embedded import free_ports

Daybook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def daybook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Daybook:
    """Runs the command in a home where nothing runs; gives exit code, output and complaints."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
    for name in ("BOOKING", "REBOOKING", "NOTIFICATIONS"):
        monkeypatch.setenv(f"OPERATOR_{name}_URL", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["daybook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


@pytest.mark.parametrize("words", [("outage", "list"), ("plan", "show", "an-id"), ("outage", "end", "an-id")])
def test_when_the_services_are_not_there_it_says_so_and_what_to_do(daybook: Daybook, words: tuple[str, ...]) -> None:
    code, out, err = daybook(*words)
    assert (code, out) == (2, "")
    assert "rebooking does not answer at http://127.0.0.1:" in err
    assert "is `daybook up` running?" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("rebuild", "cats"), "there is no service “cats”, only booking, rebooking, notifications"),
        (("events", "--type", "AppMoved"), "there is no event “AppMoved”; there is appointment-moved"),
        (("events", "--practice", "G8.>"), "--practice: “G8.>” is not an ODS code"),
        (("events", "--from", "yesterday"), "--from: “yesterday” is not a date and time"),
        (
            (
                "redeliver",
                "--practice",
                "A1",
                "--from",
                "2024-07-20",
                "--until",
                "2024-07-19",
                "--to",
                "https://x.example",
            ),
            "--until: 2024-07-19 is not after 2024-07-20",
        ),
        (
            ("redeliver", "--practice", "A1", "--from", "2024-07-20", "--to", "https://x.example"),
            "DAYBOOK_WEBHOOK_SECRET must hold the secret",
        ),
        (("story", "a/b"), "“a/b” is not the id of an appointment"),
        (("events", "--service", "cats"), "--service: there is no service “cats”, only booking, rebooking"),
        (("events", "--from", "9", "--until", "3"), "--until: 3 comes before --from 9"),
        (("import", "practices", "/no/such/file.csv"), "/no/such/file.csv cannot be read: No such file or directory"),
        (("practice", "open", "A1", "--closed", "--type", "nhs-111"), "--closed is to nobody"),
        (("outage", "declare", "Friday", "--from", "dawn"), "--from: “dawn” is not a date and time"),
        (
            ("outage", "declare", "Friday", "--from", "2024-07-19", "--let-in", "us"),
            "--let-in: “us” is none of practice",
        ),
        (("outage", "calls", "--print", "list.html"), "a list to print is one practice's"),
        (("outage", "chart", "chart.pdf"), "chart.pdf is neither .svg nor .png"),
        (("outage", "backlog", "an-id", "--csv", "f", "--practice", "A1"), "the CSV file holds all practices"),
        (("practice", "day-list", "A/1"), "“A/1” is not an ODS code"),
        (("practice", "day-list", "A1", "--from", "Monday"), "--from: “Monday” is not a date such as"),
        (("continuity-pack", "--practice", "A1"), "say with --to where it goes"),
        (("continuity-pack", "--every-night", "8pm"), "--every-night: “8pm” is not a time of day"),
        (("outage", "declare", "Friday", "--from", "2024-03-31T01:30"), "the clocks go forward over it"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_what_is_wrong(
    daybook: Daybook, words: tuple[str, ...], complaint: str
) -> None:
    code, out, err = daybook(*words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert len(err.strip().splitlines()) == 1


def test_status_says_who_is_down_and_exits_with_1(daybook: Daybook) -> None:
    code, out, _ = daybook("status")
    assert code == 1
    assert out.count("down") == 3


def test_status_prints_the_same_facts_for_programs(daybook: Daybook) -> None:
    code, out, _ = daybook("status", "--json")
    assert code == 1
    assert [service["state"] for service in msgspec.json.decode(out)["services"]] == ["down"] * 3


def test_every_command_explains_itself(daybook: Daybook) -> None:
    code, out, _ = daybook("--help")
    assert code == 0
    for word in (
        "up",
        "status",
        "token",
        "events",
        "rebuild",
        "import",
        "outage",
        "plan",
        "practice",
        "streams",
        "log",
        "continuity-pack",
    ):
        assert f" {word} " in out
