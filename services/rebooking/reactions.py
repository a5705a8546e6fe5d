"""What rebooking does about events: approved plans become requests, and answers become facts of the recovery."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.commands import (
    ConfirmMove,
    NeedCall,
    RebookingCommand,
    RecordAnswer,
    RefuseMove,
    RequestMoves,
)
from services.rebooking.tables import messages
from shared.events.base import Event
from shared.events.booking import AppointmentMoved, MoveRejected
from shared.events.envelope import Recorded
from shared.events.notifications import CallRaised, Failure, MessageFailed, ReplyReceived
from shared.events.rebooking import PlanApproved
from shared.service import Reaction, Running

WANTS: frozenset[type[Event]] = frozenset(
    {PlanApproved, AppointmentMoved, MoveRejected, ReplyReceived, CallRaised, MessageFailed}
)

_NOT_TOLD: Mapping[Failure, str] = {
    "permanent": "The text cannot reach this number",
    "temporary": "The text did not arrive: the telephone was off or out of reach",
    "technical": "The text was lost on its way",
    "refused": "The text was not sent",
}

About = Mapping[str, tuple[str, str, str]]
"""By message: the outage, the practice and the appointment."""


async def react(_: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    """A command per event, so that each of ours names its cause; one look at the tables for all of them."""
    about = await _subjects(connection, events)
    commands = ((_command(recorded.event, about), recorded) for recorded in events)
    return [Reaction(command, recorded) for command, recorded in commands if command is not None]


async def _subjects(connection: AsyncConnection, events: Sequence[Recorded]) -> About:
    failed = [recorded.event.message for recorded in events if isinstance(recorded.event, MessageFailed)]
    if not failed:
        return {}
    found = await connection.execute(select(messages).where(messages.c.message.in_(failed)))
    return {row.message: (row.outage, row.practice, row.appointment) for row in found}


def _command(event: Event, about: About) -> RebookingCommand | None:
    match event:
        case PlanApproved(outage=outage, practice=practice, plan=plan):
            return RequestMoves(outage, practice, plan)
        case AppointmentMoved():
            return _confirmation(event)
        case MoveRejected():
            return RefuseMove(event.outage, event.practice, event.appointment, event.move, event.reason)
        case ReplyReceived():
            return RecordAnswer(event.outage, event.practice, event.move, event.answer)
        case CallRaised():
            return NeedCall(event.outage, event.practice, event.appointment, event.reason)
        case MessageFailed(message=message, failure=failure) if message in about:
            return NeedCall(*about[message], _NOT_TOLD[failure])
        case _:
            return None


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
