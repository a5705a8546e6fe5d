"""What follows from a move: one message to the patient, or, where no text can tell them, a telephone call."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.commands import PlanMessage, RaiseCall, Subject
from services.notifications.segments import size
from services.notifications.views import Addressee, read_addressees
from services.notifications.wording import MovedNotice, Text, moved
from shared.events.base import Event
from shared.events.booking import AppointmentMoved
from shared.events.envelope import Recorded
from shared.ids import derived_id
from shared.phone import is_textable
from shared.seal import DataKey, PatientBlock
from shared.service import Reaction, Running

WANTS: frozenset[type[Event]] = frozenset({AppointmentMoved})

ERASED = "The patient's data was erased"
NO_MOBILE = "There is no mobile number that can be texted"


async def react(running: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    """A message, or a call, for each move whose new appointment still stands."""
    moves = [recorded for recorded in events if recorded.event.textable]
    addressees = await read_addressees(connection, {recorded.event.to_appointment for recorded in moves})
    keys = await running.keys.find({addressee.patient for addressee in addressees.values()})
    return [
        Reaction(_tell(running, recorded.event, addressee, keys.get(addressee.patient)), recorded)
        for recorded in moves
        if (addressee := addressees.get(recorded.event.to_appointment))
    ]


def message_of(move: str) -> str:
    """The message about a move: derived, so that however often the move is heard of, there is one."""
    return derived_id("message", "moved", move)


def _tell(
    running: Running, event: AppointmentMoved, addressee: Addressee, key: DataKey | None
) -> PlanMessage | RaiseCall:
    message = message_of(event.move)
    about = Subject(
        practice=event.practice,
        patient=event.patient,
        appointment=event.to_appointment,
        move=event.move,
        outage=event.outage,
    )
    if key is None:
        return RaiseCall(message, about, ERASED)
    patient = key.open(addressee.sealed, PatientBlock)
    if not is_textable(patient.mobile, made_up=running.settings.made_up_numbers):
        return RaiseCall(message, about, NO_MOBILE)
    body = moved(MovedNotice(patient.given_name, addressee.practice_name, addressee.start, addressee.place))
    return PlanMessage(
        message=message,
        about=about,
        kind="moved",
        number=running.keys.pseudonym("number", patient.mobile),
        sealed=key.seal(Text(to=patient.mobile, body=body)),
        segments=size(body).segments,
        appointment_start=addressee.start,
    )
