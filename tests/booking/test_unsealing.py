"""What does not open, since its patient was erased or it was damaged, is left out, and all appointments stand."""

from typing import Any

import pytest
from httpx import Response
from sqlalchemy import update

from services.booking.fhir.conditional import same_booking
from services.booking.tables import appointments
from shared.events.booking import AppointmentBooked, Patient
from shared.seal import DataKey, Details, Keys, MasterKeyChanged, PatientBlock
from shared.service import Running
from tests.booking.paper import BOB, reason, row
from tests.booking.surgery import WEEK, Surgery, refused, surgery, valid
from tests.harness import County
from tests.house.examples import NOW

ANN = PatientBlock(nhs_number="9990000018", given_name="Ann", family_name="Teak")
BACK = Details(description="Back pain")
ERASED = {"actor": {"type": "Patient", "display": "Erased"}, "status": "accepted"}


async def made_noise(service: Running, appointment: str, noise: str) -> None:
    """What is sealed of this appointment stands in the tables like this."""
    asked = update(appointments).where(appointments.c.appointment == appointment)
    async with service.engine.begin() as connection:
        await connection.execute(asked.values(sealed=noise, details=noise))


async def two_booked(desk: Surgery) -> Response:
    """Ann at nine, whose appointment this is, and Bob ten minutes later."""
    imported = await desk.import_diary(row(), row(BOB, start="2024-07-22T09:10"))
    assert imported.json()["appointments"] == 1
    (free,) = await desk.slots(status="free")
    return await desk.book(free["id"])


def _participants(resource: dict[str, Any]) -> list[str]:
    return [each["actor"]["display"] for each in resource["participant"]][:1]


@pytest.mark.parametrize(
    "noise",
    [DataKey("the key of before", bytes(32)).seal(ANN), "cut short"],
    ids=["erased and entered again", "damaged"],
)
async def test_what_does_not_open_is_left_out_and_hides_nobody_else(county: County, noise: str) -> None:
    async with surgery(county) as desk:
        (service,) = county.at_work
        ann = await two_booked(desk)
        await made_noise(service, ann.json()["id"], noise)
        address, seen = f"Appointment/{ann.json()['id']}", {"If-Match": ann.headers["etag"]}
        read = valid(await desk.ask("practice", "GET", address))
        search = {"actor:HealthcareService.identifier": "A1", "date": [WEEK["start"], WEEK["end"]]}
        found = await desk.ask("practice", "GET", "Appointment", params=search)
        listed = await desk.http.get("/v1/day-list", params={"practice": "A1", "date": "2024-07-22"})
        amended = await desk.ask("practice", "PUT", address, json=read | {"comment": "In a hurry"}, headers=seen)
        off = read | {"status": "cancelled", "cancelationReason": reason()}
        cancelled = await desk.ask("practice", "PUT", address, json=off, headers=seen)
    assert read["participant"][0] == ERASED
    assert not {"description", "comment"} & read.keys()
    assert [_participants(entry["resource"]) for entry in valid(found)["entry"]] == [["Erased"], ["Bob Teak"]]
    assert [each["patient"] and each["patient"]["given_name"] for each in listed.json()] == [None, "Bob"]
    assert refused(amended) == (422, "patient-erased")
    assert valid(cancelled)["status"] == "cancelled"
    assert "Ann" not in str(read) + found.text + listed.text + amended.text + cancelled.text


async def test_with_another_master_key_it_is_said_whose_fault_that_is_and_nothing_of_a_patient(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with surgery(county) as desk:
        ann = await two_booked(desk)

        async def changed(*_: object) -> dict[str, DataKey]:
            raise MasterKeyChanged("a data key does not open: was the master key changed?")

        monkeypatch.setattr(Keys, "find", changed)
        read = await desk.ask("practice", "GET", f"Appointment/{ann.json()['id']}")
        listed = await desk.http.get("/v1/day-list", params={"practice": "A1", "date": "2024-07-22"})
    assert refused(read) == refused(listed) == (503, "key-does-not-open")
    assert "An operator has to put that right" in valid(read)["issue"][0]["diagnostics"]


class TestAnIdempotencyKey:
    """Nothing is booked a second time on a doubt, and nobody is told that a key was used for another patient."""

    SAME = staticmethod(same_booking("ann", ANN, BACK, {}))
    KEY, NEXT_KEY = DataKey("ann", bytes(32)), DataKey("ann", bytes([1] * 32))

    def booked(self, patient: PatientBlock = ANN, details: Details = BACK) -> AppointmentBooked:
        sealed = self.KEY.seal(patient)
        return AppointmentBooked(
            session="session-1",
            practice="A1",
            appointment="appointment-1",
            slots=("slot-1",),
            start=NOW,
            minutes=10,
            patient=Patient(id="ann", sealed=sealed),
            details=self.KEY.seal(details),
            textable=True,
            priority=3,
            booked_at=NOW,
            booked_by="A1",
        )

    def test_tells_the_same_from_another(self) -> None:
        assert self.SAME(self.booked(), self.KEY)
        assert not self.SAME(self.booked(patient=PatientBlock(nhs_number="9990000018", given_name="Bob")), self.KEY)
        assert not self.SAME(self.booked(details=Details(description="Neck pain")), self.KEY)

    @pytest.mark.parametrize("key", [None, NEXT_KEY], ids=["erased", "erased and entered again"])
    def test_gives_back_what_nobody_can_compare_any_more(self, key: DataKey | None) -> None:
        assert self.SAME(self.booked(), key)
