"""The trail of accesses: who asked for what, when, and how it was answered, refusals too; never what was said.

Rows of requests that end together are written together. An answer waits for its row, and no longer than it must: the
trail has a connection of its own, whose commits do not wait for the disk, so a power cut can cost its last half second.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

import asyncpg
import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import BigInteger, Boolean, Column, Float, Identity, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import TIMESTAMP

from shared.database import FAULTS, Operations

METADATA = MetaData()

accesses = Table(
    "accesses",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column("request", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("operator", Boolean, nullable=False),
    Column("method", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("refusal", Text, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Index("accesses_at", "at", postgresql_using="brin"),
    Index("accesses_organisation", "organisation", "id"),
    Index("accesses_practice", "practice", "id", postgresql_where=text("practice <> ''")),
)
"""What each column holds: `Access`. It is no part of the tables folded from the log, and no rebuild touches it."""

_TOGETHER = 1000
_WITHIN = 3.0
"""Seconds after which the database is taken to be away."""
_REST = 1.0
"""Seconds until a database that was away is tried again."""

_log = structlog.get_logger(__name__)


class Access(Struct, frozen=True, gc=False):
    """One access. `client` is empty if nobody is known to have asked.

    `route` is the template (`/fhir/R4/Appointment/{id}`), `resource` the ids in its place; `practice` is whose things
    they were, where the route knows; `refusal` is a code. `status` is 0 for a request that got no answer because the
    service was stopped. Nothing of a query, a body or an answer is in it.
    """

    at: datetime
    request: str
    client: str
    organisation: str
    operator: bool
    method: str
    route: str
    resource: str
    practice: str
    status: int
    refusal: str
    milliseconds: float


class Also(Struct, frozen=True):
    """A further access within one request, such as an entry of a Bundle: appended to `request.state.also`."""

    method: str
    route: str
    status: int
    resource: str = ""
    practice: str = ""
    refusal: str = ""


def create_accesses(op: Operations) -> None:
    """For a service's migration: the trail, empty."""
    METADATA.create_all(op.get_bind())


class Trail:
    """Writes accesses to the service's database; to the log, one line each, while that is away."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._desk = asyncio.Lock()
        self._waiting: list[Access] = []
        self._group: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What waits is written first."""
        async with self._desk:
            await self._write(self._taken())
            if self._connection is not None:
                with suppress(*FAULTS, TimeoutError):
                    await self._connection.close(timeout=_WITHIN)

    def note(self, rows: Sequence[Access]) -> None:
        """To be written with the next group, or at the end."""
        self._waiting.extend(rows)

    async def write(self, rows: Sequence[Access]) -> None:
        """Returns when the rows are written, together with all that came while the desk was busy. Never raises."""
        self.note(rows)
        if self._group is None:
            self._group = asyncio.create_task(self._write_group())
        # Shielded, because others wait for the same group: one caller's hanging up must not end it.
        await asyncio.shield(self._group)

    async def _write_group(self) -> None:
        async with self._desk:
            self._group = None
            await self._write(self._taken())

    def _taken(self) -> list[Access]:
        rows, self._waiting = self._waiting, []
        return rows

    async def _write(self, rows: Sequence[Access]) -> None:
        for start in range(0, len(rows), _TOGETHER):
            group = rows[start : start + _TOGETHER]
            if not await self._inserted(group):
                for row in group:
                    _log.warning("access", **msgspec.to_builtins(row))

    async def _inserted(self, rows: Sequence[Access]) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._rests_until:
            return False
        document = msgspec.json.encode(rows).decode()
        # Twice, since a connection may have died while nobody used it. A line written twice is better than none.
        for _ in range(2):
            try:
                await (await self._open()).execute(_INSERT, document)
            except (*FAULTS, TimeoutError) as fault:
                reason = type(fault).__name__
                self._hang_up()
            else:
                return True
        _log.warning("the trail of accesses cannot be written", reason=reason)
        self._rests_until = now + _REST
        return False

    async def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._database_url,
                timeout=_WITHIN,
                command_timeout=_WITHIN,
                server_settings={"synchronous_commit": "off"},
            )
        return self._connection

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_WRITTEN = [column for column in accesses.columns if column.name != "id"]
_NAMES = ", ".join(f'"{column.name}"' for column in _WRITTEN)
_TYPED = ", ".join(f'"{column.name}" {column.type.compile(_DIALECT)}' for column in _WRITTEN)
_INSERT = f"INSERT INTO accesses ({_NAMES}) SELECT * FROM json_to_recordset($1::json) AS r ({_TYPED})"
