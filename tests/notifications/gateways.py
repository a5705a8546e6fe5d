"""A provider within this process that does as it is told, and remembers what it took."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.notifications.commands import ReceiptStatus
from services.notifications.gateways import Absent, Deferred, Finding, Found, Lost, Outcome, Provider, Taken, Trace
from services.notifications.wording import Text

UNREACHABLE = Deferred("unreachable", "The provider cannot be reached", 0.01)


async def take(text: Text, reference: str) -> Outcome:
    """All is well."""
    return Taken(f"id of {reference}")


def always(outcome: Outcome) -> Callable[[Text, str], Awaitable[Outcome]]:
    """The same answer to everybody."""

    async def answer(text: Text, reference: str) -> Outcome:
        return outcome

    return answer


@dataclass
class Pretended:
    """`heard` are the telephones it was asked to text, in order; `has` what it took, by reference."""

    provider: Provider = "notify"
    answer: Callable[[Text, str], Awaitable[Outcome]] = take
    says: ReceiptStatus | None = None
    """What it says of every message when asked."""
    heard: list[str] = field(default_factory=list)
    has: dict[str, str] = field(default_factory=dict)
    looks: Counter[str] = field(default_factory=Counter)
    asked: list[str] = field(default_factory=list)

    async def send(self, text: Text, reference: str) -> Outcome:
        self.heard.append(text.to)
        outcome = await self.answer(text, reference)
        if isinstance(outcome, Taken):
            assert reference not in self.has
            self.has[reference] = outcome.provider_id
        return outcome

    async def look_up(self, trace: Trace) -> Finding:
        self.looks[trace.reference] += 1
        found = self.has.get(trace.reference)
        return Found(found, None) if found else Absent()

    async def ask(self, provider_id: str) -> Finding:
        self.asked.append(provider_id)
        return Found(provider_id, self.says)


async def take_and_lose(provider: Pretended, reference: str) -> Outcome:
    """The provider has it, and nobody hears of that."""
    provider.has[reference] = f"id of {reference}"
    return Lost()
