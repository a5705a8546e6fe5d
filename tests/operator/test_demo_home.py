"""The demo's home is emptied before it begins, and nothing that is not Daybook's is ever removed."""

from pathlib import Path

import pytest

from services.operator.demo_home import make_fresh
from services.operator.home import Home
from shared.refusals import Conflict


def test_a_home_that_is_not_there_is_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "daybook")
    make_fresh(home)
    assert home.root.is_dir()


def test_a_home_that_was_used_is_emptied(tmp_path: Path) -> None:
    home = _used(tmp_path)
    make_fresh(home)
    assert [entry.name for entry in home.root.iterdir()] == ["lock"]


def test_what_a_link_in_the_home_points_to_stays(tmp_path: Path) -> None:
    home = _used(tmp_path / "home")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (home.root / "nats").symlink_to(elsewhere)
    make_fresh(home)
    assert (elsewhere / "precious").exists()


@pytest.mark.parametrize("stranger", ["thesis.odt", "src", ".ssh"])
def test_a_home_with_something_that_is_not_daybooks_is_refused_whole(tmp_path: Path, stranger: str) -> None:
    home = _used(tmp_path)
    (home.root / stranger).mkdir()
    before = set(home.root.rglob("*"))
    with pytest.raises(Conflict, match=stranger):
        make_fresh(home)
    assert set(home.root.rglob("*")) == before


def test_a_directory_that_was_never_a_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "base").mkdir(parents=True)
    with pytest.raises(Conflict, match=r"no secrets\.json"):
        make_fresh(Home(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["postgres"]


def test_a_directory_with_only_other_logs_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "mine.log").touch()
    with pytest.raises(Conflict, match=r"no secrets\.json"):
        make_fresh(Home(tmp_path))


def test_a_home_in_which_daybook_runs_is_refused(tmp_path: Path) -> None:
    home = _used(tmp_path)
    with home.locked(), pytest.raises(Conflict, match="already running"):
        make_fresh(home)
    assert (home.root / "postgres" / "PG_VERSION").exists()


def _used(root: Path) -> Home:
    home = Home(root)
    home.secrets()
    home.logs.mkdir()
    (home.logs / "booking.log").touch()
    (home.root / "postgres").mkdir()
    (home.root / "postgres" / "PG_VERSION").touch()
    (home.root / "demo-report.json").touch()
    return home
