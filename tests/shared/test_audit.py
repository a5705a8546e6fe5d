"""Every access leaves its line, refused ones too, before it is answered; and no line has more than ids in it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from fastapi import APIRouter, FastAPI, Request
from httpx import AsyncClient

from shared.audit import Access, Also, Trail
from shared.http import CallerDep, create_app
from shared.refusals import NotFound
from shared.settings import ServiceSettings
from tests.harness import County
from tests.issuer import bearer
from tests.shared.toys.practices import BLUEPRINT, Settings

__all__ = ["BLUEPRINT", "Settings"]

NHS_NUMBER = "9990000018"
NOON = datetime(2024, 7, 19, 11, 0, tzinfo=UTC)

router = APIRouter()


@router.get("/things/{thing}")
async def read_thing(thing: str, caller: CallerDep, request: Request) -> str:
    if thing == "none":
        raise NotFound("There is no such thing", code="unknown-thing")
    caller.require("Thing", "r")
    request.state.practice = "B2"
    return thing


@router.post("/bundle")
async def take_bundle(request: Request) -> None:
    request.state.also += [
        Also("GET", "/things/{thing}", 200, resource="t1", practice="B2"),
        Also("GET", "/things/{thing}", 404, resource="t2", refusal="unknown-thing"),
        Also("GET", "/things/{thing}", 404, resource=f"{NHS_NUMBER}/1", refusal="unknown-thing"),
    ]


@router.get("/stuck")
async def stay() -> None:
    await asyncio.Event().wait()


def create(settings: ServiceSettings) -> FastAPI:
    return create_app(BLUEPRINT, settings, [router])


@pytest.fixture
async def service(county: County) -> AsyncIterator[AsyncClient]:
    county.clock_at(NOON)
    async with county.client(create, requests_burst=40, requests_per_second=0.01) as client:
        yield client


async def lines(service: AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """The trail as an operator reads it, without the lines of the reading."""
    found = await service.get("/v1/accesses", params=params)
    assert found.status_code == 200, found.text
    return [line for line in found.json()["accesses"] if line["route"] != "/v1/accesses"]


def access(number: int) -> Access:
    return Access(NOON, f"r-{number}", "ACME", "A1", False, "GET", "/x", "", "", 200, "", 1.0)


async def count(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM accesses"))
    finally:
        await connection.close()


class TestWhatIsWritten:
    async def test_who_asked_for_what_and_how_it_was_answered(self, county: County, service: AsyncClient) -> None:
        token = bearer(county.token("A1", client="ACME", scope="system/Thing.r"))
        await service.get("/things/t-1", headers=token | {"X-Request-Id": "r-1"})
        (line,) = await lines(service)
        spent = line.pop("milliseconds")
        assert 0 < spent < 10_000
        assert datetime.fromisoformat(line.pop("at")) >= NOON
        assert line == {
            "id": 1,
            "request": "r-1",
            "client": "ACME",
            "organisation": "A1",
            "operator": False,
            "method": "GET",
            "route": "/things/{thing}",
            "resource": "t-1",
            "practice": "B2",
            "status": 200,
            "refusal": "",
        }

    async def test_refused_ones_with_the_reason(self, county: County, service: AsyncClient) -> None:
        nobody, scopeless = {"Authorization": "Bearer x"}, bearer(county.token(scope="openid", client="ACME"))
        await service.get("/things/t-1", headers=nobody)
        await service.get("/things/t-1", headers=scopeless)
        await service.get("/things/none", headers=scopeless)
        await service.delete("/things/t-1", headers=scopeless)
        await service.get("/elsewhere", headers=scopeless)
        found = [
            [line[name] for name in ("status", "refusal", "client", "route", "resource")]
            for line in await lines(service)
        ]
        assert found == [
            [404, "http-404", "ACME", "", ""],
            [405, "http-405", "ACME", "/things/{thing}", "t-1"],
            [404, "unknown-thing", "ACME", "/things/{thing}", "none"],
            [403, "missing-scope", "ACME", "/things/{thing}", "t-1"],
            [401, "bad-token", "", "/things/{thing}", "t-1"],
        ]

    async def test_one_that_came_too_often(self, county: County, service: AsyncClient) -> None:
        token = bearer(county.token(client="ACME"))
        answers = [await service.get("/things/t-1", headers=token) for _ in range(41)]
        assert answers[-1].status_code == 429
        newest = (await lines(service, client="ACME"))[0]
        assert (newest["status"], newest["refusal"], newest["client"]) == (429, "too-many-requests", "ACME")

    async def test_each_entry_of_a_bundle_beside_the_bundle(self, service: AsyncClient) -> None:
        await service.post("/bundle", headers={"X-Request-Id": "r-1"})
        found = [
            [line[name] for name in ("request", "route", "resource", "status", "practice")]
            for line in await lines(service)
        ]
        assert found == [
            ["r-1", "/things/{thing}", "?/1", 404, ""],
            ["r-1", "/things/{thing}", "t2", 404, ""],
            ["r-1", "/things/{thing}", "t1", 200, "B2"],
            ["r-1", "/bundle", "", 200, ""],
        ]

    async def test_nothing_that_tells_of_a_patient(self, county: County, service: AsyncClient) -> None:
        everywhere = f"patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{NHS_NUMBER}"
        await service.get(f"/things/{NHS_NUMBER}?{everywhere}", headers={"X-Request-Id": "r-1"})
        await service.get(f"/things/a%20name%00?{everywhere}")
        await service.get(f"/patients/{NHS_NUMBER}?{everywhere}", headers=bearer("x"))
        await service.post(f"/bundle?{everywhere}", content=NHS_NUMBER)
        found = await lines(service)
        assert NHS_NUMBER not in str(found)
        things = [line["resource"] for line in found if line["route"] == "/things/{thing}"]
        assert things == ["?/1", "t2", "t1", "?", "?"]

    async def test_an_id_of_ours_that_happens_to_have_ten_digits_in_a_row(self, service: AsyncClient) -> None:
        id = "01a2045f-0be7-761a-9c15-c11234567890"
        await service.get(f"/things/{id}")
        assert [line["resource"] for line in await lines(service)] == [id]

    async def test_one_that_the_end_of_the_service_cut_off(self, county: County) -> None:
        county.clock_at(NOON)
        async with county.client(create) as client:
            stuck = asyncio.create_task(client.get("/stuck", headers={"X-Request-Id": "r-1"}))
            await client.get("/things/t-1")
            stuck.cancel()
            await asyncio.wait([stuck])
        async with county.client(create) as client:
            (line, _) = await lines(client)
        assert [line[name] for name in ("request", "route", "status", "refusal")] == ["r-1", "/stuck", 0, "cut-off"]

    async def test_not_those_who_look_whether_the_service_is_well(self, service: AsyncClient) -> None:
        for path in ("/livez", "/readyz", "/metrics"):
            await service.get(path)
        assert await lines(service) == []


class TestWhoMayRead:
    async def test_an_organisation_reads_of_itself_and_of_its_own_things(
        self, county: County, service: AsyncClient
    ) -> None:
        a1, b2, c3 = (bearer(county.token(practice, client=practice)) for practice in ("A1", "B2", "C3"))
        await service.get("/things/t-1", headers=a1)
        await service.get("/things/none", headers=a1)
        await service.get("/things/t-2", headers=c3)
        for reader, seen in ((a1, ["none", "t-1"]), (b2, ["t-2", "t-1"]), (c3, ["t-2"])):
            found = (await service.get("/v1/accesses", headers=reader)).json()["accesses"]
            assert [line["resource"] for line in found if line["route"] != "/v1/accesses"] == seen

    async def test_whoever_belongs_to_no_organisation_reads_nothing(self, county: County, service: AsyncClient) -> None:
        await service.get("/things/t-1", headers=bearer("x"))
        found = await service.get("/v1/accesses", headers=bearer(county.token("", client="nobody")))
        assert found.json() == {"accesses": [], "next": None}

    async def test_without_the_scope_to_read_appointments_it_is_closed(
        self, county: County, service: AsyncClient
    ) -> None:
        refused = await service.get("/v1/accesses", headers=bearer(county.token(scope="system/Slot.rs")))
        assert refused.status_code == 403


class TestReading:
    async def test_page_by_page_from_the_newest(self, service: AsyncClient) -> None:
        for number in range(5):
            await service.get(f"/things/t-{number}")
        seen, before = [], 6
        while before:
            page = (await service.get("/v1/accesses", params={"count": 2, "before": before})).json()
            seen += [line["resource"] for line in page["accesses"]]
            before = page["next"]
        assert seen == ["t-4", "t-3", "t-2", "t-1", "t-0"]

    async def test_by_client_practice_and_time(self, county: County, service: AsyncClient) -> None:
        await service.get("/things/t-1", headers=bearer(county.token("A1", client="ACME")))
        await service.get("/things/none", headers=bearer(county.token("C3", client="other")))
        assert [line["client"] for line in await lines(service, client="ACME")] == ["ACME"]
        assert [line["client"] for line in await lines(service, practice="B2")] == ["ACME"]
        assert [line["client"] for line in await lines(service, practice="C3")] == ["other"]
        assert len(await lines(service, **{"from": "2024-07-19T12:00", "until": "2024-07-20"})) == 2
        assert await lines(service, until="2024-07-19T12:00") == []

    @pytest.mark.parametrize(
        "wrong",
        [
            *({"count": 0}, {"count": 1001}, {"before": 0}, {"before": 2**63}, {"from": "today"}, {"until": "x"}),
            *({"client": "\0"}, {"practice": "A\0"}),
        ],
    )
    async def test_a_question_that_makes_no_sense_is_refused(self, service: AsyncClient, wrong: dict[str, Any]) -> None:
        assert (await service.get("/v1/accesses", params=wrong)).status_code == 422


class TestTheTrail:
    async def test_all_that_come_at_once_are_written_and_each_waits_for_its_own(self, county: County) -> None:
        url = (await county.settings(BLUEPRINT, Settings)).database_url
        async with Trail(url) as trail:
            await asyncio.gather(*(trail.write([access(number)]) for number in range(2500)))
            assert await count(url) == 2500

    async def test_a_caller_who_hangs_up_costs_the_others_nothing(self, county: County) -> None:
        url = (await county.settings(BLUEPRINT, Settings)).database_url
        async with Trail(url) as trail:
            first = asyncio.create_task(trail.write([access(1)]))
            second = asyncio.create_task(trail.write([access(2)]))
            await asyncio.sleep(0)
            first.cancel()
            await second
            assert await count(url) == 2

    async def test_while_the_database_is_away_the_lines_go_to_the_log(
        self, county: County, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async with county.client(create) as client:
            await county.lose_database(BLUEPRINT)
            answer = await client.get("/things/none", headers={"X-Request-Id": "r-77"})
        assert answer.status_code == 404
        (line,) = [line for line in capsys.readouterr().out.splitlines() if "r-77" in line]
        assert "route=/things/{thing}" in line

    async def test_a_connection_that_was_lost_is_made_again(self, county: County) -> None:
        url = (await county.settings(BLUEPRINT, Settings)).database_url
        async with Trail(url) as trail:
            await trail.write([access(1)])
            await end_connections(url)
            await trail.write([access(2)])
            assert await count(url) == 2


async def end_connections(url: str) -> Sequence[Any]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
