"""Brings a carried log back into a stream that is empty, or that holds the beginning of the same log."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.carry import stored_range
from shared.events.envelope import UnreadableEvent, envelope_of
from shared.key_copies import key_message, publish_keys
from shared.portable import End, Event, Header, Key
from shared.portable_reading import Reader
from shared.reading import Stored
from shared.rebuilding import Progress, Tally
from shared.refusals import Conflict, Refusal
from shared.republish import EVERYTHING
from shared.stream import Message, PublishRefused, publish
from shared.walking import info_of
from shared.wire import Client


@dataclass(frozen=True, slots=True)
class Imported:
    """What the file holds, and how many of its events were new to the stream."""

    header: Header
    end: End
    added: int
    seconds: float


async def import_log(client: Client, path: Path, *, tell: Progress) -> Imported:
    """Publish what the file holds and the stream does not. The caller has made the streams.

    Raises `Refusal` if the file is not whole or the stream holds something else. Each block is checked before it is
    published, and the whole file before the first of them.
    """
    header, end = check_file(path)
    info = await info_of(client)
    stored = info.state.last_seq
    if stored < header.first - 1:
        raise Conflict(
            f"the file begins at sequence {header.first}, and the stream ends at {stored}: import what comes before it "
            "first",
            code="not-adjoining",
            where=str(path),
        )
    work = _Import(client, _Held(client, header.first, min(stored, header.last)), stored, Tally(end.events, tell))
    for block in Reader(path).blocks():
        await work.take([line for line in block if isinstance(line, Key)])
        await work.add([line for line in block if isinstance(line, Event)])
    return Imported(header, end, work.stored - stored, work.tally.seconds)


def check_file(path: Path) -> tuple[Header, End]:
    """What a whole file says of itself. Raises `Refusal` if it is not whole."""
    reader = Reader(path)
    header = reader.header()
    for block in reader.blocks():
        for event in block:
            if isinstance(event, Event):
                _message(event)
    if reader.end is None or reader.due != header.last + 1:
        raise Refusal(
            f"{path} says it holds events up to {header.last}, and ends before {reader.due}",
            code="file-altered",
            where=str(path),
        )
    return header, reader.end


class _Held:
    """What the stream holds already of a range, event by event."""

    def __init__(self, client: Client, first: int, last: int) -> None:
        self._batches = stored_range(client, first, last)
        self._batch: list[Stored] = []

    async def next(self) -> Stored | None:
        if not self._batch:
            self._batch = list(reversed(await anext(self._batches, [])))
        return self._batch.pop() if self._batch else None


@dataclass(slots=True)
class _Import:
    client: Client
    held: _Held
    stored: int
    tally: Tally

    async def take(self, keys: Sequence[Key]) -> None:
        await publish_keys(self.client, [key_message(key.subject, key.wrapped) for key in keys])

    async def add(self, events: Sequence[Event]) -> None:
        """Those that the stream holds are compared, the others published."""
        fresh: list[Message] = []
        for event in events:
            body = bytes(event.body)
            if event.sequence <= self.stored:
                held = await self.held.next()
                if held is None or (held.sequence, held.subject, held.body) != (event.sequence, event.subject, body):
                    raise Conflict(
                        f"the stream is not empty, and at sequence {event.sequence} it is not what the file holds: "
                        "nothing more was imported. Import into an empty stream",
                        code="other-stream",
                        where=f"sequence {event.sequence}",
                    )
            else:
                fresh.append(_message(event))
        if fresh:
            await self._publish(fresh)
        self.tally.add(len(events))

    async def _publish(self, messages: Sequence[Message]) -> None:
        try:
            await publish(self.client, messages, guard=EVERYTHING, expected=self.stored)
        except PublishRefused as refused:
            raise Conflict(
                f"the stream did not take the events after sequence {self.stored}, because somebody else writes to it "
                f"({refused}): stop the services, and import again",
                code="stream-in-use",
            ) from None
        self.stored += len(messages)


def _message(event: Event) -> Message:
    """The event as it was published. Raises `Refusal` if it is none that this version knows."""
    body = bytes(event.body)
    try:
        envelope = envelope_of(body)
    except UnreadableEvent as unreadable:
        raise _not_ours(event.sequence, str(unreadable)) from None
    if event.subject != f"daybook.{envelope.service}.{envelope.practice}.{envelope.type.split('.')[3]}":
        raise _not_ours(event.sequence, f"it is not what its subject {event.subject} says")
    return Message(event.subject, envelope.id, body)


def _not_ours(sequence: int, why: str) -> Refusal:
    return Refusal(
        f"event {sequence} of the file cannot be imported: {why}", code="unknown-event", where=f"sequence {sequence}"
    )
