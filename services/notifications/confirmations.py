"""Answers an answer: what a patient has asked for is said to be so, at once or when booking has done it.

Nobody is written to who wants no texts, and what a person has to read is not confirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee, read_addressees
from services.notifications.commands import PlanMessage, Subject
from services.notifications.conversations_rows import Cancelling, read_cancelling
from services.notifications.settings import own_settings
from services.notifications.wording import Text
from services.notifications.writing import Letter, Untold, Writer, writer_of
from shared.events.envelope import Recorded
from shared.events.notifications import Answer, MessageKind
from shared.ids import derived_id
from shared.seal import DataKey, opened
from shared.service import Reaction, Running


@dataclass(frozen=True, slots=True)
class Answered:
    """A message that was answered from this telephone."""

    message: str
    about: Subject
    mobile: str


AT_ONCE: Mapping[Answer, MessageKind] = {"keep": "kept", "another-time": "asked"}
"""What can be said in the same breath. Cancelling is booking's."""


def confirm(
    running: Running, answer: Answer, answered: Answered, addressee: Addressee | None, key: DataKey
) -> Sequence[PlanMessage]:
    """The confirmation of this answer, to the telephone it came from; none where there is none to give.

    `addressee` is there if the appointment will stand. Outside a recovery nobody looks for another time before the
    practice has read that.
    """
    kind, about = AT_ONCE.get(answer), answered.about
    if kind is None or (kind == "asked" and not about.outage) or not own_settings(running.settings).confirmations:
        return []
    if addressee is None:
        return []
    letter = Letter(confirmation_of(kind, answered.message), kind, about)
    return _written(writer_of(running), letter, addressee, key, answered.mobile)


async def confirm_cancellations(
    running: Running, connection: AsyncConnection, events: Sequence[Recorded]
) -> Sequence[Reaction]:
    """What is said to those who cancelled their appointments by a text. Of one rescheduled that would be wrong."""
    causes = {each.event.appointment: each for each in events if not each.event.replaced_by}
    if not causes or not own_settings(running.settings).confirmations:
        return []
    wished = await read_cancelling(connection, causes)
    addressees = await read_addressees(connection, {each.about.appointment for each in wished}, "cancelled")
    keys = await running.keys.find({each.about.patient for each in wished})
    writer, now = writer_of(running), running.clock.now()
    return [
        Reaction(command, causes[each.about.appointment])
        for each in wished
        if (addressee := addressees.get(each.about.appointment)) and addressee.start > now
        if (key := keys.get(each.about.patient))
        for command in _cancelled(writer, each, addressee, key)
    ]


def confirmation_of(kind: MessageKind, message: str) -> str:
    """The confirmation of an answer to this message: derived, so that the same answer again is confirmed once."""
    return derived_id("message", kind, message)


def _cancelled(writer: Writer, wish: Cancelling, addressee: Addressee, key: DataKey) -> Sequence[PlanMessage]:
    letter = Letter(confirmation_of("cancelled", wish.message), "cancelled", wish.about)
    told = opened(key, wish.sealed, Text)
    return _written(writer, letter, addressee, key, told.to) if told else []


def _written(writer: Writer, letter: Letter, addressee: Addressee, key: DataKey, mobile: str) -> Sequence[PlanMessage]:
    to = writer.recipient(addressee, key, mobile)
    planned = to if isinstance(to, Untold) else writer.write(letter, addressee, to)
    # What has been done need not be told by telephone.
    return [] if isinstance(planned, Untold) else [planned]
