"""Stores what a great many events come to: whole rows that are new go in by COPY, as a block, all others as ever.

The outcome is that of `shared.rows.apply`, whichever way a row takes. While one batch is stored, the next is folded.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from types import TracebackType
from typing import Any, Self

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import JSON, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import driver
from shared.events.envelope import Recorded
from shared.project import Change, Rows, coalesce, key_of_row, row_of
from shared.rows import insert, standing, write

EVENTS, ROWS = 10_000, 50_000
"""At so many a batch is full: enough that most rows are written once, few enough to be held in memory twice."""

COPIED_FROM = 200
"""Fewer whole rows are not worth the savepoint."""

WRITTEN_TOGETHER = 500
"""Rows in one piece of what is copied."""

_ENCODER = msgspec.json.Encoder()
_WITHOUT_BRACKETS = itemgetter(slice(1, -1))
_ESCAPED = re.compile(rb"\\(?:u[0-9a-f]{4}|.)")
_CONTROL = re.compile(rb'\\[^"\\]')
"""Found wherever a control character is escaped, and now and then where none is."""


class Bulk:
    """Stores batch after batch. It remembers in which tables a row came again, since COPY cannot replace any."""

    def __init__(self) -> None:
        self._come_again: set[Table] = set()

    async def store(self, connection: AsyncConnection, tables: Rows) -> None:
        """Write the last word on each row, in the transaction that `connection` has begun."""
        await write(connection, tables, self._put)

    async def _put(self, connection: AsyncConnection, table: Table, rows: Sequence[Struct]) -> None:
        if len(rows) < COPIED_FROM:
            return await insert(connection, table, rows)
        key = key_of_row(table)
        # In their order each page of the key's index is found once, not once a row: of keys at random it has many.
        rows = sorted(rows, key=key)
        if table not in self._come_again:
            try:
                async with connection.begin_nested():
                    return await _copy(connection, table, rows)
            except asyncpg.UniqueViolationError:
                self._come_again.add(table)
        known = await standing(connection, table, rows)
        await insert(connection, table, [row for row in rows if key(row) in known])
        return await _copy(connection, table, [row for row in rows if key(row) not in known])


async def _copy(connection: AsyncConnection, table: Table, rows: Sequence[Struct]) -> None:
    """As text, since msgspec writes that in a third of the time that the driver takes for its binary form."""
    await (await driver(connection)).copy_to_table(
        table.name,
        source=_lines(table, rows),
        columns=[column.name for column in table.columns],
        format="csv",
        null="null",
        quote='"',
        escape="\\",
    )


async def _lines(table: Table, rows: Sequence[Struct]) -> AsyncIterator[bytes]:
    """The rows as CSV: that of JSON arrays without their brackets, since both escape quotes alike, and end no line
    within a text."""
    documents = [name for name in row_of(table).__struct_fields__ if isinstance(table.c[name].type, JSON)]
    for start in range(0, len(rows), WRITTEN_TOGETHER):
        written = rows[start : start + WRITTEN_TOGETHER]
        for name in documents:
            written = _with_texts(written, name)
        lines = b"\n".join(map(_WITHOUT_BRACKETS, _ENCODER.encode_lines(written).split(b"\n")))
        yield _ESCAPED.sub(_raw, lines) if b"\\" in lines and _CONTROL.search(lines) else lines


def _with_texts(rows: Sequence[Struct], name: str) -> Sequence[Struct]:
    """A document is a text in a line."""
    texts = _ENCODER.encode_lines([getattr(row, name) for row in rows])[:-1].decode().split("\n")
    return [row if text == "null" else replace(row, **{name: text}) for row, text in zip(rows, texts, strict=True)]


def _raw(escaped: re.Match[bytes]) -> bytes:
    """CSV knows no `\\n`: what is no escaped quote or backslash stands there itself."""
    found = escaped[0]
    return found if found in (b'\\"', b"\\\\") else msgspec.json.decode(b'"%b"' % found, type=str).encode()


@dataclass(slots=True)
class Batch:
    """Events that are folded and stored together, and what they come to."""

    events: list[Recorded] = field(default_factory=list)
    tables: Rows = field(default_factory=dict)
    fault: Exception | None = None
    """Why some of these events could not be folded; it is raised when the batch is stored."""

    def fold(self, events: Sequence[Recorded], changes: Iterable[Change]) -> None:
        """Add these events, and the changes that they lead to."""
        self.events += events
        try:
            coalesce(changes, self.tables)
        except Exception as fault:
            self.fault = fault

    @property
    def is_full(self) -> bool:
        """Whether it should be stored now."""
        rows = sum(map(len, self.tables.values()))
        return self.fault is not None or len(self.events) >= EVENTS or rows >= ROWS


class Behind:
    """Work that goes on while more is prepared: one piece at a time, in order."""

    def __init__(self) -> None:
        self._work: asyncio.Task[None] | None = None

    async def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have it done, once the piece before is done. Raises what that has raised."""
        try:
            await self.end()
        except BaseException:
            work.close()
            raise
        self._work = asyncio.create_task(work)

    async def end(self) -> None:
        """Wait until all is done. Raises what the last piece has raised."""
        work, self._work = self._work, None
        if work is not None:
            await work

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _kind: object, fault: BaseException | None, _trace: TracebackType | None) -> None:
        """What was begun is finished, unless we are told to stop; its own fault goes before any that came later."""
        if self._work is not None and fault is not None and not isinstance(fault, Exception):
            self._work.cancel()
            await asyncio.wait([self._work])
            return
        await self.end()
