"""The log's second copy: the JetStream stream DAYBOOK, and DAYBOOK_KEYS beside it."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import nats
import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from shared.ids import new_id
from shared.refusals import Refusal, Unavailable

STREAM = "DAYBOOK"
KEYS_STREAM = "DAYBOOK_KEYS"
OLDEST_SERVER = (2, 14, 4)
"""Atomic batches came with 2.12; the fault that refused batches with several guards was mended in 2.14.4."""

PULL = 2000
"""Messages asked for at a time; asked for again when half have come, so that the next are always on their way."""

_SECOND = 1_000_000_000
_HEARTBEAT = "100"

_log = structlog.get_logger(__name__)


class PublishRefused(Exception):
    """JetStream answered, and the answer was no. `code` is its error code (10071: another event came first)."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: a subject, an id that JetStream deduplicates by, and the bytes.

    `first`: nothing is stored if the subject has a message already.
    """

    subject: str
    id: str
    body: bytes
    first: bool = False

    @property
    def headers(self) -> dict[str, str]:
        guard = {"Nats-Expected-Last-Subject-Sequence": "0"} if self.first else {}
        return {"Nats-Msg-Id": self.id, **guard}


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in its place in a stream; `pending` more were waiting behind it."""

    sequence: int
    pending: int
    subject: str
    body: bytes


async def connect(url: str, name: str) -> Client:
    """A connection that never gives up reconnecting, and never buffers: what cannot be sent now fails now.

    Buffered writes would land after their sender has given up on them. Waits until the broker is there.
    """

    async def on_error(error: Exception) -> None:
        _log.debug("broker", error=type(error).__name__)

    return await nats.connect(
        [server.strip() for server in url.split(",")],
        name=f"daybook {name}",
        inbox_prefix=f"_INBOX_{name}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        connect_timeout=2,
        ping_interval=2,
        max_outstanding_pings=2,
        pending_size=-1,
        error_cb=on_error,
    )


class Broker:
    """A service's one connection to the broker, there once the broker is."""

    def __init__(self, url: str, service: str) -> None:
        self._url = url
        self._service = service
        self._client: Client | None = None
        self._connected = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether the broker can be reached at this moment."""
        return self._client is not None and self._client.is_connected

    async def run(self) -> None:
        """Connect, however long it takes, and hold the connection until cancelled."""
        self._client = await connect(self._url, self._service)
        require_new_enough(self._client)
        self._connected.set()
        try:
            await asyncio.Event().wait()
        finally:
            await self._client.close()

    async def client(self) -> Client:
        """The connection, as soon as there is one."""
        await self._connected.wait()
        if self._client is None or not self._client.is_connected:
            raise Unavailable("the broker cannot be reached", code="broker-down")
        return self._client

    async def wrapped_keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        """The wrapped data keys of these subjects that the keys stream holds. Raises `Unavailable`."""
        client = await self.client()
        found = await last_by_subjects(client, KEYS_STREAM, {f"daybook-keys.*.{subject}" for subject in subjects})
        return {subject.rpartition(".")[2]: wrapped for subject, wrapped in found.items() if wrapped}


def require_new_enough(client: Client) -> None:
    """Raises `Refusal` if the server is too old to keep Daybook's promises."""
    version = client.connected_server_version
    if (version.major, version.minor, version.patch) < OLDEST_SERVER:
        wanted = ".".join(map(str, OLDEST_SERVER))
        raise Refusal(f"nats-server {version} is too old: Daybook needs {wanted} or newer", code="old-broker")


def stream_configs(replicas: int = 1) -> tuple[StreamConfig, StreamConfig]:
    """How the two streams are made. Events are for ever; a key can be destroyed, so its stream can be purged."""
    kept = StreamConfig(
        name=STREAM,
        subjects=["daybook.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        compression=StoreCompression.S2,
        discard=DiscardPolicy.NEW,
        num_replicas=replicas,
        duplicate_window=120,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
        allow_atomic=True,
    )
    keys = StreamConfig(
        name=KEYS_STREAM,
        subjects=["daybook-keys.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=replicas,
        max_msgs_per_subject=1,
        duplicate_window=120,
        allow_direct=True,
        allow_atomic=True,
    )
    return kept, keys


async def ensure_streams(client: Client, *, replicas: int = 1) -> None:
    """Make the streams that are not there yet, and refuse one whose settings would lose events."""
    jetstream = client.jetstream()
    for config in stream_configs(replicas):
        try:
            found = (await jetstream.stream_info(config.name or "")).config
        except NotFoundError:
            await jetstream.add_stream(config)
            continue
        _refuse_weaker(found, config)


def _refuse_weaker(found: StreamConfig, wanted: StreamConfig) -> None:
    limits = (found.max_msgs or -1, found.max_bytes or -1, found.max_age or -1)
    if wanted.deny_purge and not (found.deny_purge and found.deny_delete and max(limits) <= 0):
        raise Refusal(
            f"the stream {wanted.name} exists with settings that could lose events: it must have no limits, and deny "
            "deletion and purging",
            code="unsafe-stream",
        )
    if not found.allow_atomic:
        raise Refusal(f"the stream {wanted.name} exists but does not allow atomic batches", code="unsafe-stream")


async def publish(client: Client, messages: Sequence[Message], *, guard: str = "", expected: int = 0) -> int:
    """Store the messages in order, all or none, and return the sequence of the last.

    With a `guard` (a subject filter) nothing is stored unless `expected` is the sequence of the newest message the
    filter matches. Raises `PublishRefused` for a definite no; any other error leaves the outcome unknown.
    """
    guards = (
        {"Nats-Expected-Last-Subject-Sequence": str(expected), "Nats-Expected-Last-Subject-Sequence-Subject": guard}
        if guard
        else {}
    )
    if len(messages) == 1:
        return _stored_at(await _send(client, messages[0], guards))
    batch = {"Nats-Batch-Id": new_id()}
    for number, message in enumerate(messages, 1):
        headers = batch | {"Nats-Batch-Sequence": str(number)}
        if number == 1:
            _raise_refusal(await _send(client, message, headers | guards))
        elif number < len(messages):
            await client.publish(message.subject, message.body, headers=headers | message.headers)
    return _stored_at(await _send(client, messages[-1], headers | {"Nats-Batch-Commit": "1"}))


async def _send(client: Client, message: Message, headers: dict[str, str]) -> Msg:
    return await client.request(message.subject, message.body, timeout=10, headers=headers | message.headers)


def _raise_refusal(reply: Msg) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(reply.data) if reply.data else {}
    if error := answer.get("error"):
        raise PublishRefused(error.get("err_code", 0), error.get("description", ""))
    return answer


def _stored_at(reply: Msg) -> int:
    return int(_raise_refusal(reply)["seq"])


async def last_of(client: Client, subject: str, stream: str = STREAM) -> RawStreamMsg | None:
    """The newest message that the subject filter matches, as the stream's leader knows it."""
    try:
        return await client.jetstream().get_last_msg(stream, subject)
    except NotFoundError:
        return None


async def message_at(client: Client, sequence: int) -> RawStreamMsg | None:
    """The message at this sequence of DAYBOOK, if it is there."""
    try:
        return await client.jetstream().get_msg(STREAM, sequence)
    except NotFoundError:
        return None


@asynccontextmanager
async def reading(
    client: Client, start: int, *, until: int | None = None, stream: str = STREAM, subjects: Sequence[str] = ()
) -> AsyncIterator[AsyncIterator[list[Stored]]]:
    """The messages of a stream from sequence `start`, in batches, for ever or up to and including `until`.

    With `subjects` (filters that do not overlap), only those; `until` must then be a sequence that one of them has.

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
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    subscription = await client.subscribe(inbox, cb=arrived.put, pending_msgs_limit=-1, pending_bytes_limit=-1)
    try:
        yield _batches(client, f"{stream}.{info.name}", inbox, arrived, until)
    finally:
        # The server forgets an idle consumer by itself; an error here must not hide why the reading ended.
        with suppress(nats.errors.Error, OSError, asyncio.TimeoutError):
            await subscription.unsubscribe()
            await jetstream.delete_consumer(stream, info.name or "")


async def _batches(
    client: Client, consumer: str, inbox: str, arrived: asyncio.Queue[Msg], until: int | None
) -> AsyncIterator[list[Stored]]:
    owed = 0
    while True:
        if owed <= PULL // 2:
            await _ask(client, consumer, inbox)
            owed += PULL
        batch: list[Stored] = []
        for message in await _next(arrived):
            status = (message.headers or {}).get("Status", "")
            if not status:
                owed -= 1
                batch.append(_stored(message))
            elif status != _HEARTBEAT:
                owed = 0  # a pull has ended, and what it still owed will not come
        last = batch[-1].sequence if batch else 0
        if until is not None and last >= until:
            yield [stored for stored in batch if stored.sequence <= until]
            return
        if batch:
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


async def _ask(client: Client, consumer: str, inbox: str) -> None:
    request = json.dumps({"batch": PULL, "expires": 30 * _SECOND, "idle_heartbeat": _SECOND})
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{consumer}", request.encode(), reply=inbox)


async def _next(arrived: asyncio.Queue[Msg]) -> list[Msg]:
    """All that has arrived, at least one: the broker sends a heartbeat every second if there is nothing else."""
    try:
        async with asyncio.timeout(4):
            messages = [await arrived.get()]
    except TimeoutError:
        raise Unavailable("the broker has fallen silent", code="broker-silent") from None
    while len(messages) < PULL and not arrived.empty():
        messages.append(arrived.get_nowait())
    return messages


def _stored(message: Msg) -> Stored:
    """Its place is in the reply: `$JS.ACK.[domain.account.]stream.consumer.delivered.sequence.….pending`."""
    tokens = message.reply.split(".")
    first = 5 if len(tokens) == 9 else 7
    return Stored(int(tokens[first]), int(tokens[first + 3]), message.subject, message.data)


async def last_by_subjects(client: Client, stream: str, subjects: Collection[str]) -> Mapping[str, bytes]:
    """The newest message of each subject that has one, in requests of up to 1,000 subjects."""
    wanted = sorted(subjects)
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), 1000):
        found |= await _last_by_subjects(client, stream, wanted[start : start + 1000])
    return found


async def _last_by_subjects(client: Client, stream: str, subjects: Sequence[str]) -> dict[str, bytes]:
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    found: dict[str, bytes] = {}
    try:
        request = json.dumps({"multi_last": list(subjects), "batch": len(subjects)})
        await client.publish(f"$JS.API.DIRECT.GET.{stream}", request.encode(), reply=inbox)
        while True:
            message = await subscription.next_msg(timeout=10)
            headers = message.headers or {}
            if "Status" in headers:
                return found  # 204: that was all; 404: there are none
            found[headers["Nats-Subject"]] = message.data
    finally:
        await subscription.unsubscribe()
