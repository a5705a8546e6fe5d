"""Carries the log away into a file: every event as the stream has it, and every patient's key, still wrapped."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO

import msgspec
from msgspec import Raw

from shared.portable import VERSION, End, Event, Header, Key, Writer
from shared.reading import Stored, reading
from shared.rebuilding import Progress, Tally
from shared.refusals import Refusal
from shared.stream import KEYS_STREAM
from shared.walking import info_of, stored_between
from shared.wire import Client


@dataclass(frozen=True, slots=True)
class Carried:
    """What was carried: events `first` to `last` of the stream, and what the file says at its end."""

    first: int
    last: int
    end: End
    seconds: float


async def export_log(
    client: Client, file: IO[bytes], *, first: int = 1, last: int | None = None, tell: Progress
) -> Carried:
    """Write the keys and this range of the stream into the file. Raises `Refusal` if the stream has not all of it."""
    info = await info_of(client)
    reached = info.state.last_seq
    last = reached if last is None else last
    if not 1 <= first <= last + 1 or last > reached:
        raise Refusal(
            f"the stream holds sequences 1 to {reached}, and {first} to {last} is no range of them",
            code="bad-range",
            where="--from, --until",
        )
    writer = Writer(file, Header(version=VERSION, stream_created=str(info.created), first=first, last=last))
    async for keys in _all_keys(client):
        for stored in keys:
            writer.key(Key(subject=stored.subject, wrapped=stored.body))
    tally = Tally(last - first + 1, tell)
    due = first
    async for batch in stored_range(client, first, last):
        for stored in batch:
            if stored.sequence != due:
                raise _hole(due)
            writer.event(Event(sequence=due, subject=stored.subject, body=_raw(stored)))
            due += 1
        tally.add(len(batch))
    if due != last + 1:
        raise _hole(due)
    return Carried(first, last, writer.end(), tally.seconds)


async def stored_range(client: Client, first: int, last: int) -> AsyncIterator[list[Stored]]:
    if first <= last:
        async for batch in stored_between(client, first, last):
            yield batch


async def _all_keys(client: Client) -> AsyncIterator[list[Stored]]:
    if (await info_of(client, KEYS_STREAM)).state.messages:
        async with reading(client, 1, stream=KEYS_STREAM) as batches:
            async for batch in batches:
                yield [stored for stored in batch if stored.body]
                if batch[-1].pending == 0:
                    return


def _raw(stored: Stored) -> Raw:
    """The bytes as they are, if they make a line."""
    try:
        msgspec.json.decode(stored.body)
    except msgspec.MsgspecError:
        raise _broken(stored.sequence) from None
    if b"\n" in stored.body:
        raise _broken(stored.sequence)
    return Raw(stored.body)


def _broken(sequence: int) -> Refusal:
    return Refusal(
        f"what the stream holds at sequence {sequence} is no event: `daybook log verify` says more",
        code="broken-event",
        where=f"sequence {sequence}",
    )


def _hole(sequence: int) -> Refusal:
    return Refusal(
        f"sequence {sequence} of the stream is missing: `daybook log verify` says more",
        code="missing-sequence",
        where=f"sequence {sequence}",
    )
