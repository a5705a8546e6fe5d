"""A file that is hashed while it is written or read, so that nobody has to go through it twice."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

_AT_ONCE = 1 << 18


class HashedFile:
    """An open file, its size and the SHA-256 of what went through so far.

    `put` and `pieces` are what asyncpg copies to and from. They take no thread: one piece is done in less time than it
    would take to hand it over.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        self._file.write(self._seen(content))

    def read(self) -> bytes:
        """The next piece, nothing at the end."""
        return self._seen(self._file.read(_AT_ONCE))

    async def put(self, content: bytes) -> None:
        self.write(content)

    async def pieces(self) -> AsyncIterator[bytes]:
        while piece := self.read():
            yield piece

    def _seen(self, content: bytes) -> bytes:
        self._digest.update(content)
        self.size += len(content)
        return content


@contextmanager
def written(path: Path) -> Iterator[HashedFile]:
    """A new file, for the owner's eyes only, on the disk when the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        yield HashedFile(file)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def read(path: Path) -> Iterator[HashedFile]:
    """A file that is there. Raises `OSError`."""
    with path.open("rb") as file:
        yield HashedFile(file)
