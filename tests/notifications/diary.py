"""Booking, as far as notifications can tell: its events in the stream, without its service."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from msgspec import structs

from services.notifications.reactions import message_of
from shared.broker import connect
from shared.events.base import Event
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentFulfilled,
    AppointmentMoved,
    Patient,
    PracticeRegistered,
)
from shared.events.envelope import Recorded, with_body
from shared.ids import derived_id
from shared.seal import PatientBlock
from shared.service import Running
from shared.stream import Message, publish
from tests.harness import County

PRACTICE, ELSEWHERE, OUTAGE = "G82002", "G82003", "outage-1"
NOW = datetime(2024, 7, 22, 9, 0, tzinfo=UTC)
LOST = datetime(2024, 7, 19, 9, 10, tzinfo=UTC)


def mobile_of(number: int) -> str:
    """This patient's. None is 07700 900111 or 900222, where Notify keeps nothing."""
    return f"+447700900{number + (100 if number <= 10 else 300)}"


@dataclass(frozen=True, slots=True)
class Moved:
    """A patient whose appointment was moved."""

    number: int
    mobile: str
    patient: str
    move: str
    replaces: str
    appointment: str
    stood: datetime = LOST
    """When the appointment was that gave way."""

    @property
    def message(self) -> str:
        return message_of(self.move)


@dataclass(slots=True)
class Diary:
    """Writes booking's events to the stream, as booking would."""

    county: County
    running: Running
    position: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    async def register(self, name: str = "Harbour Surgery") -> None:
        await self.publish([PracticeRegistered(practice=PRACTICE, name=name)])

    async def move(
        self, *numbers: int, mobiles: Sequence[str] | None = None, start: datetime = NOW + timedelta(days=1)
    ) -> list[Moved]:
        """The appointments of these patients are moved to `start`. Patient 7 has the mobile 07700 900107."""
        phones = mobiles or [mobile_of(number) for number in numbers]
        moved = [self._moved(number, mobile) for number, mobile in zip(numbers, phones, strict=True)]
        await self.publish(await self._events(moved, start))
        return moved

    async def move_on(self, moved: Moved, start: datetime = NOW + timedelta(days=2)) -> Moved:
        """Who was moved is moved again, as when they asked for another time."""
        again = _again(moved)
        await self.publish(await self._events([again], start))
        return again

    async def move_away(self, number: int) -> None:
        """A patient is moved to Mill Lane."""
        mill_lane = PracticeRegistered(practice=ELSEWHERE, name="Mill Lane", town="Deal", postcode="CT14 6AA")
        moved = self._moved(number, mobile_of(number))
        booked, gave_way = await self._events([moved], NOW + timedelta(days=1))
        there = structs.replace(booked, practice=ELSEWHERE, booked_by=PRACTICE)
        await self.publish([mill_lane, there, structs.replace(gave_way, to_practice=ELSEWHERE)])

    async def book(
        self, *numbers: int, start: datetime, booked_at: datetime = LOST, mobiles: Sequence[str] | None = None
    ) -> list[Moved]:
        """These patients have an appointment of their own choice."""
        phones = mobiles or [mobile_of(number) for number in numbers]
        booked = [self._moved(number, mobile, "own") for number, mobile in zip(numbers, phones, strict=True)]
        events = (await self._events(booked, start))[::2]
        await self.publish([structs.replace(each, move="", replaces="", booked_at=booked_at) for each in events])
        return booked

    async def see(self, moved: Moved) -> None:
        """The patient came, and was seen."""
        session = f"session-{moved.number}"
        await self.publish([AppointmentFulfilled(session=session, practice=PRACTICE, appointment=moved.appointment)])

    async def move_twice(self, number: int) -> tuple[Recorded, Recorded]:
        """A patient is moved, and at once moved again: the two moves."""
        once = self._moved(number, mobile_of(number))
        events = await self._events([once, _again(once)], NOW + timedelta(days=1))
        recorded = [self._recorded(event) for event in events]
        await self._send(recorded)
        return recorded[1], recorded[3]

    async def cancel(self, moved: Moved) -> None:
        await self.publish(
            [
                AppointmentCancelled(
                    session=f"session-{moved.number}",
                    practice=PRACTICE,
                    appointment=moved.appointment,
                    cancelled_by="patient",
                    reason="pat",
                )
            ]
        )

    async def displace(self, moved: Moved) -> None:
        """The session they were moved to is withdrawn."""
        await self.publish(
            [
                AppointmentDisplaced(
                    session=f"session-{moved.number}",
                    practice=PRACTICE,
                    appointment=moved.appointment,
                    patient=moved.patient,
                    start=NOW + timedelta(days=1),
                    minutes=10,
                    withdrawal="withdrawal-1",
                    reason="Ill",
                )
            ]
        )

    async def publish(self, events: Sequence[Event]) -> None:
        await self._send([self._recorded(event) for event in events])

    async def _send(self, recorded: Sequence[Recorded]) -> None:
        client = await connect(self.county.servers.nats.url("booking"), "booking")
        try:
            messages = [Message(each.subject, each.id, each.body) for each in recorded]
            for start in range(0, len(messages), 1000):
                await publish(client, messages[start : start + 1000])
        finally:
            await client.close()

    async def _events(self, moved: Sequence[Moved], start: datetime) -> Sequence[Event]:
        keys = await self.running.keys.ensure({each.patient for each in moved})
        events: list[Event] = []
        for each in moved:
            block = PatientBlock(nhs_number="9990000018", given_name=f"Sam{each.number}", mobile=each.mobile)
            events += [_booked(each, keys[each.patient].seal(block), start), _gave_way(each, start)]
        return events

    def _moved(self, number: int, mobile: str, appointment: str = "new") -> Moved:
        return Moved(
            number=number,
            mobile=mobile,
            patient=self.running.keys.pseudonym("patient", f"patient {number}"),
            move=f"move-{number}",
            replaces=f"old-{number}",
            appointment=f"{appointment}-{number}",
        )

    def _recorded(self, event: Event) -> Recorded:
        self.position += 1
        version = self.versions[event.stream] = self.versions.get(event.stream, 0) + 1
        return with_body(
            Recorded(
                position=self.position,
                version=version,
                id=derived_id("booking", str(self.position)),
                service="booking",
                stream=event.stream,
                practice=event.at_practice,
                recorded_at=NOW,
                occurred_at=NOW,
                event=event,
            )
        )


def _again(moved: Moved) -> Moved:
    number = moved.number
    newer = replace(moved, move=f"again-{number}", replaces=moved.appointment, appointment=f"newer-{number}")
    return replace(newer, stood=NOW + timedelta(days=1))


def _booked(moved: Moved, sealed: str, start: datetime) -> AppointmentBooked:
    return AppointmentBooked(
        session=f"session-{moved.number}",
        practice=PRACTICE,
        appointment=moved.appointment,
        slots=(f"slot-{moved.number}",),
        start=start,
        minutes=10,
        patient=Patient(id=moved.patient, sealed=sealed),
        details="",
        textable=True,
        booked_at=NOW,
        replaces=moved.replaces,
        move=moved.move,
    )


def _gave_way(moved: Moved, start: datetime) -> AppointmentMoved:
    return AppointmentMoved(
        session=f"lost-{moved.number}",
        practice=PRACTICE,
        appointment=moved.replaces,
        start=moved.stood,
        patient=moved.patient,
        move=moved.move,
        outage=OUTAGE,
        to_appointment=moved.appointment,
        to_session=f"session-{moved.number}",
        to_slots=(f"slot-{moved.number}",),
        to_start=start,
        to_minutes=10,
        textable=True,
    )
