"""`daybook snapshots`: what there is of each service, and whether this version can begin from it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

import services.booking
from services.operator.app import main
from services.operator.machine import Machine
from services.operator.settings import operator_settings
from services.operator.snapshots import snapshots_of
from shared.clock import Clock
from shared.fingerprint import fingerprint_of
from shared.shelf import being_made
from shared.snapshots import Snapshot, TableFile, write_manifest
from shared.stretches import Place
from tests.shared.toys.practices import Settings

AT = datetime(2024, 7, 22, 8, 5, tzinfo=UTC)
PLACE = Place(
    stream_created="2024-07-19T06:00:00Z", sequence=1204, event_id="e-9", positions={"booking": 1100}, own_id="e-7"
)
PACKAGE = Path(services.booking.__file__).parent


def standing(shelf: Path, made_by: str = "", content: bytes = b"a table") -> Path:
    """A snapshot of one table, of which this is in the file; by this version, if no other is named."""
    table = TableFile(columns=["slot"], rows=3, digest="3:00", size=7, sha256=sha256(b"a table").hexdigest())
    with being_made(shelf) as (number, folder):
        (folder / "slots.copy").write_bytes(content)
        snapshot = Snapshot(
            number=number,
            service="booking",
            made_by=made_by or fingerprint_of(PACKAGE),
            taken_at=AT,
            place=PLACE,
            without=[],
            tables={"slots": table},
        )
        write_manifest(folder, snapshot)
    return shelf / f"{number:06}"


def daybook(monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str) -> None:
    monkeypatch.setenv("DAYBOOK_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.setattr("sys.argv", ["daybook", "snapshots", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0


def verdicts(home: Path, given: Mapping[str, str] | None = None) -> list[str]:
    """Why each of booking's cannot be used, the newest first."""
    settings = operator_settings({"DAYBOOK_HOME": str(home), **(given or {})})
    return [view.why_not for view in snapshots_of(settings, "booking")]


def test_a_person_reads_where_in_the_log_each_stands_how_old_it_is_and_whether_it_is_of_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    standing(tmp_path / "snapshots" / "booking", made_by="another")
    standing(tmp_path / "snapshots" / "booking")

    daybook(monkeypatch, tmp_path)

    newest, older = capsys.readouterr().out.splitlines()[1:]
    assert newest.split() == ["booking", "000002", "22", "Jul", "2024", "09:05", "1,100", "1,204", "3", "0.0", "usable"]
    assert "not usable: made by another version" in older


def test_a_program_reads_the_same_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = standing(tmp_path / "snapshots" / "booking")

    daybook(monkeypatch, tmp_path, "--json")

    assert json.loads(capsys.readouterr().out) == [
        {
            "service": "booking",
            "folder": str(folder),
            "size": sum(file.stat().st_size for file in folder.iterdir()),
            "usable": True,
            "why_not": "",
            "taken_at": "2024-07-22T08:05:00Z",
            "position": 1100,
            "sequence": 1204,
            "stream_created": "2024-07-19T06:00:00Z",
            "rows": 3,
        }
    ]


def test_where_there_is_none_it_says_how_to_come_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    daybook(monkeypatch, tmp_path)

    assert capsys.readouterr().out == "There are no snapshots: `daybook rebuild SERVICE` leaves one.\n"


def test_a_damaged_one_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    shelf = tmp_path / "snapshots" / "booking"

    standing(shelf, content=b"a tabel")
    standing(shelf, content=b"a tab")
    assert verdicts(tmp_path) == ["slots.copy has 5 bytes instead of 7", "slots.copy was altered"]

    (standing(shelf) / "slots.copy").unlink()
    (standing(shelf) / "manifest.json").write_text("{}")
    unreadable, without_a_file = verdicts(tmp_path)
    assert unreadable.startswith("manifest.json makes no sense")
    assert without_a_file == "slots.copy cannot be read (No such file or directory)"


@pytest.mark.parametrize(
    "given", [{}, {"DAYBOOK_SNAPSHOTS": "/elsewhere"}, {"BOOKING_SNAPSHOTS": "/kept/diary"}], ids=["", "all", "own"]
)
def test_the_command_looks_where_the_service_that_the_machine_runs_leaves_them(
    tmp_path: Path, given: Mapping[str, str]
) -> None:
    given = {name: str(tmp_path / where[1:]) for name, where in given.items()}
    machine = Machine(operator_settings({"DAYBOOK_HOME": str(tmp_path / "home"), **given}), Clock())

    told = Settings.from_environment(machine.environment()).snapshots

    assert told is not None
    standing(told)
    assert verdicts(tmp_path / "home", given) == [""]
