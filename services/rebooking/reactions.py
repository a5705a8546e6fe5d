"""What rebooking does about events: of approvals it makes requests, and of answers and the diary's news, facts."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.commands import (
    ConfirmMove,
    NeedCall,
    RebookingCommand,
    RecordAnswer,
    RefuseMove,
    RequestMoves,
    StopWaiting,
    TakeUpDisplaced,
)
from services.rebooking.demand import became_of, waiting_for
from services.rebooking.tables import messages
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
from shared.events.notifications import CallRaised, Failure, MessageFailed, ReplyReceived
from shared.events.rebooking import Outcome, PlanApproved
from shared.service import Reaction, Running

_OVER = (
    AppointmentCancelled,
    AppointmentEnteredInError,
    AppointmentFulfilled,
    AppointmentMissed,
    AppointmentMoved,
)
"""What ends an appointment, so that nobody need wait for another in its place."""

WANTS: frozenset[type[Event]] = frozenset(
    {PlanApproved, AppointmentDisplaced, *_OVER, MoveRejected, ReplyReceived, CallRaised, MessageFailed}
)

_NOT_TOLD: Mapping[Failure, str] = {
    "permanent": "The text cannot reach this number",
    "temporary": "The text did not arrive: the telephone was off or out of reach",
    "technical": "The text was lost on its way",
    "refused": "The text was not sent",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the tables say of a batch: of each message, outage, practice and appointment; of each appointment that is
    over, its outcome; and in which recoveries (outage, practice) somebody waits in its place."""

    about: Mapping[str, tuple[str, str, str]]
    over: Mapping[str, Outcome]
    waiting: Mapping[str, Collection[tuple[str, str]]]


async def react(_: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    """Commands event by event, so that each of ours names its cause; one look at the tables for all of them."""
    known = await _look(connection, [recorded.event for recorded in events])
    return [Reaction(command, recorded) for recorded in events for command in _commands(recorded, known)]


async def _look(connection: AsyncConnection, events: Sequence[Event]) -> _Known:
    failed = [event.message for event in events if isinstance(event, MessageFailed)]
    rejected = [event.appointment for event in events if isinstance(event, MoveRejected)]
    ended = [event.appointment for event in events if isinstance(event, _OVER)]
    waiting = defaultdict(set, await waiting_for(connection, ended))
    for event in events:
        # Displaced and settled within one batch: the recovery that is about to begin is in no table yet.
        if isinstance(event, AppointmentDisplaced):
            waiting[event.appointment].add((event.withdrawal, event.practice))
    over = await became_of(connection, [*rejected, *waiting])
    return _Known(await _subjects(connection, failed), over, waiting)


async def _subjects(connection: AsyncConnection, failed: Sequence[str]) -> Mapping[str, tuple[str, str, str]]:
    if not failed:
        return {}
    found = await connection.execute(select(messages).where(messages.c.message.in_(failed)))
    return {row.message: (row.outage, row.practice, row.appointment) for row in found}


def _commands(recorded: Recorded, known: _Known) -> Iterator[RebookingCommand]:
    match recorded.event:
        case PlanApproved(outage=outage, practice=practice, plan=plan):
            yield RequestMoves(outage, practice, plan)
        case AppointmentDisplaced() as displaced:
            yield _taken_up(displaced, recorded)
        case AppointmentMoved() as moved:
            yield _confirmation(moved)
            yield from _no_longer_waiting(moved.appointment, known)
        case MoveRejected() as no:
            over = known.over.get(no.appointment)
            yield RefuseMove(no.outage, no.practice, no.appointment, no.move, no.reason, over)
        case ReplyReceived() as reply:
            yield RecordAnswer(reply.outage, reply.practice, reply.move, reply.answer)
        case CallRaised() as call:
            yield NeedCall(call.outage, call.practice, call.appointment, call.reason)
        case MessageFailed(message=message, failure=failure) if message in known.about:
            yield NeedCall(*known.about[message], _NOT_TOLD[failure])
        case AppointmentCancelled() | AppointmentEnteredInError() | AppointmentFulfilled() | AppointmentMissed() as end:
            yield from _no_longer_waiting(end.appointment, known)
        case _:
            pass


def _no_longer_waiting(appointment: str, known: _Known) -> Iterator[StopWaiting]:
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


def _confirmation(moved: AppointmentMoved) -> ConfirmMove:
    return ConfirmMove(
        outage=moved.outage,
        practice=moved.practice,
        appointment=moved.appointment,
        move=moved.move,
        to_appointment=moved.to_appointment,
        to_start=moved.to_start,
        textable=moved.textable,
    )
