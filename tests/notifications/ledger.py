"""The ledger's rules as sentences: given these events, when this is asked, then these events."""

from dataclasses import replace
from datetime import UTC, datetime

from services.notifications.commands import AttemptSend, Command, PlanMessage, Subject
from services.notifications.decider import DECIDER
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
    SendAttempted,
    SendDeferred,
    UnknownSettled,
    Verdict,
)
from tests.deciding import Given

MESSAGE, NUMBER = "message-1", "number-1"
START = datetime(2024, 7, 23, 8, 40, tzinfo=UTC)
ABOUT = Subject(practice="G82002", patient="patient-1", appointment="appointment-2", move="move-1", outage="outage-1")

PLAN = PlanMessage(MESSAGE, ABOUT, "moved", NUMBER, "sealed words", 1, START)

REMIND = replace(PLAN, kind="reminder-1")

planned = MessagePlanned(
    message=MESSAGE,
    practice=ABOUT.practice,
    kind="moved",
    patient=ABOUT.patient,
    appointment=ABOUT.appointment,
    move=ABOUT.move,
    outage=ABOUT.outage,
    number=NUMBER,
    sealed="sealed words",
    segments=1,
    appointment_start=START,
)
suppressed = NumberSuppressed(number=NUMBER, reason="STOP")
released = NumberReleased(number=NUMBER)
not_theirs = PairSuppressed(number=NUMBER, patient=ABOUT.patient, reason="Not me")
silent = MessageSilent(message=MESSAGE, practice=ABOUT.practice, attempt=1, provider="notify")
delivered = MessageDelivered(message=MESSAGE, practice=ABOUT.practice, provider_id="p-1")


def attempt(number: int, provider: str = "notify") -> AttemptSend:
    return AttemptSend(MESSAGE, NUMBER, number, provider)


def attempted(number: int, provider: str = "notify") -> SendAttempted:
    return SendAttempted(
        message=MESSAGE,
        practice=ABOUT.practice,
        attempt=number,
        provider=provider,
        reference=f"{MESSAGE}.{number}",
    )


def deferred(number: int, provider: str = "notify") -> SendDeferred:
    return SendDeferred(
        message=MESSAGE,
        practice=ABOUT.practice,
        attempt=number,
        provider=provider,
        reason="The provider cannot be reached",
    )


def unknown(number: int, provider: str = "notify", unknowns: int = 1) -> OutcomeUnknown:
    return OutcomeUnknown(
        message=MESSAGE,
        practice=ABOUT.practice,
        attempt=number,
        provider=provider,
        reference=f"{MESSAGE}.{number}",
        unknowns=unknowns,
    )


def found_out(number: int, verdict: Verdict) -> UnknownSettled:
    return UnknownSettled(
        message=MESSAGE,
        practice=ABOUT.practice,
        attempt=number,
        provider="notify",
        verdict=verdict,
        settled_by="Ada Okoro",
    )


def accepted(number: int, provider_id: str = "p-1", provider: str = "notify") -> MessageAccepted:
    return MessageAccepted(
        message=MESSAGE,
        practice=ABOUT.practice,
        attempt=number,
        provider=provider,
        reference=f"{MESSAGE}.{number}",
        provider_id=provider_id,
    )


def failed(failure: str, detail: str = "The provider could not deliver it") -> MessageFailed:
    return MessageFailed(message=MESSAGE, practice=ABOUT.practice, failure=failure, detail=detail)  # type: ignore[arg-type]


def replied(reply: str, answer: str = "keep") -> ReplyReceived:
    return ReplyReceived(
        message=MESSAGE,
        practice=ABOUT.practice,
        reply=reply,
        patient=ABOUT.patient,
        appointment=ABOUT.appointment,
        move=ABOUT.move,
        outage=ABOUT.outage,
        answer=answer,  # type: ignore[arg-type]
        sealed="sealed answer",
    )


def call(reason: str) -> CallRaised:
    return CallRaised(
        message=MESSAGE,
        practice=ABOUT.practice,
        patient=ABOUT.patient,
        appointment=ABOUT.appointment,
        outage=ABOUT.outage,
        reason=reason,
    )


def given(*events: NotificationsEvent) -> Given[Command, NotificationsEvent]:
    return Given(DECIDER, events)
