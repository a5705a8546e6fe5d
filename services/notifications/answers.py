"""The rules of what comes back: each reply counts once, and whoever wants silence has it."""

from collections.abc import Mapping, Sequence

from services.notifications.commands import (
    RecordReply,
    RecordUnmatchedReply,
    ReleaseNumber,
    ResolveReply,
    Subject,
    SuppressNumber,
    SuppressPair,
)
from services.notifications.conversations import Conversation, Number
from shared.events.notifications import (
    CallRaised,
    NotificationsEvent,
    NumberReleased,
    NumberSuppressed,
    PairSuppressed,
    ReplyReceived,
    ReplyResolved,
    ReplyUnmatched,
)
from shared.refusals import Conflict


def take_reply(conversation: Conversation, command: RecordReply) -> Sequence[NotificationsEvent]:
    if command.reply in conversation.replies:
        return []
    about = conversation.about
    return [
        ReplyReceived(
            message=command.message,
            practice=about.practice,
            reply=command.reply,
            patient=about.patient,
            appointment=about.appointment,
            move=about.move,
            outage=about.outage,
            answer=command.answer,
            sealed=command.sealed,
            number=command.number,
            words=command.words,
            read_by=command.read_by,
        )
    ]


def set_aside(number: Number, command: RecordUnmatchedReply) -> Sequence[NotificationsEvent]:
    if command.reply in number.replies:
        return []
    return [
        ReplyUnmatched(
            number=command.number,
            reply=command.reply,
            candidates=command.candidates,
            sealed=command.sealed,
            practices=command.practices,
            words=command.words,
        )
    ]


def resolve(number: Number, command: ResolveReply) -> Sequence[NotificationsEvent]:
    if command.reply in number.resolved:
        raise Conflict("Somebody has settled this reply already", code="already-resolved", where="reply")
    return [ReplyResolved(number=command.number, reply=command.reply, resolved_by=command.resolved_by)]


def suppress(
    number: Number, conversations: Mapping[str, Conversation], command: SuppressNumber
) -> Sequence[NotificationsEvent]:
    silenced = () if number.suppressed else (NumberSuppressed(number=command.number, reason=command.reason),)
    return [*silenced, *_calls(conversations, command.reason)]


def suppress_pair(
    number: Number, conversations: Mapping[str, Conversation], command: SuppressPair
) -> Sequence[NotificationsEvent]:
    parted = PairSuppressed(number=command.number, patient=command.patient, reason=command.reason)
    return [*(() if command.patient in number.not_of else (parted,)), *_calls(conversations, command.reason)]


def release(number: Number, command: ReleaseNumber) -> Sequence[NotificationsEvent]:
    return [NumberReleased(number=command.number)] if number.suppressed else []


def call(message: str, about: Subject, reason: str) -> CallRaised:
    """Somebody has to telephone."""
    return CallRaised(
        message=message,
        practice=about.practice,
        patient=about.patient,
        appointment=about.appointment,
        outage=about.outage,
        reason=reason,
    )


def _calls(conversations: Mapping[str, Conversation], reason: str) -> list[CallRaised]:
    """For whoever would not learn of their move now. A reminder tells nothing new: nobody is called for want of it."""
    return [
        call(message, conversation.about, reason)
        for message, conversation in conversations.items()
        if conversation.kind == "moved" and not conversation.call_raised
    ]
