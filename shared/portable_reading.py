"""Reads a log that was carried away, a block at a time, and hands out nothing that has not been checked."""

import zlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO

import msgspec

from shared.portable import GZIP, VERSION, Block, End, Event, Header, Key, Line
from shared.refusals import Refusal

LONGEST_BLOCK = 256 * 1024 * 1024
"""No block that was written here is as long; what pretends to be is not unpacked."""

_READ = 256 * 1024
_DECODER = msgspec.json.Decoder(Line)


class Reader:
    """What such a file holds. Raises `Refusal` with the place if it is cut short, altered, or something else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole = sha256()
        self.keys = 0
        self.events = 0
        self.due = 0
        """The sequence of the next event."""
        self.end: End | None = None

    def header(self) -> Header:
        """What the file says it is."""
        with self._open() as file:
            for _, _, _, lines in self._checked_blocks(file):
                return self._header(lines[0])
        raise self._cut()

    def blocks(self) -> Iterator[Sequence[Key | Event]]:
        """The keys and events, block by block; the file is whole when the last has come."""
        with self._open() as file:
            for number, at, content, lines in self._checked_blocks(file):
                if self.end is not None:
                    raise self._altered(number, at, "something follows its end")
                if number == 1:
                    self.due = self._header(lines[0]).first
                elif isinstance(lines[0], End):
                    self._finish(lines[0], number, at)
                else:
                    yield self._counted(lines, number, at)
                self._whole.update(content[: content.rindex(b"\n", 0, -1) + 1])
        if self.end is None:
            raise self._cut()

    def _open(self) -> IO[bytes]:
        try:
            return self._path.open("rb")
        except OSError as problem:
            raise Refusal(
                f"{self._path} cannot be read: {problem.strerror}", code="unreadable-file", where=str(self._path)
            ) from None

    def _checked_blocks(self, file: IO[bytes]) -> Iterator[tuple[int, int, bytes, Sequence[Line]]]:
        """Number, place, content and lines of each block."""
        for number, (at, content) in enumerate(_members(file), 1):
            if content is None:
                raise self._altered(number, at, "it does not unpack")
            yield number, at, content, self._checked(content, number, at)

    def _checked(self, content: bytes, number: int, at: int) -> Sequence[Line]:
        """The lines of a block whose last line is right about those before."""
        *lines, last = content.splitlines(keepends=True) or [b""]
        try:
            seal = _DECODER.decode(last)
            said = seal.sha256 if isinstance(seal, Block) and seal.lines == len(lines) else ""
            if said != sha256(b"".join(lines)).hexdigest() or not lines:
                raise self._altered(number, at, "its checksum is another")
            return [_DECODER.decode(line) for line in lines]
        except msgspec.MsgspecError:
            raise self._altered(number, at, "it is not of a file of `daybook log export`") from None

    def _header(self, line: Line) -> Header:
        if not isinstance(line, Header):
            raise self._altered(1, 0, "it does not say what the file is")
        if line.version != VERSION:
            raise Refusal(
                f"{self._path} is of format {line.version}; this version of Daybook reads {VERSION}",
                code="other-format",
                where=str(self._path),
            )
        return line

    def _counted(self, lines: Sequence[Line], number: int, at: int) -> Sequence[Key | Event]:
        counted: list[Key | Event] = []
        for line in lines:
            match line:
                case Event(sequence=sequence) if sequence == self.due:
                    self.events, self.due = self.events + 1, self.due + 1
                    counted.append(line)
                case Key() if not self.events:
                    self.keys += 1
                    counted.append(line)
                case _:
                    raise self._altered(number, at, f"event {self.due} is missing there")
        return counted

    def _finish(self, end: End, number: int, at: int) -> None:
        if end != End(keys=self.keys, events=self.events, sha256=self._whole.hexdigest()):
            raise self._altered(number, at, "a block before it is missing or another file's")
        self.end = end

    def _altered(self, number: int, at: int, what: str) -> Refusal:
        return Refusal(
            f"{self._path} has been altered, or is no exported log: block {number}, at byte {at:,}: {what}",
            code="file-altered",
            where=f"{self._path}, block {number}",
        )

    def _cut(self) -> Refusal:
        return Refusal(
            f"{self._path} is cut short: it ends after {self.events:,} events, and its last line is missing",
            code="file-cut",
            where=str(self._path),
        )


def _members(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Where each gzip member begins, and what is in it; None if it does not unpack. One cut short is left out."""
    start, data = 0, file.read(_READ)
    while data:
        unpacker, parts, length, taken = zlib.decompressobj(wbits=GZIP), [], 0, 0
        while not unpacker.eof:
            if not data and not (data := file.read(_READ)):
                return
            try:
                parts.append(unpacker.decompress(data, LONGEST_BLOCK - length + 1))
            except zlib.error:
                yield start, None
                return
            length += len(parts[-1])
            if length > LONGEST_BLOCK:
                yield start, None
                return
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            taken, data = taken + len(data) - len(rest), rest
        yield start, b"".join(parts)
        start, data = start + taken, data or file.read(_READ)
