"""The worklist of events that a service could not fold: looked at, tried again, and left out for good."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from asyncpg.exceptions import LockNotAvailableError
from sqlalchemy import ColumnElement, and_, func, select, text, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import events, parked
from shared.events.envelope import Recorded, decode, positions_to_text
from shared.execute import Order
from shared.log import Head, lock_head
from shared.parking import RetryEvent, SkipEvent
from shared.poison import attempt, reason_of
from shared.reading import reading
from shared.refusals import Conflict, NotFound, Unavailable
from shared.service import Running
from shared.stream import last_of, message_at
from shared.taking import Taken
from shared.wire import Client

_LOCK_WITHIN = 5.0
"""Seconds. The connection that waits is one that bookings need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """An event that could not be folded. `skipped_by` is who left it out for good; else it waits."""

    event: str
    source: str
    stream: str
    position: int
    sequence: int
    subject: str
    reason: str
    parked_at: datetime
    skipped_by: str = ""
    skipped_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What a retry or a skip came to: the events that were folded, and the one that waits still, if any."""

    skipped: str = ""
    folded: tuple[str, ...]
    waits: str = ""


async def read_parked(connection: AsyncConnection) -> Sequence[Parked]:
    """All that are parked, stream by stream, and those that were skipped."""
    return await _read(connection, true())


async def count_waiting(connection: AsyncConnection) -> int:
    """How many wait."""
    return await connection.scalar(select(func.count()).where(parked.c.skipped_by == "")) or 0


async def retry(service: Running, event: str, by: str) -> Released:
    """Fold the event, and those that wait behind it, and react to them. Raises `Conflict` if it cannot be done yet."""
    waiting = await _waiting_from(service, event)
    return await _release(service, [await _stored(service, each) for each in waiting], by, skip=None)


async def skip(service: Running, event: str, by: str, reason: str) -> Released:
    """Leave the event out for good, and fold those that wait behind it, as far as that can be done."""
    waiting = await _waiting_from(service, event)
    command = SkipEvent(service.blueprint.name, event, by, reason)
    return await _release(service, [await _stored(service, each) for each in waiting], by, skip=command)


async def _release(service: Running, waiting: Sequence[Recorded], by: str, *, skip: SkipEvent | None) -> Released:
    service.relay.check()
    release = _Release(service, by)
    async with service.engine.begin() as connection:
        release.head = await _locked(connection)
        if [each.event for each in await _waiting(connection, waiting[0].id)] != [each.id for each in waiting]:
            raise Conflict("Meanwhile more events have come to wait: look again", code="changed-meanwhile")
        if skip is not None:
            release.went_well(await service.follow.taking.take(connection, release.head, (), {}, [Order(skip)]))
        waits = await release.fold(connection, waiting[1:] if skip else waiting)
        if waits and not release.done:
            raise Conflict(f"It cannot be folded yet: {waits[1]}", code="not-folded", where="event")
    for taken in release.done:
        taken.remember()
    await service.relay.reached(release.head.position, service.settings.relay_wait)
    skipped = skip.event if skip else ""
    return Released(skipped=skipped, folded=tuple(release.folded), waits=waits[0] if waits else "")


async def _locked(connection: AsyncConnection) -> Head:
    """The appending lock. Raises `Unavailable` rather than wait for ever."""
    await connection.execute(text(f"SET LOCAL lock_timeout = {round(_LOCK_WITHIN * 1000)}"))
    try:
        return await lock_head(connection)
    except DBAPIError as fault:
        if getattr(fault.orig, "sqlstate", None) != LockNotAvailableError.sqlstate:
            raise
        raise Unavailable("The log is being written to all the time; try again in a moment", code="log-busy") from None


@dataclass(slots=True)
class _Release:
    """What one transaction has let go so far, and the head of the log after that."""

    service: Running
    by: str
    head: Head = field(default_factory=lambda: Head(0, {}))
    done: list[Taken] = field(default_factory=list)
    folded: list[str] = field(default_factory=list)

    async def fold(self, connection: AsyncConnection, waiting: Sequence[Recorded]) -> tuple[str, str] | None:
        """Each in turn, up to the first that cannot be folded: that one, and why."""
        taking, followed = self.service.follow.taking, positions_to_text(self.head.followed)
        for recorded in waiting:
            order = Order(RetryEvent(self.service.blueprint.name, recorded.id, self.by))
            outcome = await attempt(connection, taking, self.head, [recorded], {recorded.id: followed}, [order])
            if not isinstance(outcome, Taken):
                return recorded.id, reason_of(outcome)
            self.folded.append(recorded.id)
            self.went_well(outcome)
        return None

    def went_well(self, taken: Taken) -> None:
        self.head = Head(self.head.position + len(taken.recorded), self.head.followed)
        self.done.append(taken)


async def _waiting_from(service: Running, event: str) -> Sequence[Parked]:
    """The event and those that wait behind it. Raises `NotFound`, or `Conflict` if another waits before it."""
    async with service.engine.connect() as connection:
        waiting = await _waiting(connection, event)
    if not waiting:
        raise NotFound("No such event waits here", code="not-parked", where="event")
    if waiting[0].event != event:
        raise Conflict(f"Event {waiting[0].event} of the same stream waits before it", code="not-first", where="event")
    return waiting


async def _waiting(connection: AsyncConnection, event: str) -> Sequence[Parked]:
    """The events of this one's stream that wait, in order."""
    one = parked.alias()
    same = select(one.c.event).where(
        one.c.event == event, one.c.skipped_by == "", one.c.source == parked.c.source, one.c.stream == parked.c.stream
    )
    return await _read(connection, and_(same.exists(), parked.c.skipped_by == ""))


async def _read(connection: AsyncConnection, which: ColumnElement[bool]) -> Sequence[Parked]:
    found = await connection.execute(
        select(parked).where(which).order_by(parked.c.source, parked.c.stream, parked.c.position)
    )
    return [Parked(**row) for row in found.mappings()]


async def _stored(service: Running, waiting: Parked) -> Recorded:
    """The event as it stands in the log. Raises `Unavailable` if the stream cannot be asked."""
    if waiting.source == service.blueprint.name:
        async with service.engine.connect() as connection:
            return decode(
                (await connection.execute(select(events.c.body).where(events.c.id == waiting.event))).scalar_one()
            )
    client = await service.broker.client()
    message = await message_at(client, waiting.sequence)
    if message is not None and message.subject == waiting.subject:
        found = decode(message.data or b"")
        if found.id == waiting.event:
            return found
    return await _searched(client, waiting)


async def _searched(client: Client, waiting: Parked) -> Recorded:
    """A stream that was made again may hold it elsewhere."""
    last = await last_of(client, waiting.subject)
    if last is not None:
        async with reading(client, 1, until=last.seq, subjects=[waiting.subject]) as batches:
            async for batch in batches:
                for recorded in (decode(stored.body) for stored in batch):
                    if recorded.id == waiting.event:
                        return recorded
    raise Unavailable("The stream does not hold this event; `daybook log verify` says more", code="not-in-stream")
