"""What is known of each message and each telephone number: the states the rules look at, folded from events."""

from dataclasses import dataclass, replace

from services.notifications.commands import Subject
from shared.events.notifications import (
    CallRaised,
    Failure,
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
    MessageKind,
    MessagePlanned,
    MessageSilent,
    NotificationsEvent,
    NumberReleased,
    NumberSuppressed,
    OutcomeUnknown,
    PairSuppressed,
    ReplyReceived,
    ReplyResolved,
    ReplyUnmatched,
    SendAttempted,
    SendDeferred,
    UnknownSettled,
)


@dataclass(frozen=True, slots=True)
class Planned:
    """It waits to be sent. `attempt` is how often it has been tried; none of those tries was taken."""

    attempt: int = 0
    unknowns: int = 0


@dataclass(frozen=True, slots=True)
class Attempted:
    """Somebody may be at the gateway with it this moment, or has died there."""

    attempt: int
    provider: str
    unknowns: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been sent or not. Only the provider can tell. So many attempts have come to this."""

    attempt: int
    provider: str
    unknowns: int = 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it and will say what becomes of it."""

    attempt: int
    provider: str


@dataclass(frozen=True, slots=True)
class Silent:
    """The provider has it and has not said for too long what became of it. Any receipt is believed against this."""

    attempt: int
    provider: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not arrive. Only a weightier receipt is believed against this."""

    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Delivered:
    """The telephone has it. Nothing that comes later changes that."""

    attempt: int


Sending = Planned | Attempted | Unknown | Accepted | Silent | Failed | Delivered


@dataclass(frozen=True, slots=True)
class Untouched:
    """Nothing has happened on this stream."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A message, how far it has come, and the replies taken in for it."""

    about: Subject
    kind: MessageKind
    sending: Sending = Planned()
    replies: frozenset[str] = frozenset()
    call_raised: bool = False


@dataclass(frozen=True, slots=True)
class CallInstead:
    """No message was ever planned: a person telephones."""


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number: whether it wants silence, of which patients it is not, and what a person had to read."""

    suppressed: bool = False
    not_of: frozenset[str] = frozenset()
    replies: frozenset[str] = frozenset()
    resolved: frozenset[str] = frozenset()


State = Untouched | Conversation | CallInstead | Number

SendingFact = (
    SendAttempted
    | SendDeferred
    | OutcomeUnknown
    | UnknownSettled
    | MessageAccepted
    | MessageSilent
    | MessageFailed
    | MessageDelivered
)
NumberFact = NumberSuppressed | PairSuppressed | NumberReleased | ReplyUnmatched | ReplyResolved


def message_stream(message: str) -> str:
    return f"message/{message}"


def number_stream(number: str) -> str:
    return f"number/{number}"


def reference_of(message: str, attempt: int) -> str:
    """What the provider knows an attempt by: derived, so that it can be looked up after any crash."""
    return f"{message}.{attempt}"


def evolve(state: State, event: NotificationsEvent) -> State:
    """The state after the event. What happened, happened: nothing is checked here."""
    match event:
        case MessagePlanned():
            return _planned(event)
        case CallRaised():
            return replace(state, call_raised=True) if isinstance(state, Conversation) else CallInstead()
        case ReplyReceived(reply=reply):
            return replace(state, replies=state.replies | {reply}) if isinstance(state, Conversation) else state
        case (
            SendAttempted()
            | SendDeferred()
            | OutcomeUnknown()
            | UnknownSettled()
            | MessageAccepted()
            | MessageSilent()
            | MessageFailed()
            | MessageDelivered()
        ):
            return replace(state, sending=_sent(state.sending, event)) if isinstance(state, Conversation) else state
        case NumberSuppressed() | PairSuppressed() | NumberReleased() | ReplyUnmatched() | ReplyResolved():
            return _evolve_number(state if isinstance(state, Number) else Number(), event)


def _planned(event: MessagePlanned) -> Conversation:
    about = Subject(
        practice=event.practice,
        patient=event.patient,
        appointment=event.appointment,
        move=event.move,
        outage=event.outage,
    )
    return Conversation(about, event.kind)


def unknowns_of(sending: Sending) -> int:
    """How many attempts have been of unknown outcome, as long as that counts."""
    match sending:
        case Planned(unknowns=unknowns) | Attempted(unknowns=unknowns) | Unknown(unknowns=unknowns):
            return unknowns
        case Accepted() | Silent() | Failed() | Delivered():
            return 0


def _sent(sending: Sending, event: SendingFact) -> Sending:
    match event:
        case SendAttempted(attempt=attempt, provider=provider):
            return Attempted(attempt, provider, unknowns_of(sending))
        case SendDeferred(attempt=attempt):
            return Planned(attempt, unknowns_of(sending))
        case OutcomeUnknown(attempt=attempt, provider=provider, unknowns=unknowns):
            return Unknown(attempt, provider, unknowns)
        case UnknownSettled(attempt=attempt, provider=provider, verdict=verdict):
            return Accepted(attempt, provider) if verdict == "sent" else Planned(attempt)
        case MessageAccepted(attempt=attempt, provider=provider):
            return Accepted(max(sending.attempt, attempt), provider)
        case MessageSilent(provider=provider):
            return Silent(sending.attempt, provider)
        case MessageFailed(failure=failure):
            return Failed(sending.attempt, failure)
        case MessageDelivered():
            return Delivered(sending.attempt)


def _evolve_number(number: Number, event: NumberFact) -> Number:
    match event:
        case NumberSuppressed():
            return replace(number, suppressed=True)
        case PairSuppressed(patient=patient):
            return replace(number, not_of=number.not_of | {patient})
        case NumberReleased():
            return replace(number, suppressed=False)
        case ReplyUnmatched(reply=reply):
            return replace(number, replies=number.replies | {reply})
        case ReplyResolved(reply=reply):
            return replace(number, resolved=number.resolved | {reply})
