"""The change feed as it streams: a listener that was cut off goes on where it was, and listening has its ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from services.booking.app import BLUEPRINT, Settings, create
from services.booking.change_stream import Streams
from tests.booking.paper import CSV, PRACTICES, reason, row
from tests.booking.surgery import NOON, Surgery, refused
from tests.harness import County
from tests.issuer import bearer
from tests.serving import served
from tests.waiting import DEADLINE


@asynccontextmanager
async def open_surgery(county: County) -> AsyncIterator[tuple[str, Surgery, Any]]:
    """Booking on a real port, since nothing else streams."""
    county.clock_at(NOON)
    app = create(await county.settings(BLUEPRINT, Settings))
    headers = bearer(county.operator_token())
    async with served(app) as url, httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        await http.post("/v1/practices", content=PRACTICES, headers=CSV)
        tokens = {"practice": county.token("A1"), "other": county.token("B2"), "operator": county.operator_token()}
        yield url, Surgery(http, tokens), app  # type: ignore[arg-type]


async def listened(url: str, token: str, until: int, last: str = "", **params: str) -> list[dict[str, Any]]:
    """So many events from the stream, with the cursor that came last in `id` of each."""
    headers = {"Accept": "text/event-stream", **bearer(token), **({"Last-Event-ID": last} if last else {})}
    found: list[dict[str, Any]] = []
    async with (
        asyncio.timeout(DEADLINE),
        httpx.AsyncClient(trust_env=False) as http,
        http.stream("GET", f"{url}/v1/changes", params=params, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        data = None
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                data = msgspec.json.decode(line[6:])
            elif line.startswith("id: ") and data is not None:
                found.append(data | {"last": line[4:]})
                data = None
            if len(found) == until:
                break
    return found


async def test_of_two_listeners_the_one_that_was_cut_off_goes_on_where_it_was(county: County) -> None:
    async with open_surgery(county) as (url, desk, _):
        steady = asyncio.create_task(listened(url, county.token("A1"), 5))
        await desk.import_diary(row(), row(start="2024-07-22T09:10"), row(practice="B2"))
        before = await listened(url, county.token("A1"), 2)
        booked = [
            await desk.book(slot["id"], start=slot["start"], end=slot["end"]) for slot in await desk.slots("practice")
        ]
        after = await listened(url, county.token("A1"), 2, last=before[-1]["last"])
        await desk.put(booked[0], {"status": "cancelled", "cancelationReason": reason()})
        last = await listened(url, county.token("A1"), 1, last=after[-1]["last"])
        everything = await steady
    assert [each["id"] for each in (*before, *after, *last)] == [each["id"] for each in everything]
    assert len({each["id"] for each in everything}) == 5
    assert {each["practice"] for each in everything} == {"A1"}


async def test_who_is_cut_off_before_anything_happened_goes_on_from_where_it_began(county: County) -> None:
    async with open_surgery(county) as (url, desk, _):
        headers = {"Accept": "text/event-stream", **bearer(county.token("A1"))}
        async with (
            asyncio.timeout(DEADLINE),
            httpx.AsyncClient(trust_env=False) as http,
            http.stream("GET", f"{url}/v1/changes", params={"after": "now"}, headers=headers) as answer,
        ):
            began = (await anext(answer.aiter_lines())).removeprefix("id: ")
        await desk.import_diary(row(), row(start="2024-07-22T09:10"))
        (missed,) = await listened(url, county.token("A1"), 1, last=began, after="now")
    assert missed["type"] == "uk.daybook.booking.session-published.v1"


async def test_listening_ends_when_the_service_stops_and_when_too_many_listen(county: County) -> None:
    async with open_surgery(county) as (url, _, app):
        app.state.streams = Streams(most=1)
        headers = {"Accept": "text/event-stream", **bearer(county.token("A1"))}
        stopping = False
        app.state.stopping = lambda: stopping
        async with (
            asyncio.timeout(DEADLINE),
            httpx.AsyncClient(trust_env=False) as http,
            http.stream("GET", f"{url}/v1/changes", headers=headers) as answer,
        ):
            lines = answer.aiter_lines()
            assert (await anext(lines)).startswith("id: ")
            assert await anext(lines) == "retry: 1000"
            refusal = await http.get(f"{url}/v1/changes", headers=headers)
            stopping = True
            rest = [line async for line in lines]
        assert refused(refusal) == (503, "too-many-streams")
        assert not any(line.startswith(":") for line in rest)
