"""The sandbox beside the service: what it does badly, the service puts up with."""

from pathlib import Path

import pytest

from services.notifications.sandbox.journal import Journal
from services.notifications.sandbox.phones import Phones
from tests.harness import County
from tests.notifications.sandbox import NOWHERE, bearer, sandbox_within
from tests.notifications.town import town, until, until_all


async def test_patients_answer_as_told_each_once(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        moved = await here.diary.move(*range(1, 11))
        await here.diary.move(20, 21, mobiles=["+447700900555"] * 2)
        await until_all(here.running, 12, "delivered")
        wanted = {"keep": 6, "another_time": 2, "cancel": 1}
        assert (await here.sandbox.http.post("/sandbox/answers", json=wanted)).json() == wanted
        assert (await here.sandbox.http.post("/sandbox/answers", json=wanted)).json() == {
            "keep": 1,
            "another_time": 0,
            "cancel": 0,
        }
        campaign = await here.get("/v1/outages/outage-1/messages")
        assert campaign["replies"] == {"keep": 7, "another-time": 2, "cancel": 1}
        assert len(moved) == 10


@pytest.mark.parametrize("receipts", ["late", "doubled"])
async def test_late_and_doubled_receipts_are_taken_in(county: County, tmp_path: Path, receipts: str) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(receipts=receipts, late_ms=50)
        await here.diary.move(1, 2, 3)
        await until_all(here.running, 3, "delivered")


async def test_a_dropped_message_stays_accepted(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(drop=1)
        await here.diary.move(1)
        await until_all(here.running, 1, "accepted")
        assert (await here.sandbox.figures())["delivered"] == 0


async def test_a_receipt_waits_until_somebody_takes_it(county: County, tmp_path: Path) -> None:
    """The service is away when the receipt is due; a new sandbox on the same journal brings it later."""
    order = {"phone_number": "07700900123", "template_id": "t", "personalisation": {"body": "Sam"}, "reference": "a.1"}
    async with sandbox_within(tmp_path, NOWHERE) as lonely:
        await lonely.http.post("/v2/notifications/sms", json=order, headers=bearer())

        async def arrived() -> bool:
            return bool((await lonely.figures())["delivered"] == 1)

        await until(arrived)
    journal = Journal(tmp_path / "journal.jsonl")
    assert [message.accepted.reference for message in Phones(journal).untold()] == ["a.1"]
    journal.close()
