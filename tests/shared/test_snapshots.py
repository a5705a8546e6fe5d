"""A snapshot is the tables again or it is refused: what is damaged is named, another version's is passed over."""

import stat
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asyncpg import UndefinedColumnError
from msgspec import Struct
from sqlalchemy import Boolean, Column, Float, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.compare import BESIDE, LIVE, digests
from shared.database import open_engine
from shared.shelf import being_made
from shared.snapshots import Damaged, Snapshot, fingerprint, load, newest, take, write_manifest
from shared.stretches import Place
from tests.harness import Servers
from tests.shared.toys import practices

METADATA = MetaData()
sheets = Table(
    "sheets",
    METADATA,
    Column("sheet", Text, primary_key=True),
    Column("end", TIMESTAMP(timezone=True), nullable=False),
    Column("facts", JSONB),
    Column("share", Float),
    Column("open", Boolean),
    Column("words", Text, unique=True),
)
empty = Table("empty", METADATA, Column("nothing", Text, primary_key=True))
BLUEPRINT = replace(practices.BLUEPRINT, metadata=METADATA)

AT = datetime(2024, 7, 22, 8, tzinfo=UTC)
PLACE = Place(stream_created="2024-07-19T06:00:00Z", sequence=7, event_id="e-7", positions={"booking": 5}, own_id="e-5")
ROWS = """
    INSERT INTO {schema}.sheets VALUES
        ('a', '-infinity', NULL, NULL, NULL, NULL),
        ('b', '2024-03-31 01:30+00', '{{"b": [1, 2.50, null], "a": "é"}}', 0.1, true, ''),
        ('c', '2024-07-19 08:30:00.000001+00', '[]', 'NaN', false, E'tab\\t \\\\N, 😀')
"""
Damage = Callable[[Path], object]


class Later(Struct):
    """All that is known of a manifest to come: who made it."""

    made_by: str


@pytest.fixture
async def engine(servers: Servers) -> AsyncIterator[AsyncEngine]:
    """A database with both tables twice: filled where tables are made again, empty where they live."""
    url = await servers.database(practices.BLUEPRINT)
    engine = open_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
        for table in METADATA.sorted_tables:
            await connection.execute(text(f"CREATE TABLE {BESIDE}.{table.name} (LIKE {table.name} INCLUDING ALL)"))
        await connection.execute(text(ROWS.format(schema=BESIDE)))
    yield engine
    await engine.dispose()
    await servers.drop(url)


async def taken(engine: AsyncEngine, folder: Path, without: Sequence[str] = ()) -> Snapshot:
    async with engine.begin() as connection:
        counted = await digests(connection, BLUEPRINT.tables, BESIDE)
        return await take(connection, BLUEPRINT, folder, PLACE, without, schema=BESIDE, counted=counted, taken_at=AT)


def standing(shelf: Path, made_by: str) -> Snapshot:
    """A snapshot of no tables, finished like any other."""
    with being_made(shelf) as (number, folder):
        snapshot = Snapshot(
            number=number, service="booking", made_by=made_by, taken_at=AT, place=PLACE, without=[], tables={}
        )
        write_manifest(folder, snapshot)
    return snapshot


async def loaded(engine: AsyncEngine, snapshot: Snapshot, folder: Path) -> None:
    keys = await load(engine, snapshot, folder, schema=LIVE)
    async with engine.begin() as connection:
        for key in keys.values():
            await connection.execute(text(key))


async def test_what_was_taken_is_loaded_again_row_for_row(engine: AsyncEngine, tmp_path: Path) -> None:
    snapshot = await taken(engine, tmp_path, ["e-4", "e-2"])
    await loaded(engine, snapshot, tmp_path)

    async with engine.begin() as connection:
        made, live = [await digests(connection, BLUEPRINT.tables, schema) for schema in (BESIDE, LIVE)]
    assert live == made
    assert {name: file.digest for name, file in snapshot.tables.items()} == {n: t.digest for n, t in live.items()}
    assert newest(BLUEPRINT, tmp_path) == snapshot
    assert (snapshot.place, snapshot.without, snapshot.taken_at) == (PLACE, ["e-2", "e-4"], AT)


async def test_a_loaded_table_has_its_key_again(engine: AsyncEngine, tmp_path: Path) -> None:
    before = await indexes(engine)

    await loaded(engine, await taken(engine, tmp_path), tmp_path)

    assert await indexes(engine) == before


async def test_what_half_a_rebuild_has_left_gives_way(engine: AsyncEngine, tmp_path: Path) -> None:
    snapshot = await taken(engine, tmp_path)
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO empty VALUES ('left over')"))

    await loaded(engine, snapshot, tmp_path)
    await loaded(engine, snapshot, tmp_path)

    assert await rows(engine) == {"sheets": 3, "empty": 0}


async def test_a_snapshot_is_for_its_owner_alone(engine: AsyncEngine, tmp_path: Path) -> None:
    shelf = tmp_path / "snapshots" / "booking"

    await taken(engine, shelf)

    folders = [shelf, shelf / "000001"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folders[1].iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("what", "file", "damage"),
    [
        ("sheets.copy has 100 bytes instead of", "sheets.copy", lambda path: path.write_bytes(path.read_bytes()[:100])),
        ("sheets.copy has", "sheets.copy", lambda path: path.write_bytes(path.read_bytes()[:-2])),
        ("empty.copy has 0 bytes", "empty.copy", lambda path: path.write_bytes(b"")),
        ("sheets.copy cannot be read", "sheets.copy", Path.unlink),
    ],
    ids=["in a row", "after the last row", "to nothing", "gone"],
)
async def test_a_file_cut_short_or_gone_is_named_and_nothing_of_it_is_loaded(
    engine: AsyncEngine, tmp_path: Path, what: str, file: str, damage: Damage
) -> None:
    snapshot = await taken(engine, tmp_path)
    damage(tmp_path / "000001" / file)

    with pytest.raises(Damaged, match=f"000001 is damaged.*{what}.*Remove that folder"):
        await loaded(engine, snapshot, tmp_path)

    assert (await rows(engine))[file.removesuffix(".copy")] == 0


async def test_wherever_a_file_was_altered_it_is_refused(engine: AsyncEngine, tmp_path: Path) -> None:
    snapshot = await taken(engine, tmp_path)
    file = tmp_path / "000001" / "sheets.copy"
    whole = file.read_bytes()

    for place in range(0, len(whole), 5):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Damaged, match=r"sheets\.copy was altered"):
            await loaded(engine, snapshot, tmp_path)

    assert await rows(engine) == {"sheets": 0, "empty": 0}


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        ("cannot be read", Path.unlink),
        ("makes no sense", lambda path: path.write_bytes(path.read_bytes()[:-1])),
        ("was altered", lambda path: path.write_bytes(path.read_bytes().replace(b'"sequence":7', b'"sequence":9'))),
    ],
    ids=["gone", "cut short", "another place in the log"],
)
def test_a_manifest_that_cannot_be_believed_is_named(tmp_path: Path, what: str, damage: Damage) -> None:
    standing(tmp_path, fingerprint(BLUEPRINT))
    damage(tmp_path / "000001" / "manifest.json")

    with pytest.raises(Damaged, match=f"000001 is damaged.*manifest.json {what}"):
        newest(BLUEPRINT, tmp_path)


def test_what_another_version_made_is_passed_over_even_if_it_is_written_otherwise(tmp_path: Path) -> None:
    ours = standing(tmp_path, fingerprint(BLUEPRINT))
    with being_made(tmp_path) as (_, folder):
        write_manifest(folder, Later(made_by="a later version"))

    assert newest(BLUEPRINT, tmp_path) == ours


def test_where_there_is_no_snapshot_there_is_none(tmp_path: Path) -> None:
    assert newest(BLUEPRINT, tmp_path / "never made") is None


def test_the_newest_two_stay_and_what_an_interrupted_one_has_left_goes(tmp_path: Path) -> None:
    (tmp_path / "000001.unfinished").mkdir()
    (tmp_path / "000001.unfinished" / "sheets.copy").write_bytes(b"half")

    made = [standing(tmp_path, fingerprint(BLUEPRINT)) for _ in range(3)]

    assert names(tmp_path) == ["000002", "000003"]
    assert newest(BLUEPRINT, tmp_path) == made[-1]


async def test_a_snapshot_that_could_not_be_finished_is_none(engine: AsyncEngine, tmp_path: Path) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {BESIDE}.sheets DROP COLUMN words"))

    with pytest.raises(UndefinedColumnError):
        await taken(engine, tmp_path)

    assert names(tmp_path) == []


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def indexes(engine: AsyncEngine) -> Sequence[str]:
    async with engine.connect() as connection:
        return (await connection.scalars(text("SELECT indexdef FROM pg_indexes ORDER BY 1"))).all()


async def rows(engine: AsyncEngine) -> dict[str, int]:
    async with engine.begin() as connection:
        return {name: table.rows for name, table in (await digests(connection, BLUEPRINT.tables)).items()}
