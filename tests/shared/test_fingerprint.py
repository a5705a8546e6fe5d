"""A change of code is another version of a service, and nothing else is."""

from pathlib import Path

from shared.fingerprint import fingerprint_of
from shared.snapshots import fingerprint
from tests.shared.toys import practices


def test_any_change_of_code_is_another_version_and_nothing_else_is(tmp_path: Path) -> None:
    package = tmp_path / "toys"
    (package / "migrations").mkdir(parents=True)
    (package / "folding.py").write_text("ONE = 1\n")
    before = fingerprint_of(package)

    (package / "README.md").write_text("ONE = 2\n")
    same = fingerprint_of(package)
    (package / "migrations" / "0002_more.py").write_text("")
    added = fingerprint_of(package)
    (package / "folding.py").write_text("ONE = 2\n")
    altered = fingerprint_of(package)
    (package / "folding.py").rename(package / "folds.py")
    renamed = fingerprint_of(package)

    assert same == before
    assert len({before, added, altered, renamed}) == 4


def test_the_version_of_a_service_is_that_of_its_package() -> None:
    assert fingerprint(practices.BLUEPRINT) == fingerprint_of(Path(practices.__file__).parent)
