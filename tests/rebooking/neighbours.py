"""Stand-ins for booking and notifications that record whatever a test says, in a real log on the real stream."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from httpx import AsyncClient, Response
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.app import create
from shared.decider import Decider
from shared.events.base import Event
from shared.events.booking import (
    AppointmentBooked,
    AppointmentMoved,
    MoveRejected,
    Patient,
    PracticeRegistered,
    SessionPublished,
    Slot,
)
from shared.events.envelope import Recorded
from shared.events.rebooking import MoveRequested
from shared.ids import derived_id
from shared.project import Change
from shared.seal import Keys
from shared.service import Blueprint, Reaction, Running
from shared.settings import ServiceSettings
from tests.harness import County

FRIDAY = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
"""Nine o'clock in London on the lost day."""
MONDAY = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
WEDNESDAY = datetime(2024, 7, 24, 8, 0, tzinfo=UTC)
PEOPLE = tuple(f"99900000{check}" for check in ("18", "26", "34", "42", "50", "69", "77", "85", "93"))
"""NHS numbers that cannot be anyone's."""


@dataclass(frozen=True, slots=True)
class Say:
    """Record these events."""

    events: Sequence[Event]


def _decide(_: Mapping[str, None], command: Say) -> Sequence[Event]:
    return command.events


def _touches(command: Say) -> Sequence[str]:
    return tuple({event.stream for event in command.events})


def _fold_nothing(_: Recorded) -> Iterable[Change]:
    return ()


async def _answer_moves(_: Running, __: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    """As booking does: moved, unless the slot's name says otherwise: `unanswered` so far, `taken` meanwhile by somebody
    else, or `never` given, for a reason that this copy of the diary does not show.

    Whoever asked for another time gives up the one they were moved to; all others give up the lost one.
    """
    return [Reaction(Say(_answer(recorded.event)), recorded) for recorded in events]


def _answer(asked: MoveRequested) -> Sequence[Event]:
    leaving = asked.standing or asked.appointment
    if asked.to_slot.startswith("unanswered"):
        return []
    if asked.to_slot.startswith("taken"):
        quicker = booked(f"quicker in {asked.to_slot}", asked.to_session, asked.to_slot, asked.to_start, "somebody")
        return [quicker, _rejected(asked, leaving, "The slot has been taken")]
    if asked.to_slot.startswith("never"):
        return [_rejected(asked, leaving, "The slot is kept for same-day")]
    moved_to = derived_id("appointment", asked.move)
    _GIVEN[moved_to] = asked.to_slot
    there = asked.to_practice or asked.practice
    return [
        booked(
            moved_to, asked.to_session, asked.to_slot, asked.to_start, asked.patient, practice=there, replaces=leaving
        ),
        AppointmentMoved(
            session=asked.from_session,
            practice=asked.practice,
            appointment=leaving,
            start=FRIDAY,
            patient=asked.patient,
            move=asked.move,
            outage=asked.outage,
            to_appointment=moved_to,
            to_session=asked.to_session,
            to_slots=(asked.to_slot,),
            to_start=asked.to_start,
            to_minutes=10,
            textable=asked.appointment != "no mobile",
            slots=(_GIVEN.pop(leaving, f"slot of {leaving}"),),
            to_practice=asked.to_practice,
        ),
    ]


def _rejected(asked: MoveRequested, leaving: str, reason: str) -> MoveRejected:
    return MoveRejected(
        session=asked.from_session,
        practice=asked.practice,
        appointment=leaving,
        move=asked.move,
        outage=asked.outage,
        reason=reason,
    )


_GIVEN: dict[str, str] = {}
"""The slot of each appointment that a move has made, to be given up by the next."""


def _spokesman(name: str, wants: frozenset[type[Event]]) -> Blueprint:
    return Blueprint(
        name=name,
        metadata=MetaData(),
        migrations=Path(__file__).parent / "neighbour_migrations",
        decider=Decider(None, _touches, _decide, lambda _, __: None),
        project=_fold_nothing,
        follows={},
        react=_answer_moves,
        wants=wants,
    )


BOOKING = _spokesman("booking", frozenset({MoveRequested}))
NOTIFICATIONS = _spokesman("notifications", frozenset())


class BookingSettings(ServiceSettings):
    service: ClassVar[str] = "booking"


class NotificationsSettings(ServiceSettings):
    service: ClassVar[str] = "notifications"


@dataclass(frozen=True, slots=True)
class Surgery:
    """Rebooking's app at work between its neighbours, on the Monday after the lost Friday."""

    county: County
    http: AsyncClient
    booking: Running
    notifications: Running

    @property
    def rebooking(self) -> Running:
        return next(each for each in self.county.at_work if each.blueprint.name == "rebooking")

    @property
    def keys(self) -> Keys:
        return self.booking.keys

    async def hears(self, neighbour: Running, *events: Event) -> None:
        """The neighbour has recorded these, and everybody knows."""
        await neighbour.executor.execute(Say(events))
        await self.county.caught_up()

    async def post(self, path: str, **body: Any) -> Response:
        """Ask for something, and wait until all that follows from it has happened."""
        answer = await self.http.post(f"/v1/outages{path}", json=body)
        await self.county.caught_up()
        return answer

    async def paper(self, outage: str, *lines: str, rest: str = "displaced") -> Response:
        text = "\n".join(("practice,start,nhs_number,outcome", *lines, ""))
        return await self.http.post(f"/v1/outages/{outage}/reconciliation", params={"rest": rest}, content=text)

    async def get(self, path: str) -> Any:
        answer = await self.http.get(f"/v1/outages{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def declared(self, **details: Any) -> str:
        """The id of an outage of all practices, over by Sunday evening."""
        usual = {
            "name": "The lost Friday",
            "practices": "all",
            "started_at": "2024-07-19T07:00",
            "ended_at": "2024-07-21T21:00",
        }
        answer = await self.post("", **(usual | details))
        assert answer.status_code == 201, answer.text
        outage: str = answer.json()["outage"]
        return outage


@asynccontextmanager
async def surgery(county: County, now: datetime = MONDAY, **settings: Any) -> AsyncIterator[Surgery]:
    """Rebooking between neighbours that say what a test wants said. It follows up when a test has it done."""
    county.clock_at(now)
    async with (
        county.service(BOOKING, BookingSettings) as booking,
        county.service(NOTIFICATIONS, NotificationsSettings) as notifications,
        county.client(create, **({"follow_up_seconds": 3600} | settings)) as http,
    ):
        yield Surgery(county, http, booking, notifications)


def registered(*practices: str) -> list[Event]:
    return [PracticeRegistered(practice=practice, name=f"Surgery {practice}") for practice in practices]


def published(session: str, *slots: Slot, practice: str = "A1", role: str = "GP") -> SessionPublished:
    return SessionPublished(
        session=session,
        practice=practice,
        name=session,
        clinician="Dr Ames",
        clinician_role=role,
        location="Room 1",
        slots=slots,
    )


def slot(name: str, start: datetime, **details: Any) -> Slot:
    usual: dict[str, Any] = {"id": name, "start": start, "minutes": 10}
    return Slot(**(usual | details))


def booked(
    appointment: str,
    session: str,
    taken: str,
    start: datetime,
    patient: str,
    *,
    practice: str = "A1",
    booked_at: datetime = FRIDAY - timedelta(days=5),
    priority: int = 0,
    replaces: str = "",
    sealed: str = "",
    textable: bool = True,
) -> AppointmentBooked:
    return AppointmentBooked(
        session=session,
        practice=practice,
        appointment=appointment,
        slots=(taken,),
        start=start,
        minutes=10,
        patient=Patient(id=patient, sealed=sealed),
        details="",
        textable=textable,
        booked_at=booked_at,
        priority=priority,
        replaces=replaces,
    )
