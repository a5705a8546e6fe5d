"""`daybook demo` as a person runs it, on a county of three practices."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from services.operator.demo_report import Report
from services.operator.home import Home
from services.operator.machine import Machine
from services.operator.settings import operator_settings
from shared.clock import Clock
from tests.journeys.running import ROOT, free_port_base, until
from tests.waiting import DEADLINE

PRACTICES = """ods_code,name,town,postcode,registered_patients,nhs111_slots_per_day
MADEUP1,Orchard Surgery,Pennywell,ZZ1 1ZZ,9000,3
MADEUP2,Harbour Practice,Pennywell,ZZ1 2ZZ,4000,1
MADEUP3,Mill Lane Surgery,Hopfield,ZZ1 3ZZ,2500,1
"""


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    home = tmp_path / "home"
    others = {name: value for name, value in os.environ.items() if not name.startswith("DAYBOOK_")}
    return {**others, "DAYBOOK_HOME": str(home), "DAYBOOK_PORT_BASE": str(free_port_base(home)), "COLUMNS": "120"}


def test_a_lost_day_is_lived_through_and_its_report_adds_up(environment: Mapping[str, str], tmp_path: Path) -> None:
    with _demo(environment, tmp_path, "--report", str(tmp_path / "report.json")) as demo:
        said, _ = demo.communicate(timeout=5 * DEADLINE)
    assert demo.returncode == 0, said
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)
    assert (report.practices, report.appointments) == (3, 120)
    assert report.seen_on_paper + report.cancelled + report.triage + report.displaced == 120
    assert report.moved + report.unplaced == report.displaced
    assert report.rebuilt["rebooking"].equal
    assert (tmp_path / "home" / "demo-report.json").read_bytes() == (tmp_path / "report.json").read_bytes()
    assert "Same-day demand" in said
    assert "Nothing was lost or doubled" in said
    _assert_all_stopped(environment)


@pytest.mark.parametrize(
    ("interruption", "once_there_is"),
    [(signal.SIGINT, "daybook.json"), (signal.SIGTERM, "postgres/postmaster.pid")],
    ids=["when everything runs", "when the first server starts"],
)
def test_an_interrupted_demo_stops_what_it_started_and_says_where_the_logs_are(
    environment: Mapping[str, str], tmp_path: Path, interruption: signal.Signals, once_there_is: str
) -> None:
    home = Home(tmp_path / "home")
    with _demo(environment, tmp_path) as demo:
        until(once_there_is, lambda: (home.root / once_there_is).exists() or demo.poll() is not None)
        demo.send_signal(interruption)
        said, _ = demo.communicate(timeout=2 * DEADLINE)
    assert demo.returncode == 130, said
    assert f"Logs: {home.logs}" in said
    _assert_all_stopped(environment)


def test_a_practices_file_that_makes_no_sense_costs_nothing(environment: Mapping[str, str], tmp_path: Path) -> None:
    precious = tmp_path / "home" / "demo-report.json"
    precious.parent.mkdir()
    precious.touch()
    with _demo(environment, tmp_path, practices="ods_code,name\nMADEUP1,One\n") as demo:
        said, _ = demo.communicate(timeout=2 * DEADLINE)
    assert demo.returncode == 2
    assert "line 1" in said
    assert precious.exists()


def _demo(
    environment: Mapping[str, str], directory: Path, *words: str, practices: str = PRACTICES
) -> "subprocess.Popen[str]":
    (directory / "practices.csv").write_text(practices)
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "services.operator", "demo", "--appointments", "120"),
            *("--practices", str(directory / "practices.csv"), *words),
        ],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _assert_all_stopped(environment: Mapping[str, str]) -> None:
    settings = operator_settings(environment)
    assert settings.home.running() is None
    Machine(settings, Clock()).refuse_ports_in_use()
