"""What a provider brings to whoever sent the messages: a POST for each receipt and each text from a patient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.notifications.sandbox.journal import Settled
from services.notifications.sandbox.phones import Message, Reply


@dataclass(frozen=True, slots=True)
class Callback:
    """One POST."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Dialect(Protocol):
    """How one provider writes its callbacks."""

    def receipts(self, message: Message) -> Sequence[Callback]:
        """Those of a message that has come to its end, in the order in which things happened."""
        ...

    def reordered(self, message: Message) -> Sequence[Callback]:
        """The same with the end first."""
        ...

    def inbound(self, reply: Reply, id: str) -> Callback:
        """The text, under this id."""
        ...


def end_of(message: Message) -> Settled:
    """How it ended. There is no receipt before the end."""
    if message.settled is None:
        raise ValueError("there is no receipt before the end")
    return message.settled
