"""Booking at work, asked over HTTP as its callers ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from httpx import AsyncClient, Response

from services.booking.app import create
from tests.booking.paper import CSV, PRACTICES, appointment, diary_file
from tests.harness import County

NOON = datetime.fromisoformat("2024-07-19T12:00:00+01:00")
"""The lost Friday, at noon."""

WEEK = {"start": "ge2024-07-22", "end": "le2024-07-26"}


@dataclass(frozen=True, slots=True)
class Surgery:
    """The two practices A1 and B2, and what is asked of them."""

    http: AsyncClient

    async def import_diary(self, *rows: dict[str, str], keep_good: bool = False) -> Response:
        params = {"keep_good": "true"} if keep_good else {}
        return await self.http.post("/v1/diary", content=diary_file(*rows), headers=CSV, params=params)

    async def slots(self, caller: str = "public", **params: str) -> list[dict[str, Any]]:
        """The slots that a search of the week finds."""
        headers = {"Daybook-Caller": caller}
        found = await self.http.get("/fhir/R4/Slot", params={**WEEK, **params}, headers=headers)
        assert found.status_code == 200, found.text
        entries = found.json().get("entry", [])
        return [entry["resource"] for entry in entries if entry["search"]["mode"] == "match"]

    async def book(self, slot: str, caller: str = "public", /, **others: Any) -> Response:
        headers = {"Daybook-Caller": caller}
        return await self.http.post("/fhir/R4/Appointment", json=appointment(slot, **others), headers=headers)

    async def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = (await self.http.get("/v1/figures")).json()
        return figures


@asynccontextmanager
async def surgery(county: County, now: datetime = NOON) -> AsyncIterator[Surgery]:
    """Booking with its two practices, their diaries empty."""
    county.clock_at(now)
    async with county.client(create) as http:
        registered = await http.post("/v1/practices", content=PRACTICES, headers=CSV)
        assert registered.json() == {"registered": 2}
        yield Surgery(http)


def refused(response: Response) -> tuple[int, str]:
    """The status, and Daybook's own code out of an OperationOutcome or a problem."""
    body = response.json()
    if body.get("resourceType") != "OperationOutcome":
        return response.status_code, body["code"]
    return response.status_code, body["issue"][0]["details"]["coding"][-1]["code"]
