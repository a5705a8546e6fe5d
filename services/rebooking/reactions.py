"""What rebooking does about events: of approvals it makes requests, and of answers and the diary's news, facts."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.commands import (
    ConfirmMove,
    NeedCall,
    RebookingCommand,
    RecordAnswer,
    RefuseMove,
    RequestCancellation,
    RequestMoves,
    StopWaiting,
    TakeUpDisplaced,
)
from services.rebooking.known import OVER, Known, look
from services.rebooking.rules import Rules
from services.rebooking.settings import own_settings
from shared.clock import in_london
from shared.events.base import Event
from shared.events.booking import (
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
    MoveRejected,
)
from shared.events.envelope import Recorded
from shared.events.notifications import CallRaised, MessageFailed, MessageSilent, ReplyReceived
from shared.events.rebooking import AppointmentReconciled, PlanApproved
from shared.service import Reaction, Running

WANTS: frozenset[type[Event]] = frozenset(
    {
        PlanApproved,
        AppointmentReconciled,
        AppointmentDisplaced,
        *OVER,
        MoveRejected,
        ReplyReceived,
        CallRaised,
        MessageFailed,
        MessageSilent,
    }
)

_NOT_TOLD: Mapping[Literal["permanent", "temporary", "technical", "refused"], str] = {
    "permanent": "The text cannot reach this number",
    "temporary": "The text did not arrive: the telephone was off or out of reach",
    "technical": "The text was lost on its way",
    "refused": "The text was not sent",
}
"""Why somebody has to telephone instead. A text that was outdated had nothing left to tell."""

SILENT = "Nobody knows whether the text arrived"


async def react(service: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    """Commands event by event, so that each of ours names its cause; one look at the tables for all of them."""
    rules = own_settings(service.settings).rules()
    known = await look(connection, [recorded.event for recorded in events])
    return [Reaction(command, recorded) for recorded in events for command in _commands(recorded, known, rules)]


def _commands(recorded: Recorded, known: Known, rules: Rules) -> Iterator[RebookingCommand]:
    match recorded.event:
        case PlanApproved(outage=outage, practice=practice, plan=plan):
            yield RequestMoves(outage, practice, plan)
        case AppointmentReconciled(outcome="displaced", appointment=appointment):
            yield from _no_longer_waiting(appointment, known)
        case AppointmentDisplaced() as displaced:
            yield _taken_up(displaced, recorded)
        case AppointmentMoved() as moved:
            yield _confirmation(moved, recorded.occurred_at + timedelta(hours=rules.answer_within_hours))
            yield from _no_longer_waiting(moved.appointment, known)
        case MoveRejected() as no:
            over = known.over.get(no.appointment)
            yield RefuseMove(no.outage, no.practice, no.appointment, no.move, no.reason, over)
        case ReplyReceived(outage="") as reply:
            if reply.answer == "cancel":
                yield RequestCancellation(reply.appointment, reply.practice)
        case ReplyReceived() as reply:
            at = recorded.occurred_at
            yield RecordAnswer(reply.outage, reply.practice, reply.move, reply.answer, at, rules.fresh_offers)
        case CallRaised() as call if call.outage:
            yield NeedCall(call.outage, call.practice, call.appointment, call.reason)
        case MessageFailed(message=message, failure=failure) if message in known.about:
            if failure != "outdated":
                yield NeedCall(*known.about[message], _NOT_TOLD[failure])
        case MessageSilent(message=message) if message in known.about:
            yield NeedCall(*known.about[message], SILENT)
        case AppointmentCancelled() | AppointmentEnteredInError() | AppointmentFulfilled() | AppointmentMissed() as end:
            yield from _no_longer_waiting(end.appointment, known)
        case _:
            pass


def _no_longer_waiting(appointment: str, known: Known) -> Iterator[StopWaiting]:
    for outage, practice in sorted(known.waiting.get(appointment, ())):
        if appointment in known.over:
            yield StopWaiting(outage, practice, appointment, known.over[appointment])


def _taken_up(displaced: AppointmentDisplaced, recorded: Recorded) -> TakeUpDisplaced:
    """Named after what was withdrawn, and dated when: the same whichever of its patients is heard of first."""
    day = f"{in_london(displaced.start):%A %-d %B %Y}"
    session = f"{displaced.session_name}, {day}" if displaced.session_name else day
    return TakeUpDisplaced(
        outage=displaced.withdrawal,
        practice=displaced.practice,
        name=f"Session withdrawn: {session}",
        withdrawn_at=recorded.occurred_at,
        appointment=displaced.appointment,
        patient=displaced.patient,
    )


def _confirmation(moved: AppointmentMoved, answer_by: datetime) -> ConfirmMove:
    """Once the new appointment has begun, no answer can change it."""
    return ConfirmMove(
        outage=moved.outage,
        practice=moved.practice,
        appointment=moved.appointment,
        move=moved.move,
        to_appointment=moved.to_appointment,
        to_start=moved.to_start,
        textable=moved.textable,
        answer_by=min(answer_by, moved.to_start),
    )
