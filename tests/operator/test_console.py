"""The console, and the command that asks the same, when nobody answers; the journeys see them when all do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient

from services.operator.console import create
from services.operator.control import ChildView
from services.operator.embedded import free_ports
from services.operator.settings import operator_settings
from services.operator.status import ServiceView, SystemView, look
from tests.operator.answering import answering


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    nowhere = dict.fromkeys(("BOOKING", "REBOOKING", "NOTIFICATIONS"), f"http://127.0.0.1:{free_ports(1)[0]}")
    given = {"DAYBOOK_HOME": str(tmp_path), **{f"OPERATOR_{name}_URL": url for name, url in nowhere.items()}}
    app = create(operator_settings(given))
    async with LifespanManager(app), AsyncClient(transport=ASGITransport(app=app), base_url="http://console") as client:
        yield client


async def test_the_page_shows_services_that_do_not_answer_as_down(console: AsyncClient) -> None:
    page = await console.get("/")
    assert page.status_code == 200
    assert page.text.count('<td class="bad">down</td>') == 3
    assert "Something is not well" in page.text
    assert "Rebooking does not answer" in page.text


async def test_the_burn_down_of_an_outage_is_fetched_from_rebooking(tmp_path: Path) -> None:
    with answering({"GET /v1/outages/o1/burndown.svg": b"<svg/>"}) as rebooking:
        app = create(operator_settings({"DAYBOOK_HOME": str(tmp_path), "OPERATOR_REBOOKING_URL": rebooking.url}))
        async with LifespanManager(app), AsyncClient(transport=ASGITransport(app=app), base_url="http://c") as client:
            drawn, missing = await client.get("/burn-down/o1"), await client.get("/burn-down/o2")
    assert (drawn.status_code, drawn.content, drawn.headers["Content-Type"]) == (200, b"<svg/>", "image/svg+xml")
    assert missing.status_code == 404


async def test_where_rebooking_is_away_there_is_no_chart(console: AsyncClient) -> None:
    assert (await console.get("/burn-down/o1")).status_code == 503


async def test_the_console_is_alive_whatever_the_services_do(console: AsyncClient) -> None:
    assert (await console.get("/livez")).status_code == 200
    assert (await console.get("/readyz")).status_code == 200


async def test_its_figures_say_that_a_service_is_down(console: AsyncClient) -> None:
    assert 'daybook_service_up{service="booking"} 0.0' in (await console.get("/metrics")).text


async def test_a_look_at_nothing_finds_nothing_well(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    given = {f"OPERATOR_{name}_URL": f"http://127.0.0.1:{port}" for name in ("BOOKING", "REBOOKING", "NOTIFICATIONS")}
    view = await look(operator_settings({"DAYBOOK_HOME": str(tmp_path), **given}))
    assert [service.state for service in view.services] == ["down"] * 3
    assert not view.is_well


def test_a_system_is_well_when_everything_is_up() -> None:
    up = ServiceView(service="booking", state="up", position=7, relay_lag=2)
    halted = ServiceView(service="rebooking", state="halted: a gap")
    dead = ChildView(name="sandbox", state="died", address="", pid=None, restarts=1, log="")
    assert SystemView(services=(up,)).is_well
    assert not SystemView(services=(up, halted)).is_well
    assert not SystemView(services=(up,), processes=(dead,)).is_well
