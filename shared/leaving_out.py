"""What a rebuild leaves out, because it waits or was skipped; and at what else cannot be folded it fails, by name."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database import parked
from shared.events.envelope import Recorded, decode
from shared.events.parking import EventParked, EventRetried
from shared.poison import is_poison, reason_of
from shared.reading import reading
from shared.refusals import Conflict, Refusal
from shared.rows import apply
from shared.service import Blueprint
from shared.stream import last_of
from shared.wire import Client


class Unfoldable(Refusal):
    """A rebuild has come to an event that the tables refuse, or the fold does."""


async def left_out(connection: AsyncConnection) -> frozenset[str]:
    """The events that this service's tables are without: those that wait, and those that were skipped."""
    return frozenset((await connection.execute(select(parked.c.event))).scalars())


async def still_left_out(connection: AsyncConnection, before: Collection[str]) -> frozenset[str]:
    """Those of now. Raises `Conflict` if one of those before has been folded since: it would be missing."""
    now = await left_out(connection)
    if not now.issuperset(before):
        raise Conflict("meanwhile an event that waited was retried: begin again", code="retried-meanwhile")
    return now


async def left_out_in_stream(client: Client, service: str) -> frozenset[str]:
    """The same of a service whose database has gone, as its own events tell."""
    waiting: set[str] = set()
    subjects = [f"daybook.{service}.*.event-{word}" for word in ("parked", "retried")]
    newest = [last.seq or 0 for subject in subjects if (last := await last_of(client, subject))]
    if newest:
        async with reading(client, 1, until=max(newest), subjects=subjects) as batches:
            async for batch in batches:
                for stored in batch:
                    match decode(stored.body).event:
                        case EventParked(event=event):
                            waiting.add(event)
                        case EventRetried(event=event):
                            waiting.discard(event)
                        case _:
                            pass
    return frozenset(waiting)


async def _as_it_is(connection: AsyncConnection) -> None:
    """The tables are where they always are."""


@asynccontextmanager
async def loudly(
    blueprint: Blueprint,
    engine: AsyncEngine,
    batch: Sequence[Recorded],
    limits: Mapping[str, int],
    without: Collection[str],
    look: Callable[[AsyncConnection], Awaitable[None]] = _as_it_is,
) -> AsyncIterator[None]:
    """If these events cannot be folded in this block, raises `Unfoldable`, which says which of them, and why.

    `look` makes a connection see the tables that are being made.
    """
    try:
        yield
    except Exception as fault:
        if is_poison(fault):
            async with engine.connect() as connection:
                # The first statement begins a transaction, which nobody commits.
                await connection.scalar(select(literal(True)))
                await look(connection)
                await _name(blueprint, connection, batch, limits, without)
        raise


async def _name(
    blueprint: Blueprint,
    connection: AsyncConnection,
    batch: Sequence[Recorded],
    limits: Mapping[str, int],
    without: Collection[str],
) -> None:
    for recorded in batch:
        own = {blueprint.name: recorded.position}
        try:
            await apply(connection, blueprint.changes([recorded], {**limits, **own}, without))
        except Exception as fault:
            if not is_poison(fault):
                raise
            raise Unfoldable(
                f"event {recorded.id} ({recorded.service} {recorded.position}, {recorded.type}) cannot be folded: "
                f"{reason_of(fault)}. It is nobody's to leave out unless it was skipped: install the version that "
                "folded it, or mend the fold",
                code="unfoldable",
            ) from None
