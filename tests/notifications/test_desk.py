"""The desk of the texts: a page that anybody may see, since it knows nothing; what it asks for needs a token."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts
from httpx import AsyncClient

from services.notifications import desk_api
from shared.pages import ports
from tests.harness import County, Servers
from tests.notifications.quiet import A, B, Quiet, quiet

in_the_night = pytest.mark.asyncio(loop_scope="module")

OPEN_PATHS = desk_api.PAGE.open_paths
SCRIPTS = desk_api.PAGE.scripts


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(servers: Servers) -> AsyncIterator[Quiet]:
    await servers.fresh_streams()
    async with quiet(County(servers)) as night:
        yield night


@in_the_night
async def test_the_page_and_its_parts_need_no_token_and_load_nothing_from_elsewhere(night: Quiet) -> None:
    stranger = AsyncClient(transport=night.http._transport, base_url="http://notifications")
    page = (await stranger.get("/desk")).text
    assert set(re.findall(r'(?:src|href)="([^"]+)"', page)) <= OPEN_PATHS
    assert not re.search(r"<style|<script(?! type=\"module\" src)| style=| on[a-z]+=|javascript:", page)
    for path in sorted(OPEN_PATHS):
        answer = await stranger.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200, path
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';")
        assert "unsafe" not in policy
        assert not re.search(r"https?://", answer.text)


def test_the_token_is_kept_in_memory_alone() -> None:
    code = "\n".join(script.read_text() for script in SCRIPTS)
    kept = ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "innerHTML", "eval(")
    assert not [word for word in kept if word in code]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_part_that_a_script_imports_is_served_and_has_what_is_imported(script: Path) -> None:
    served = {path.rpartition("/")[2]: file for path, file in desk_api.PAGE.files.items()}
    for names, part in re.findall(r'import \{ ([^}]+) \} from "\./([^"]+)"', script.read_text()):
        exported = set(re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", served[part].read_text(), re.M))
        assert set(names.split(", ")) <= exported, part


@in_the_night
async def test_every_route_that_the_desk_asks_for_exists(night: Quiet) -> None:
    transport: Any = night.http._transport
    known = {re.sub(r"\{[^}]*\}", "{}", route.path or "") for route in iter_route_contexts(transport.app.routes)}
    code = "\n".join(script.read_text() for script in SCRIPTS)
    asked = set(re.findall(r'"(/v1/[^"]+)"', code))
    assert len(asked) >= 8
    assert asked <= known
    assert {f"{base}/{{}}/resolution" for base in ("/v1/replies", "/v1/practices/{}/replies")} <= known


@in_the_night
async def test_it_opens_with_what_concerns_whoever_asks(night: Quiet) -> None:
    await night.write("older")
    await night.write("newer", practice=B)
    everything = await night.get("/v1/desk")
    assert (everything["operator"], everything["practices"]) == (True, {A: "Harbour Surgery", B: "Mill Lane"})
    assert {each["outage"] for each in everything["outages"]} == {"older", "newer"}
    assert everything["ports"] == ports(night.running.settings)
    own = await night.get("/v1/desk", practice=A, scope="system/Appointment.rs")
    assert (own["operator"], own["practices"], own["outages"]) == (False, {A: "Harbour Surgery"}, [])
    refused = await night.ask("GET", "/v1/desk", practice=A, scope="system/Slot.rs")
    assert refused.json()["code"] == "missing-scope"
