"""What follows from a move or a cancellation: one message to the patient, or a call where no text can tell a move."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee, read_addressees
from services.notifications.commands import PlanMessage, RaiseCall, Subject
from services.notifications.confirmations import confirm_cancellations
from services.notifications.conversations_rows import read_sharing
from services.notifications.writing import Letter, Recipient, Untold, Writer, writer_of
from shared.events.base import Event
from shared.events.booking import AppointmentCancelled, AppointmentMoved
from shared.events.envelope import Recorded
from shared.ids import derived_id
from shared.service import Reaction, Running

WANTS: frozenset[type[Event]] = frozenset({AppointmentMoved, AppointmentCancelled})


async def react(running: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    """A message, or a call, for each move whose new appointment stands; and a word to whoever wished to cancel."""
    moves = [each for each in events if isinstance(each.event, AppointmentMoved) and each.event.textable]
    cancelled = [each for each in events if isinstance(each.event, AppointmentCancelled)]
    return [
        *(await _tell_of_moves(running, connection, moves) if moves else ()),
        *(await confirm_cancellations(running, connection, cancelled) if cancelled else ()),
    ]


def message_of(move: str) -> str:
    """The message about a move: derived, so that however often the move is heard of, there is one."""
    return derived_id("message", "moved", move)


async def _tell_of_moves(
    running: Running, connection: AsyncConnection, moves: Sequence[Recorded]
) -> Sequence[Reaction]:
    writer, now = writer_of(running), running.clock.now()
    addressees = await read_addressees(connection, {each.event.to_appointment for each in moves})
    keys = await running.keys.find({addressee.patient for addressee in addressees.values()})
    found = [
        (each, addressee, writer.recipient(addressee, keys.get(addressee.patient)))
        for each in moves
        if (addressee := addressees.get(each.event.to_appointment))
    ]
    numbers = {addressee.appointment: who.number for _, addressee, who in found if isinstance(who, Recipient)}
    sharing = await read_sharing(connection, numbers, now)
    return [
        Reaction(_tell(writer, each.event, addressee, who, coded=addressee.appointment in sharing), each)
        for each, addressee, who in found
    ]


def _tell(
    writer: Writer, event: AppointmentMoved, addressee: Addressee, to: Recipient | Untold, *, coded: bool
) -> PlanMessage | RaiseCall:
    message = message_of(event.move)
    about = Subject(
        practice=event.practice,
        patient=event.patient,
        appointment=event.to_appointment,
        move=event.move,
        outage=event.outage,
    )
    told = writer.write(Letter(message, "moved", about, coded), addressee, to) if isinstance(to, Recipient) else to
    return RaiseCall(message, about, told.reason) if isinstance(told, Untold) else told
