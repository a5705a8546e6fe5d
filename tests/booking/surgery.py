"""Booking at work, asked over HTTP as its callers ask."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from fhir.resources.R4B import get_fhir_model_class
from httpx import AsyncClient, Response

from services.booking.app import create
from tests.booking.paper import CSV, PRACTICES, appointment, diary_file
from tests.harness import County
from tests.issuer import bearer

NOON = datetime.fromisoformat("2024-07-19T12:00:00+01:00")
"""The lost Friday, at noon."""

WEEK = {"start": "ge2024-07-22", "end": "le2024-07-26"}
EVERY_STATUS = {"status": "free,busy,busy-unavailable,busy-tentative"}
FHIR = "/fhir/R4"

Name = Literal["practice", "other", "urgent-care", "nhs-111", "operator"]
"""Who asks: the system of practice A1, that of B2, an urgent treatment centre, NHS 111, an operator."""


@dataclass(frozen=True, slots=True)
class Surgery:
    """The two practices A1 and B2, and what is asked of them. `http` asks as an operator."""

    http: AsyncClient
    tokens: Mapping[Name, str] = field(default_factory=dict)

    async def import_diary(self, *rows: dict[str, str], keep_good: bool = False) -> Response:
        params = {"keep_good": "true"} if keep_good else {}
        return await self.http.post("/v1/diary", content=diary_file(*rows), headers=CSV, params=params)

    async def open(self, **opening: Any) -> None:
        """The practice A1 opens its slots to others."""
        answer = await self.http.put("/v1/practices/A1/opening", json=opening)
        assert answer.status_code == 200, answer.text

    async def ask(self, caller: Name, method: str, path: str, **others: Any) -> Response:
        """A request to the FHIR API; `path` may be a whole address."""
        headers = {**bearer(self.tokens[caller]), **others.pop("headers", {})}
        address = path if "://" in path else f"{FHIR}/{path}".rstrip("/")
        return await self.http.request(method, address, headers=headers, **others)

    async def slots(self, caller: Name = "practice", **params: str) -> list[dict[str, Any]]:
        """The slots that a search of the week finds."""
        found = await self.ask(caller, "GET", "Slot", params={**WEEK, **EVERY_STATUS, **params})
        assert found.status_code == 200, found.text
        entries = found.json().get("entry", [])
        return [entry["resource"] for entry in entries if entry["search"]["mode"] == "match"]

    async def book(
        self, slot: str, caller: Name = "practice", /, headers: Mapping[str, str] | None = None, **others: Any
    ) -> Response:
        """An appointment for Ann in this slot at nine, or with these elements instead."""
        body = appointment(slot, **others)
        return await self.ask(caller, "POST", "Appointment", json=body, headers=dict(headers or {}))

    async def put(
        self, known: Response, change: dict[str, Any], caller: Name = "practice", *, version: str | None = ""
    ) -> Response:
        """PUT what was read, with this change, and the version that was read, or another, or none."""
        headers = {} if version is None else {"If-Match": version or known.headers["etag"]}
        body = known.json() | change
        return await self.ask(caller, "PUT", f"Appointment/{known.json()['id']}", json=body, headers=headers)

    async def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = (await self.http.get("/v1/figures")).json()
        return figures


@asynccontextmanager
async def surgery(county: County, now: datetime = NOON, **settings: Any) -> AsyncIterator[Surgery]:
    """Booking with its two practices, their diaries empty."""
    county.clock_at(now)
    async with county.client(create, **settings) as http:
        registered = await http.post("/v1/practices", content=PRACTICES, headers=CSV)
        assert registered.json() == {"registered": 2}
        yield Surgery(http, _tokens(county))


def _tokens(county: County) -> Mapping[Name, str]:
    return {
        "practice": county.token("A1"),
        "other": county.token("B2"),
        "urgent-care": county.token("U1", "urgent-care"),
        "nhs-111": county.token("111AA1", "nhs-111"),
        "operator": county.operator_token(),
    }


def valid(response: Response) -> dict[str, Any]:
    """The body, once fhir.resources has found nothing wrong with it."""
    body: dict[str, Any] = response.json()
    get_fhir_model_class(body["resourceType"]).model_validate(body)
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.headers["cache-control"] == "no-store"
    return body


def refused(response: Response) -> tuple[int, str]:
    """The status, and Daybook's own code out of an OperationOutcome or a problem."""
    body = response.json()
    if body.get("resourceType") != "OperationOutcome":
        return response.status_code, body["code"]
    return response.status_code, body["issue"][0]["details"]["coding"][-1]["code"]
