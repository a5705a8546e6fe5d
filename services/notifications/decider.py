"""The rules of the ledger: each change is told once, what is unknown is never guessed, and a repeat is nothing."""

from collections.abc import Mapping, Sequence

from services.notifications import answers, attempts
from services.notifications.attempts import SUPPRESSED
from services.notifications.commands import (
    AttemptSend,
    Command,
    PlanMessage,
    RaiseCall,
    RecordAccepted,
    RecordDeferred,
    RecordReceipt,
    RecordRefused,
    RecordReply,
    RecordSilent,
    RecordUnknown,
    RecordUnmatchedReply,
    ReleaseNumber,
    ResolveReply,
    SettleUnknown,
    SuppressNumber,
    SuppressPair,
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
from shared.events.notifications import MessagePlanned, NotificationsEvent
from shared.refusals import NotFound

States = Mapping[str, State]

SendingCommand = (
    AttemptSend
    | RecordAccepted
    | RecordDeferred
    | RecordUnknown
    | RecordRefused
    | RecordReceipt
    | RecordSilent
    | SettleUnknown
)
NumberCommand = RecordUnmatchedReply | ResolveReply | SuppressNumber | SuppressPair | ReleaseNumber


def touches(command: Command) -> Sequence[str]:
    """The streams a command must look at."""
    match command:
        case PlanMessage(message=message, number=number) | AttemptSend(message=message, number=number):
            return (message_stream(message), number_stream(number))
        case (
            SuppressNumber(number=number, open_messages=messages) | SuppressPair(number=number, open_messages=messages)
        ):
            return (number_stream(number), *map(message_stream, messages))
        case RecordUnmatchedReply() | ResolveReply() | ReleaseNumber():
            return (number_stream(command.number),)
        case _:
            return (message_stream(command.message),)


def decide(states: States, command: Command) -> Sequence[NotificationsEvent]:
    """What follows from the command; nothing, where it has been done before."""
    match command:
        case PlanMessage():
            return _plan(states, command)
        case RaiseCall(message=message, about=about, reason=reason):
            untouched = states[message_stream(message)] == Untouched()
            return [answers.call(message, about, reason)] if untouched else []
        case RecordReply():
            return answers.take_reply(_conversation(states, command.message), command)
        case RecordUnmatchedReply() | ResolveReply() | SuppressNumber() | SuppressPair() | ReleaseNumber():
            return _decide_number(states, command)
        case _:
            return _decide_sending(states, command)


def _decide_sending(states: States, command: SendingCommand) -> Sequence[NotificationsEvent]:
    conversation = _conversation(states, command.message)
    match command:
        case AttemptSend():
            return attempts.attempt(conversation, _number(states, command.number), command)
        case RecordAccepted():
            return attempts.accept(conversation, command)
        case RecordDeferred():
            return attempts.defer(conversation, command)
        case RecordUnknown():
            return attempts.lose_answer(conversation, command)
        case RecordRefused():
            return attempts.refuse(conversation, command)
        case RecordReceipt():
            return attempts.settle(conversation, command)
        case RecordSilent():
            return attempts.fall_silent(conversation, command)
        case SettleUnknown():
            return attempts.settle_unknown(conversation, command)


def _decide_number(states: States, command: NumberCommand) -> Sequence[NotificationsEvent]:
    number = _number(states, command.number)
    match command:
        case RecordUnmatchedReply():
            return answers.set_aside(number, command)
        case ResolveReply():
            return answers.resolve(number, command)
        case SuppressNumber():
            return answers.suppress(number, _conversations(states, command.open_messages), command)
        case SuppressPair():
            return answers.suppress_pair(number, _conversations(states, command.open_messages), command)
        case ReleaseNumber():
            return answers.release(number, command)


def _plan(states: States, command: PlanMessage) -> Sequence[NotificationsEvent]:
    if states[message_stream(command.message)] != Untouched():
        return []
    about, number = command.about, _number(states, command.number)
    if number.suppressed or about.patient in number.not_of:
        # A reminder or a confirmation tells nothing that has to be told.
        return [answers.call(command.message, about, SUPPRESSED)] if command.kind == "moved" else []
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


def _conversations(states: States, messages: Sequence[str]) -> Mapping[str, Conversation]:
    return {message: _conversation(states, message) for message in messages}


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
