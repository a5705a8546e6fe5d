"""PostgreSQL as every service uses it: one engine, the log's own tables, and the driver beneath for bulk work."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias, cast

import asyncpg
import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    any_,
    event,
    literal,
    make_url,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, insert
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FAULTS = (
    DBAPIError,
    PoolExhausted,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What the engine and the way to it may raise, when it is killed in the middle of a statement too."""

FRESH_PLANS = {"plan_cache_mode": "force_custom_plan"}
"""Statements are planned each time they run. A plan that was made while a table was almost empty, and kept, would read
the whole of it again and again when a county has been imported, or moved."""

_STATEMENT_CLASSES = frozenset({"0A", "21", "22", "42"})
"""Of SQLSTATE: unsupported, cardinality, data, syntax or access. The statement would fail tomorrow as well."""

LOG_METADATA = MetaData()

events = Table(
    "events",
    LOG_METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("command_end", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("events_stream_version", "stream", "version", unique=True),
)
"""The log. `command_end` is the position of the last event of the same command: the relay never parts them."""

log_head = Table(
    "log_head",
    LOG_METADATA,
    Column("only", Boolean, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""One row: the position of the newest event. Whoever appends holds its lock."""

checkpoint = Table(
    "checkpoint",
    LOG_METADATA,
    Column("only", Boolean, primary_key=True),
    Column("stream_created", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("followed", JSONB, nullable=False),
)
"""One row: how far the stream has been folded, and which event stood there."""

relayed = Table(
    "relayed",
    LOG_METADATA,
    Column("only", Boolean, primary_key=True),
    Column("stream_created", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
)
"""One row: which stream this log was copied to, by when it was made, and at least how far; see `shared.mark`."""

data_keys = Table(
    "data_keys",
    LOG_METADATA,
    Column("subject", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("copied", Boolean, nullable=False),
    Index("data_keys_to_copy", "subject", postgresql_where=Column("copied", Boolean).is_(False)),
)
"""The data keys this service made, wrapped by the master key. `copied`: the keys stream has it too."""


parked = Table(
    "parked",
    LOG_METADATA,
    Column("event", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("parked_at", TIMESTAMP(timezone=True), nullable=False),
    Column("skipped_by", Text, nullable=False),
    Column("skipped_because", Text, nullable=False),
)
"""The events that this service could not fold: those that wait, and, with `skipped_by`, those left out for good."""


def is_ours(fault: BaseException) -> bool:
    """Whether the engine refused the statement itself, which no waiting mends, and is not merely out of reach."""
    state = getattr(getattr(fault, "orig", None) or fault, "sqlstate", None) or ""
    return state[:2] in _STATEMENT_CLASSES


class Operations(Protocol):
    """The part of alembic's `op` that `create_log_tables` needs."""

    def get_bind(self) -> Any: ...


def create_log_tables(op: Operations) -> None:
    """For a service's first migration: the tables of the log, empty."""
    bind = op.get_bind()
    LOG_METADATA.create_all(bind)
    bind.execute(log_head.insert().values(only=True, position=0))
    bind.execute(
        checkpoint.insert().values(only=True, stream_created="", sequence=0, event_id="", followed={}),
    )
    bind.execute(relayed.insert().values(only=True, stream_created="", position=0))


def create_relay_mark(op: Operations) -> None:
    """For a service whose first migration was run before there was one. The stream it followed is the stream it fed."""
    bind = op.get_bind()
    relayed.create(bind, checkfirst=True)
    followed = select(literal(True), checkpoint.c.stream_created, literal(0))
    bind.execute(insert(relayed).from_select(["only", "stream_created", "position"], followed).on_conflict_do_nothing())


def create_parked(op: Operations) -> None:
    """For a service whose first migration was run before events could be parked."""
    parked.create(op.get_bind(), checkfirst=True)


def open_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for a `postgresql://` URL. Connects when first used."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"server_settings": FRESH_PLANS},
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(adapted: Any, *_: object) -> None:
    """The pool makes a new connection in place of one that has been closed, as all are when the engine restarts.

    The driver knows at once; the pool's own way of asking (`pool_pre_ping`) would cost each use three round trips.
    """
    if adapted.driver_connection.is_closed():
        raise DisconnectionError


async def driver(connection: AsyncConnection) -> Driver:
    """The asyncpg connection beneath, for statements that carry whole arrays.

    The transaction must already have begun: SQLAlchemy begins it with its own first statement, and what the driver
    runs before that would commit by itself.
    """
    raw = (await connection.get_raw_connection()).driver_connection
    found = cast(Driver, raw)
    if not found.is_in_transaction():
        raise RuntimeError("the driver was asked for before the transaction began")
    return found


async def reader(connection: AsyncConnection) -> Driver:
    """The asyncpg connection beneath, for reading: it keeps statements prepared, and SQLAlchemy compiles nothing.

    Outside a transaction, each statement sees what has been committed when it begins.
    """
    raw = (await connection.get_raw_connection()).driver_connection
    return cast(Driver, raw)


def among(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Whether the column is one of these. Unlike `in_`, the same statement however many there are: prepared once."""
    return column == any_(literal([*values], ARRAY(Text)))


def columns_of(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Rows turned into columns, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
