"""The continuity pack: what stands on its sheets, the folder they are in, and when one is due."""

import csv
import io
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.operator.app import main
from services.operator.continuity_csv import COLUMNS, sheet_csv
from services.operator.continuity_html import sheet_html
from services.operator.continuity_nights import due_since, keep_nightly, time_of_day
from services.operator.continuity_pack import Shelf
from services.operator.continuity_pdf import sheet_pdf
from services.operator.continuity_sheets import Sheet, sheets
from services.operator.continuity_typeface import Typeface, typeface
from services.operator.day_lists import Day, DayList, Entry, Session
from services.operator.machine import Machine
from services.operator.settings import operator_settings
from services.rebooking.paper import COLUMNS as RECONCILED
from services.rebooking.paper import OPTIONAL, PRINTED, read_paper
from shared.clock import Clock
from shared.refusals import Conflict, Refusal, Unavailable
from tests.operator.answering import answering

EVENING = datetime(2024, 7, 18, 19, tzinfo=UTC)
FRIDAY = datetime(2024, 7, 19, 8, tzinfo=UTC)
SOMEBODY: dict[str, Any] = {
    "appointment": "an appointment",
    "status": "booked",
    "nhs_number": "9990000018",
    "given_name": "Siân",
    "family_name": "Wójcik",
    "birth_date": "1950-01-02",
    "telephone": "+447700900123",
    "priority": 3,
}


def slot(minute: int = 0, **other: Any) -> Entry:
    start = FRIDAY + timedelta(minutes=minute)
    return Entry(**{"start": start, "minutes": 10, "status": "free", "channel": "telephone", **other})


def listed(*slots: Entry, practice: str = "A1") -> DayList:
    session = Session(session="s1", name="Morning", clinician="Dr A", clinician_role="GP", location="R1", slots=slots)
    days = (Day(date=date(2024, 7, 19), sessions=(session,)),)
    return DayList(practice=practice, name=f"Surgery {practice}", as_of=EVENING, days=days)


def sheet(*slots: Entry) -> Sheet:
    return next(sheets(listed(*slots)))


@pytest.fixture(scope="module")
def face() -> Iterator[Typeface]:
    with typeface() as found:
        yield found


def test_a_sheet_says_who_comes_when_and_how_to_reach_them() -> None:
    [page] = sheet(slot(**SOMEBODY)).pages
    [line] = page.lines
    assert (line.time, line.name, line.telephone) == ("09:00", "WÓJCIK, Siân", "07700 900123")
    assert line.known_by == "born 2 Jan 1950, NHS 999 000 0018"
    assert (page.clinician, page.booked) == ("Dr A (GP)", 1)


def test_it_says_in_london_time_as_of_when_it_is_true() -> None:
    assert sheet(slot()).as_of == "Thursday 18 July 2024, 20:00"


def test_a_free_slot_has_room_for_a_name_and_says_for_whom_it_is_kept() -> None:
    [line] = sheet(slot(kept_for="nhs-111")).pages[0].lines
    assert (line.name, line.note) == ("", "free, kept for NHS 111")


def test_an_erased_patient_and_what_is_over_already_are_not_passed_over() -> None:
    erased = {**SOMEBODY, "family_name": "", "given_name": "", "nhs_number": "", "erased": True}
    first, second = sheet(slot(**erased), slot(10, **SOMEBODY | {"status": "arrived"})).pages[0].lines
    assert (first.name, second.note) == ("(name erased)", "arrived")


def test_what_was_withdrawn_is_not_printed() -> None:
    assert [line.time for line in sheet(slot(status="withdrawn"), slot(10)).pages[0].lines] == ["09:10"]


def test_the_web_page_shows_what_names_hold_and_does_nothing_else_with_it() -> None:
    page = sheet_html(sheet(slot(**SOMEBODY | {"family_name": "<script>", "given_name": "李"})))
    assert "&lt;SCRIPT&gt;, 李" in page
    assert "<script" not in page
    assert "http" not in page, "nothing is fetched: it works without network"


@pytest.mark.parametrize(
    "name", ["Łucja Żak-Ćwik", "Ŵyn ap Gŵyn", "Ελένη Παπαδοπούλου", "Мария", "O\u2019Brien", "Nguyễn"]
)
def test_names_of_many_languages_are_printed_as_they_are_written(face: Typeface, name: str) -> None:
    assert face.printable(name) == name


@pytest.mark.parametrize("name", ["李小龍", "محمد", "עמוס", "प्रिया", "\u0378"])
def test_a_name_that_would_come_out_wrong_is_replaced_as_a_whole_by_where_it_can_be_read(
    face: Typeface, name: str
) -> None:
    assert face.printable(f"{name}, Anna") == "(see the web page: letters not in this print)"


def test_a_pdf_has_a_page_for_each_session_and_a_long_one_goes_on_with_its_heading(face: Typeface) -> None:
    short, long = listed(slot()), listed(*(slot(5 * minute, **SOMEBODY) for minute in range(40)))
    both = Day(date=date(2024, 7, 19), sessions=(*short.days[0].sessions, *long.days[0].sessions))
    pdf = sheet_pdf(next(sheets(msgspec.structs.replace(short, days=(both,)))), face)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") == 1 + 3


def test_the_filled_in_csv_is_what_reconciling_takes() -> None:
    text = sheet_csv(day := listed(slot(**SOMEBODY), slot(10, **SOMEBODY), slot(20)), day.days[0])
    assert text.startswith("\ufeff"), "or Excel garbles every letter outside ASCII"
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    filled = lines[0] + lines[1].replace("9990000018,,", "9990000018,attended,09:05") + lines[2]
    [row], faults = read_paper(filled, {"A1"}, FRIDAY + timedelta(days=3))
    assert (row.start, row.outcome, faults) == (FRIDAY, "attended", [])
    assert len(lines) == 3, "a line for each appointment"
    assert set(COLUMNS) == {*RECONCILED, *OPTIONAL, *PRINTED}


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_of_the_csv_is_a_formula(name: str) -> None:
    day = listed(slot(**SOMEBODY | {"family_name": name, "given_name": name, "telephone": "+33123"}))
    [_, cells] = csv.reader(io.StringIO(sheet_csv(day, day.days[0]).removeprefix("\ufeff")))
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert f"'{name}" in cells


def test_a_pack_is_whole_for_its_owner_alone_and_current_points_to_it(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "packs")
    written = shelf.write([listed(slot(**SOMEBODY)), listed(practice="B2")], EVENING, keep=2)
    assert (written.practices, written.sheets, written.appointments) == (2, 2, 1)
    assert shelf.require_whole(EVENING) == written.pack == (shelf.directory / "current").resolve()
    for file in written.pack.rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600)
    assert stat.S_IMODE(shelf.directory.stat().st_mode) == 0o700
    index = (written.pack / "index.html").read_text()
    assert "A1/2024-07-19.pdf" in index
    assert "Wójcik".upper() not in index


def test_while_a_pack_cannot_be_finished_the_old_one_stays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    first = shelf.write([listed(slot())], EVENING, keep=2)

    def breaks_off() -> Any:
        yield listed(slot())
        raise Unavailable("rebooking does not answer", code="service-down")

    with pytest.raises(Unavailable):
        shelf.write(breaks_off(), EVENING + timedelta(days=1), keep=2)
    assert (tmp_path / "current").resolve() == first.pack
    assert shelf.newest() == EVENING
    shelf.write([listed(slot())], EVENING + timedelta(days=2), keep=2)
    assert not list(tmp_path.glob("*.unfinished"))


def test_only_the_newest_packs_are_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for day in range(4):
        shelf.write([listed(slot())], EVENING + timedelta(days=day), keep=2)
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_dir() and not each.is_symlink()) == [
        "20240720T190000Z",
        "20240721T190000Z",
    ]


def test_a_pack_that_is_missing_old_or_damaged_is_found_out(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with pytest.raises(Unavailable, match="there is no continuity pack"):
        shelf.require_whole(EVENING)
    pack = shelf.write([listed(slot())], EVENING, keep=1).pack
    with pytest.raises(Unavailable, match="Thursday 18 July 2024, 20:00, which is too old"):
        shelf.require_whole(EVENING + timedelta(hours=1))
    (pack / "A1" / "2024-07-19.csv").write_text("")
    with pytest.raises(Unavailable, match=r"2024-07-19\.csv is not as it was written"):
        shelf.require_whole(EVENING)


@pytest.mark.parametrize("lists", [[], [msgspec.structs.replace(listed(), days=())]], ids=["no practice", "no session"])
def test_a_pack_with_nothing_in_it_takes_no_others_place(tmp_path: Path, lists: list[DayList]) -> None:
    with pytest.raises(Refusal, match="nobody sees patients in the next 14 days"):
        Shelf(tmp_path).write(lists, EVENING, keep=1)
    assert Shelf(tmp_path).newest() is None


def test_no_two_write_in_one_folder_at_once(tmp_path: Path) -> None:
    def meanwhile() -> Any:
        with pytest.raises(Conflict, match="another pack is just being written"):
            Shelf(tmp_path).write([listed(slot())], EVENING + timedelta(days=1), keep=1)
        yield listed(slot())

    Shelf(tmp_path).write(meanwhile(), EVENING, keep=1)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2024, 7, 18, 18, 59, tzinfo=UTC), datetime(2024, 7, 17, 19, tzinfo=UTC)),
        (datetime(2024, 7, 18, 19, tzinfo=UTC), datetime(2024, 7, 18, 19, tzinfo=UTC)),
        (datetime(2024, 10, 27, 12, tzinfo=UTC), datetime(2024, 10, 26, 19, tzinfo=UTC)),
        (datetime(2024, 10, 27, 20, tzinfo=UTC), datetime(2024, 10, 27, 20, tzinfo=UTC)),
    ],
    ids=["a minute before", "just then", "the day the clocks go back", "that evening"],
)
def test_a_pack_is_due_each_night_at_one_time_in_london(now: datetime, due: datetime) -> None:
    assert due_since(now, time(20)) == due


class Over(Exception):
    """Ends a loop that never ends."""


def test_a_missed_pack_is_written_at_once_and_a_failed_one_tried_again_less_and_less_often() -> None:
    packs: list[datetime] = []
    told: list[str] = []
    pauses: list[float] = []
    now = [EVENING + timedelta(hours=12)]

    def write() -> None:
        if len(pauses) < 3:
            raise Unavailable("rebooking does not answer", code="service-down")
        packs.append(now[0])

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += timedelta(seconds=seconds)
        if now[0] > EVENING + timedelta(hours=24, minutes=5):
            raise Over

    with pytest.raises(Over):
        keep_nightly(write, lambda: packs[-1] if packs else None, lambda: now[0], time(20), pause, told.append)
    assert pauses[:4] == [30, 60, 120, 60]
    assert len(told) == 3
    assert "rebooking does not answer. Trying again in 30 s" in told[0]
    assert [in_evening(pack) for pack in packs] == [False, True], "one for the night that was missed, one at its time"


def in_evening(pack: datetime) -> bool:
    return EVENING + timedelta(days=1) <= pack <= EVENING + timedelta(days=1, minutes=1)


def test_a_time_of_day_is_written_in_one_way() -> None:
    assert time_of_day("07:05", "--every-night") == time(7, 5)
    for wrong in ("8pm", "24:00", "20", "7:5"):
        with pytest.raises(Refusal, match=f"--every-night: “{wrong}” is not a time of day such as 20:00"):
            time_of_day(wrong, "--every-night")


def test_it_is_written_each_night_where_daybook_is_up_unless_somebody_says_never(tmp_path: Path) -> None:
    def jobs(**given: str) -> list[str]:
        settings = operator_settings({"DAYBOOK_HOME": str(tmp_path), **given})
        return [plan.address for plan in Machine(settings, Clock()).jobs()]

    assert jobs() == ["every night at 20:00"]
    assert jobs(DAYBOOK_CONTINUITY_AT="18:30") == ["every night at 18:30"]
    assert jobs(DAYBOOK_CONTINUITY_AT="never") == []
    with pytest.raises(Refusal, match="DAYBOOK_CONTINUITY_AT: “8pm” is not a time of day"):
        jobs(DAYBOOK_CONTINUITY_AT="8pm")


Daybook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def daybook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Daybook:
    """Runs `daybook continuity-pack` on the evening before; gives exit code, output and complaints."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("DAYBOOK_NOW", EVENING.isoformat())

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["daybook", "continuity-pack", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


def day_of(asked: date, *slots: Entry) -> dict[str, Any]:
    session = {"session": "s1", "clinician": "Dr A", "slots": msgspec.to_builtins(slots)}
    return {"date": asked.isoformat(), "sessions": [session] if slots else []}


def test_the_command_writes_the_next_days_with_sessions_and_asks_for_no_others(
    daybook: Daybook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def day_list(asked: Any) -> dict[str, Any]:
        first, days = date.fromisoformat(asked.query["from"]), int(asked.query["days"])
        wanted = [first + timedelta(days=ahead) for ahead in range(days)]
        each = [
            day_of(day, slot(60 * 24 * (day - FRIDAY.date()).days, **SOMEBODY)) if day.weekday() < 5 else day_of(day)
            for day in wanted
        ]
        return {"practice": "A1", "name": "Mill Lane", "as_of": EVENING.isoformat(), "days": each}

    answers = {
        "GET /v1/status": {"now": EVENING.isoformat()},
        "GET /v1/desk": {"practices": {"A1": "Mill Lane"}},
        "GET /v1/practices/A1/day-list": day_list,
    }
    with answering(answers) as rebooking:
        monkeypatch.setenv("OPERATOR_REBOOKING_URL", rebooking.url)
        code, out, err = daybook("--json")
        assert (code, err) == (0, "")
        again, _, complaint = daybook("--practice", "a1")
    facts = msgspec.json.decode(out)
    assert (facts["practices"], facts["sheets"], facts["appointments"]) == (1, 3, 3)
    pack = tmp_path / "continuity" / "current"
    assert sorted(each.name for each in (pack / "A1").glob("*.pdf")) == [
        "2024-07-19.pdf",
        "2024-07-22.pdf",
        "2024-07-23.pdf",
    ], "today is over, and nobody works at the weekend"
    assert [(each.query["from"], each.query["days"]) for each in rebooking.asked[2:]] == [
        ("2024-07-18", "3"),
        ("2024-07-21", "2"),
        ("2024-07-23", "1"),
    ]
    assert again == 2
    assert "say with --to where it goes" in complaint
    assert daybook("--check")[0] == 0
