"""The commands of a lost day: what they ask rebooking for, and what a person reads of the answer."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.operator.app import main
from tests.operator.answering import Asked, Service, answering

OUTAGE: dict[str, Any] = {
    "outage": "o1",
    "name": "Friday [19 July]",
    "practices": ["A1", "B2"],
    "started_at": "2024-07-19T07:30:00Z",
    "ended_at": None,
    "declared_by": "me",
    "declared_at": "2024-07-19T07:40:00Z",
    "kind": "outage",
    "keeps_out": ["practice", "public"],
    "automatic": True,
    "automatic_by": "the county",
    "at_stake": {
        "appointments": 300,
        "by_practice": {"A1": 200, "B2": 100},
        "by_hour": {"2024-07-19 09:00": 300},
        "by_priority": {"0": 250, "1": 50},
    },
}
WAITS = {"placed": 90, "unplaced": 10, "longest_wait_hours": 240.0, "mean_wait_hours": 40.0}
PLAN: dict[str, Any] = {
    "hash": "f00d",
    "outage": "o1",
    "read_position": 7,
    "proposed_at": "2024-07-22T08:00:00Z",
    "expires_at": "2024-07-22T12:00:00Z",
    "follow_up": False,
    **WAITS,
    "by_class": [
        {
            "name": "urgent",
            "priorities": [1],
            **WAITS,
            "longest": {"appointment": "a7", "practice": "B2", "hours": 240.0},
        },
        {"name": "rest", "priorities": [0], **WAITS, "placed": 0, "longest": None},
    ],
    "by_priority": [],
    "by_day": {"2024-07-23": 60, "2024-07-29": 30},
    "placed_by": {"2024-07-23": 60, "2024-07-29": 90},
    "reasons": {"No free slot suits": 10},
    "fairness": {
        "by_practice": {"A1": WAITS},
        "by_channel": {"telephone": WAITS},
        "with_mobile": WAITS,
        "without_mobile": WAITS,
    },
    "practices": [{"practice": "A1", "part": "beef", "state": "proposed", **WAITS}],
}
CALL: dict[str, Any] = {
    "appointment": "a7",
    "family_name": "Okafor",
    "given_name": "Ada",
    "telephone": "01632 960000",
    "erased": False,
    "reason": "No mobile",
    "new_time": "Tuesday 23 July at 09:10 with Dr A",
    "attempts": [{"outcome": "no-answer", "made_by": "Jo", "made_at": "", "note": ""}],
    "claimed_by": "Jo",
    "claimed_until": "2024-07-22T10:20:00+01:00",
    "state": "needed",
}
VALUE: dict[str, Any] = {
    "practice": "A1",
    "day": "2024-07-23",
    "role": "GP",
    "slots": 12,
    "more_placed": 9,
    "more_by_class": {"urgent": 2},
    "days_saved": 31.5,
    "longest_wait_days_before": 10.0,
    "longest_wait_days_after": 8.0,
}
COUNTS = {"displaced": 1, "planned": 0, "moved": 2, "told": 3, "to_call": 4, "confirmed": 5, "done": 6, "everybody": 21}
AT_A1 = "/v1/outages/o1/practices/A1"
ANSWERS: dict[str, Any] = {
    "GET /v1/outages": [OUTAGE],
    "POST /v1/outages": OUTAGE,
    "GET /v1/outages/o1": OUTAGE,
    "GET /v1/outages/o1/progress": {"displaced": 100, "declined": {"another_time": 3, "cancel": 2}},
    "POST /v1/outages/o1/inflow": {**OUTAGE, "keeps_out": []},
    "PUT /v1/outages/o1/follow-up": {"outage": "o1", "automatic": True, "automatic_by": "me"},
    "POST /v1/outages/o1/reconciliation": {"recorded": 3, "outcomes": {"attended": 2, "missed": 1}, "unaccounted": 7},
    "POST /v1/outages/o1/plan": PLAN,
    "GET /v1/outages/o1/plan": PLAN,
    "GET /v1/outages/o1/plan/capacity": [VALUE],
    "GET /v1/outages/o1/plan/unplaced": [
        {
            "appointment": "a9",
            "practice": "B2",
            "priority": 0,
            "start": "2024-07-19T08:00:00Z",
            "channel": "home",
            "textable": True,
            "reason": "No home visits",
        }
    ],
    "POST /v1/outages/o1/approval": {
        "plan": "f00d",
        "practices": ["A1"],
        "replanned": {"hash": "cafe", "practices": {"B2": 4}, "approved": False},
    },
    "GET /v1/outages/o1/calls": [{"practice": "A1"}, {"practice": "A1"}, {"practice": "B2"}],
    f"GET {AT_A1}/calls": {"practice": "A1", "name": "Mill Lane", "outage_name": "Friday", "calls": [CALL]},
    f"GET {AT_A1}/calls.html": b"<p>Okafor</p>",
    f"POST {AT_A1}/calls/a7/claim": CALL,
    f"POST {AT_A1}/calls/a7/outcome": {**CALL, "state": "made"},
    "GET /v1/outages/o1/backlog": {
        "name": "Friday",
        "closed_at": None,
        "now": COUNTS,
        "days": [{"day": "2024-07-22", "practice": ods, "counts": COUNTS} for ods in ("A1", "B2")],
    },
    "GET /v1/outages/o1/backlog.csv": b"day,practice\r\n",
    "GET /v1/outages/o1/burndown.png": b"a picture",
    "GET /v1/outages/o1/report.html": b"<p>a report</p>",
    "GET /v1/practices/A1/day-list": {
        "practice": "A1",
        "name": "Mill Lane",
        "as_of": "2024-07-22T07:00:00Z",
        "days": [
            {
                "date": "2024-07-22",
                "sessions": [
                    {
                        "session": "s",
                        "clinician": "Dr A",
                        "slots": [
                            {
                                "start": "2024-07-22T08:00:00Z",
                                "minutes": 10,
                                "status": "booked",
                                "appointment": "a1",
                                "family_name": "Żak",
                                "given_name": "Ewa",
                                "telephone": "+447700900123",
                            }
                        ],
                    }
                ],
            }
        ],
    },
}

Daybook = Callable[..., str]


@pytest.fixture
def rebooking() -> Iterator[Service]:
    with answering(ANSWERS) as service:
        yield service


@pytest.fixture
def daybook(
    tmp_path: Path, rebooking: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Daybook:
    """Runs a command that goes well; gives what it prints."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("OPERATOR_REBOOKING_URL", rebooking.url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["daybook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert ended.value.code == 0, said.err
        return said.out

    return run


def last(rebooking: Service) -> Asked:
    return rebooking.asked[-1]


def test_an_outage_keeps_out_everybody_but_those_who_are_let_in(daybook: Daybook, rebooking: Service) -> None:
    daybook("outage", "declare", "Friday", "--from", "2024-07-19T08:30")
    assert last(rebooking).json["keeps_out"] == ["practice", "nhs-111", "public"]
    daybook("outage", "declare", "Friday", "--from", "2024-07-19T08:30", "--practice", "a1", "--let-in", "nhs-111")
    assert last(rebooking).json["keeps_out"] == ["practice", "public"]
    assert last(rebooking).json["practices"] == ["A1"]


def test_it_is_said_in_sentences_who_can_book_and_what_is_at_stake(daybook: Daybook) -> None:
    said = daybook("outage", "show")
    assert "Friday [19 July]" in said
    assert "Since Friday 19 July 2024, 08:30, and not over." in said
    assert "New bookings there can be made by NHS 111 alone." in said
    assert "as the county said" in said
    assert "300 appointments at 2 practices are at stake." in said
    assert "07-19 09:00" in said
    assert "another time" in said


def test_the_inflow_is_said_anew_as_a_whole(daybook: Daybook, rebooking: Service) -> None:
    said = daybook(
        "outage", "inflow", "--let-in", "practice", "--let-in", "nhs-111", "--let-in", "public", "--by", "me"
    )
    assert last(rebooking).json == {"keeps_out": [], "said_by": "me"}
    assert "Everybody can go on booking there." in said


@pytest.mark.parametrize(("switch", "automatic"), [("on", True), ("off", False)])
def test_follow_up_is_switched(daybook: Daybook, rebooking: Service, switch: str, automatic: bool) -> None:
    daybook("outage", "follow-up", switch, "--by", "me")
    assert last(rebooking).json == {"automatic": automatic, "said_by": "me"}


def test_paper_is_one_practices_or_everybodys(daybook: Daybook, rebooking: Service, tmp_path: Path) -> None:
    (file := tmp_path / "paper.csv").write_text("practice,start,nhs_number,outcome\n")
    said = daybook("outage", "reconcile", str(file), "--practice", "a1", "--rest", "displaced", "--by", "me")
    assert last(rebooking).query == {"rest": "displaced", "practice": "A1", "typed_by": "me"}
    assert said == "3 appointments recorded: 2 attended, 1 missed.\nOf 7 nothing is known yet.\n"


def test_a_plan_is_read_at_a_glance_before_anybody_says_yes(daybook: Daybook, rebooking: Service) -> None:
    said = daybook("plan", "propose", "--practice", "a1")
    assert last(rebooking).json == {"practices": ["A1"]}
    assert said == daybook("plan", "show")
    assert "90 of 100 find a place, 10 do not. From the time they lost they wait 40 h on average, and 10.0 days" in said
    for words in ("urgent", "B2, a7", "Tue 23 Jul", "90 %", "without a mobile", "No free slot suits"):
        assert words in said
    assert "until Mon 22 Jul, 13:00, in London: daybook plan approve f00d" in said


def test_what_has_no_place_and_what_one_more_session_would_do(daybook: Daybook, rebooking: Service) -> None:
    assert "No home visits" in daybook("plan", "unplaced")
    said = daybook("plan", "capacity", "--practice", "a1", "--days", "3")
    assert last(rebooking).query == {"practice": "A1", "days": "3"}
    assert "+2 urgent" in said
    assert "31.5" in said


def test_an_approval_says_where_the_diary_has_moved_and_what_to_do(daybook: Daybook, rebooking: Service) -> None:
    said = daybook("plan", "approve", "f00d", "--automatic", "--by", "me")
    assert last(rebooking).json == {"hash": "f00d", "approved_by": "me", "automatic": True}
    assert "The diary has moved at B2 (4)" in said
    assert said.endswith("approve cafe\n")
    daybook("plan", "approve", "f00d", "--by", "me")
    assert "automatic" not in last(rebooking).json, "what was said before stays said"


def test_calls_are_counted_by_practice_and_listed_by_name_for_one(daybook: Daybook, tmp_path: Path) -> None:
    assert "To be telephoned: 3" in daybook("outage", "calls")
    listed = daybook("outage", "calls", "--practice", "a1")
    for words in ("Okafor, Ada", "01632 960000", "No mobile", "Tuesday 23 July", "no-answer (Jo)"):
        assert words in listed
    file = tmp_path / "calls.html"
    daybook("outage", "calls", "--practice", "A1", "--print", str(file))
    assert file.read_text() == "<p>Okafor</p>"
    assert file.stat().st_mode & 0o077 == 0, "it names patients"


def test_a_call_is_claimed_and_then_made(daybook: Daybook, rebooking: Service) -> None:
    said = daybook("outage", "call", "claim", "a7", "--practice", "A1", "--by", "Jo")
    assert last(rebooking).json == {"by": "Jo"}
    assert "Yours until 10:20: 01632 960000. No mobile. The new time is Tuesday 23 July" in said
    said = daybook("outage", "call", "made", "a7", "keeps", "--practice", "A1", "--by", "Jo", "--note", "glad")
    assert last(rebooking).json == {"outcome": "keeps", "note": "glad", "by": "Jo"}
    assert said == "Written down. It is off the list.\n"


def test_the_backlog_is_added_up_over_the_practices(daybook: Daybook) -> None:
    said = daybook("outage", "backlog")
    assert "10 of 21 need something yet" in said
    assert " 42 " in said


@pytest.mark.parametrize(
    ("words", "name", "content"),
    [
        (("backlog", "--csv"), "backlog.csv", "day,practice\n"),
        (("chart",), "chart.PNG", "a picture"),
        (("report", "--html"), "report.html", "<p>a report</p>"),
    ],
)
def test_what_is_to_be_kept_is_written_to_a_file(
    daybook: Daybook, tmp_path: Path, words: tuple[str, ...], name: str, content: str
) -> None:
    said = daybook("outage", *words, str(tmp_path / name))
    assert (tmp_path / name).read_text() == content
    assert f"{name} is written." in said


def test_a_practices_day_is_listed_with_telephone_numbers(daybook: Daybook, rebooking: Service) -> None:
    said = daybook("practice", "day-list", "a1", "--from", "2024-07-22", "--days", "2")
    assert last(rebooking).query == {"from": "2024-07-22", "days": "2"}
    for words in ("Mill Lane (A1)", "Monday 22 July 2024: 1 booked", "ŻAK, Ewa", "07700 900123"):
        assert words in said


@pytest.mark.parametrize(
    "words",
    [
        ("outage", "show"),
        ("outage", "calls"),
        ("outage", "backlog"),
        ("plan", "show"),
        ("plan", "capacity"),
        ("practice", "day-list", "A1"),
    ],
)
def test_programs_get_the_facts_as_json(daybook: Daybook, words: tuple[str, ...]) -> None:
    assert msgspec.json.decode(daybook(*words, "--json"))
