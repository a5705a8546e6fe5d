"""The log as a file to carry away: gzip, readable with `zcat`, one JSON object a line, sealed block by block.

The first line says what the file is, the last what it holds. Between them stand the patients' keys, wrapped as they are
stored, and the events of the stream in their order. Each block is a gzip member by itself, whose last line tells how
many lines stand before it and their SHA-256; the last line of the file has that of all lines but the blocks' own.
"""

import zlib
from hashlib import sha256
from typing import IO

import msgspec
from msgspec import Raw, Struct

VERSION = 1
LINES_TOGETHER = 1000
GZIP = 31
"""What zlib calls the format of gzip."""


class Header(Struct, frozen=True, kw_only=True, tag="daybook-log", tag_field="line"):
    """What the file is: events `first` to `last` of the stream that was made at `stream_created`."""

    version: int
    stream_created: str
    first: int
    last: int


class Key(Struct, frozen=True, kw_only=True, tag="key", tag_field="line"):
    """A patient's key as it stands in the keys stream: wrapped by the master key, never plain."""

    subject: str
    wrapped: bytes


class Event(Struct, frozen=True, kw_only=True, tag="event", tag_field="line"):
    """An event in its place in the stream, its bytes as they are."""

    sequence: int
    subject: str
    body: Raw


class Block(Struct, frozen=True, kw_only=True, tag="block", tag_field="line"):
    """The end of a block: how many lines stand before it there, and their SHA-256."""

    lines: int
    sha256: str


class End(Struct, frozen=True, kw_only=True, tag="end", tag_field="line"):
    """The end of the file: what it holds, and the SHA-256 of all lines before."""

    keys: int
    events: int
    sha256: str


Line = Header | Key | Event | Block | End


class Writer:
    """Writes such a file, line by line. It is whole when `end` has been called."""

    def __init__(self, file: IO[bytes], header: Header) -> None:
        self._file = file
        self._lines: list[bytes] = []
        self._whole = sha256()
        self.keys = 0
        self.events = 0
        self._add(header)
        self._close_block()

    def key(self, key: Key) -> None:
        self.keys += 1
        self._add(key)

    def event(self, event: Event) -> None:
        self.events += 1
        self._add(event)

    def end(self) -> End:
        """Write what is left, and what it was in all."""
        self._close_block()
        end = End(keys=self.keys, events=self.events, sha256=self._whole.hexdigest())
        self._add(end)
        self._close_block()
        return end

    def _add(self, line: Line) -> None:
        self._lines.append(msgspec.json.encode(line) + b"\n")
        if len(self._lines) >= LINES_TOGETHER:
            self._close_block()

    def _close_block(self) -> None:
        if not self._lines:
            return
        content = b"".join(self._lines)
        self._whole.update(content)
        seal = Block(lines=len(self._lines), sha256=sha256(content).hexdigest())
        packer = zlib.compressobj(wbits=GZIP)
        self._file.write(packer.compress(content + msgspec.json.encode(seal) + b"\n") + packer.flush())
        self._lines = []
