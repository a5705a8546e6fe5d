"""Puts patients' keys into the keys stream, never one over another."""

from collections.abc import Sequence

from shared.refusals import Conflict
from shared.relay import Halted, copy_key
from shared.stream import Message, PublishRefused, publish
from shared.wire import Client


def key_message(subject: str, wrapped: bytes) -> Message:
    """A key on its subject (`daybook-keys.<service>.<patient>`), which takes no second one."""
    return Message(subject, subject.rpartition(".")[2], wrapped, first=True)


async def publish_keys(client: Client, messages: Sequence[Message]) -> None:
    """All at once; if some are there already, one by one. Raises `Conflict` if there is another for one of them."""
    if not messages:
        return
    try:
        await publish(client, messages)
    except PublishRefused:
        await _one_by_one(client, messages)


async def _one_by_one(client: Client, messages: Sequence[Message]) -> None:
    for message in messages:
        try:
            await copy_key(client, message)
        except Halted as halted:
            raise Conflict(str(halted), code="other-keys", where=message.subject) from None
