"""Bad input by command: one clear sentence that names the field or the line, exit code 2, and nothing stored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.operator.county_diary import DIARY_COLUMNS
from tests.journeys.recovery import District, Recovery, approve, fill, finished, plan
from tests.journeys.running import Daybook

ROW = dict.fromkeys(DIARY_COLUMNS, "") | {
    "session": "Extra",
    "clinician": "Dr Extra",
    "clinician_role": "GP",
    "channel": "in-person",
    "start": "2024-08-05T09:00",
    "minutes": "10",
    "status": "free",
}


@pytest.fixture(scope="module")
def filled(daybook: Daybook, untouched: Iterator[District]) -> District:
    district = next(untouched)
    fill(daybook, district)
    return district


def refused(daybook: Daybook, *words: str) -> str:
    """The complaint, once it is certain that nothing was stored."""
    logs = {service: daybook.ask(service, "GET", "/v1/status")["position"] for service in ("booking", "rebooking")}
    done = daybook.command(*words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert logs == {service: daybook.ask(service, "GET", "/v1/status")["position"] for service in logs}
    return done.stderr


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"minutes": "ten"}, "line 3, minutes: "),
        ({"practice": "NOWHERE"}, "line 3, practice: "),
        ({"nhs_number": "9990000001", "status": "booked"}, "line 3, nhs_number: "),
        ({"start": "2024-08-05T09:05"}, "line 3, start: "),
        ({"start": "2024-03-31T01:30"}, "line 3, start: "),
    ],
    ids=[
        "a malformed cell",
        "an unknown practice",
        "a bad NHS number",
        "an overlapping slot",
        "an hour that never was",
    ],
)
def test_a_bad_row_is_named_by_line_and_field_and_no_row_is_kept(
    daybook: Daybook, filled: District, tmp_path: Path, changes: dict[str, str], complaint: str
) -> None:
    good = ROW | {"practice": filled.codes[0]}
    rows = [DIARY_COLUMNS, good.values(), (good | {"start": "2024-08-05T09:10"} | changes).values()]
    (tmp_path / "diary.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    assert complaint in refused(daybook, "import", "diary", str(tmp_path / "diary.csv"))


def test_an_outage_of_an_unknown_practice_or_that_ends_before_it_began_is_refused(
    daybook: Daybook, filled: District
) -> None:
    declare = ("outage", "declare", "Friday", "--from", "2024-07-19T08:30", "--practice")
    assert "NOWHERE" in refused(daybook, *declare, "NOWHERE")
    assert "would end before it started" in refused(daybook, *declare, filled.codes[0], "--to", "2024-07-19T08:00")


def test_a_command_with_a_token_that_will_not_do_says_which_would(daybook: Daybook, filled: District) -> None:
    practice = daybook.command("outage", "list", DAYBOOK_TOKEN=daybook.token("--practice", filled.codes[0]))
    assert (practice.returncode, "`daybook token --operator` prints such a token" in practice.stderr) == (2, True)
    stranger = daybook.command("outage", "list", DAYBOOK_TOKEN="of.somebody.else")
    assert (stranger.returncode, "put another token into DAYBOOK_TOKEN" in stranger.stderr) == (2, True)
    assert "does not let us in" in daybook.command("status", DAYBOOK_TOKEN="of.somebody.else").stdout


def test_a_plan_is_approved_once_and_only_as_it_stands(daybook: Daybook, filled: District) -> None:
    recovery = plan(daybook, filled)
    assert "hash" in refused(daybook, "plan", "approve", "no-such-hash", recovery.outage)
    newer = daybook.facts("plan", "propose", recovery.outage)
    again = Recovery(recovery.outage, newer["hash"], newer["placed"])
    if again.plan != recovery.plan:
        assert "plan" in refused(daybook, "plan", "approve", recovery.plan, recovery.outage)
    approve(daybook, again)
    finished(daybook, again)
    assert "plan" in refused(daybook, "plan", "approve", again.plan, again.outage)
