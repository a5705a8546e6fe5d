"""A service's tables as files, at a place in the log: so that making them again costs their size and the tail after it.

A snapshot is never taken of the live tables. It is what a rebuild has folded from the log, and so, through the snapshot
it may have begun from, descends from the first event. Each is a folder with a file for every table, in PostgreSQL's
binary form, and a manifest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
import msgspec
from msgspec import Raw, Struct
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared import hashed_file
from shared.compare import TableResult
from shared.database import Driver, driver
from shared.fingerprint import fingerprint_of
from shared.lanes import in_lanes
from shared.refusals import Refusal
from shared.service import Blueprint
from shared.shelf import being_made, numbered, place_of
from shared.stretches import Place

S = TypeVar("S", bound=Struct)

_MANIFEST: Final = "manifest.json"


class TableFile(Struct, frozen=True, kw_only=True):
    """One table: its columns, how many rows, their digest (by `shared.compare`), and the file's size and SHA-256."""

    columns: Sequence[str]
    rows: int
    digest: str
    size: int
    sha256: str


class Snapshot(Struct, frozen=True, kw_only=True):
    """What the manifest says. `made_by` is the fingerprint of the code; `without`, the events left out."""

    number: int
    service: str
    made_by: str
    taken_at: datetime
    place: Place
    without: Sequence[str]
    tables: Mapping[str, TableFile]


class Damaged(Refusal):
    """A snapshot is not what was written. Nothing is built on it."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"the snapshot {path} is damaged, and nothing is built on it: {what}. Remove that folder: then an older "
            "snapshot serves, or the whole log is folded",
            code="damaged-snapshot",
        )
        self.what = what


class _Sealed(Struct, frozen=True):
    """The manifest's file. A place in the log that was altered would otherwise be believed."""

    sha256: str
    snapshot: Raw


class _Maker(Struct, frozen=True):
    """All that is read of what another version wrote."""

    made_by: str


def fingerprint(blueprint: Blueprint) -> str:
    """The SHA-256 of all source that may take part in folding: another version may fold the same events otherwise."""
    return fingerprint_of(blueprint.migrations.parent)


async def take(
    connection: AsyncConnection,
    blueprint: Blueprint,
    folder: Path,
    place: Place,
    without: Sequence[str],
    *,
    schema: str,
    counted: Mapping[str, TableResult],
    taken_at: datetime,
) -> Snapshot:
    """Write the tables of `schema`, as `connection`'s transaction sees them; the newest two snapshots stay.

    `counted` is what `shared.compare` found in them, in the same transaction. Raises `OSError` if there is no room.
    """
    raw = await driver(connection)
    with being_made(folder) as (number, unfinished):
        snapshot = Snapshot(
            number=number,
            service=blueprint.name,
            made_by=fingerprint(blueprint),
            taken_at=taken_at,
            place=place,
            without=sorted(without),
            tables={
                table.name: await _write(raw, table, schema, unfinished, counted[table.name].digest)
                for table in blueprint.tables
            },
        )
        write_manifest(unfinished, snapshot)
    return snapshot


def newest(blueprint: Blueprint, folder: Path) -> Snapshot | None:
    """The newest snapshot that this version of the service has made, none if there is none. Raises `Damaged`."""
    made_by = fingerprint(blueprint)
    for number in reversed(numbered(folder)):
        path = place_of(folder, number)
        content = read_manifest(path)
        if _decoded(content, _Maker, path).made_by == made_by:
            return _decoded(content, Snapshot, path)
    return None


async def load(engine: AsyncEngine, snapshot: Snapshot, folder: Path, *, schema: str) -> Mapping[str, str]:
    """Fill the tables of `schema`, which are empty; returns for each the statement that makes its key.

    Those are made when the rows are in: to find each row's place in an index takes five times as long as to sort them
    all. Raises `Damaged` if a file was cut short or altered.
    """
    async with engine.begin() as connection:
        keys = (await connection.execute(text(_KEYS), {"schema": schema, "names": [*snapshot.tables]})).all()
        for _, away, _ in keys:
            await connection.exec_driver_sql(away)
    path = place_of(folder, snapshot.number)
    largest_first = sorted(snapshot.tables.items(), key=lambda item: item[1].size, reverse=True)
    await in_lanes(partial(_read, engine, path, name, expected, schema) for name, expected in largest_first)
    return {table: again for table, _, again in keys}


def write_manifest(path: Path, snapshot: Struct) -> None:
    """Say in this folder what it holds, sealed."""
    content = msgspec.json.encode(snapshot)
    with hashed_file.written(path / _MANIFEST) as file:
        file.write(msgspec.json.encode(_Sealed(sha256(content).hexdigest(), Raw(content))))


def read_manifest(path: Path) -> bytes:
    """What the manifest in this folder says, sealed as it is. Raises `Damaged`."""
    try:
        sealed = _decoded((path / _MANIFEST).read_bytes(), _Sealed, path)
    except OSError as problem:
        raise Damaged(path, f"{_MANIFEST} cannot be read ({problem.strerror})") from None
    if sha256(sealed.snapshot).hexdigest() != sealed.sha256:
        raise Damaged(path, f"{_MANIFEST} was altered")
    return bytes(sealed.snapshot)


def _decoded(content: bytes, kind: type[S], path: Path) -> S:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as problem:
        raise Damaged(path, f"{_MANIFEST} makes no sense ({problem})") from None


async def _write(raw: Driver, table: Table, schema: str, folder: Path, digest: str) -> TableFile:
    columns = [str(column.name) for column in table.columns]
    with hashed_file.written(file_of(folder, table.name)) as file:
        done = await raw.copy_from_table(
            table.name, schema_name=schema, columns=columns, output=file.put, format="binary"
        )
    return TableFile(columns=columns, rows=_rows(done), digest=digest, size=file.size, sha256=file.sha256)


async def _read(engine: AsyncEngine, folder: Path, name: str, expected: TableFile, schema: str) -> None:
    path = file_of(folder, name)
    try:
        async with engine.begin() as connection:
            # Rows that come into a table emptied in the same transaction need no vacuum later.
            await connection.execute(text(f'TRUNCATE {schema}."{name}"'))
            with hashed_file.read(path) as file:
                done = await (await driver(connection)).copy_to_table(
                    name,
                    schema_name=schema,
                    columns=expected.columns,
                    source=file.pieces(),
                    format="binary",
                    freeze=True,
                )
            if (file.sha256, _rows(done)) != (expected.sha256, expected.rows):
                raise Damaged(folder, damage_of(path, expected) or f"{path.name} gave {_rows(done):,} rows")
    except (OSError, asyncpg.PostgresError):
        if damage := damage_of(path, expected):
            raise Damaged(folder, damage) from None
        raise


def file_of(folder: Path, table: str) -> Path:
    return folder / f"{table}.copy"


def damage_of(path: Path, expected: TableFile) -> str:
    """What is wrong with this file, nothing if it is whole."""
    try:
        with hashed_file.read(path) as file:
            while file.read():
                pass
    except OSError as problem:
        return f"{path.name} cannot be read ({problem.strerror})"
    if file.size != expected.size:
        return f"{path.name} has {file.size:,} bytes instead of {expected.size:,}"
    return "" if file.sha256 == expected.sha256 else f"{path.name} was altered"


def _rows(done: str) -> int:
    """Out of `COPY 1204`."""
    return int(done.rpartition(" ")[2])


_KEYS = """
    SELECT t.relname,
           format('ALTER TABLE %s DROP CONSTRAINT %I', t.oid::regclass, c.conname),
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', t.oid::regclass, c.conname, pg_get_constraintdef(c.oid))
    FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace
    WHERE c.contype = 'p' AND n.nspname = :schema AND t.relname = ANY (:names)
"""
"""How each table's primary key is dropped, and how it is made again."""
