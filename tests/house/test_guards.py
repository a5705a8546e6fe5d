"""The doors: every route of every service is closed to those without a token, but for the few that are listed here."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx import AsyncClient

from services.booking import app as booking
from services.notifications import app as notifications
from services.rebooking import app as rebooking
from tests.harness import County
from tests.issuer import bearer

HEALTH = {"/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect"}
DESK = {"/desk"} | {f"/desk/{name}" for name in ("desk.css", "desk.js", "asking.js", "entering.js", "showing.js")}
"""A page that has no data in it."""
OF_THE_RECOVERY = {f"/desk/{name}" for name in ("calls.css", "calls.js", "county.js", "sheet.js")}
OF_THE_TEXTS = {
    f"/desk/{name}" for name in ("texts.css", "campaigns.js", "patients.js", "replies.js", "unknown.js", "words.js")
}
OPEN = {
    "booking": HEALTH | {"/fhir/R4/metadata"},
    "rebooking": HEALTH | DESK | OF_THE_RECOVERY,
    "notifications": HEALTH | DESK | OF_THE_TEXTS,
}
CALLBACKS = {"/v1/receipts", "/v1/inbound"}
"""Of notifications: the provider shows a token of another kind."""
SIGNED = {"/v1/twilio/status/{reference}", "/v1/twilio/inbound"}
"""Of notifications: the provider signs, and is refused as no caller is that was expected to show a token."""
ANY_TOKEN = {"/v1/status"}

SETTINGS: dict[str, dict[str, Any]] = {
    "booking": {},
    "rebooking": {},
    "notifications": {"gateway_key": f"none-{'0' * 36}-{'1' * 36}", "callback_token": "none"},
}
CREATE: dict[str, Callable[[Any], FastAPI]] = {
    "booking": booking.create,
    "rebooking": rebooking.create,
    "notifications": notifications.create,
}
every_service = pytest.mark.parametrize("service", list(CREATE))


def routes(client: AsyncClient) -> Iterator[tuple[str, str]]:
    """Every method and path of the app, those left out of its description too."""
    app: Any = client._transport
    for route in iter_route_contexts(app.app.routes):
        for method in route.methods or ():
            yield method, route.path or ""


async def answers(client: AsyncClient, token: str) -> dict[tuple[str, str], int]:
    """What each route answers to this token."""
    found = {}
    for method, path in routes(client):
        address = re.sub(r"\{[^}]*\}", "none", path)
        body = None if method in ("GET", "HEAD") else b"{}"
        headers = {"Content-Type": "application/json", **bearer(token)}
        found[method, path] = (await client.request(method, address, content=body, headers=headers)).status_code
    return found


def opened(found: Mapping[tuple[str, str], int]) -> set[str]:
    """The paths that let this caller in."""
    return {path for (_, path), status in found.items() if status != (403 if path in SIGNED else 401)}


@every_service
async def test_without_a_token_nothing_opens_but_what_is_listed(county: County, service: str) -> None:
    async with county.client(CREATE[service], token="", **SETTINGS[service]) as client:
        found = await answers(client, "")
    assert opened(found) == OPEN[service]


@every_service
async def test_a_token_that_is_none_opens_no_more(county: County, service: str) -> None:
    async with county.client(CREATE[service], token="", **SETTINGS[service]) as client:
        found = await answers(client, "e30.e30.e30")
    assert opened(found) == OPEN[service]


@every_service
async def test_a_token_without_scopes_opens_only_the_status(county: County, service: str) -> None:
    async with county.client(CREATE[service], token="", **SETTINGS[service]) as client:
        found = await answers(client, county.token(scope=""))
    closed = OPEN[service] | ANY_TOKEN | (CALLBACKS if service == "notifications" else set())
    assert {
        route: status for route, status in found.items() if route[1] not in closed and status not in (403, 404)
    } == {}


@every_service
async def test_a_scope_for_something_else_does_nothing(county: County, service: str) -> None:
    """A body may be refused before it is asked who may send it: never is anything answered or done."""
    async with county.client(CREATE[service], token="", **SETTINGS[service]) as client:
        found = await answers(client, county.token(scope="system/Nothing.cruds openid"))
    own = OPEN[service] | ANY_TOKEN | {"/v1/practices"}
    let_in = {route: status for route, status in found.items() if status < 400 or status >= 500}
    assert {route for route in let_in if route[1] not in own} == set()


@pytest.mark.parametrize("service", ["rebooking", "notifications"])
async def test_what_is_the_countys_is_closed_to_a_practice(county: County, service: str) -> None:
    async with county.client(CREATE[service], token="", **SETTINGS[service]) as client:
        found = await answers(client, county.token())
    own = OPEN[service] | ANY_TOKEN | CALLBACKS | {"/v1/accesses", "/v1/desk"}
    theirs = {route: status for route, status in found.items() if "{practice}" in route[1]}
    assert {status for route, status in found.items() if route[1] not in own and route not in theirs} == {403}
    assert set(theirs.values()) <= {404}


async def test_under_fhir_the_door_speaks_fhir(county: County) -> None:
    async with county.client(booking.create, token="") as client:
        refused = await client.get("/fhir/R4/Slot")
    assert refused.headers["content-type"].startswith("application/fhir+json")
    assert refused.headers["www-authenticate"] == 'Bearer realm="daybook"'
    assert refused.json()["issue"][0]["code"] == "login"
