"""Puts patients' keys into the keys stream, never one over another."""

from collections.abc import Sequence

from shared.reading import last_by_subjects
from shared.refusals import Conflict
from shared.relay import Halted, copy_key
from shared.stream import KEYS_STREAM, Message, PublishRefused, publish
from shared.wire import Client


def key_message(subject: str, wrapped: bytes) -> Message:
    """A key on its subject (`daybook-keys.<service>.<patient>`), which takes no second one."""
    return Message(subject, subject.rpartition(".")[2], wrapped, first=True)


async def publish_keys(client: Client, messages: Sequence[Message]) -> None:
    """All at once; if some are there already, the others. Raises `Conflict` if there is another for one of them."""
    if not messages:
        return
    try:
        await publish(client, messages)
    except PublishRefused:
        await _publish_missing(client, messages)


async def _publish_missing(client: Client, messages: Sequence[Message]) -> None:
    there = await last_by_subjects(client, KEYS_STREAM, [message.subject for message in messages])
    await _one_by_one(client, [each for each in messages if there.get(each.subject, each.body) != each.body])
    missing = [message for message in messages if message.subject not in there]
    try:
        if missing:
            await publish(client, missing)
    except PublishRefused:
        # Somebody else copies the same keys, or the answer came from a replica that lags behind.
        await _one_by_one(client, missing)


async def _one_by_one(client: Client, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await copy_key(client, message)
        except Halted as halted:
            raise Conflict(str(halted), code="other-keys", where=message.subject) from None
