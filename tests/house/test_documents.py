"""The documents: what they promise to run can be run, what they point at is there, and decisions are in order."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PAGES = sorted(
    [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md"), *ROOT.glob("benchmarks/*.md")]
)

SECTIONS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_make_command_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)
    assert set(named) <= _targets()


def test_the_makefile_explains_every_target_it_has() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == _targets()


def test_the_gate_runs_what_the_readme_says_must_pass() -> None:
    gate = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^make (\w+)$", gate, re.MULTILINE) == ["check", "test"]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:services|shared|tests|deploy|docs|benchmarks)/[\w./-]*)`", page.read_text())
    made_locally = (ROOT / ".gitignore").read_text().splitlines()
    assert [name for name in named if name not in made_locally and not (ROOT / name).exists()] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_index_lists_every_decision() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", index, re.MULTILINE) == [path.name for path in DECISIONS]


@pytest.mark.parametrize("decision", DECISIONS, ids=_name)
def test_a_decision_fits_one_screen_and_has_all_its_parts(decision: Path) -> None:
    text = decision.read_text()
    assert text.startswith(f"# {decision.name[:4]} ")
    assert tuple(re.findall(r"^\*\*([\w ]+)\.\*\*", text, re.MULTILINE)) == SECTIONS
    assert len(text.splitlines()) <= 40
