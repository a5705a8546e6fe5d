"""However many changes are stored at once, and whichever way each row takes, the tables are what `apply` makes them."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import CreateTable

import shared.bulk
from shared.bulk import Behind, Bulk
from shared.database import open_engine
from shared.poison import is_poison
from shared.project import Change, Patch, Put, Remove, coalesce, row_of
from shared.rows import apply
from tests.harness import Servers

METADATA = MetaData()
sheets = Table(
    "sheets",
    METADATA,
    Column("sheet", Text, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("words", Text, nullable=False),
    Column("at", TIMESTAMP(timezone=True)),
    Column("size", BigInteger),
    Column("done", Boolean),
    Column("more", JSONB),
)
names = Table("names", METADATA, Column("name", Text, primary_key=True))

BOTH = ("one by one", "in bulk")
"""A schema each."""

WORDS = st.sampled_from(
    [
        "",
        "null",
        "NULL",
        "\\.",
        "\\n",
        "a,b",
        '"quoted"',
        "two\nlines\r\n\tand a tab",
        "\x01\x1f\x7f",
        "Zoë \\ “x” 🌍",
        "]\n[",
    ]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
INSTANTS = st.integers(-(10**15), 10**15).map(lambda us: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us))
DOCUMENTS = st.none() | st.lists(WORDS, max_size=2) | st.dictionaries(WORDS, st.integers() | WORDS, max_size=2)
KEYS = st.fixed_dictionaries({"sheet": st.sampled_from(["a", 'b"', "c\n"]), "line": st.integers(1, 3)})
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "words": WORDS,
    "at": st.none() | INSTANTS,
    "size": st.none() | st.integers(-(2**63), 2**63 - 1),
    "done": st.none() | st.booleans(),
    "more": DOCUMENTS,
}
NEWS = st.one_of(
    st.fixed_dictionaries({"done": VALUES["done"]}, optional={"words": WORDS, "more": DOCUMENTS}),
    st.fixed_dictionaries({"at": VALUES["at"]}),
)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(lambda key, values: Put(sheets, row_of(sheets)(**key, **values)), KEYS, st.fixed_dictionaries(VALUES)),
    st.builds(lambda key, values: Patch(sheets, key, values), KEYS, NEWS),
    st.builds(lambda key: Remove(sheets, key), KEYS),
    st.builds(lambda name: Put(names, row_of(names)(name=name)), WORDS),
    st.builds(lambda name: Remove(names, {"name": name}), WORDS),
)


@pytest.fixture
def at_work(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[asyncio.Runner, AsyncEngine]]:
    """One engine in one loop for many examples, and COPY for the very first row."""
    monkeypatch.setattr(shared.bulk, "COPIED_FROM", 1)
    monkeypatch.setattr(shared.bulk, "WRITTEN_TOGETHER", 2)
    with asyncio.Runner() as runner:
        engine = open_engine(servers.postgres.url(), pool_size=1)
        try:
            runner.run(_make_tables(engine))
            yield runner, engine
        finally:
            runner.run(_drop(engine))


async def _make_tables(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for schema in BOTH:
            await connection.execute(text(f'CREATE SCHEMA "{schema}"'))
            await _look(connection, schema)
            for table in METADATA.sorted_tables:
                await connection.execute(CreateTable(table))


async def _drop(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for schema in BOTH:
            await connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
    await engine.dispose()


async def _look(connection: AsyncConnection, schema: str) -> None:
    await connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))


async def _stored(
    engine: AsyncEngine, batches: Sequence[Sequence[Change]], ways: Sequence[str] = BOTH
) -> list[list[Any]]:
    """What the tables hold after these batches in each of the ways; nothing is kept."""
    found, bulk = [], Bulk()
    async with engine.connect() as connection:
        for schema in ways:
            await _look(connection, schema)
            for batch in batches:
                if schema == "in bulk":
                    await bulk.store(connection, coalesce(batch))
                else:
                    for change in batch:
                        await apply(connection, [change])
            found.append(
                [sorted((await connection.execute(table.select())).all(), key=repr) for table in (sheets, names)]
            )
    return found


@given(st.lists(st.lists(CHANGES, max_size=8), max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_stored_in_bulk_is_what_is_stored_one_by_one(
    at_work: tuple[asyncio.Runner, AsyncEngine], batches: list[list[Change]]
) -> None:
    runner, engine = at_work

    one_by_one, in_bulk = runner.run(_stored(engine, batches))

    assert in_bulk == one_by_one


@pytest.mark.parametrize("refused", [{"words": None}, {"words": "\0"}, {"size": 2**63}])
def test_a_row_that_the_table_refuses_is_refused_in_bulk_too(
    at_work: tuple[asyncio.Runner, AsyncEngine], refused: dict[str, Any]
) -> None:
    runner, engine = at_work
    row = {"sheet": "a", "line": 1, "words": "", "at": None, "size": None, "done": None, "more": None}

    with pytest.raises(asyncpg.PostgresError) as refusal:
        runner.run(_stored(engine, [[Put(sheets, row_of(sheets)(**row | refused))]], ("in bulk",)))

    assert is_poison(refusal.value)


async def test_what_goes_on_behind_is_done_in_order_and_ends_with_the_block() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    async with Behind() as behind:
        for number in range(3):
            await behind.begin(work(number))

    assert done == [0, 1, 2]


async def test_the_first_fault_behind_is_the_one_that_is_raised() -> None:
    async def fails(word: str) -> None:
        raise ValueError(word)

    async def both() -> None:
        async with Behind() as behind:
            await behind.begin(fails("first"))
            raise ValueError("second")

    with pytest.raises(ValueError, match="first"):
        await both()


async def test_whoever_is_told_to_stop_leaves_nothing_running() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def works() -> None:
        async with Behind() as behind:
            await behind.begin(waits())
            await asyncio.Event().wait()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(works())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ended.is_set()
