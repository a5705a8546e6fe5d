"""A system that books: it books, holds, amends, moves and cancels what it booked, and reads it back."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from services.booking.fhir.resources import CANCELLATION_REASON, NHS_NUMBER, ODS_CODE
from services.operator.county_people import Person
from shared.ids import derived_id
from tests.chaos import effects
from tests.chaos.asking import Client, Json

WANTED_MOST = 8
"""So many of the first free slots everybody wants, so that they race for them."""
SEARCHED_ANEW = 0.3
PAUSE = 0.25


@dataclass(slots=True)
class Reception:
    """`organisation` is whose system it is, `practices` are where it books, `patients` whom for."""

    client: Client
    organisation: str
    practices: Sequence[str]
    patients: Iterator[Person]
    mine: list[str] = field(default_factory=list)
    """Appointments that it booked, and that nobody has changed since, as far as it knows."""
    seen: list[str] = field(default_factory=list)
    _free: list[Json] = field(default_factory=list)

    async def work(self) -> None:
        """For ever."""
        doing: Sequence[tuple[Callable[[], Awaitable[None]], float]] = (
            (self.book, 45),
            (self.hold, 12),
            (self.read, 12),
            (self.amend, 9),
            (self.reschedule, 10),
            (self.cancel, 12),
        )
        while True:
            (one,) = self.client.rng.choices([one for one, _ in doing], [weight for _, weight in doing])
            await one()
            await self.client.pause(PAUSE)

    async def book(self) -> None:
        number, keyed = self.client.number(), self.client.rng.random() < 0.7
        slot = await self._slot()
        if slot is None:
            return
        headers = {"Idempotency-Key": number} if keyed else {}
        body = self._appointment(slot, next(self.patients), number)
        with self.client.history.command(self.client.name, "book", effects.booking(number)) as command:
            answer = await self.client.do(
                command, "booking", "POST", "/fhir/R4/Appointment", repeat=keyed, json=body, headers=headers
            )
            if answer is not None and command.outcome == "done":
                self._booked(self.client.saw(answer, command.invoked))

    async def hold(self) -> None:
        """Slots first; then the patient's name, or a change of mind."""
        number, wanted = self.client.number(), self.client.rng.random()
        slot = await self._slot()
        if slot is None:
            return
        session = slot["schedule"]["reference"].removeprefix("Schedule/")
        # As booking names a hold that is asked for under a key.
        hold = derived_id("idempotency-key", self.organisation, self.client.name, session, number)
        body = {
            "resourceType": "Parameters",
            "parameter": [{"name": "slot", "valueReference": {"reference": f"Slot/{slot['id']}"}}],
        }
        with self.client.history.command(self.client.name, "hold", effects.held(hold)) as command:
            answer = await self.client.do(
                command, "booking", "POST", "/fhir/R4/Appointment/$hold", repeat=True, json=body,
                headers={"Idempotency-Key": number},
            )  # fmt: skip
            if answer is None or command.outcome != "done":
                return
            self.client.saw(answer, command.invoked)
        if wanted < 0.7:
            await self._confirm(hold, slot)
        elif wanted < 0.85:
            await self._change(hold, "release", effects.released(hold), {"status": "cancelled"})

    async def read(self) -> None:
        if self.seen:
            await self.client.read(self.client.rng.choice(self.seen))

    async def amend(self) -> None:
        if self.mine:
            appointment, description = self.client.rng.choice(self.mine), self.client.number()
            effect = effects.amended(appointment, description)
            await self._change(appointment, "amend", effect, {"description": description})

    async def cancel(self) -> None:
        if self.mine:
            appointment = self._give_up()
            reason = {"coding": [{"system": CANCELLATION_REASON, "code": effects.CANCELLED_FOR}]}
            changes = {"status": "cancelled", "cancelationReason": reason}
            await self._change(appointment, "cancel", effects.cancelled(appointment), changes)

    async def reschedule(self) -> None:
        if not self.mine:
            return
        appointment, number = self._give_up(), self.client.number()
        found, slot = await self.client.read(appointment), await self._slot()
        if found is None or slot is None:
            return
        reason = {"coding": [{"system": CANCELLATION_REASON, "code": "pat"}]}
        body = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "slot", "valueReference": {"reference": f"Slot/{slot['id']}"}},
                {"name": "reason", "valueCodeableConcept": reason},
            ],
        }
        with self.client.history.command(self.client.name, "reschedule", effects.rescheduled(appointment)) as command:
            answer = await self.client.do(
                command, "booking", "POST", f"/fhir/R4/Appointment/{appointment}/$reschedule", repeat=True, json=body,
                headers={"Idempotency-Key": number, "If-Match": found[1]},
            )  # fmt: skip
            if answer is not None and command.outcome == "done":
                self._booked(self.client.saw(answer, command.invoked))

    async def _confirm(self, hold: str, slot: Json) -> None:
        found = await self.client.read(hold)
        if found is None:
            return
        number = self.client.number()
        body = self._appointment(slot, next(self.patients), number) | {"id": hold}
        with self.client.history.command(self.client.name, "confirm", effects.booking(number)) as command:
            answer = await self.client.do(
                command, "booking", "PUT", f"/fhir/R4/Appointment/{hold}", repeat=True, json=body,
                headers={"If-Match": found[1]},
            )  # fmt: skip
            if answer is not None and command.outcome == "done":
                self._booked(self.client.saw(answer, command.invoked))

    async def _change(self, appointment: str, kind: str, effect: str, changes: Json) -> None:
        """As it was read, with these changes. Sent again unchanged, since a version that has passed is refused."""
        found = await self.client.read(appointment)
        if found is None:
            return
        resource, etag = found
        with self.client.history.command(self.client.name, kind, effect) as command:
            answer = await self.client.do(
                command, "booking", "PUT", f"/fhir/R4/Appointment/{appointment}", repeat=True, json=resource | changes,
                headers={"If-Match": etag},
            )  # fmt: skip
            if answer is not None and command.outcome == "done":
                self.client.saw(answer, command.invoked)

    async def _slot(self) -> Json | None:
        """A slot that was free when we looked last."""
        if not self._free or self.client.rng.random() < SEARCHED_ANEW:
            search = {
                "schedule.actor:HealthcareService": f"{ODS_CODE}|{self.client.rng.choice(self.practices)}",
                "status": "free",
                "start": "ge2024-07-24",
                "end": "le2024-08-02",
                "_count": "60",
            }
            found = await self.client.look("booking", "/fhir/R4/Slot", params=search)
            entries = found.get("entry", []) if found else []
            slots = [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Slot"]
            self._free = [slot for slot in slots if not slot.get("comment")]
        wanted = self._free[:WANTED_MOST]
        if not wanted:
            return None
        chosen = self.client.rng.choice(wanted)
        self._free.remove(chosen)
        return chosen

    def _give_up(self) -> str:
        """One of ours that is about to end: nobody touches it after that."""
        return self.mine.pop(self.client.rng.randrange(len(self.mine)))

    def _booked(self, appointment: str) -> None:
        self.mine.append(appointment)
        self.seen.append(appointment)

    def _appointment(self, slot: Json, patient: Person, number: str) -> Json:
        telephone = [{"system": "phone", "use": "mobile", "value": patient.mobile}] if patient.mobile else []
        contained = {
            "resourceType": "Patient",
            "id": "patient",
            "identifier": [{"system": NHS_NUMBER, "value": patient.nhs_number}],
            "name": [{"family": patient.family_name, "given": [patient.given_name]}],
            "birthDate": patient.birth_date,
            "telecom": telephone,
        }
        return {
            "resourceType": "Appointment",
            "status": "booked",
            "identifier": [{"system": effects.OURS, "value": number}],
            "description": "Back pain",
            "contained": [contained],
            "start": slot["start"],
            "end": slot["end"],
            "slot": [{"reference": f"Slot/{slot['id']}"}],
            "participant": [{"actor": {"reference": "#patient"}, "status": "accepted"}],
        }
