"""Every way a request can fail is answered as a problem that says what to do, and quotes nothing that was sent."""

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.http import RunningDep, as_refusal, create_app
from shared.refusals import Conflict, NotFound, Refusal, Unavailable
from shared.settings import ServiceSettings
from tests.harness import County
from tests.shared.toys.practices import BLUEPRINT, Settings

__all__ = ["BLUEPRINT", "Settings"]


def create(settings: ServiceSettings) -> FastAPI:
    """An app whose routes fail, each in its own way."""
    app = create_app(BLUEPRINT, settings, [])

    @app.get("/refuse/{kind}")
    async def refuse(kind: str) -> None:
        kinds = {"rule": Refusal, "missing": NotFound, "late": Conflict, "busy": Unavailable}
        raise kinds[kind]("No, because of a rule", code="some-rule", where="start")

    @app.put("/refuse/{kind}")
    @app.post("/refuse/late")
    async def take() -> None:
        pass

    @app.get("/hang-up")
    async def hang_up(service: RunningDep) -> None:
        async with service.engine.begin() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    @app.get("/blunder/{driver}")
    async def blunder(driver: str, service: RunningDep) -> None:
        async with service.engine.begin() as connection:
            if driver == "asyncpg":
                raw = (await connection.get_raw_connection()).driver_connection
                assert raw is not None
                await raw.execute("SELECT nothing FROM nowhere")
            await connection.execute(text("SELECT 1 / 0"))

    return app


@pytest.mark.parametrize(("kind", "status"), [("rule", 422), ("missing", 404), ("late", 409), ("busy", 503)])
async def test_a_refusal_is_a_problem_with_its_code_and_place(county: County, kind: str, status: int) -> None:
    async with county.client(create) as client:
        answer = await client.get(f"/refuse/{kind}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:daybook:problem:some-rule",
        "title": "some rule",
        "status": status,
        "detail": "No, because of a rule",
        "code": "some-rule",
        "where": "start",
    }


async def test_a_method_that_a_path_has_not_is_told_those_that_it_has(county: County) -> None:
    async with county.client(create) as client:
        answers = [await client.delete(f"/refuse/{kind}") for kind in ("rule", "late")]

    assert [(answer.status_code, answer.headers["allow"]) for answer in answers] == [(405, "GET, PUT"), (405, "POST")]


async def test_a_database_that_dies_in_mid_request_is_unavailable_for_a_moment(county: County) -> None:
    async with county.client(create) as client:
        answer = await client.get("/hang-up")
        after = await client.get("/readyz")

    assert (answer.status_code, answer.json()["code"]) == (503, "database-down")
    assert answer.headers["retry-after"] == "1"
    assert after.text == "ready\n"


@pytest.mark.parametrize("driver", ["asyncpg", "sqlalchemy"])
async def test_a_statement_the_database_refuses_is_our_fault_and_no_reason_to_try_again(
    county: County, driver: str
) -> None:
    async with county.client(create) as client:
        answer = await client.get(f"/blunder/{driver}")

    assert (answer.status_code, answer.json()["code"]) == (500, "fault")


@pytest.mark.parametrize("fault", [asyncpg.InternalClientError("lost"), asyncpg.InterfaceError("closed"), OSError()])
def test_whatever_the_driver_raises_is_a_database_that_cannot_be_reached(fault: Exception) -> None:
    assert isinstance(as_refusal(fault), Unavailable)


async def test_no_such_route_is_a_problem_too(county: County) -> None:
    async with county.client(create) as client:
        answer = await client.get("/nowhere")

    assert (answer.status_code, answer.json()["code"]) == (404, "http-404")


async def test_health_and_figures_are_there(county: County) -> None:
    async with county.client(create) as client:
        alive, status, metrics = [await client.get(path) for path in ("/livez", "/v1/status", "/metrics")]

    assert alive.text == "alive\n"
    assert status.json()["service"] == "booking"
    assert "daybook_log_position" in metrics.text
