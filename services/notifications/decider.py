"""The rules of the ledger: each change is told once, what is unknown is never guessed, and a repeat is nothing."""

from collections.abc import Mapping, Sequence

from services.notifications import attempts
from services.notifications.attempts import SUPPRESSED
from services.notifications.commands import (
    AttemptSend,
    Command,
    PlanMessage,
    RaiseCall,
    RecordAccepted,
    RecordReceipt,
    RecordRefused,
    RecordReply,
    RecordUnknown,
    RecordUnmatchedReply,
    Subject,
    SuppressNumber,
)
from services.notifications.conversations import (
    Conversation,
    Number,
    State,
    Untouched,
    evolve,
    message_stream,
    number_stream,
)
from shared.decider import Decider
from shared.events.notifications import (
    CallRaised,
    MessagePlanned,
    NotificationsEvent,
    NumberSuppressed,
    ReplyReceived,
    ReplyUnmatched,
)
from shared.refusals import NotFound

States = Mapping[str, State]


def touches(command: Command) -> Sequence[str]:
    """The streams a command must look at."""
    match command:
        case PlanMessage(message=message, number=number) | AttemptSend(message=message, number=number):
            return (message_stream(message), number_stream(number))
        case RecordUnmatchedReply(number=number):
            return (number_stream(number),)
        case SuppressNumber(number=number, open_messages=messages):
            return (number_stream(number), *map(message_stream, messages))
        case _:
            return (message_stream(command.message),)


def decide(states: States, command: Command) -> Sequence[NotificationsEvent]:
    """What follows from the command; nothing, where it has been done before."""
    match command:
        case PlanMessage():
            return _plan(states, command)
        case RaiseCall():
            return _raise_call(states, command)
        case AttemptSend():
            conversation, number = _conversation(states, command.message), _number(states, command.number)
            return attempts.attempt(conversation, number, command)
        case RecordAccepted():
            return attempts.accept(_conversation(states, command.message), command)
        case RecordUnknown():
            return attempts.lose_answer(_conversation(states, command.message), command)
        case RecordRefused():
            return attempts.refuse(_conversation(states, command.message), command)
        case RecordReceipt():
            return attempts.settle(_conversation(states, command.message), command)
        case RecordReply():
            return _take_reply(_conversation(states, command.message), command)
        case RecordUnmatchedReply():
            return _set_aside(_number(states, command.number), command)
        case SuppressNumber():
            return _suppress(states, command)


def _plan(states: States, command: PlanMessage) -> Sequence[NotificationsEvent]:
    if states[message_stream(command.message)] != Untouched():
        return []
    about = command.about
    if _number(states, command.number).suppressed:
        return [_call(command.message, about, SUPPRESSED)]
    return [
        MessagePlanned(
            message=command.message,
            practice=about.practice,
            kind=command.kind,
            patient=about.patient,
            appointment=about.appointment,
            move=about.move,
            outage=about.outage,
            number=command.number,
            sealed=command.sealed,
            segments=command.segments,
            appointment_start=command.appointment_start,
        )
    ]


def _raise_call(states: States, command: RaiseCall) -> Sequence[NotificationsEvent]:
    if states[message_stream(command.message)] != Untouched():
        return []
    return [_call(command.message, command.about, command.reason)]


def _take_reply(conversation: Conversation, command: RecordReply) -> Sequence[NotificationsEvent]:
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
        )
    ]


def _set_aside(number: Number, command: RecordUnmatchedReply) -> Sequence[NotificationsEvent]:
    if command.reply in number.replies:
        return []
    return [
        ReplyUnmatched(number=command.number, reply=command.reply, candidates=command.candidates, sealed=command.sealed)
    ]


def _suppress(states: States, command: SuppressNumber) -> Sequence[NotificationsEvent]:
    silenced = () if _number(states, command.number).suppressed else (_silenced(command),)
    calls = [
        _call(message, conversation.about, command.reason)
        for message in command.open_messages
        if not (conversation := _conversation(states, message)).call_raised
    ]
    return [*silenced, *calls]


def _silenced(command: SuppressNumber) -> NumberSuppressed:
    return NumberSuppressed(number=command.number, reason=command.reason)


def _call(message: str, about: Subject, reason: str) -> CallRaised:
    return CallRaised(
        message=message,
        practice=about.practice,
        patient=about.patient,
        appointment=about.appointment,
        outage=about.outage,
        reason=reason,
    )


def _conversation(states: States, message: str) -> Conversation:
    match states[message_stream(message)]:
        case Conversation() as conversation:
            return conversation
        case _:
            raise NotFound("No such message was ever planned", code="unknown-message", where="message")


def _number(states: States, number: str) -> Number:
    match states[number_stream(number)]:
        case Number() as known:
            return known
        case _:
            return Number()


DECIDER: Decider[State, Command, NotificationsEvent] = Decider(
    initial=Untouched(), touches=touches, decide=decide, evolve=evolve
)
