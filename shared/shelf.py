"""Where a service's snapshots stand: a numbered folder each, that takes its number when it is whole and on the disk."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

KEPT = 2
_UNFINISHED = ".unfinished"


def numbered(shelf: Path) -> Sequence[int]:
    """The numbers of the folders that stand there, the newest last."""
    return sorted(int(path.name) for path in shelf.glob("*") if path.name.isdecimal() and path.is_dir())


def place_of(shelf: Path, number: int) -> Path:
    return shelf / f"{number:06}"


@contextmanager
def being_made(shelf: Path) -> Iterator[tuple[int, Path]]:
    """A new folder to write into, and the number it gets when the block ends well. Then only the newest two stay.

    What an earlier, interrupted block has left is removed first.
    """
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in shelf.glob(f"*{_UNFINISHED}"):
        shutil.rmtree(leftover)
    number = max(numbered(shelf), default=0) + 1
    place = place_of(shelf, number)
    unfinished = place.with_suffix(_UNFINISHED)
    unfinished.mkdir(mode=0o700)
    try:
        yield number, unfinished
    except BaseException:
        shutil.rmtree(unfinished)
        raise
    sync(unfinished)
    unfinished.rename(place)
    sync(shelf)
    for old in numbered(shelf)[:-KEPT]:
        _remove(place_of(shelf, old))


def sync(directory: Path) -> None:
    """The names in it are on the disk too, not only the contents."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(place: Path) -> None:
    """Never half of it: interrupted, it is a leftover like any other."""
    leftover = place.with_suffix(_UNFINISHED)
    place.rename(leftover)
    shutil.rmtree(leftover)
