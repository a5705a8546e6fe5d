"""The tree: modules say what they are for, nothing points at one machine, and imports keep their contracts."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CODE = ("services", "shared", "tests", "benchmarks")
NOT_OURS = {".git", ".venv", ".daybook", ".hypothesis", "__pycache__"}
LOCAL = {".env", "demo-report.json"}

MACHINE_PATH = re.compile(r"(?<![\w.\"'}])/(home|root|Users|work|mnt)/\w")
REGISTRY = re.compile(r"(pypi|pythonhosted|npmjs|deb\.debian)\.(org|com)", re.IGNORECASE)


def _files(*suffixes: str) -> Iterator[Path]:
    for folder, below, names in os.walk(ROOT):
        below[:] = sorted(name for name in below if _is_ours(name))
        for path in (Path(folder, name) for name in sorted(names) if _is_ours(name) and name not in LOCAL):
            if path.is_file() and (not suffixes or path.suffix in suffixes):
                yield path


def _is_ours(name: str) -> bool:
    """Looked at before what is below it: there is far more in `.venv` than in all the rest."""
    return name not in NOT_OURS and not name.endswith(("_cache", ".egg-info"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


MODULES = [path for path in _files(".py") if path.relative_to(ROOT).parts[0] in CODE]


@pytest.mark.parametrize("module", MODULES, ids=_name)
def test_a_module_opens_with_a_sentence_of_purpose(module: Path) -> None:
    purpose = ast.get_docstring(ast.parse(module.read_bytes()))
    if not purpose and not module.read_bytes().strip():
        assert module.name == "__init__.py"
        return
    assert purpose
    assert purpose.split("\n\n")[0].rstrip("`").endswith((".", ":", "!", "?")), purpose.split("\n")[0]


def test_nothing_in_the_tree_points_at_one_machine_or_one_registry() -> None:
    found = [
        f"{_name(path)}:{number}"
        for path in _files()
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line) or REGISTRY.search(line)
    ]
    assert found == []


def test_imports_keep_their_contracts() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
