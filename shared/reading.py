"""Reads the streams: event after event from any place, or the newest key of each of many patients."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import nats.errors
from msgspec import Struct
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.refusals import Unavailable
from shared.stream import KEYS_STREAM, STREAM, last_of
from shared.wire import Arrived, Client

PULL = 1000
"""Messages asked for at a time, and twice at first: so that the next are on their way while these are dealt with."""

_SECOND = 1_000_000_000
_HEARTBEAT = b"100"


class _Letterbox:
    """Where the messages of a tapped subject lie until they are taken out, all at once."""

    def __init__(self) -> None:
        self._messages: list[Arrived] = []
        self._arrived = asyncio.Event()

    def put(self, message: Arrived) -> None:
        if not self._messages:
            self._arrived.set()
        self._messages.append(message)

    async def empty(self) -> list[Arrived]:
        """All that has arrived; waits for the first."""
        await self._arrived.wait()
        self._arrived.clear()
        messages, self._messages = self._messages, []
        return messages


class Stored(Struct, frozen=True, gc=False):
    """A message in its place in a stream. Most of those who read care for little but the body."""

    message: Arrived
    body: bytes

    @property
    def sequence(self) -> int:
        """Its place; it stands in the reply subject."""
        return int(self._place[0])

    @property
    def pending(self) -> int:
        """So many more were waiting behind it."""
        return int(self._place[3])

    @property
    def subject(self) -> str:
        return self.message.subject.decode()

    @property
    def _place(self) -> list[bytes]:
        """Of `$JS.ACK.[domain.account.]stream.consumer.delivered.sequence.consumed.time.pending`, from sequence on."""
        tokens = self.message.reply.split(b".")
        return tokens[5:] if len(tokens) == 9 else tokens[7:]


@asynccontextmanager
async def reading(
    client: Client, start: int, *, until: int | None = None, stream: str = STREAM, subjects: Sequence[str] = ()
) -> AsyncIterator[AsyncIterator[list[Stored]]]:
    """The messages of a stream from sequence `start`, in batches, for ever or up to and including `until`.

    With `subjects` (filters that do not overlap), only those. If none is there, with `until` there is no batch at all;
    whoever reads on until then stops when none is `pending`.

    A disposable consumer without acknowledgements: where to start is the reader's own business. Raises
    `Unavailable` when the broker has gone or the consumer with it; the reader starts again from where it stands.
    """
    jetstream = client.jetstream()
    info = await jetstream.add_consumer(
        stream,
        ConsumerConfig(
            ack_policy=AckPolicy.NONE,
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=max(start, 1),
            filter_subjects=list(subjects) or None,
            inactive_threshold=60,
            mem_storage=True,
        ),
    )
    inbox = client.new_inbox()
    letterbox = _Letterbox()
    untap = await client.tap(inbox, letterbox.put)
    try:
        nothing = until is not None and not info.num_pending
        yield _none() if nothing else _batches(client, f"{stream}.{info.name}", inbox, letterbox, until)
    finally:
        # The server forgets an idle consumer by itself; an error here must not hide why the reading ended.
        with suppress(nats.errors.Error, OSError, asyncio.TimeoutError):
            await untap()
            await jetstream.delete_consumer(stream, info.name or "")


async def _none() -> AsyncIterator[list[Stored]]:
    return
    yield []


async def _batches(
    client: Client, consumer: str, inbox: str, letterbox: _Letterbox, until: int | None
) -> AsyncIterator[list[Stored]]:
    owed = 0
    while True:
        owed += await _ask(client, consumer, inbox, owed)
        batch: list[Stored] = []
        for message in await _next(letterbox):
            if not message.status:
                owed -= 1
                batch.append(Stored(message, message.body))
            elif message.status != _HEARTBEAT:
                owed -= _unserved(message, owed)
        last = batch[-1].sequence if batch else 0
        if until is not None and last >= until:
            yield [stored for stored in batch if stored.sequence <= until]
            return
        if batch:
            owed += await _ask(client, consumer, inbox, owed)
            yield batch


async def stored_keys(client: Client, service: str) -> AsyncIterator[list[tuple[str, bytes]]]:
    """All wrapped data keys that the service has made, in batches of subject and key."""
    prefix = f"daybook-keys.{service}."
    if await last_of(client, f"{prefix}>", KEYS_STREAM) is None:
        return
    async with reading(client, 1, stream=KEYS_STREAM, subjects=[f"{prefix}>"]) as batches:
        async for batch in batches:
            yield [(stored.subject.removeprefix(prefix), stored.body) for stored in batch if stored.body]
            if batch[-1].pending == 0:
                return


def _unserved(notice: Arrived, owed: int) -> int:
    """What will not come: a pull has ended, with so many messages still owed; all of them, if that is not said."""
    return int(notice.header("Nats-Pending-Messages") or owed)


async def _ask(client: Client, consumer: str, inbox: str, owed: int) -> int:
    """Ask until more than one pull is owed; how many messages were asked for."""
    request = json.dumps({"batch": PULL, "expires": 30 * _SECOND, "idle_heartbeat": _SECOND})
    pulls = range(owed, PULL + 1, PULL)
    for _ in pulls:
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{consumer}", request.encode(), reply=inbox)
    return len(pulls) * PULL


async def _next(letterbox: _Letterbox) -> list[Arrived]:
    """All that has arrived, at least one: the broker sends a heartbeat every second if there is nothing else."""
    try:
        async with asyncio.timeout(4):
            return await letterbox.empty()
    except TimeoutError:
        raise Unavailable("the broker has fallen silent", code="broker-silent") from None


async def last_keys(client: Client, subjects: Collection[str]) -> Mapping[str, bytes]:
    """The wrapped data keys of these subjects, whichever service made them; a destroyed one is absent."""
    wanted = sorted(f"daybook-keys.*.{subject}" for subject in subjects)
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), 1000):
        found |= await last_by_subjects(client, KEYS_STREAM, wanted[start : start + 1000])
    return {subject.rpartition(".")[2]: wrapped for subject, wrapped in found.items() if wrapped}


async def last_by_subjects(client: Client, stream: str, subjects: Sequence[str]) -> dict[str, bytes]:
    """The newest message of each subject that has one; the server answers for up to 1,024 of them at once."""
    inbox = client.new_inbox()
    letterbox = _Letterbox()
    untap = await client.tap(inbox, letterbox.put)
    found: dict[str, bytes] = {}
    try:
        request = json.dumps({"multi_last": list(subjects), "batch": len(subjects)})
        await client.publish(f"$JS.API.DIRECT.GET.{stream}", request.encode(), reply=inbox)
        async with asyncio.timeout(10):
            while True:
                for message in await letterbox.empty():
                    if message.status:  # the end: 204 if that was all, 404 if there are none
                        return found
                    found[message.header("Nats-Subject")] = message.body
    finally:
        await untap()
