"""What happened to a message, one step at a time: for people in words, for programs by attempt, provider and reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from services.notifications.telling import words
from shared.events.base import event_name
from shared.events.envelope import Recorded
from shared.events.notifications import (
    CallRaised,
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
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
    event: NotificationsEvent = recorded.event
    said, (attempt, provider, reason) = words(event), _facts(event)
    return Step(
        at=recorded.recorded_at,
        what=event_name(type(event)),
        said=f"{said[:1].upper()}{said[1:]}",
        attempt=attempt,
        provider=provider,
        reason=reason,
    )


def _facts(event: NotificationsEvent) -> tuple[int, str, str]:
    """Which attempt it was, at which provider, and why it came so."""
    match event:
        case SendDeferred(attempt=attempt, provider=provider, reason=reason):
            return attempt, provider, reason
        case SendAttempted() | MessageAccepted() | OutcomeUnknown() | UnknownSettled() | MessageSilent():
            return event.attempt, event.provider, ""
        case MessageFailed(detail=reason):
            return 0, "", reason
        case CallRaised(reason=reason) | NumberSuppressed(reason=reason) | PairSuppressed(reason=reason):
            return 0, "", reason
        case MessagePlanned() | MessageDelivered() | ReplyReceived():
            return 0, "", ""
        case NumberReleased() | ReplyUnmatched() | ReplyResolved():
            return 0, "", ""
        case _:
            assert_never(event)
