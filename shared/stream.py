"""The log's second copy: the JetStream stream DAYBOOK, and DAYBOOK_KEYS beside it."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from nats.aio.msg import Msg
from nats.js.api import (
    DiscardPolicy,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from shared.ids import new_id
from shared.refusals import Refusal
from shared.wire import Client, Outgoing

STREAM = "DAYBOOK"
KEYS_STREAM = "DAYBOOK_KEYS"


class PublishRefused(Exception):
    """JetStream answered, and the answer was no. `code` is its error code (10071: another event came first)."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


class Message(NamedTuple):
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
    first, *others, last = messages
    batch = new_id()
    _raise_refusal(await _send(client, first, _place(batch, 1) | guards))
    await client.publish_all([_outgoing(message, _place(batch, at)) for at, message in enumerate(others, 2)])
    return _stored_at(await _send(client, last, _place(batch, len(messages)) | {"Nats-Batch-Commit": "1"}))


def _place(batch: str, at: int) -> dict[str, str]:
    return {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(at)}


def _outgoing(message: Message, headers: dict[str, str]) -> Outgoing:
    lines = [f"{name}: {value}\r\n" for name, value in (headers | message.headers).items()]
    return Outgoing(message.subject, "".join(lines), message.body)


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
