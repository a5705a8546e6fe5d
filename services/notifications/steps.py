"""What happened to a message, one step at a time, in words that name nobody and no number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.events.base import event_name
from shared.events.envelope import Recorded
from shared.events.notifications import (
    Answer,
    CallRaised,
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
    MessagePlanned,
    MessageSilent,
    OutcomeUnknown,
    ReplyReceived,
    SendAttempted,
    SendDeferred,
    UnknownSettled,
)

PROVIDERS: Mapping[str, str] = {"notify": "GOV.UK Notify", "twilio": "Twilio"}

IN_WORDS: Mapping[Answer, str] = {
    "keep": "keeps the appointment",
    "another-time": "wants another time",
    "cancel": "needs no appointment",
    "stop": "wants no more texts",
    "start": "wants texts again",
    "wrong-number": "is not the patient",
    "unclear": "is for a person to read",
}
"""What a reply says of whoever wrote it."""


_Tried = SendAttempted | SendDeferred | OutcomeUnknown | UnknownSettled | MessageAccepted | MessageSilent
_Event = MessagePlanned | _Tried | MessageDelivered | MessageFailed | ReplyReceived | CallRaised


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to a message: when it was written down, what it was, at which provider, and why.

    `what` is the event's own name (`send-attempted`), `said` the same for people. `attempt` is 0, and `provider` and
    `reason` empty, where there is none.
    """

    at: datetime
    what: str
    said: str
    attempt: int
    provider: str
    reason: str


def step_of(recorded: Recorded) -> Step:
    """The step that this event of a message's stream is."""
    event: _Event = recorded.event
    return Step(
        at=recorded.recorded_at,
        what=event_name(type(event)),
        said=_said(event),
        attempt=getattr(event, "attempt", 0),
        provider=getattr(event, "provider", ""),
        reason=getattr(event, "reason", "") or getattr(event, "detail", ""),
    )


def _said(event: _Event) -> str:
    match event:
        case MessagePlanned(segments=segments):
            return f"Written, in {segments} segment{'' if segments == 1 else 's'}"
        case ReplyReceived(answer=answer, read_by=read_by):
            by = f", as {read_by} read it" if read_by else ""
            return f"A reply came in: whoever wrote it {IN_WORDS[answer]}{by}"
        case CallRaised(reason=reason):
            return f"Somebody is to telephone: {reason}"
        case MessageDelivered():
            return "The telephone has it"
        case MessageFailed(failure="outdated", detail=detail):
            return f"Not sent, because there was nothing left to tell: {detail}"
        case MessageFailed(failure=failure, detail=detail):
            return f"It did not arrive ({failure}): {detail}"
        case _:
            return _tried(event, PROVIDERS.get(event.provider, event.provider))


def _tried(event: _Tried, provider: str) -> str:
    match event:
        case SendAttempted(attempt=attempt, reference=reference):
            return f"Attempt {attempt}: given to {provider} under the reference {reference}"
        case SendDeferred(attempt=attempt, reason=reason):
            return f"Attempt {attempt} was certainly not sent by {provider}: {reason}"
        case OutcomeUnknown(attempt=attempt):
            return f"The answer of {provider} to attempt {attempt} was lost: it may have been sent or not"
        case UnknownSettled(attempt=attempt, verdict=verdict, settled_by=who):
            found = "was sent" if verdict == "sent" else "was not sent"
            return f"{who} found out at {provider} that attempt {attempt} {found}"
        case MessageAccepted(provider_id=provider_id):
            return f"{provider} has it, as {provider_id}"
        case MessageSilent():
            return f"{provider} took it, and has not said for too long what became of it"
