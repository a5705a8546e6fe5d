"""What is known of each message and each telephone number: the states the rules look at, folded from events."""

from dataclasses import dataclass, replace

from services.notifications.commands import Subject
from shared.events.notifications import (
    CallRaised,
    Failure,
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
    MessagePlanned,
    NotificationsEvent,
    NumberSuppressed,
    OutcomeUnknown,
    ReplyReceived,
    ReplyUnmatched,
    SendAttempted,
)


@dataclass(frozen=True, slots=True)
class Planned:
    """Nobody has tried to send it yet."""

    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Attempted:
    """Somebody may be at the gateway with it this moment, or has died there."""

    attempt: int
    provider: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been sent or not. Only the provider can tell."""

    attempt: int
    provider: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it and will say what becomes of it."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not arrive. Only a weightier receipt is believed against this."""

    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class Delivered:
    """The telephone has it. Nothing that comes later changes that."""

    attempt: int


Sending = Planned | Attempted | Unknown | Accepted | Failed | Delivered


@dataclass(frozen=True, slots=True)
class Untouched:
    """Nothing has happened on this stream."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A message, how far it has come, and the replies taken in for it."""

    about: Subject
    sending: Sending = Planned()
    replies: frozenset[str] = frozenset()
    call_raised: bool = False


@dataclass(frozen=True, slots=True)
class CallInstead:
    """No message was ever planned: a person telephones."""


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number that asked for silence, or sent what nobody could place."""

    suppressed: bool = False
    replies: frozenset[str] = frozenset()


State = Untouched | Conversation | CallInstead | Number


def message_stream(message: str) -> str:
    return f"message/{message}"


def number_stream(number: str) -> str:
    return f"number/{number}"


def reference_of(message: str, attempt: int) -> str:
    """What the provider knows an attempt by: derived, so that it can be looked up after any crash."""
    return f"{message}.{attempt}"


def evolve(state: State, event: NotificationsEvent) -> State:
    """The state after the event. What happened, happened: nothing is checked here."""
    match state:
        case Conversation():
            return _evolve_conversation(state, event)
        case Number():
            return _evolve_number(state, event)
        case Untouched() | CallInstead():
            return _begin(state, event)


def _begin(state: Untouched | CallInstead, event: NotificationsEvent) -> State:
    match event:
        case MessagePlanned():
            about = Subject(
                practice=event.practice,
                patient=event.patient,
                appointment=event.appointment,
                move=event.move,
                outage=event.outage,
            )
            return Conversation(about)
        case CallRaised():
            return CallInstead()
        case NumberSuppressed() | ReplyUnmatched():
            return _evolve_number(Number(), event)
        case _:
            return state


def _evolve_conversation(conversation: Conversation, event: NotificationsEvent) -> State:
    attempt = conversation.sending.attempt
    match event:
        case SendAttempted():
            return replace(conversation, sending=Attempted(event.attempt, event.provider))
        case OutcomeUnknown():
            return replace(conversation, sending=Unknown(event.attempt, event.provider))
        case MessageAccepted():
            return replace(conversation, sending=Accepted(max(attempt, event.attempt)))
        case MessageFailed():
            return replace(conversation, sending=Failed(attempt, event.failure))
        case MessageDelivered():
            return replace(conversation, sending=Delivered(attempt))
        case ReplyReceived():
            return replace(conversation, replies=conversation.replies | {event.reply})
        case CallRaised():
            return replace(conversation, call_raised=True)
        case MessagePlanned() | NumberSuppressed() | ReplyUnmatched():
            return conversation


def _evolve_number(number: Number, event: NotificationsEvent) -> Number:
    match event:
        case NumberSuppressed():
            return replace(number, suppressed=True)
        case ReplyUnmatched():
            return replace(number, replies=number.replies | {event.reply})
        case _:
            return number
