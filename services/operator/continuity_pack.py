"""The folder of continuity packs: each is whole or not there, the newest is `current`, and only the owner may look."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.operator.continuity_csv import sheet_csv
from services.operator.continuity_html import Contents, Listed, index_html, sheet_html
from services.operator.continuity_pdf import sheet_pdf
from services.operator.continuity_sheets import moment, sheets
from services.operator.continuity_typeface import Typeface, typeface
from services.operator.day_lists import MOST_DAYS, DayList
from shared.refusals import Conflict, Refusal, Unavailable

CURRENT, SUMS = "current", "SHA256SUMS"
_STAMP = "%Y%m%dT%H%M%SZ"
_UNFINISHED = ".unfinished"

Put = Callable[[str, bytes], None]
"""Writes a file of the pack by its name."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a pack came to."""

    pack: Path
    practices: int
    sheets: int
    appointments: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """The directory with the packs."""

    directory: Path

    def write(self, lists: Iterable[DayList], now: datetime, keep: int) -> Written:
        """A new pack, which becomes `current` once it is complete; of the older ones the newest stay, `keep` in all."""
        with self._alone():
            for left in self.directory.glob(f"*{_UNFINISHED}"):
                shutil.rmtree(left)
            stamp = now.astimezone(UTC).strftime(_STAMP)
            unfinished, pack = self.directory / f"{stamp}{_UNFINISHED}", self.directory / stamp
            written = _fill(unfinished, lists, now)
            if pack.exists():
                raise Conflict(f"{pack} is there already", code="pack-exists", where=str(pack))
            unfinished.rename(pack)
            self._point_to(pack)
            for old in self._packs()[:-keep]:
                shutil.rmtree(old)
        return Written(pack, *written)

    def newest(self) -> datetime | None:
        """When the newest complete pack was begun."""
        packs = self._packs()
        return _begun(packs[-1]) if packs else None

    def require_whole(self, oldest: datetime) -> Path:
        """The current pack. Raises `Unavailable` if there is none, if it is older, or if a file is not as it was."""
        pack = (self.directory / CURRENT).resolve()
        begun = _begun(pack) if pack.is_dir() else None
        if begun is None:
            raise Unavailable(f"there is no continuity pack in {self.directory}", code="no-pack")
        if begun < oldest:
            raise Unavailable(f"the newest continuity pack is of {moment(begun)}, which is too old", code="old-pack")
        for line in (pack / SUMS).read_text().splitlines():
            digest, _, name = line.partition("  ")
            if not (pack / name).is_file() or _digest((pack / name).read_bytes()) != digest:
                raise Unavailable(f"{pack / name} is not as it was written", code="damaged-pack")
        return pack

    def _packs(self) -> list[Path]:
        """The complete ones, the newest last."""
        if not self.directory.is_dir():
            return []
        return sorted(each for each in self.directory.iterdir() if each.is_dir() and _begun(each))

    def _point_to(self, pack: Path) -> None:
        """In one step: whoever opens `current` meanwhile finds the old pack or the new one."""
        new = self.directory / f"{CURRENT}{_UNFINISHED}"
        new.unlink(missing_ok=True)
        new.symlink_to(pack.name)
        new.rename(self.directory / CURRENT)
        _sync(self.directory)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes here meanwhile."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise Refusal(
                f"{self.directory} cannot be written to: {problem.strerror}", code="unwritable", where="--to"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise Conflict(f"another pack is just being written in {self.directory}", code="being-written") from None
        finally:
            os.close(lock)


def _fill(directory: Path, lists: Iterable[DayList], now: datetime) -> tuple[int, int, int]:
    """Every file of a pack. Returns how many practices, sheets and appointments it holds."""
    directory.mkdir(mode=0o700)
    sums: dict[str, str] = {}

    def put(name: str, content: bytes) -> None:
        _write(directory / name, content)
        sums[name] = _digest(content)

    with typeface() as face:
        contents = [_practice(put, listed, face) for listed in lists]
    if not any(each.sheets for each in contents):
        raise Refusal(
            f"by the diaries kept here nobody sees patients in the next {MOST_DAYS} days, so there is nothing to print",
            code="nothing-to-print",
        )
    put("index.html", index_html(moment(now), contents).encode())
    _write(directory / SUMS, "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode())
    _sync(directory)
    return (
        len(contents),
        sum(len(each.sheets) for each in contents),
        sum(sheet.booked for each in contents for sheet in each.sheets),
    )


def _practice(put: Put, listed: DayList, face: Typeface) -> Contents:
    """Its sheets in every form, one practice after another, so that memory holds the names of one."""
    kept = []
    for day, sheet in zip(listed.days, sheets(listed), strict=True):
        file = f"{listed.practice}/{sheet.date}"
        put(f"{file}.html", sheet_html(sheet).encode())
        put(f"{file}.pdf", sheet_pdf(sheet, face))
        put(f"{file}.csv", sheet_csv(listed, day).encode())
        kept.append(Listed(sheet.day, sheet.booked, file))
    return Contents(listed.practice, listed.name or listed.practice, tuple(kept))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    """The names in it are on the disk too, not only the contents."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _begun(pack: Path) -> datetime | None:
    try:
        return datetime.strptime(pack.name, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
