"""Which stream a log was copied to, and how far: so that a stream that was lost, made again or cut off is noticed.

The database is whole then, and appends go on. But nothing is copied into a stream that is not its own: each service
would begin again from its first event, in any order. `daybook log republish` makes the stream again from all databases.
"""

from typing import NamedTuple

from nats.js.errors import NotFoundError

from shared.database import Driver
from shared.events.envelope import UnreadableEvent, envelope_of
from shared.stream import STREAM, message_at
from shared.wire import Client


class Lost(Exception):
    """The stream is not the one this log was copied to, or has lost its end. The text says what to do."""


class Mark(NamedTuple):
    """When the stream was made that this log was copied to (empty: none yet), and at least how far."""

    stream_created: str
    position: int


async def read_mark(connection: Driver) -> Mark:
    """What this database knows of it."""
    row = await connection.fetchrow("SELECT stream_created, position FROM relayed")
    if row is None:
        raise RuntimeError("the log has no mark: this database was never migrated")
    return Mark(row["stream_created"], row["position"])


async def save_mark(connection: Driver, mark: Mark) -> None:
    """Remember it."""
    await connection.execute("UPDATE relayed SET stream_created = $1, position = $2", *mark)


async def require_followed(service: str, client: Client, connection: Driver) -> None:
    """Raises `Lost` unless the event that the service followed last stands where it stood."""
    sequence, event_id = await connection.fetchrow("SELECT sequence, event_id FROM checkpoint") or (0, "")
    found = await message_at(client, sequence) if sequence else None
    if sequence and (found is None or _id_of(found.data or b"") != event_id):
        raise Lost(
            f"the stream {STREAM} is not what {service} had followed up to sequence {sequence}: it was cut off, or "
            "restored from an older copy, or altered. Nothing is added to it: run `daybook log republish`"
        )


def _id_of(body: bytes) -> str:
    try:
        return envelope_of(body).id
    except UnreadableEvent:
        return ""


async def created_of(client: Client) -> str:
    """When the stream was made; empty if there is none."""
    try:
        return str((await client.jetstream().stream_info(STREAM)).created)
    except NotFoundError:
        return ""


def require_own_stream(service: str, mark: Mark, created: str, position: int) -> None:
    """Raises `Lost` unless this is the stream of the mark, and `position`, our newest event in it, no lower."""
    if not mark.stream_created:
        return
    if mark.stream_created != created:
        found = "has been made again" if created else "is gone"
        raise Lost(
            f"the stream {STREAM} that {service} copied its log to {found}. The database is whole and goes on alone, "
            "but nothing is copied and nothing followed: run `daybook log republish`"
        )
    if position < mark.position:
        raise Lost(
            f"the stream {STREAM} ends at event {position} of {service}, but {mark.position} had been copied: it was "
            "cut off, or restored from an older copy. Nothing is added to it: run `daybook log republish`"
        )
