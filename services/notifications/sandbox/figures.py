"""How much came in, arrived and was answered, in all and by provider, counted from the messages themselves."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.notifications.sandbox.door import Door
from services.notifications.sandbox.journal import PROVIDERS, Provider
from services.notifications.sandbox.phones import Phones


@dataclass(frozen=True, slots=True)
class Tally:
    """`duplicated`: messages of which more than one attempt was accepted. `limited`: requests answered 429."""

    accepted: int
    distinct_references: int
    duplicated: int
    delivered: int
    replies: int
    limited: int


@dataclass(frozen=True, slots=True)
class Figures(Tally):
    """Of both providers together; a message that each of them took once is duplicated, too."""

    opted_out: int
    providers: Mapping[Provider, Tally]


def count(phones: Phones, doors: Mapping[Provider, Door]) -> Figures:
    """The figures as they stand. What was answered 429 is counted since the sandbox started."""
    providers = {provider: _tally(phones, doors, (provider,)) for provider in PROVIDERS}
    both = _tally(phones, doors, PROVIDERS)
    return Figures(
        **{name: getattr(both, name) for name in Tally.__slots__},
        opted_out=len(phones.opted_out),
        providers=providers,
    )


def _tally(phones: Phones, doors: Mapping[Provider, Door], of: Sequence[Provider]) -> Tally:
    messages = [message for message in phones.messages.values() if message.accepted.provider in of]
    references = [reference for message in messages if (reference := message.accepted.reference)]
    return Tally(
        accepted=len(messages),
        distinct_references=len(set(references)),
        duplicated=sum(times > 1 for times in Counter(map(_without_attempt, references)).values()),
        delivered=sum(message.settled is not None and message.settled.status == "delivered" for message in messages),
        replies=sum(reply.replied.provider in of for reply in phones.replies.values()),
        limited=sum(doors[provider].limited for provider in of),
    )


def _without_attempt(reference: str) -> str:
    """What attempts of one message have in common: their reference is `<message>.<attempt>`."""
    return reference.rpartition(".")[0] or reference
