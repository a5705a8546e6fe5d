"""The telephones: what each was sent, what became of it, and what its owner wrote back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from services.notifications.sandbox.journal import Accepted, Brought, Entry, Journal, Provider, Replied, Settled, Told
from services.notifications.sandbox.opt_out import ANSWERS, keyword


@dataclass(slots=True)
class Message:
    """A message the sandbox took."""

    accepted: Accepted
    settled: Settled | None = None
    told: bool = False


@dataclass(slots=True)
class Reply:
    """A text from a telephone. `answer` is what the provider wrote back by itself, if it did."""

    replied: Replied
    answer: str = ""
    brought: bool = False


@dataclass(slots=True)
class Phone:
    """One telephone number."""

    messages: list[Message] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class Phones:
    """All telephones, as the journal tells of them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.messages: dict[str, Message] = {}
        self.replies: dict[str, Reply] = {}
        self.phones: dict[str, Phone] = {}
        self.opted_out: set[str] = set()
        """The telephones that Twilio's number may not text."""
        self.accepted_on: Counter[tuple[Provider, date]] = Counter()
        """How many messages each provider took on a day in UTC."""
        self._references: dict[str, list[Message]] = {}
        for entry in journal.read():
            self._fold(entry)

    def record(self, entry: Entry) -> None:
        """Keep it, then know it."""
        self._journal.write(entry)
        self._fold(entry)

    def sent_by(self, provider: Provider, phone: str = "") -> Sequence[Message]:
        """What this provider took, to one telephone or to all, the newest first."""
        among = self._phone_at(phone).messages if phone else list(self.messages.values())
        return [message for message in among[::-1] if message.accepted.provider == provider]

    def under(self, reference: str) -> Sequence[Message]:
        """What Notify took under this reference, the newest first. It takes the same one twice."""
        return [m for m in self._references.get(reference, [])[::-1] if m.accepted.provider == "notify"]

    def untold(self) -> Iterator[Message]:
        """Those whose sender has not heard the end of them."""
        return (message for message in self.messages.values() if not message.told and not message.accepted.dropped)

    def not_brought(self) -> Iterator[Reply]:
        """The replies that nobody has taken in yet."""
        return (reply for reply in self.replies.values() if not reply.brought)

    def _fold(self, entry: Entry) -> None:
        match entry:
            case Accepted(id=id, reference=reference):
                message = Message(entry)
                self.messages[id] = message
                self.phones.setdefault(entry.phone, Phone()).messages.append(message)
                self.accepted_on[entry.provider, entry.at.date()] += 1
                self._references.setdefault(reference, []).append(message)
            case Settled(id=id):
                self.messages[id].settled = entry
            case Told(id=id):
                self.messages[id].told = True
            case Replied(id=id, phone=phone):
                self.replies[id] = Reply(entry, self._obey(entry))
                self.phones.setdefault(phone, Phone()).replies.append(self.replies[id])
            case Brought(id=id):
                self.replies[id].brought = True

    def _obey(self, replied: Replied) -> str:
        """Do what the keyword says, if it is one and Twilio's to obey, and answer it."""
        word = keyword(replied.text) if replied.provider == "twilio" else None
        match word:
            case "STOP":
                self.opted_out.add(replied.phone)
            case "START" if replied.phone in self.opted_out:
                self.opted_out.discard(replied.phone)
            case "START" | None:
                return ""
            case "HELP":
                pass
        return ANSWERS[word]

    def _phone_at(self, number: str) -> Phone:
        return self.phones.get(number) or Phone()
