"""How the tables of notifications follow from its own events."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from services.notifications.lanes import LANE
from services.notifications.replies import needs_reading
from services.notifications.tables import (
    calls,
    messages,
    replies,
    suppressed_numbers,
    suppressed_pairs,
)
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
from shared.project import Change, Patch, Put, Remove, row_of

_Message = row_of(messages)
_Reply = row_of(replies)
_SuppressedNumber = row_of(suppressed_numbers)
_SuppressedPair = row_of(suppressed_pairs)
_Call = row_of(calls)

MessageFact = (
    SendAttempted
    | SendDeferred
    | OutcomeUnknown
    | UnknownSettled
    | MessageAccepted
    | MessageSilent
    | MessageDelivered
    | MessageFailed
)
NumberFact = NumberSuppressed | PairSuppressed | NumberReleased
ReplyFact = ReplyReceived | ReplyUnmatched | ReplyResolved


def project(recorded: Recorded) -> Iterable[Change]:
    """What one of our own events changes."""
    event: NotificationsEvent = recorded.event
    match event:
        case MessagePlanned():
            yield Put(messages, _planned(event, recorded))
        case CallRaised():
            yield Put(calls, _call(event, recorded))
        case ReplyReceived() | ReplyUnmatched() | ReplyResolved():
            yield _of_reply(event, recorded)
        case NumberSuppressed() | PairSuppressed() | NumberReleased():
            yield _of_number(event, recorded)
        case _:
            yield Patch(messages, {"id": event.message}, _sent(event, recorded))


def _sent(event: MessageFact, recorded: Recorded) -> dict[str, Any]:
    at = recorded.recorded_at
    match event:
        case SendAttempted(attempt=attempt, provider=provider, reference=reference):
            tried = {"attempt": attempt, "provider": provider, "reference": reference}
            return {"state": "attempted", **tried, "attempted_at": at}
        case SendDeferred(reason=reason):
            return {"state": "planned", "detail": reason}
        case OutcomeUnknown(unknowns=unknowns):
            return {"state": "unknown", "unknowns": unknowns}
        case UnknownSettled(verdict="sent"):
            return {"state": "accepted", "accepted_at": at}
        case UnknownSettled():
            return {"state": "planned", "unknowns": 0}
        case MessageAccepted(provider=provider, reference=reference, provider_id=provider_id):
            taken = {"provider": provider, "reference": reference, "provider_id": provider_id}
            return {"state": "accepted", **taken, "detail": "", "accepted_at": at}
        case MessageSilent():
            return {"state": "silent", "settled_at": at}
        case MessageDelivered():
            return {"state": "delivered", "failure": "", "detail": "", "settled_at": at}
        case MessageFailed(failure=failure, detail=detail):
            return {"state": "failed", "failure": failure, "detail": detail, "settled_at": at}


def _of_number(event: NumberFact, recorded: Recorded) -> Change:
    match event:
        case NumberSuppressed(number=number, reason=reason):
            of_all = _SuppressedNumber(number=number, reason=reason, suppressed_at=recorded.recorded_at)
            return Put(suppressed_numbers, of_all)
        case PairSuppressed(number=number, patient=patient, reason=reason):
            at = recorded.recorded_at
            of_one = _SuppressedPair(number=number, patient=patient, reason=reason, suppressed_at=at)
            return Put(suppressed_pairs, of_one)
        case NumberReleased(number=number):
            return Remove(suppressed_numbers, {"number": number})


def _of_reply(event: ReplyFact, recorded: Recorded) -> Change:
    match event:
        case ReplyReceived():
            return Put(replies, _reply(event, recorded))
        case ReplyUnmatched():
            return Put(replies, _unmatched(event, recorded))
        case ReplyResolved(reply=reply, resolved_by=resolved_by):
            done = {"open": False, "resolved_by": resolved_by, "resolved_at": recorded.recorded_at}
            return Patch(replies, {"id": reply}, done)


def _planned(event: MessagePlanned, recorded: Recorded) -> Struct:
    return _Message(
        id=event.message,
        practice=event.practice,
        kind=event.kind,
        patient=event.patient,
        appointment=event.appointment,
        move=event.move,
        outage=event.outage,
        number=event.number,
        sealed=event.sealed,
        segments=event.segments,
        lane=LANE[event.kind],
        appointment_start=event.appointment_start,
        state="planned",
        attempt=0,
        unknowns=0,
        provider="",
        reference="",
        provider_id="",
        failure="",
        detail="",
        planned_at=recorded.recorded_at,
        attempted_at=None,
        accepted_at=None,
        settled_at=None,
    )


def _reply(event: ReplyReceived, recorded: Recorded) -> Struct:
    return _Reply(
        id=event.reply,
        message=event.message,
        appointment=event.appointment,
        outage=event.outage,
        answer=event.answer,
        number=event.number,
        words=event.words,
        candidates=[],
        practices=[event.practice],
        sealed=event.sealed,
        received_at=recorded.recorded_at,
        open=needs_reading(event.answer, event.outage) and not event.read_by,
        resolved_by=event.read_by,
        resolved_at=recorded.recorded_at if event.read_by else None,
    )


def _unmatched(event: ReplyUnmatched, recorded: Recorded) -> Struct:
    return _Reply(
        id=event.reply,
        message="",
        appointment="",
        outage="",
        answer="",
        number=event.number,
        words=event.words,
        candidates=list(event.candidates),
        practices=list(event.practices),
        sealed=event.sealed,
        received_at=recorded.recorded_at,
        open=True,
        resolved_by="",
        resolved_at=None,
    )


def _call(event: CallRaised, recorded: Recorded) -> Struct:
    return _Call(
        id=recorded.id,
        message=event.message,
        practice=event.practice,
        patient=event.patient,
        appointment=event.appointment,
        outage=event.outage,
        reason=event.reason,
        raised_at=recorded.recorded_at,
    )
