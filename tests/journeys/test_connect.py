"""docs/connect.md: its commands are run as they stand, in one shell, and answer what the page shows."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.running import ROOT, Daybook
from tests.waiting import DEADLINE

PAGE = (ROOT / "docs" / "connect.md").read_text()
_STEP = re.compile(r"```sh\n(?P<commands>.*?)```\n(?:```text\n(?P<shown>.*?)```\n)?", re.DOTALL)
_END = "-- the end of a step --"


@dataclass(frozen=True, slots=True)
class Step:
    """Commands of the page, the line they stand on, and what it shows below them."""

    line: int
    commands: str
    shown: str


STEPS = [
    Step(PAGE.count("\n", 0, found.start()) + 1, found["commands"], found["shown"] or "")
    for found in _STEP.finditer(PAGE)
]


def test_every_command_of_the_page_is_run() -> None:
    assert len(STEPS) == PAGE.count("```sh\n") > 10


@pytest.fixture(scope="module")
def answers(daybook: Daybook, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each step printed, on a Daybook at other addresses and on another day than the page's."""
    environment = {
        **daybook.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BOOKING": daybook.settings.urls["booking"],
        "DAY": "2024-07-29",
        "TMPDIR": str(tmp_path_factory.mktemp("connect")),
    }
    script = "".join(f"{step.commands}\n[ $? = 0 ] || echo 'That went wrong.'\necho '{_END}'\n" for step in STEPS)
    done = subprocess.run(
        ["sh", "-u", "-c", script],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=3 * DEADLINE,
        check=True,
    )
    return done.stdout.replace("\r\n", "\n").split(f"{_END}\n")


@pytest.mark.parametrize("number", range(len(STEPS)), ids=lambda number: f"line {STEPS[number].line}")
def test_a_step_goes_well_and_answers_what_the_page_shows(answers: list[str], number: int) -> None:
    answered = "".join(f"{line.strip()}\n" for line in answers[number].splitlines())
    assert re.fullmatch(pattern_of(STEPS[number].shown), answered), f"this is what was answered:\n{answers[number]}"


def pattern_of(shown: str) -> str:
    """What is shown, as a regular expression: `…` alone on a line stands for any lines, else for a part of its line."""
    lines = (line.strip() for line in shown.splitlines())
    return "".join("(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n" for line in lines)
