"""The desk: a page that anybody may see, since it knows nothing; what it asks for needs a token."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts
from httpx import AsyncClient

from services.rebooking import desk_api
from tests.harness import County, Servers
from tests.issuer import bearer
from tests.rebooking.neighbours import Surgery, registered, surgery

in_the_county = pytest.mark.asyncio(loop_scope="module")

OPEN_PATHS = desk_api.PAGE.open_paths
SCRIPTS = desk_api.PAGE.scripts
REPORTS = re.compile(r"^/v1/outages/\{\}/(backlog|burndown)")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic(servers: Servers) -> AsyncIterator[Surgery]:
    await servers.fresh_streams()
    async with surgery(County(servers)) as clinic:
        yield clinic


@pytest.fixture(scope="module")
def stranger(clinic: Surgery) -> AsyncClient:
    """Somebody without a token."""
    return AsyncClient(transport=clinic.http._transport, base_url="http://rebooking")


@in_the_county
async def test_the_page_and_its_parts_need_no_token_and_load_nothing_from_elsewhere(stranger: AsyncClient) -> None:
    page = await stranger.get("/desk")
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert set(parts) <= OPEN_PATHS
    for path in sorted(OPEN_PATHS):
        answer = await stranger.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200, path
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"https?://|//[a-z]", answer.text.replace("// ", ""))


@in_the_county
async def test_the_page_has_no_script_or_style_within_it(stranger: AsyncClient) -> None:
    page = (await stranger.get("/desk")).text
    assert not re.search(r"<style|<script(?! type=\"module\" src)| style=| on[a-z]+=|javascript:", page)


def test_the_token_is_kept_in_memory_alone() -> None:
    code = "\n".join(script.read_text() for script in SCRIPTS)
    kept = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "innerHTML", "eval(")
    assert not [word for word in kept if word in code]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_part_that_a_script_imports_is_served(script: Path) -> None:
    imported = re.findall(r'from "\./([^"]+)"', script.read_text())
    assert {f"/desk/{name}" for name in imported} <= OPEN_PATHS


def test_every_route_that_the_desk_asks_for_exists(stranger: AsyncClient) -> None:
    transport: Any = stranger._transport
    known = {re.sub(r"\{[^}]*\}", "{}", route.path or "") for route in iter_route_contexts(transport.app.routes)}
    code = "\n".join(script.read_text() for script in SCRIPTS)
    base = "/v1/outages/{}/practices/{}"
    asked = set(re.findall(r'"(/v1/[^"]+)"', code)) - {base}
    asked |= {base + path for path in re.findall(r'base \+ (?:at\()?"([^"]+)"', code)}
    assert len(asked) >= 10
    assert {path for path in asked - known if not REPORTS.match(path)} == set()


@in_the_county
async def test_it_opens_with_what_concerns_whoever_asks(clinic: Surgery) -> None:
    county = clinic.county
    await clinic.hears(clinic.booking, *registered("A1", "B2", "C3"))
    both, other = await clinic.declared(practices=["A1", "B2"]), await clinic.declared(practices=["C3"])

    async def shown(token: str) -> Any:
        return (await clinic.http.get("/v1/desk", headers=bearer(token))).json()

    everything = await shown(county.operator_token())
    assert (everything["operator"], list(everything["practices"])) == (True, ["A1", "B2", "C3"])
    assert {outage["outage"] for outage in everything["outages"]} == {both, other}
    own = await shown(county.token("A1", scope="system/Appointment.rs"))
    assert (own["operator"], own["practices"]) == (False, {"A1": "Surgery A1"})
    assert [(outage["outage"], outage["practices"]) for outage in own["outages"]] == [(both, ["A1"])]
    nobody = await shown(county.token("Z9"))
    assert (nobody["practices"], nobody["outages"]) == ({}, [])
    assert (await shown(county.token("A1", scope="system/Slot.rs")))["code"] == "missing-scope"
