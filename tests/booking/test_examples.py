"""The examples that the API describes itself with are true: they are sound FHIR, and the booking really books."""

from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from services.booking.fhir import api as fhir_api
from services.booking.fhir import examples
from services.booking.fhir.resources import Json
from tests.booking.paper import row
from tests.booking.surgery import surgery, valid
from tests.harness import County

RESOURCES = {
    name: value
    for name, value in vars(examples).items()
    if name.isupper() and not name.startswith("_") and isinstance(value, dict) and "resourceType" in value
}


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_an_example_is_sound(name: str) -> None:
    resource: Json = RESOURCES[name]
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


async def test_the_examples_hold_book_and_reschedule(county: County) -> None:
    async with surgery(county) as desk:
        assert (await desk.import_diary(row(), row(start="2024-07-22T09:10"))).status_code == 200
        booked = await desk.ask("practice", "POST", "Appointment", json=examples.BOOKING)
        cancel = examples.CANCELLATION | {"id": booked.json()["id"]}
        body = booked.json() | {name: cancel[name] for name in ("status", "cancelationReason")}
        path, seen = f"Appointment/{booked.json()['id']}", {"If-Match": booked.headers["etag"]}
        moved = await desk.ask("practice", "POST", f"{path}/$reschedule", json=examples.RESCHEDULING, headers=seen)
        held = await desk.ask("practice", "POST", "Appointment/$hold", json=examples.HOLD)
        batch = await desk.ask("practice", "POST", "", json=examples.BATCH)
        again = await desk.ask("practice", "PUT", path, json=body, headers=seen)
    assert [answer.status_code for answer in (booked, moved, held, batch)] == [201, 201, 201, 200], held.text
    assert again.status_code == 200
    for answer, shown in ((booked, examples.BOOKED), (moved, examples.RESCHEDULED), (held, examples.HELD)):
        assert valid(answer).keys() == shown.keys()


def _described() -> Iterator[tuple[str, dict[str, Any]]]:
    for route in fhir_api.router.routes:
        yield str(getattr(route, "path", "")), getattr(route, "openapi_extra", None) or {}


def test_every_route_is_described_with_its_answers() -> None:
    for path, described in _described():
        assert "responses" in described, path
