"""What patients were sent and answered, in words: each of notifications' events, without the texts and the numbers."""

from collections.abc import Mapping
from typing import assert_never

from shared.events.notifications import (
    Answer,
    CallRaised,
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

_OfSending = SendAttempted | SendDeferred | MessageAccepted | OutcomeUnknown | UnknownSettled | MessageSilent
_OfNumber = NumberSuppressed | PairSuppressed | NumberReleased | ReplyUnmatched | ReplyResolved

_PROVIDERS: Mapping[str, str] = {"notify": "GOV.UK Notify", "twilio": "Twilio"}
_KINDS: Mapping[MessageKind, str] = {
    "moved": "the new time",
    "reminder-3": "the appointment in three days",
    "reminder-1": "the appointment tomorrow",
    "kept": "the answer: the time is kept",
    "asked": "the answer: another time is looked for",
    "cancelled": "the answer: it is cancelled",
}
_ANSWERS: Mapping[Answer, str] = {
    "keep": "whoever answered keeps the appointment",
    "another-time": "whoever answered wants another time",
    "cancel": "whoever answered needs no appointment",
    "stop": "whoever answered wants no more texts",
    "start": "whoever answered wants texts again",
    "wrong-number": "whoever answered is not the patient",
    "unclear": "an answer came that a person has to read",
}
"""A telephone can be anybody's, so it is not said that the patient wrote it."""


def words(event: NotificationsEvent) -> str:
    """The event as a sentence without its date."""
    match event:
        case MessagePlanned(kind=kind, segments=segments):
            return f"a text about {_KINDS[kind]} was written, in {segments} segment{'' if segments == 1 else 's'}"
        case MessageDelivered():
            return "the telephone has the text"
        case MessageFailed(failure="outdated", detail=detail):
            return f"the text was not sent, because there was nothing left to tell: {detail}"
        case MessageFailed(failure=failure, detail=detail):
            return f"the text did not arrive ({failure}): {detail}"
        case ReplyReceived(answer=answer, read_by=read_by):
            return f"{_ANSWERS[answer]}{f', as {read_by} read it' if read_by else ''}"
        case CallRaised(reason=reason):
            return f"a text cannot do it, somebody is to telephone: {reason}"
        case NumberSuppressed() | PairSuppressed() | NumberReleased() | ReplyUnmatched() | ReplyResolved():
            return _of_number(event)
        case _:
            return _of_sending(event, _PROVIDERS.get(event.provider, event.provider))


def _of_sending(event: _OfSending, provider: str) -> str:
    match event:
        case SendAttempted(attempt=attempt, reference=reference):
            return f"the text was given to {provider} under the reference {reference} (attempt {attempt})"
        case SendDeferred(attempt=attempt, reason=reason):
            return f"{provider} certainly did not send it (attempt {attempt}): {reason}"
        case MessageAccepted(provider_id=provider_id):
            return f"{provider} took the text, as {provider_id}"
        case OutcomeUnknown(attempt=attempt):
            return f"the answer of {provider} was lost (attempt {attempt}): it may have been sent or not"
        case UnknownSettled(verdict=verdict, settled_by=who, attempt=attempt):
            found = "was sent" if verdict == "sent" else "was not sent"
            return f"{who} found out at {provider} that it {found} (attempt {attempt})"
        case MessageSilent():
            return f"{provider} has not said for too long what became of the text"
        case _:
            assert_never(event)


def _of_number(event: _OfNumber) -> str:
    match event:
        case NumberSuppressed(reason=reason):
            return f"no more texts to the patient's number: {reason}"
        case PairSuppressed(reason=reason):
            return f"no more texts about the patient to that number: {reason}"
        case NumberReleased():
            return "the number takes texts again"
        case ReplyUnmatched():
            return "a text came in that a person has to read"
        case ReplyResolved(resolved_by=who):
            return f"{who} read it"
        case _:
            assert_never(event)
