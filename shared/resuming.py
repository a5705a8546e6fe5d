"""Where a rebuild begins: where an interrupted one stopped, at a snapshot, or before the first event.

How far it came stands beside the tables being made, and is committed with them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from nats.js.api import StreamInfo
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.beside import make
from shared.checkpoint import Checkpoint, read_checkpoint
from shared.compare import BESIDE
from shared.events.envelope import envelope_of
from shared.leaving_out import still_left_out
from shared.log import head_position, read_after
from shared.rebuilding import Origin
from shared.relay import Halted
from shared.service import Blueprint
from shared.snapshots import fingerprint, load, newest
from shared.stream import message_at
from shared.stretches import Place, passed_until
from shared.wire import Client


class Kept(Struct, frozen=True, kw_only=True):
    """What stands beside the tables being made: how far they have come, and who made them of what.

    `without` are the events left out. `keys` and `put_off` are what is still to be made, by table: the primary keys,
    without which nothing is folded, and all other indexes. `whole`: no snapshot is in it.
    """

    place: Place
    made_by: str
    without: Sequence[str]
    keys: Mapping[str, str]
    put_off: Mapping[str, Sequence[str]]
    whole: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a rebuild begins: after `passed` events of the log. `taken_at` is when the snapshot was taken."""

    origin: Origin
    kept: Kept
    passed: int
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the live tables have come."""

    head: int
    checkpoint: Checkpoint
    without: frozenset[str]

    def positions(self, own: str) -> Mapping[str, int]:
        """Of each service, the newest event that was folded here."""
        return {**self.checkpoint.followed, own: self.head}


async def reach_of(connection: AsyncConnection, before: Collection[str] = ()) -> Reach:
    """The same. Raises `Conflict` if an event that was left out `before` no longer is.

    What is left out is asked last: what has been parked since stands behind the checkpoint, and is not read yet.
    """
    head, checkpoint = await head_position(connection), await read_checkpoint(connection)
    return Reach(head, checkpoint, await still_left_out(connection, before))


def require_no_older(service: str, copied: int, head: int) -> None:
    """Raises `Halted` if the stream holds more events of a service than its database does.

    What the stream holds must have been asked first: a service at work goes on copying.
    """
    if copied > head:
        raise Halted(
            f"the stream holds {copied} events of {service}, the database only {head}: it is new, or an older copy. "
            f"`daybook log restore {service} --set-aside` makes another from the stream"
        )


async def begin(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    info: StreamInfo,
    reach: Reach,
    *,
    whole: bool,
    snapshots: Path | None,
) -> Begun:
    """Go on from an interrupted rebuild, else from the newest snapshot, if they are still good; else make all anew.

    Raises `Refusal` if the snapshot is damaged.
    """
    made_by = fingerprint(blueprint)
    good = partial(_is_good, blueprint, engine, client, info, reach)
    async with engine.connect() as connection:
        kept = await read_kept(connection)
    if kept and kept.made_by == made_by and (kept.whole or not whole) and await good(kept.place, kept.without):
        return Begun("interrupted", kept, passed_until(blueprint, kept.place))
    kept = await _prepare(blueprint, engine, made_by, info, reach)
    snapshot = None if whole or snapshots is None else newest(blueprint, snapshots)
    if snapshot and snapshots and await good(snapshot.place, snapshot.without):
        keys = await load(engine, snapshot, snapshots, schema=BESIDE)
        kept = replace(kept, place=snapshot.place, without=snapshot.without, keys=keys, whole=False)
        begun = Begun("snapshot", kept, passed_until(blueprint, kept.place), snapshot.taken_at)
    else:
        begun = Begun("nothing", kept, 0)
    async with engine.begin() as connection:
        await keep(connection, kept)
    return begun


async def _prepare(blueprint: Blueprint, engine: AsyncEngine, made_by: str, info: StreamInfo, reach: Reach) -> Kept:
    """The tables, empty, and where they are. That is written down when the snapshot is loaded, if there is one."""
    async with engine.begin() as connection:
        put_off = await make(connection, blueprint)
        await connection.execute(
            text(f"CREATE TABLE {BESIDE}.place (only_one boolean PRIMARY KEY, kept text NOT NULL)")
        )
        await connection.execute(text(f"INSERT INTO {BESIDE}.place VALUES (true, '')"))
    place = Place(stream_created=str(info.created), sequence=0, event_id="", positions={}, own_id="")
    return Kept(place=place, made_by=made_by, without=sorted(reach.without), keys={}, put_off=put_off, whole=True)


async def keep(connection: AsyncConnection, kept: Kept) -> None:
    """Write down how far it came, in the transaction that brought it there."""
    await connection.execute(
        text(f"UPDATE {BESIDE}.place SET kept = :kept"), {"kept": msgspec.json.encode(kept).decode()}
    )


async def read_kept(connection: AsyncConnection) -> Kept | None:
    """What an interrupted rebuild has left, if this version can read it."""
    if await connection.scalar(text(f"SELECT to_regclass('{BESIDE}.place') IS NULL")):
        return None
    try:
        found = await connection.scalar(text(f"SELECT kept FROM {BESIDE}.place"))
        return msgspec.json.decode(found or "", type=Kept)
    except msgspec.DecodeError:
        return None


async def _is_good(
    blueprint: Blueprint,
    engine: AsyncEngine,
    client: Client,
    info: StreamInfo,
    reach: Reach,
    place: Place,
    without: Sequence[str],
) -> bool:
    """Whether the tables of then are on the way to those of now: of the same log, and nothing in them that is not in
    the live ones, as there would be in a database brought back from an older copy."""
    live = reach.positions(blueprint.name)
    return (
        place.stream_created == str(info.created)
        and place.sequence <= reach.checkpoint.sequence
        and all(position <= live.get(service, 0) for service, position in place.positions.items())
        and reach.without.issuperset(without)
        and await _stands_in_the_stream(client, place)
        and await _stands_in_its_own(blueprint, engine, place)
    )


async def _stands_in_the_stream(client: Client, place: Place) -> bool:
    """Whether the event that was read last is where it was."""
    if place.sequence == 0:
        return True
    found = await message_at(client, place.sequence)
    return found is not None and envelope_of(found.data or b"").id == place.event_id


async def _stands_in_its_own(blueprint: Blueprint, engine: AsyncEngine, place: Place) -> bool:
    """The same of the service's own event that was folded last, in its database."""
    position = place.reached(blueprint.name)
    if position == 0:
        return True
    async with engine.connect() as connection:
        return place.own_id in [event.id for event in await read_after(connection, position - 1, 1)]
