"""Two FHIR libraries that others have written, as they are: search, book, read, amend, cancel, retrieve."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.appointment import Appointment
from fhirclient.models.codeableconcept import CodeableConcept
from fhirclient.models.schedule import Schedule
from fhirclient.models.slot import Slot
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from httpx import AsyncClient

from services.booking.app import BLUEPRINT, Settings, create
from services.booking.fhir.resources import NHS_NUMBER
from tests.booking.paper import CSV, PRACTICES, appointment, diary_file, reason, row
from tests.booking.surgery import NOON
from tests.harness import County
from tests.issuer import bearer
from tests.serving import served

ANN = f"{NHS_NUMBER}|9990000018"
SEARCH = {"start": "ge2024-07-22", "end": "le2024-07-26", "status": "free"}


@pytest.fixture
async def base(county: County) -> AsyncIterator[str]:
    """The address of the FHIR API of a booking with two free slots at practice A1."""
    county.clock_at(NOON)
    async with served(create(await county.settings(BLUEPRINT, Settings))) as address:
        async with AsyncClient(base_url=address, headers=bearer(county.operator_token())) as http:
            assert (await http.post("/v1/practices", content=PRACTICES, headers=CSV)).status_code == 200
            diary = diary_file(row(), row(start="2024-07-22T09:10"))
            assert (await http.post("/v1/diary", content=diary, headers=CSV)).status_code == 200
        yield f"{address}/fhir/R4"


async def test_fhirpy_goes_through_the_life_of_an_appointment(base: str, county: County) -> None:
    client = AsyncFHIRClient(base, authorization=f"Bearer {county.token('A1')}")

    slots = await client.resources("Slot").search(**SEARCH).include("Slot", "schedule").fetch_all()
    assert [slot["start"] for slot in slots] == ["2024-07-22T09:00:00+01:00", "2024-07-22T09:10:00+01:00"]

    booked = client.resource("Appointment", **without_type(appointment(slots[0].id)))
    await booked.save()
    assert (booked["status"], booked["meta"]["versionId"]) == ("booked", "2")

    read = await client.reference("Appointment", booked.id).to_resource()
    assert dict(read) == dict(booked)

    read["comment"] = "Comes with her daughter"
    await seen(client, read).save()
    assert (await client.get("Appointment", booked.id))["comment"] == "Comes with her daughter"

    read["status"] = "cancelled"
    read["cancelationReason"] = reason()
    await seen(client, read).save()
    assert read["status"] == "cancelled"

    found = await client.resources("Appointment").search(**{"patient:identifier": ANN}).fetch()
    assert [dict(each) for each in found] == [dict(read)]


async def test_fhirpy_is_told_why_in_exceptions_of_its_own(base: str, county: County) -> None:
    client = AsyncFHIRClient(base, authorization=f"Bearer {county.token('A1')}")
    (slot, *_) = await client.resources("Slot").search(**SEARCH).fetch()
    await client.resource("Appointment", **without_type(appointment(slot.id))).save()

    with pytest.raises(OperationOutcome) as refused:
        await client.resource("Appointment", **without_type(appointment(slot.id))).save()
    with pytest.raises(ResourceNotFound):
        await client.get("Appointment", "no-such-appointment")

    assert refused.value.resource["issue"][0]["diagnostics"].startswith("Appointment.slot: ")


async def test_fhirclient_goes_through_the_life_of_an_appointment(base: str, county: County) -> None:
    token = county.token("A1")
    await asyncio.to_thread(_the_life_of_an_appointment, base, token)


def _the_life_of_an_appointment(base: str, token: str) -> None:
    with smart(base, token) as client:
        assert client.prepare()
        (found,) = Slot.where(SEARCH).include("schedule").perform_iter(client.server)
        slots = [entry.resource for entry in found.entry if isinstance(entry.resource, Slot)]
        assert [slot.start.as_json() for slot in slots] == ["2024-07-22T09:00:00+01:00", "2024-07-22T09:10:00+01:00"]
        assert any(isinstance(entry.resource, Schedule) for entry in found.entry)

        booked = Appointment(Appointment(appointment(slots[0].id)).create(client.server))
        assert (booked.status, booked.meta.versionId) == ("booked", "2")

        read = Appointment.read(booked.id, client.server)
        assert read.as_json() == booked.as_json()

        read.comment = "Comes with her daughter"
        amended = changed(client, read)
        assert Appointment.read(booked.id, client.server).comment == "Comes with her daughter"

        amended.status = "cancelled"
        amended.cancelationReason = CodeableConcept(reason())
        assert changed(client, amended).status == "cancelled"

        (kept,) = Appointment.where({"patient:identifier": ANN}).perform_resources_iter(client.server)
        assert (kept.id, kept.status) == (booked.id, "cancelled")


def without_type(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource's elements: fhirpy is told its type apart."""
    return {name: value for name, value in resource.items() if name != "resourceType"}


def seen(client: AsyncFHIRClient, resource: Any) -> Any:
    """The resource, to be saved with the version that was read: fhirpy takes If-Match as a header of its client."""
    client.extra_headers = {"If-Match": f'W/"{resource["meta"]["versionId"]}"'}
    return resource


@contextmanager
def smart(base: str, token: str) -> Iterator[FHIRClient]:
    """fhirclient with a token that it was given: it fetches none from a backend of this sort."""
    client = FHIRClient({"app_id": "a practice system", "api_base": base})
    client.server.session.headers["Authorization"] = f"Bearer {token}"
    try:
        yield client
    finally:
        client.server.session.close()


def changed(client: FHIRClient, resource: Appointment) -> Appointment:
    """What an update is answered with; If-Match goes with the session."""
    client.server.session.headers["If-Match"] = f'W/"{resource.meta.versionId}"'
    return Appointment(resource.update(client.server))
