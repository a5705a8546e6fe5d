"""What the provider brings, and what people ask."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, select

from services.notifications.replies import ReplyText
from services.notifications.tables import calls, replies, suppressed_numbers
from tests.harness import County
from tests.notifications.diary import OUTAGE, Moved
from tests.notifications.town import Town, states, town, until_all


@pytest.fixture
async def here(county: County, tmp_path: Path) -> AsyncIterator[Town]:
    async with town(county, tmp_path) as here:
        yield here


async def told(here: Town, *numbers: int, mobiles: Sequence[str] | None = None) -> list[Moved]:
    """These patients have been moved, and their telephones have the text."""
    moved = await here.diary.move(*numbers, mobiles=mobiles)
    await until_all(here.running, len(numbers), "delivered")
    return moved


async def write(here: Town, mobile: str, text: str, inbound: str) -> httpx.Response:
    """The provider brings a text."""
    received = {"id": inbound, "source_number": mobile.removeprefix("+"), "message": text}
    return await here.http.post("/v1/inbound", json=received | {"destination_number": "447700900999"})


async def rows(here: Town, table: Table) -> list[dict[str, Any]]:
    async with here.running.engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(select(table))).mappings()]


class TestReceipts:
    async def test_a_failure_is_told(self, here: Town) -> None:
        (moved,) = await here.diary.move(1, mobiles=["+447700900002"])
        await until_all(here.running, 1, "failed")
        story = await here.get(f"/v1/messages/{moved.message}")
        assert (story["failure"], story["attempts"]) == ("permanent", 1)


class TestReplies:
    async def test_an_answer_reaches_its_message_sealed(self, here: Town) -> None:
        (moved,) = await told(here, 1)
        assert (await write(here, moved.mobile, "2 please", "inbound-1")).status_code == 204
        (reply,) = await rows(here, replies)
        assert (reply["message"], reply["answer"]) == (moved.message, "another-time")
        key = (await here.running.keys.find({moved.patient}))[moved.patient]
        assert key.open(reply["sealed"], ReplyText) == ReplyText("2 please")
        assert (await here.get(f"/v1/outages/{OUTAGE}/messages"))["replies"] == {"another-time": 1}

    async def test_the_same_text_brought_twice_is_one(self, here: Town) -> None:
        (moved,) = await told(here, 1)
        for _ in range(3):
            assert (await write(here, moved.mobile, "1", "inbound-1")).status_code == 204
        assert len(await rows(here, replies)) == 1

    async def test_on_a_shared_telephone_nobody_guesses_who_wrote(self, here: Town) -> None:
        moved = await told(here, 1, 2, mobiles=["+447700900100"] * 2)
        await write(here, moved[0].mobile, "3", "inbound-1")
        (reply,) = await rows(here, replies)
        assert reply["message"] == ""
        assert set(reply["candidates"]) == {each.message for each in moved}
        key = (await here.running.keys.find({reply["number"]}))[reply["number"]]
        assert key.open(reply["sealed"], ReplyText) == ReplyText("3")

    async def test_a_text_from_nowhere_is_set_aside(self, here: Town) -> None:
        await write(here, "+447700900555", "who is this", "inbound-1")
        (reply,) = await rows(here, replies)
        assert (reply["message"], reply["candidates"]) == ("", [])

    async def test_an_answer_about_a_cancelled_appointment_is_for_a_person(self, here: Town) -> None:
        (moved,) = await told(here, 1)
        await here.diary.cancel(moved)
        await here.heard()
        await write(here, moved.mobile, "1", "inbound-1")
        (reply,) = await rows(here, replies)
        assert reply["message"] == ""

    async def test_after_a_second_text_an_answer_is_to_that_one(self, here: Town) -> None:
        (moved,) = await told(here, 1)
        again = await here.diary.move_on(moved)
        await until_all(here.running, 2, "delivered")
        assert (await write(here, moved.mobile, "1", "inbound-1")).status_code == 204
        (reply,) = await rows(here, replies)
        assert (reply["message"], reply["answer"], reply["candidates"]) == (again.message, "keep", [])

    async def test_an_answer_when_the_appointment_is_over_is_for_a_person_who_sees_what_it_is_to(
        self, here: Town
    ) -> None:
        (moved,) = await told(here, 1)
        await here.diary.see(moved)
        await here.heard()
        await write(here, moved.mobile, "2", "inbound-1")
        (reply,) = await rows(here, replies)
        assert (reply["message"], reply["candidates"]) == ("", [moved.message])
        await write(here, moved.mobile, "STOP", "inbound-2")
        assert (len(await rows(here, suppressed_numbers)), await rows(here, calls)) == (1, [])

    async def test_stop_silences_the_number_and_asks_for_a_call(self, here: Town) -> None:
        (moved,) = await told(here, 1)
        for inbound in ("inbound-1", "inbound-2"):
            await write(here, moved.mobile, "STOP", inbound)
        (silenced,) = await rows(here, suppressed_numbers)
        assert silenced["number"] == here.running.keys.pseudonym("number", moved.mobile)
        (call,) = await rows(here, calls)
        assert call["message"] == moved.message

    async def test_a_sender_that_is_no_number_is_refused(self, here: Town) -> None:
        assert (await write(here, "Pizza4U", "hello", "inbound-1")).status_code == 422


async def test_asking_for_a_message_that_is_not_there_says_so(here: Town) -> None:
    answer = await here.asked("/v1/messages/none")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-message")
    assert await states(here.running) == {}
