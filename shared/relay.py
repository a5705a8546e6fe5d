"""Copies the log to the stream: every event, in order, each command's events together, exactly once.

One relay leads per database (an advisory lock). What it publishes is guarded by the sequence of the service's newest
event in the stream, so a relay that has lost the lead without knowing, or a write that lands late, changes nothing.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
import nats.errors
import structlog

from shared.broker import Broker
from shared.database import FAULTS, FRESH_PLANS, Driver
from shared.events.envelope import decode
from shared.log import CHANNEL
from shared.mark import Lost, Mark, created_of, read_mark, require_followed, require_own_stream, save_mark
from shared.refusals import Unavailable
from shared.stream import KEYS_STREAM, Message, PublishRefused, last_of, publish
from shared.wire import Client

AT_ONCE = 1000
"""The largest atomic batch that JetStream takes."""

LEADER_LOCK = 0x0DA1B00C
RETRY_AFTER = 0.3
POLL_EVERY = 1.0

PASSING = (*FAULTS, TimeoutError, nats.errors.Error, Unavailable)
"""Faults of the network or the engines, which pass; the relay and the follower begin again from what is stored."""

_log = structlog.get_logger(__name__)


class Halted(Exception):
    """The two copies of the log contradict each other; going on would make it worse. The text says what to do."""


class Relay:
    """The relay of one service. `position` is the newest event known to stand in the stream."""

    def __init__(self, *, service: str, database_url: str, broker: Broker) -> None:
        self._service = service
        self._database_url = database_url
        self._broker = broker
        self._moved = asyncio.Event()
        self.agreed = asyncio.Event()
        """Set while the two copies are known to agree."""
        self.looked = asyncio.Event()
        """Set once the copies have been compared, whatever came of it."""
        self.position = 0
        self.halted = ""
        self.lost = ""
        """Why nothing is copied, while the database is whole and may be appended to."""
        self._mark = Mark("", 0)
        self._tended = 0.0

    def check(self) -> None:
        """Raises `Unavailable` if nothing may be appended, because the copies of the log contradict each other."""
        if self.halted:
            raise Unavailable(self.halted, code="log-halted")

    async def reached(self, position: int, within: float) -> bool:
        """Wait until the stream has this event: at most `within` seconds, and not at all while the broker is away."""
        if self.position < position and (self.lost or not self._broker.is_up):
            return False
        try:
            async with asyncio.timeout(within):
                while self.position < position:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Relay until cancelled, through every outage of either engine."""
        while True:
            try:
                await self._session()
            except Halted as halted:
                if not self.halted:
                    _log.error("relay halted", service=self._service, reason=str(halted))
                self.halted = str(halted)
                self.looked.set()
            except Lost as lost:
                if not self.lost:
                    _log.error("relay has lost its stream", service=self._service, reason=str(lost))
                # The database is whole, so what it was halted for is over.
                self.lost, self.halted = str(lost), ""
                self.looked.set()
            except PublishRefused as refused:
                _log.info("relay looks again", service=self._service, reason=str(refused))
            except PASSING as fault:
                _log.info("relay waits", service=self._service, fault=type(fault).__name__)
            except Exception:
                # Not a fault we know; but a relay that has died looks like a broker that is slow, for ever.
                _log.exception("relay failed", service=self._service)
            self.agreed.clear()
            await asyncio.sleep(RETRY_AFTER)

    async def _session(self) -> None:
        client = await self._broker.client()
        connection = await asyncpg.connect(self._database_url, server_settings=FRESH_PLANS)
        try:
            await connection.execute("SELECT pg_advisory_lock($1)", LEADER_LOCK)
            awake = asyncio.Event()
            await connection.add_listener(CHANNEL, lambda *_: awake.set())
            sequence = await self._resume(client, connection)
            while True:
                awake.clear()
                copied = await self._copy_keys(client, connection)
                sent = await self._copy_events(client, connection, sequence)
                sequence = sent or sequence
                await self._tend(client, connection)
                if not sent and not copied:
                    await _wait(awake)
        finally:
            connection.terminate()

    async def _resume(self, client: Client, connection: Driver) -> int:
        """Find out which of our events stands last in the stream, and that it is the one we have; its sequence."""
        last = await last_of(client, f"daybook.{self._service}.>")
        position, sequence = 0, 0
        if last is not None:
            recorded = decode(last.data or b"")
            position, sequence = recorded.position, last.seq or 0
            ours = await connection.fetchval("SELECT id FROM events WHERE position = $1", position)
            if ours != recorded.id:
                raise Halted(await self._contradiction(connection, position, missing=ours is None))
        await self._require_own_stream(client, connection, position)
        self._advance(position)
        self.halted = self.lost = ""
        self.agreed.set()
        self.looked.set()
        return sequence

    async def _require_own_stream(self, client: Client, connection: Driver, position: int) -> None:
        """Raises `Lost` if it is not; the first stream that this log is copied to is its own."""
        created, self._mark = await created_of(client), await read_mark(connection)
        require_own_stream(self._service, self._mark, created, position)
        if not created:
            raise Unavailable("there is no stream yet", code="no-stream")
        await require_followed(self._service, client, connection)
        await self._note(connection, Mark(created, position))

    async def _tend(self, client: Client, connection: Driver) -> None:
        """Once a second: whether the stream is still ours, and a note of how far it has been copied."""
        now = asyncio.get_running_loop().time()
        if now - self._tended < POLL_EVERY:
            return
        self._tended = now
        require_own_stream(self._service, self._mark, await created_of(client), self.position)
        await self._note(connection, self._mark._replace(position=self.position))

    async def _note(self, connection: Driver, mark: Mark) -> None:
        if mark != self._mark:
            await save_mark(connection, mark)
            self._mark = mark

    async def _contradiction(self, connection: Driver, position: int, *, missing: bool) -> str:
        service = self._service
        if not missing:
            return (
                f"event {position} of {service} differs between the database and the stream: one of them was restored "
                f"from elsewhere. Stop {service} and find out which copy is right before anything is booked"
            )
        head = await connection.fetchval("SELECT position FROM log_head") or 0
        return (
            f"the stream holds {position} events of {service}, the database only {head}: it is new, or an older "
            f"copy. `daybook log restore {service} --set-aside` makes it again from the stream"
        )

    async def _copy_events(self, client: Client, connection: Driver, after: int) -> int:
        rows = whole_commands(await connection.fetch(_NEXT, self.position, AT_ONCE))
        if not rows:
            return 0
        messages = [Message(subject_of(self._service, row), row["id"], row["body"]) for row in rows]
        sequence = await publish(client, messages, guard=f"daybook.{self._service}.>", expected=after)
        self._advance(rows[-1]["position"])
        return sequence

    async def _copy_keys(self, client: Client, connection: Driver) -> bool:
        """Keys go first, so that whoever reads an event finds the key to it."""
        rows = await connection.fetch("SELECT subject, wrapped FROM data_keys WHERE copied IS FALSE LIMIT $1", AT_ONCE)
        if not rows:
            return False
        messages = [
            Message(f"daybook-keys.{self._service}.{row['subject']}", row["subject"], row["wrapped"], first=True)
            for row in rows
        ]
        try:
            await publish(client, messages)
        except PublishRefused:
            for message in messages:
                await copy_key(client, message)
        await connection.execute(
            "UPDATE data_keys SET copied = true WHERE subject = ANY($1)", [row["subject"] for row in rows]
        )
        return True

    def _advance(self, position: int) -> None:
        self.position = position
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()


async def copy_key(client: Client, message: Message) -> None:
    """One key, which may be there already from a session that ended before it could say so; never over another."""
    there = await last_of(client, message.subject, KEYS_STREAM)
    if there is None:
        await publish(client, [message])
    elif there.data != message.body:
        raise Halted(
            "the keys stream holds another key for a patient than the database does: one of them was restored from "
            "elsewhere, and what was sealed with the other cannot be read until both are compared"
        )


def whole_commands(rows: Sequence[asyncpg.Record]) -> Sequence[asyncpg.Record]:
    """As many of the rows as end with the end of a command; all of them if one command fills them all."""
    if len(rows) < AT_ONCE:
        return rows
    ends = [number for number, row in enumerate(rows, 1) if row["position"] == row["command_end"]]
    return rows[: ends[-1]] if ends else rows


def subject_of(service: str, row: asyncpg.Record) -> str:
    """`uk.daybook.booking.appointment-booked.v1` goes to `daybook.booking.<practice>.appointment-booked`."""
    return f"daybook.{service}.{row['practice']}.{row['type'].split('.')[3]}"


async def _wait(awake: asyncio.Event) -> None:
    """Until NOTIFY wakes us; the poll is for the notification that got lost with its connection."""
    try:
        async with asyncio.timeout(POLL_EVERY):
            await awake.wait()
    except TimeoutError:
        return


_NEXT = """
    SELECT position, id, type, practice, command_end, body FROM events
    WHERE position > $1 ORDER BY position LIMIT $2
"""
