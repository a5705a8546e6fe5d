"""The rules of sending: tried once at a time, never again while the last try may have worked, settled by receipts."""

from collections.abc import Mapping, Sequence

from services.notifications.commands import (
    AttemptSend,
    RecordAccepted,
    RecordDeferred,
    RecordReceipt,
    RecordRefused,
    RecordSilent,
    RecordUnknown,
    SettleUnknown,
    Subject,
)
from services.notifications.conversations import (
    Accepted,
    Attempted,
    Conversation,
    Delivered,
    Failed,
    Number,
    Planned,
    Silent,
    Unknown,
    reference_of,
)
from shared.events.notifications import (
    Failure,
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
    MessageSilent,
    NotificationsEvent,
    OutcomeUnknown,
    SendAttempted,
    SendDeferred,
    UnknownSettled,
)
from shared.refusals import Conflict, NotFound

SUPPRESSED = "The number wants no more texts"
UNDELIVERED = "The provider could not deliver it"

WEIGHT: Mapping[str, int] = {
    "outdated": 0,
    "refused": 0,
    "technical": 1,
    "temporary": 2,
    "permanent": 3,
    "delivered": 4,
}
"""Receipts come in any order; the weightiest stands in the end."""


def attempt(conversation: Conversation, number: Number, command: AttemptSend) -> Sequence[NotificationsEvent]:
    """The first attempt once; another only where the last is of unknown outcome, never while it may be going on."""
    match conversation.sending:
        case Planned(attempt=last) | Unknown(attempt=last) if command.attempt == last + 1:
            if number.suppressed or conversation.about.patient in number.not_of:
                return [_failed(command.message, conversation.about, "refused", SUPPRESSED)]
            return [
                SendAttempted(
                    message=command.message,
                    practice=conversation.about.practice,
                    attempt=command.attempt,
                    provider=command.provider,
                    reference=reference_of(command.message, command.attempt),
                )
            ]
        case _:
            return []


def accept(conversation: Conversation, command: RecordAccepted) -> Sequence[NotificationsEvent]:
    """Also of what was thought not to be sent, by a person or by us: the provider knows better."""
    match conversation.sending:
        case Attempted() | Unknown():
            return [_accepted(command, conversation.about, command.provider)]
        case Planned(attempt=last) if 1 <= command.attempt <= last:
            return [_accepted(command, conversation.about, command.provider)]
        case Planned() | Accepted() | Silent() | Delivered() | Failed():
            return []


def defer(conversation: Conversation, command: RecordDeferred) -> Sequence[NotificationsEvent]:
    match conversation.sending:
        case Attempted(attempt=attempt, provider=provider) if attempt == command.attempt:
            return [
                SendDeferred(
                    message=command.message,
                    practice=conversation.about.practice,
                    attempt=attempt,
                    provider=provider,
                    reason=command.reason,
                )
            ]
        case _:
            return []


def lose_answer(conversation: Conversation, command: RecordUnknown) -> Sequence[NotificationsEvent]:
    match conversation.sending:
        case Attempted(attempt=attempt, provider=provider, unknowns=unknowns) if attempt == command.attempt:
            return [
                OutcomeUnknown(
                    message=command.message,
                    practice=conversation.about.practice,
                    attempt=attempt,
                    provider=provider,
                    reference=reference_of(command.message, attempt),
                    unknowns=unknowns + 1,
                )
            ]
        case _:
            return []


def settle_unknown(conversation: Conversation, command: SettleUnknown) -> Sequence[NotificationsEvent]:
    match conversation.sending:
        case Unknown(attempt=attempt, provider=provider):
            return [
                UnknownSettled(
                    message=command.message,
                    practice=conversation.about.practice,
                    attempt=attempt,
                    provider=provider,
                    verdict=command.verdict,
                    settled_by=command.settled_by,
                )
            ]
        case _:
            raise Conflict("The outcome of this message is not unknown any more", code="not-unknown", where="message")


def refuse(conversation: Conversation, command: RecordRefused) -> Sequence[NotificationsEvent]:
    match conversation.sending:
        case Planned(attempt=last) | Attempted(attempt=last) | Unknown(attempt=last) if command.attempt == last:
            failure: Failure = "outdated" if command.outdated else "refused"
            return [_failed(command.message, conversation.about, failure, command.reason)]
        case _:
            return []


def settle(conversation: Conversation, command: RecordReceipt) -> Sequence[NotificationsEvent]:
    """A receipt proves acceptance, so one that overtakes it records both."""
    if not 1 <= command.attempt <= conversation.sending.attempt:
        raise _never_sent()
    match conversation.sending:
        case Planned() | Attempted() | Unknown():
            return [_accepted(command, conversation.about, command.provider), _outcome(conversation.about, command)]
        case Accepted() | Silent():
            return [_outcome(conversation.about, command)]
        case Failed(failure=known) if WEIGHT[command.status] > WEIGHT[known]:
            return [_outcome(conversation.about, command)]
        case Failed() | Delivered():
            return []


def fall_silent(conversation: Conversation, command: RecordSilent) -> Sequence[NotificationsEvent]:
    match conversation.sending:
        case Accepted(attempt=attempt, provider=provider) if attempt == command.attempt:
            about = conversation.about
            return [MessageSilent(message=command.message, practice=about.practice, attempt=attempt, provider=provider)]
        case _:
            return []


def _accepted(command: RecordAccepted | RecordReceipt, about: Subject, provider: str) -> MessageAccepted:
    return MessageAccepted(
        message=command.message,
        practice=about.practice,
        attempt=command.attempt,
        provider=provider,
        reference=reference_of(command.message, command.attempt),
        provider_id=command.provider_id,
    )


def _outcome(about: Subject, command: RecordReceipt) -> MessageDelivered | MessageFailed:
    match command.status:
        case "delivered":
            return MessageDelivered(message=command.message, practice=about.practice, provider_id=command.provider_id)
        case "permanent" | "temporary" | "technical":
            return _failed(command.message, about, command.status, UNDELIVERED)


def _failed(message: str, about: Subject, failure: Failure, detail: str) -> MessageFailed:
    return MessageFailed(message=message, practice=about.practice, failure=failure, detail=detail)


def _never_sent() -> NotFound:
    return NotFound("No such attempt was ever made to send this message", code="never-sent", where="reference")
