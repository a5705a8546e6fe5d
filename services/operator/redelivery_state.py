"""How far a redelivery has come: a small file in the home, so that the same command goes on where it stopped."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.ids import derived_id
from shared.refusals import Conflict, Refusal

DIRECTORY = "redeliveries"


class Order(Struct, frozen=True):
    """What is to be delivered: a practice's changes from an instant on, or after a cursor, to this address."""

    practice: str
    since: str
    after: str
    until: str
    url: str

    @property
    def name(self) -> str:
        """The same order has the same name."""
        return derived_id("redelivery", self.practice, self.since, self.after, self.until, self.url)


class Progress(Struct, frozen=True):
    """So many were delivered, the last of them at this cursor; and whether that was all."""

    delivered: int = 0
    after: str = ""
    done: bool = False


class Run:
    """An order on its way; each step is in the file before the next is taken."""

    def __init__(self, order: Order, file: Path, progress: Progress) -> None:
        self.order = order
        self.progress = progress
        self._file = file

    @property
    def done(self) -> bool:
        return self.progress.done

    def delivered(self, cursor: str) -> None:
        """One more."""
        self._save(Progress(self.progress.delivered + 1, cursor))

    def finish(self) -> None:
        self._save(Progress(self.progress.delivered, self.progress.after, done=True))

    def _save(self, progress: Progress) -> None:
        new = self._file.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(progress))
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._file)
        self.progress = progress


@contextmanager
def opened_run(home: Path, order: Order, *, again: bool) -> Iterator[Run]:
    """The order's run, which nobody else carries on meanwhile; with `again` a new one."""
    directory = home / DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{order.name}.json"
    with file.with_suffix(".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict("This redelivery is going on already, in another process", code="already-running") from None
        yield Run(order, file, Progress() if again else _read(file))


def _read(file: Path) -> Progress:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Progress)
    except FileNotFoundError:
        return Progress()
    except msgspec.DecodeError as problem:
        raise Refusal(
            f"{file} cannot be read ({problem}); with --again the redelivery begins anew",
            code="bad-state",
            where=str(file),
        ) from None
