"""Whatever is sent to whichever route, the answer is one that the API's own description allows, and never a 5xx.

schemathesis makes requests out of the description; damaged examples and searches of nonsense go where it does not
reach. They are the same requests every time: what a longer run finds gets a test of its own, at the lowest level.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, permutations
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import schemathesis
from fhir.resources.R4B import get_fhir_model_class
from httpx import AsyncClient, Client, Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.booking import app as booking
from services.booking.fhir import examples
from services.notifications import app as notifications
from services.rebooking import app as rebooking
from services.rebooking import desk_api
from shared.gate import HEALTH
from tests.booking import damage
from tests.booking.paper import ANN, BOB, CSV, PRACTICES, diary_file, row
from tests.booking.surgery import FHIR, NOON
from tests.harness import County
from tests.issuer import bearer
from tests.notifications.sandbox import KEY, TOKEN
from tests.serving import served

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TOO_LONG_A_LINE = "Invalid HTTP request received."
"""What uvicorn says of an address of more than 64 KiB, which never reaches the app."""
WITHOUT_INPUT = HEALTH | {f"{FHIR}/metadata"} | desk_api.PAGE.open_paths
DIARY = diary_file(
    row(),
    row(start="2024-07-22T09:10"),
    row(start="2024-07-22T09:20"),
    row(ANN, start="2024-07-22T09:30"),
    row(BOB, start="2024-07-19T13:00", practice="B2"),
)


def bounded(times: int) -> settings:
    """So many requests, always the same ones."""
    return settings(
        max_examples=times,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@dataclass(frozen=True, slots=True)
class Fuzz:
    """A running service, and what there is to be named in a path."""

    address: str
    known: Mapping[str, Sequence[str]]

    def try_every_operation(self, times: int, *tokens: str) -> None:
        """Each with so many requests that fit its description, and as many that do not, asked by each of these.

        They take turns at being the first, who may find things as nobody has left them.
        """
        schema = schemathesis.openapi.from_url(f"{self.address}/openapi.json")
        turns = cycle(permutations(tokens))
        with requests.Session() as session:
            for found in schema.get_all_operations():
                assert isinstance(found, Ok), found
                operation = found.ok()
                modes = [GenerationMode.POSITIVE] if operation.path in WITHOUT_INPUT else list(GenerationMode)
                for mode in modes:
                    self._operation(operation, mode, session, times, turns)

    def _operation(
        self,
        operation: APIOperation[Any, Any, Any, Any],
        mode: GenerationMode,
        session: requests.Session,
        times: int,
        turns: Iterator[Sequence[str]],
    ) -> None:
        @bounded(times)
        @given(st.data())
        def is_answered_as_described(data: st.DataObject) -> None:
            case: Case[Any] = data.draw(operation.as_strategy(generation_mode=mode))
            for name in sorted(case.path_parameters.keys() & self.known.keys()):
                if data.draw(st.booleans()):
                    case.path_parameters[name] = data.draw(st.sampled_from(self.known[name]))
            for token in next(turns):
                answer = case.call(session=session, headers=bearer(token))
                if answer.text != TOO_LONG_A_LINE:
                    case.validate_response(answer, checks=CHECKS)

        is_answered_as_described()

    def try_every_damage(self, times: int, token: str) -> None:
        """Each write with its own example, damaged, and with other headers."""
        appointment = self.known["id"][-1]
        with Client(base_url=self.address, headers=bearer(token)) as http:
            read = http.get(f"{FHIR}/Appointment/{appointment}")
            http.headers["If-Match"] = read.headers["etag"]
            for method, path, body in (
                ("POST", "/Appointment", examples.BOOKING),
                ("POST", "/Appointment/$hold", examples.HOLD),
                ("PUT", f"/Appointment/{appointment}", read.json()),
                ("PUT", f"/Appointment/{appointment}", read.json() | CANCELLED),
                ("POST", f"/Appointment/{appointment}/$reschedule", examples.RESCHEDULING),
                ("POST", "", examples.BATCH),
                ("POST", "", examples.BATCH | {"type": "transaction"}),
            ):
                _damage(http, method, path, body, times)

    def try_every_search(self, times: int, token: str) -> None:
        """Each with whatever parameters, by address and by form."""
        with Client(base_url=self.address, headers=bearer(token)) as http:
            (rest,) = http.get(f"{FHIR}/metadata").json()["rest"]
            for resource in rest["resource"]:
                _search(http, resource["type"], [each["name"] for each in resource["searchParam"]], times)


def _damage(http: Client, method: str, path: str, body: Mapping[str, Any], times: int) -> None:
    @bounded(times)
    @given(damage.damaged(body), damage.headers)
    def is_answered(sent: Any, told: dict[str, str]) -> None:
        headers = [(name.encode(), value.encode()) for name, value in told.items()]
        headers.append((b"Content-Type", b"application/json"))
        well_told(http.request(method, f"{FHIR}{path}", content=json.dumps(sent), headers=headers))

    is_answered()


def _search(http: Client, kind: str, names: Sequence[str], times: int) -> None:
    @bounded(times)
    @given(damage.searches(names, VALUES), st.booleans())
    def is_answered(asked: list[tuple[str, str]], by_form: bool) -> None:
        if by_form:
            well_told(http.post(f"{FHIR}/{kind}/_search", data=dict(asked)))
        else:
            well_told(http.get(f"{FHIR}/{kind}", params=urlencode(asked)))

    is_answered()


CANCELLED = {name: examples.CANCELLATION[name] for name in ("status", "cancelationReason")}
VALUES = (
    *("2024-07-22", "2024-07-26", "2024-07-22T09:00:00+01:00", "free", "booked", "Slot:schedule", "Appointment:slot"),
    *("https://fhir.nhs.uk/Id/nhs-number|9990000018", "https://fhir.nhs.uk/Id/ods-organization-code|A1", "A1"),
)


def well_told(answer: Response) -> None:
    """Never our fault, and a refusal is an OperationOutcome as R4 has it."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        get_fhir_model_class("OperationOutcome").model_validate(answer.json())


@asynccontextmanager
async def practice(county: County) -> AsyncIterator[tuple[str, Mapping[str, Sequence[str]]]]:
    """Booking on a port, with two practices and a little diary, and what there is to be named."""
    county.clock_at(NOON)
    settings = await county.settings(booking.BLUEPRINT, booking.Settings)
    async with served(booking.create(settings)) as address:
        async with AsyncClient(base_url=address, headers=bearer(county.operator_token())) as http:
            for path, file in (("practices", PRACTICES), ("diary", DIARY)):
                assert (await http.post(f"/v1/{path}", content=file, headers=CSV)).is_success
            slots = (await http.get(f"{FHIR}/Slot", params=WEEK)).json()["entry"]
            (booked,) = (await http.get(f"{FHIR}/Appointment", params={"date": "2024-07-22"})).json()["entry"]
        ids = [entry["resource"]["id"] for entry in slots]
        sessions = sorted({entry["resource"]["schedule"]["reference"].partition("/")[2] for entry in slots})
        known = {"practice": ["A1", "B2"], "session": sessions, "id": [*ids, *sessions, booked["resource"]["id"]]}
        yield address, known


WEEK = {"start": "ge2024-07-22", "end": "le2024-07-26", "status": "free,busy"}


async def test_booking_answers_every_operation_as_it_is_described(county: County) -> None:
    """To operators and to practices: what is made up costs more than to ask it twice."""
    tokens = county.operator_token(), county.token("A1")
    async with practice(county) as (address, known):
        await asyncio.to_thread(Fuzz(address, known).try_every_operation, 6, *tokens)


async def test_booking_refuses_damaged_resources_and_searches_of_nonsense_in_words(county: County) -> None:
    async with practice(county) as (address, known):
        fuzz, token = Fuzz(address, known), county.token("A1")
        await asyncio.to_thread(fuzz.try_every_damage, 40, token)
        await asyncio.to_thread(fuzz.try_every_search, 80, token)


@pytest.mark.parametrize("service", [rebooking, notifications], ids=["rebooking", "notifications"])
async def test_the_other_services_answer_every_operation_as_it_is_described(county: County, service: Any) -> None:
    gateway = {"gateway_key": KEY, "callback_token": TOKEN} if service is notifications else {}
    settings = await county.settings(service.BLUEPRINT, service.Settings, **gateway)
    async with served(service.create(settings)) as address:
        known = {"outage": ["outage-1"], "message": ["message-1"]}
        await asyncio.to_thread(Fuzz(address, known).try_every_operation, 6, county.operator_token())
