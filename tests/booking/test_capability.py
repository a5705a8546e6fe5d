"""What the API says of itself is what it does: every interaction and parameter it states, and every route it serves."""

from typing import Any

import pytest

from services.booking import schedule_search
from services.booking.fhir import api as fhir_api
from services.booking.fhir import appointment_params, capability, slot_params
from services.booking.fhir.search_params import PAGING
from tests.booking.paper import row
from tests.booking.surgery import Surgery, surgery, valid
from tests.harness import County

ROUTES = {
    "read": "GET /{kind}/{id}",
    "vread": "GET /{kind}/{id}/_history/{version}",
    "history-instance": "GET /{kind}/{id}/_history",
    "search-type": "GET /{kind}",
    "create": "POST /{kind}",
    "update": "PUT /{kind}/{id}",
}
NAMES = {"Slot": slot_params.NAMES, "Schedule": schedule_search.NAMES, "Appointment": appointment_params.NAMES}

STATEMENT = capability.capability_statement("2024-07-19")
(REST,) = STATEMENT["rest"]
RESOURCES: dict[str, dict[str, Any]] = {resource["type"]: resource for resource in REST["resource"]}


def stated() -> set[str]:
    """Every route that the statement promises."""
    found = {"GET /metadata", "POST "}
    for kind, resource in RESOURCES.items():
        found |= {ROUTES[each["code"]].replace("{kind}", kind) for each in resource["interaction"]}
        found.add(f"POST /{kind}/_search")
        for operation in resource.get("operation", ()):
            definition = defined(operation["definition"])
            of = "/{id}" if definition["instance"] else ""
            found.add(f"POST /{kind}{of}/${operation['name']}")
    return found


def served() -> set[str]:
    routes = fhir_api.router.routes
    return {f"{method} {route.path.removeprefix('/fhir/R4')}" for route in routes for method in route.methods}  # type: ignore[attr-defined]


def defined(reference: str) -> dict[str, Any]:
    """The contained definition that is referred to."""
    (found,) = (each for each in STATEMENT["contained"] if f"#{each['id']}" == reference)
    return dict(found)


def test_every_route_is_stated_and_every_statement_served() -> None:
    assert served() == stated()


def test_a_batch_and_a_transaction_go_to_the_base_address() -> None:
    assert [each["code"] for each in REST["interaction"]] == ["batch", "transaction"]


@pytest.mark.parametrize("kind", ["Slot", "Schedule", "Appointment"])
def test_every_parameter_is_stated_and_defined(kind: str) -> None:
    parameters = {each["name"]: each["definition"] for each in RESOURCES[kind]["searchParam"]}
    others = {"_sort"} if kind == "Appointment" else set()
    names = set(NAMES[kind]) - PAGING - others
    # A practice, and nothing else, is what these stand for.
    assert names | {"actor", "location"} >= set(parameters) >= names
    for name, definition in parameters.items():
        if definition.startswith("#"):
            assert (defined(definition)["code"], defined(definition)["base"]) == (name, [kind])
        else:
            owner = "Resource" if name.startswith("_") else kind
            assert definition == f"http://hl7.org/fhir/SearchParameter/{owner}-{name.lstrip('_')}"


def test_everything_contained_is_referred_to() -> None:
    text = str(REST)
    assert not [each["id"] for each in STATEMENT["contained"] if f"'#{each['id']}'" not in text]


async def test_the_statement_is_valid_and_public(county: County) -> None:
    async with surgery(county) as desk:
        answer = await desk.http.get("/fhir/R4/metadata", headers={"Authorization": ""})
        assert valid(answer) == capability.capability_statement("2024-07-19")


async def test_every_stated_parameter_is_understood(county: County) -> None:
    """Strictly handled: one that were not would be refused."""
    async with surgery(county) as desk:
        await desk.import_diary(row())
        (slot,) = await desk.slots()
        values = {
            **dict.fromkeys(("date", "_lastUpdated"), "2024-07-22"),
            "status": "free",
            "start": "ge2024-07-22",
            "end": "le2024-07-23",
            "service-type": "GP",
            "schedule": slot["schedule"]["reference"],
            "slot": f"Slot/{slot['id']}",
            "_id": "x",
            "practice": "A1",
            "actor": "A1",
            "location": "A1",
            "identifier": "urn:x|7",
            "searchFilter": "https://fhir.nhs.uk/Id/ods-organization-code|A1",
            "patient": "https://fhir.nhs.uk/Id/nhs-number|9990000018",
        }
        for kind, resource in RESOURCES.items():
            for parameter in (each["name"] for each in resource["searchParam"]):
                await _understood(desk, kind, parameter, values)
            for include in resource.get("searchInclude", ()):
                await _understood(desk, kind, "_include", {**values, "_include": include})


async def _understood(desk: Surgery, kind: str, parameter: str, values: dict[str, str]) -> None:
    needed = {
        "Slot": [("status", "free"), ("start", values["start"]), ("end", values["end"])],
        "Schedule": [],
        "Appointment": [("date", "2024-07-22")],
    }
    sent = [pair for pair in needed[kind] if pair[0] != parameter]
    value = "booked" if (kind, parameter) == ("Appointment", "status") else values[parameter]
    sent.append(("patient:identifier" if parameter == "patient" else parameter, value))
    if (kind, parameter) == ("Appointment", "start"):
        sent.append(("start", "le2024-07-23"))
    answer = await desk.ask("practice", "GET", kind, params=sent, headers={"Prefer": "handling=strict"})
    assert answer.status_code == 200, (kind, parameter, answer.text)
    assert parameter in valid(answer)["link"][0]["url"]
