"""A home for the demo, fresh each time; and never somebody's other directory emptied by mistake."""

import shutil
from pathlib import Path

from services.operator.demo_papers import PAPERS
from services.operator.home import Home
from services.operator.issuing import JWKS_FILE, KEY_FILE
from shared.refusals import Conflict

REPORT = "demo-report.json"
MARK = "secrets.json"
_BELONGINGS = frozenset(
    {
        MARK,
        KEY_FILE,
        JWKS_FILE,
        "daybook.json",
        "continuity",
        "lock",
        "logs",
        "nats",
        "postgres",
        "sandbox",
        "snapshots",
        REPORT,
        *PAPERS,
    }
)
_ODDS = (".new", ".unfinished")


def make_fresh(home: Home) -> None:
    """Leave the home empty but for its lock.

    Raises `Conflict` if something else is in the directory, if it does not look like a home, or if Daybook runs there.
    """
    _refuse_strangers(home.root)
    with home.locked():
        for belonging in home.root.iterdir():
            if belonging.name == "lock":
                continue
            if belonging.is_dir() and not belonging.is_symlink():
                shutil.rmtree(belonging)
            else:
                belonging.unlink()


def _refuse_strangers(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise _refusal(root, "is not a directory")
    names = sorted(entry.name for entry in root.iterdir()) if root.exists() else []
    strangers = [name for name in names if name not in _BELONGINGS and Path(name).suffix not in _ODDS]
    if strangers:
        raise _refusal(root, f"holds what is not Daybook's ({', '.join(strangers[:3])})")
    used = any(name != "lock" and not _is_empty(root / name) for name in names)
    if used and not {MARK, KEY_FILE} & set(names):
        raise _refusal(root, f"does not look like a home of Daybook (there is no {MARK})")


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _refusal(root: Path, why: str) -> Conflict:
    return Conflict(
        f"The demo begins with an empty home, but {root} {why}: nothing was removed. Give another directory with "
        "DAYBOOK_HOME",
        code="not-a-home",
        where="DAYBOOK_HOME",
    )
