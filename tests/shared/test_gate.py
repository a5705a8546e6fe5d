"""Nobody comes in without a token, or too often; and each answer says which request it is for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from shared.audit import Trail
from shared.clock import Clock
from shared.gate import HEALTH, Gate, Guards
from shared.http import CallerDep, create_app, problem
from shared.limits import Limits
from shared.problems import answer
from shared.settings import ServiceSettings
from shared.token_keys import token_keys
from shared.tokens import Tokens
from tests.harness import County
from tests.issuer import bearer
from tests.shared.toys.practices import BLUEPRINT, Settings

__all__ = ["BLUEPRINT", "Settings"]


def create(settings: ServiceSettings) -> FastAPI:
    """An app that says who asks, one that is open, and one that breaks."""
    app = create_app(BLUEPRINT, settings, [], open_paths=frozenset({"/open"}))

    @app.get("/me")
    async def me(caller: CallerDep) -> list[str]:
        return [caller.client, caller.organisation, caller.organisation_type, *sorted(caller.scopes)]

    @app.get("/open")
    async def open_to_all(request: Request) -> list[str]:
        return [request.state.request_id, request.state.correlation_id]

    @app.get("/hidden")
    async def hidden(caller: CallerDep) -> None:
        caller.require("Slot", "s")

    @app.get("/broken")
    async def broken(identifier: str) -> None:
        raise ZeroDivisionError(identifier)

    @app.post("/long")
    async def long(request: Request) -> str:
        return (await request.body()).decode()

    return app


@pytest.fixture
async def service(county: County) -> AsyncIterator[AsyncClient]:
    async with county.client(create, token="") as client:
        yield client


class TestTokens:
    async def test_a_good_token_says_who_asks(self, county: County, service: AsyncClient) -> None:
        token = county.token("A1", scope="system/Slot.rs", client="ACME")
        found = await service.get("/me", headers=bearer(token))
        assert found.json() == ["ACME", "A1", "gp-practice", "system/Slot.rs"]

    async def test_without_one_the_answer_asks_for_it_and_names_no_error(self, service: AsyncClient) -> None:
        refused = await service.get("/me")
        assert (refused.status_code, refused.json()["code"]) == (401, "no-token")
        assert refused.headers["www-authenticate"] == 'Bearer realm="daybook"'

    @pytest.mark.parametrize("shown", ["Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "x", "", "Bearer a b"])
    async def test_what_is_no_token_is_refused_in_words(self, service: AsyncClient, shown: str) -> None:
        refused = await service.get("/me", headers={"Authorization": shown})
        assert (refused.status_code, refused.json()["code"]) == (401, "bad-token")
        assert refused.headers["www-authenticate"].startswith('Bearer realm="daybook", error="invalid_token"')

    async def test_the_scheme_may_be_written_in_any_case(self, county: County, service: AsyncClient) -> None:
        found = await service.get("/me", headers={"Authorization": f"bEARER {county.token()}"})
        assert found.status_code == 200

    async def test_two_of_them_are_refused_though_each_were_good(self, county: County, service: AsyncClient) -> None:
        twice = [("Authorization", f"Bearer {county.token()}")] * 2
        assert (await service.get("/me", headers=twice)).status_code == 401

    async def test_one_in_the_address_a_form_or_a_cookie_is_not_looked_for(
        self, county: County, service: AsyncClient
    ) -> None:
        token = county.token()
        assert (await service.get("/me", params={"access_token": token})).status_code == 401
        assert (await service.post("/long", data={"access_token": token})).status_code == 401
        assert (await service.get("/me", headers={"Cookie": f"access_token={token}"})).status_code == 401

    async def test_a_scope_that_is_missing_is_named(self, county: County, service: AsyncClient) -> None:
        refused = await service.get("/hidden", headers=bearer(county.token(scope="system/Slot.r")))
        assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]

    async def test_a_path_that_is_nowhere_tells_a_stranger_nothing(self, county: County, service: AsyncClient) -> None:
        assert (await service.get("/nowhere")).status_code == 401
        assert (await service.get("/nowhere", headers=bearer(county.token()))).status_code == 404


class TestOpen:
    @pytest.mark.parametrize("path", sorted(HEALTH))
    async def test_health_and_description_need_no_token(self, service: AsyncClient, path: str) -> None:
        assert (await service.get(path)).status_code == 200

    @pytest.mark.parametrize("path", ["/livez/", "//livez", "/livez/x", "/LIVEZ", "/open/", "/docs/x", "/me;/livez"])
    async def test_only_the_very_path_is_open(self, service: AsyncClient, path: str) -> None:
        assert (await service.get(f"http://booking{path}")).status_code == 401

    async def test_what_a_service_leaves_open_needs_no_token(self, service: AsyncClient) -> None:
        assert (await service.get("/open")).status_code == 200

    async def test_the_description_says_which_routes_are_open(self, service: AsyncClient) -> None:
        paths = (await service.get("/openapi.json")).json()["paths"]
        assert paths["/livez"]["get"]["security"] == paths["/open"]["get"]["security"] == []
        assert "security" not in paths["/me"]["get"]


class TestRequestIds:
    async def test_those_given_are_given_back(self, service: AsyncClient) -> None:
        found = await service.get("/open", headers={"X-Request-Id": "r-1", "X-Correlation-Id": "c-1"})
        assert found.json() == ["r-1", "c-1"]
        assert (found.headers["x-request-id"], found.headers["x-correlation-id"]) == ("r-1", "c-1")

    async def test_on_refusals_too(self, service: AsyncClient) -> None:
        refused = await service.get("/me", headers={"X-Request-Id": "r-1"})
        assert refused.headers["x-request-id"] == "r-1"

    @pytest.mark.parametrize("given", ["", "x" * 129, "a b", "é", "a\tb"])
    async def test_one_that_makes_no_sense_is_replaced(self, service: AsyncClient, given: str) -> None:
        headers = [(b"X-Request-Id", given.encode()), (b"X-Correlation-Id", given.encode())]
        found = await service.get("/open", headers=headers)
        assert found.headers["x-request-id"] not in ("", given)
        assert "x-correlation-id" not in found.headers

    async def test_each_request_without_one_gets_its_own(self, service: AsyncClient) -> None:
        assert len({(await service.get("/open")).headers["x-request-id"] for _ in range(3)}) == 3


class TestAnswers:
    async def test_an_accident_is_a_problem_without_details(
        self, county: County, service: AsyncClient, capsys: pytest.CaptureFixture[str]
    ) -> None:
        failed = await service.get("/broken", headers=bearer(county.token()), params={"identifier": "9990000018"})
        assert (failed.status_code, failed.json()["code"]) == (500, "fault")
        assert failed.headers["content-type"] == "application/problem+json"
        told = capsys.readouterr().out
        assert "ZeroDivisionError" in told
        assert "in broken" in told
        assert "999" not in told + failed.text

    async def test_long_ones_are_packed_for_those_who_can_unpack(self, county: County, service: AsyncClient) -> None:
        headers = bearer(county.token())
        packed = await service.post("/long", content="a" * 5000, headers=headers)
        plain = await service.post("/long", content="a" * 5000, headers={**headers, "Accept-Encoding": "identity"})
        short = await service.post("/long", content="a", headers=headers)
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.text == plain.text
        assert "content-encoding" not in plain.headers.keys() | short.headers.keys()

    async def test_a_method_that_is_not_allowed_is_told_what_is(self, county: County, service: AsyncClient) -> None:
        refused = await service.post("/me", headers=bearer(county.token()))
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET")


class TestLimits:
    async def test_after_its_burst_a_client_waits_as_long_as_it_is_told(self, county: County) -> None:
        async with limited(county) as (client, clock):
            token = bearer(county.token(client="ACME"))
            assert [(await client.get("/", headers=token)).status_code for _ in range(4)] == [200, 200, 200, 429]
            refused = await client.get("/", headers=token)
            assert (refused.json()["code"], refused.headers["retry-after"]) == ("too-many-requests", "10")
            clock[0] += 10
            assert (await client.get("/", headers=token)).status_code == 200

    async def test_another_client_is_not_held_up(self, county: County) -> None:
        async with limited(county) as (client, _):
            busy, other = (bearer(county.token(client=name)) for name in ("busy", "other"))
            answers = [await client.get("/", headers=busy) for _ in range(5)]
            assert answers[-1].status_code == 429
            assert (await client.get("/", headers=other)).status_code == 200

    async def test_those_without_a_good_token_are_held_up_by_where_they_come_from(self, county: County) -> None:
        async with limited(county) as (client, _):
            shown = [{}, bearer("x"), bearer("y"), {}, bearer("z")]
            answers = [await client.get("/", headers=each) for each in shown]
            assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
            assert (await client.get("/", headers=bearer(county.token()))).status_code == 200

    async def test_a_refused_body_is_not_read(self, county: County) -> None:
        async def body() -> AsyncIterator[bytes]:
            raise AssertionError("the body was read")
            yield b""

        async with limited(county) as (client, _):
            assert (await client.post("/", content=body())).status_code == 401


@asynccontextmanager
async def limited(county: County) -> AsyncIterator[tuple[AsyncClient, list[float]]]:
    """A client of a gate that lets three requests in at once and one every ten seconds, by the clock given."""
    settings = await county.settings(BLUEPRINT, Settings)
    clock = [0.0]

    async def welcome(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("welcome")(scope, receive, send)

    async with token_keys(settings.token_keys) as keys, Trail(settings.database_url) as trail:
        guards = Guards(
            tokens=Tokens(keys, issuer="daybook", audience="daybook"),
            trail=trail,
            clients=Limits(per_second=0.1, burst=3),
            strangers=Limits(per_second=0.1, burst=3),
            open_paths=frozenset(),
            templates={},
            answer=partial(answer, problem),
            now=Clock().now,
            seconds=lambda: clock[0],
        )
        async with AsyncClient(transport=ASGITransport(Gate(welcome, guards)), base_url="http://gate") as client:
            yield client, clock
