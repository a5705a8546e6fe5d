"""Taking slots out of a session: what it would displace, and the confirmation that somebody has looked at it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.commands import WithdrawSlots
from services.booking.decider import decider
from services.booking.fhir.resources import local
from services.booking.session_form import MOST_SLOTS
from services.booking.states import Page, State
from shared.database import events
from shared.events.booking import AppointmentDisplaced, BookingEvent, HoldReleased, SlotsWithdrawn
from shared.events.envelope import decode
from shared.ids import derived_id
from shared.refusals import Conflict, Refusal

LONGEST_REASON = 200

_CONFIRMATION = re.compile(r"(\d{1,9})-([0-9a-f-]{36})")


class WithdrawalForm(BaseModel):
    """Slots to withdraw, by id, or all that are still to come; why, in a sentence; and the preview's `confirmation`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slots: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=MOST_SLOTS)
    reason: str = Field(max_length=LONGEST_REASON, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")
    confirmation: str = Field(default="", max_length=100)


@dataclass(frozen=True, slots=True)
class Displaced:
    """An appointment that the withdrawal would displace. Who it is for is not said."""

    appointment: str
    start: str
    minutes: int
    priority: int
    textable: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a withdrawal would come to, and what to send back to say yes to just that."""

    session: str
    slots: Sequence[str]
    counts: Mapping[str, int]
    appointments: Sequence[Displaced]
    confirmation: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What was withdrawn, and the appointments this displaced, by id; no `withdrawal` if there was nothing to do."""

    withdrawal: str | None
    withdrawn: Sequence[str]
    displaced: Sequence[str]


class Unconfirmed(Conflict):
    """Patients have the slots, and nobody has said yes to displacing just these. The preview goes with the answer."""

    def __init__(self, conflict: Conflict, preview: Preview) -> None:
        super().__init__(conflict.message, code=conflict.code, where=conflict.where)
        self.members: Mapping[str, Any] = {"preview": asdict(preview)}


def confirmation(session: str, slots: Sequence[str], version: int) -> str:
    """What confirms the withdrawal of these slots (none named: all to come) while the session is at this version."""
    return f"{version}-{derived_id('withdrawal', session, str(version), *sorted(slots))}"


def confirmed_version(session: str, slots: Sequence[str], sent: str) -> int:
    """The version of the session that was looked at. Raises `Refusal` if this confirms something else."""
    parts = _CONFIRMATION.fullmatch(sent)
    if parts is None or confirmation(session, slots, int(parts[1])) != sent:
        raise Refusal(
            "This does not confirm the withdrawal of these slots of this session: send what its preview says",
            code="bad-confirmation",
            where="confirmation",
        )
    return int(parts[1])


async def preview(connection: AsyncConnection, command: WithdrawSlots) -> Preview:
    """What the command would do now, decided as it will be, and not recorded. Raises what it would be refused with."""
    states = await _states(connection, command)
    page = states[f"session/{command.session}"]
    version = page.version if isinstance(page, Page) else 0
    planned = decider.decide(states, replace(command, confirmed=version))
    appointments = _displaced(page, planned)
    return Preview(
        session=command.session,
        slots=[slot for event in planned if isinstance(event, SlotsWithdrawn) for slot in event.slots],
        counts={
            "appointments": len(appointments),
            "holds": sum(isinstance(event, HoldReleased) for event in planned),
            "without_mobile": sum(not appointment.textable for appointment in appointments),
        },
        appointments=appointments,
        confirmation=confirmation(command.session, command.slots, version),
    )


def _displaced(page: State, planned: Sequence[BookingEvent]) -> Sequence[Displaced]:
    held = page.appointments if isinstance(page, Page) else {}
    return [
        Displaced(
            appointment=event.appointment,
            start=local(event.start),
            minutes=event.minutes,
            priority=held[event.appointment].booked.priority,
            textable=held[event.appointment].booked.textable,
        )
        for event in planned
        if isinstance(event, AppointmentDisplaced)
    ]


async def _states(connection: AsyncConnection, command: WithdrawSlots) -> Mapping[str, State]:
    streams = decider.touches(command)
    states = dict.fromkeys(streams, decider.initial)
    log = select(events.c.body).where(events.c.stream.in_(streams)).order_by(events.c.position)
    for recorded in map(decode, (await connection.execute(log)).scalars()):
        states[recorded.stream] = decider.evolve(states[recorded.stream], recorded.event)
    return states
