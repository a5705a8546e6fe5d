"""The telephones: what each was sent, what became of it, and what its owner wrote back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from services.notifications.sandbox.journal import Accepted, Brought, Entry, Journal, Replied, Settled, Told


@dataclass(slots=True)
class Message:
    """A message the sandbox took."""

    accepted: Accepted
    settled: Settled | None = None
    told: bool = False

    @property
    def status(self) -> str:
        """In Notify's words."""
        return self.settled.status if self.settled else "sending"


@dataclass(slots=True)
class Reply:
    """A text from a telephone."""

    replied: Replied
    brought: bool = False


@dataclass(slots=True)
class Phone:
    """One telephone number."""

    messages: list[Message] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figures:
    """`duplicated`: messages of which more than one attempt was accepted."""

    accepted: int
    distinct_references: int
    duplicated: int
    delivered: int
    replies: int


class Phones:
    """All telephones, as the journal tells of them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.messages: dict[str, Message] = {}
        self.replies: dict[str, Reply] = {}
        self.phones: dict[str, Phone] = {}
        self._references: dict[str, list[Message]] = {}
        for entry in journal.read():
            self._fold(entry)

    def record(self, entry: Entry) -> None:
        """Keep it, then know it."""
        self._journal.write(entry)
        self._fold(entry)

    def under(self, reference: str) -> Sequence[Message]:
        """The messages with this reference, the newest first. Like Notify, it takes the same one twice."""
        return self._references.get(reference, [])[::-1]

    def untold(self) -> Iterator[Message]:
        """Those whose sender has not heard the end of them."""
        return (message for message in self.messages.values() if not message.told and not message.accepted.dropped)

    def not_brought(self) -> Iterator[Reply]:
        """The replies that nobody has taken in yet."""
        return (reply for reply in self.replies.values() if not reply.brought)

    def figures(self) -> Figures:
        """Counted from the messages themselves."""
        attempts: dict[str, int] = {}
        for message in self.messages.values():
            stem = message.accepted.reference.rpartition(".")[0] or message.accepted.reference
            attempts[stem] = attempts.get(stem, 0) + 1
        return Figures(
            accepted=len(self.messages),
            distinct_references=len(self._references),
            duplicated=sum(times > 1 for times in attempts.values()),
            delivered=sum(message.status == "delivered" for message in self.messages.values()),
            replies=len(self.replies),
        )

    def _fold(self, entry: Entry) -> None:
        match entry:
            case Accepted(id=id, phone=phone, reference=reference):
                message = Message(entry)
                self.messages[id] = message
                self._phone(phone).messages.append(message)
                self._references.setdefault(reference, []).append(message)
            case Settled(id=id):
                self.messages[id].settled = entry
            case Told(id=id):
                self.messages[id].told = True
            case Replied(id=id, phone=phone):
                self.replies[id] = Reply(entry)
                self._phone(phone).replies.append(self.replies[id])
            case Brought(id=id):
                self.replies[id].brought = True

    def _phone(self, number: str) -> Phone:
        return self.phones.setdefault(number, Phone())
