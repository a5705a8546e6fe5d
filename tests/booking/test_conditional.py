"""A booking asked for twice is booked once, by its identifier or by a key, under any race."""

import asyncio
from collections import Counter
from typing import Any

from httpx import Response

from tests.booking.paper import patient, reason, row
from tests.booking.surgery import Surgery, refused, surgery, valid
from tests.harness import County

SEVEN = [{"system": "urn:practice", "value": "7"}]
IF_NEW = {"If-None-Exist": "identifier=urn:practice|7"}
KEY = {"Idempotency-Key": "request 7"}


async def slots(desk: Surgery, *rows: dict[str, str]) -> list[dict[str, Any]]:
    """Free slots on Monday: at nine and ten past, or these."""
    await desk.import_diary(*(rows or (row(), row(start="2024-07-22T09:10"))))
    return await desk.slots(status="free")


def at(slot: dict[str, Any]) -> dict[str, Any]:
    return {"start": slot["start"], "end": slot["end"]}


def told(answers: list[Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


class TestIfNoneExist:
    async def test_books_what_is_new_and_gives_back_what_is_there(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            first = await desk.book(nine["id"], headers=IF_NEW, identifier=SEVEN)
            again = await desk.book(nine["id"], headers=IF_NEW, identifier=SEVEN, comment="Never read")
            assert (await desk.figures())["appointments"] == {"booked": 1}
        assert (first.status_code, again.status_code) == (201, 200)
        assert valid(again) == valid(first)
        assert again.headers["etag"] == first.headers["etag"]

    async def test_of_64_at_once_books_one(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            answers = await asyncio.gather(
                *(desk.book(nine["id"], headers=IF_NEW, identifier=SEVEN) for _ in range(64))
            )
        assert told(answers) == {201: 1, 200: 63}
        assert len({answer.text for answer in answers}) == 1

    async def test_of_many_at_once_in_two_sessions_books_one(self, county: County) -> None:
        async with surgery(county) as desk:
            two = await slots(desk, row(), row(session="Afternoon", start="2024-07-22T14:00"))
            answers = await asyncio.gather(
                *(
                    desk.book(slot["id"], headers=IF_NEW, identifier=SEVEN, **at(slot))
                    for slot in [slot for slot in two for _ in range(16)]
                )
            )
            assert (await desk.figures())["appointments"] == {"booked": 1}
        assert told(answers) == {201: 1, 200: 31}
        assert len({answer.json()["id"] for answer in answers}) == 1

    async def test_gives_back_even_what_has_been_cancelled(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            booked = await desk.book(nine["id"], headers=IF_NEW, identifier=SEVEN)
            cancelled = await desk.put(booked, {"status": "cancelled", "cancelationReason": reason()})
            again = await desk.book(nine["id"], headers=IF_NEW, identifier=SEVEN)
        assert (again.status_code, again.json()) == (200, cancelled.json())

    async def test_of_several_can_mean_none(self, county: County) -> None:
        async with surgery(county) as desk:
            for slot in await slots(desk):
                assert (await desk.book(slot["id"], identifier=SEVEN, **at(slot))).status_code == 201
            answer = await desk.book(slot["id"], headers=IF_NEW, identifier=SEVEN)
        assert refused(answer) == (412, "several-match")

    async def test_finds_only_what_the_caller_may_see(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            nine, ten_past = await slots(desk)
            await desk.book(nine["id"], headers=IF_NEW, identifier=SEVEN)
            others = await desk.book(ten_past["id"], "other", headers=IF_NEW, identifier=SEVEN, **at(ten_past))
        assert others.status_code == 201

    async def test_asks_by_the_identifier_that_is_sent_and_by_nothing_else(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            for asked in ("patient=1", "identifier=7", "identifier=a|b&status=booked", "", "identifier=|7"):
                answer = await desk.book(nine["id"], headers={"If-None-Exist": asked}, identifier=SEVEN)
                assert refused(answer) == (400, "bad-header")
            assert refused(await desk.book(nine["id"], headers=IF_NEW)) == (422, "invalid-resource")
            whole = {"If-None-Exist": "Appointment?identifier=urn%3Apractice%7C7"}
            assert (await desk.book(nine["id"], headers=whole, identifier=SEVEN)).status_code == 201


class TestAnIdempotencyKey:
    async def test_gives_the_same_answer_again_whatever_has_happened_since(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            first = await desk.book(nine["id"], headers=KEY)
            await desk.put(first, {"status": "cancelled", "cancelationReason": reason()})
            await desk.book(nine["id"])
            again = await desk.book(nine["id"], headers=KEY)
        assert (first.status_code, again.status_code) == (201, 201)
        assert valid(again) == valid(first)
        for name in ("etag", "location", "last-modified"):
            assert again.headers[name] == first.headers[name]

    async def test_of_many_at_once_books_one(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            answers = await asyncio.gather(*(desk.book(nine["id"], headers=KEY) for _ in range(32)))
            assert (await desk.figures())["appointments"] == {"booked": 1}
        assert told(answers) == {201: 32}
        assert len({answer.text for answer in answers}) == 1

    async def test_used_for_something_else_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, ten_past = await slots(desk)
            await desk.book(nine["id"], headers=KEY)
            others: list[dict[str, Any]] = [
                {"comment": "Something else"},
                {"who": patient(birthDate="1958-04-01")},
                {"priority": 1},
                {"identifier": SEVEN},
            ]
            answers = [await desk.book(nine["id"], headers=KEY, **other) for other in others]
            answers.append(await desk.book(ten_past["id"], headers=KEY, **at(ten_past)))
            assert {refused(answer) for answer in answers} == {(422, "key-reused")}
            assert (await desk.figures())["appointments"] == {"booked": 1}

    async def test_is_the_clients_own(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            nine, ten_past = await slots(desk)
            await desk.book(nine["id"], headers=KEY)
            answer = await desk.book(ten_past["id"], "other", headers=KEY, **at(ten_past))
        assert answer.status_code == 201

    async def test_of_a_refused_request_can_be_used_again(self, county: County) -> None:
        async with surgery(county) as desk:
            nine, _ = await slots(desk)
            assert (await desk.book(nine["id"], headers=KEY, description="x" * 101)).status_code == 422
            assert (await desk.book(nine["id"], headers=KEY)).status_code == 201
