"""What was sent, what the provider said, what came back: by campaign, message by message, and for one patient."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.notifications.commands import (
    AttemptSend,
    Command,
    RaiseCall,
    RecordAccepted,
    RecordDeferred,
    RecordReceipt,
    RecordRefused,
    RecordSilent,
    RecordUnknown,
    SettleUnknown,
)
from shared.seal import Keys
from tests.harness import County, Servers
from tests.notifications.quiet import LETTER, MOBILE, NHS_NUMBER, TOMORROW, A, B, Quiet, Written, quiet

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(servers: Servers) -> AsyncIterator[Quiet]:
    """One night for all; each test writes messages of an outage of its own."""
    await servers.fresh_streams()
    async with quiet(County(servers)) as night:
        yield night


async def accepted(night: Quiet, written: Written, provider: str = "notify") -> Written:
    await night.tried(written, provider=provider)
    await night.do(RecordAccepted(written.message, 1, provider, f"at {provider}"))
    return written


async def settled(night: Quiet, written: Written, status: Any) -> None:
    await accepted(night, written)
    await night.do(RecordReceipt(written.message, 1, "notify", "at notify", status))


class TestACampaign:
    async def test_counts_the_news_of_moves_and_each_kind_apart(self, night: Quiet) -> None:
        outage = "by kind"
        delivered = await night.write(outage, segments=2)
        await settled(night, delivered, "delivered")
        await night.answered(delivered, "kept-1", "keep", "1")
        await night.write(outage)
        await settled(night, await night.write(outage, segments=3), "technical")
        reminder = await night.write(outage, kind="reminder-1")
        await settled(night, reminder, "delivered")
        await night.answered(reminder, "kept-2", "keep", "1")
        found = await night.get(f"/v1/outages/{outage}/messages")
        names = ("planned", "waiting", "attempted", "accepted", "delivered", "failed")
        assert [found[name] for name in names] == [3, 1, 2, 2, 1, 1]
        assert (found["segments"], found["cost_pence"], found["replies"]) == (6, 4.8, {"keep": 1})
        assert found["by_kind"]["reminder-1"]["planned"] == 1
        assert found["by_kind"]["moved"]["cost_pence"] == 4.8, "what a provider could not even try costs nothing"

    async def test_tells_the_providers_apart_and_why_some_did_not_arrive(self, night: Quiet) -> None:
        outage = "by provider"
        await settled(night, await night.write(outage), "delivered")
        silent = await accepted(night, await night.write(outage), "twilio")
        await night.do(RecordSilent(silent.message, 1))
        for _ in range(2):
            refused = await night.tried(await night.write(outage))
            await night.do(RecordRefused(refused.message, 1, "The number is not in service"))
        lost = await night.tried(await night.write(outage))
        await night.do(RecordUnknown(lost.message, 1))
        found = await night.get(f"/v1/outages/{outage}/messages")
        assert found["by_provider"] == {
            "notify": {"accepted": 1, "delivered": 1, "failed": 2, "silent": 0, "unknown": 1},
            "twilio": {"accepted": 1, "delivered": 0, "failed": 0, "silent": 1, "unknown": 0},
        }
        assert found["failures"] == [{"failure": "refused", "reason": "The number is not in service", "messages": 2}]
        assert (found["silent"], found["unknown"], found["waiting"]) == (1, 1, 0)

    async def test_of_an_outage_that_nobody_was_told_of_is_empty(self, night: Quiet) -> None:
        found = await night.get("/v1/outages/none/messages")
        assert (found["planned"], found["cost_pence"], found["by_kind"], found["failures"]) == (0, 0, {}, [])

    async def test_is_listed_page_by_page_with_nobody_left_out_or_twice(self, night: Quiet) -> None:
        outage = "pages"
        written = [await night.write(outage, practice=practice) for practice in (A, B, A, A)]
        seen: list[str] = []
        after = ""
        while after is not None:
            page = await night.get(f"/v1/outages/{outage}/messages/list?limit=3{after and f'&after={after}'}")
            seen += [each["message"] for each in page["messages"]]
            after = page["after"]
        assert seen == [each.message for each in written]
        await accepted(night, written[0])
        narrowed = await night.get(f"/v1/outages/{outage}/messages/list?state=planned&practice={A}")
        assert [each["message"] for each in narrowed["messages"]] == [written[2].message, written[3].message]
        for wrong, status in (("after=none", 404), ("state=lost", 422), ("limit=0", 422), ("limit=9999", 422)):
            assert (await night.ask("GET", f"/v1/outages/{outage}/messages/list?{wrong}")).status_code == status


async def test_a_story_tells_every_attempt_in_the_order_of_the_log(night: Quiet) -> None:
    written = await night.write("story")
    # In one transaction: else the sender may see an attempt that is not its own, and record that it was lost.
    story_so_far: list[Command] = [
        AttemptSend(written.message, written.number, 1, "notify"),
        RecordDeferred(written.message, 1, "Too many requests"),
        AttemptSend(written.message, written.number, 2, "notify"),
        RecordUnknown(written.message, 2),
        SettleUnknown(written.message, "not-sent", "Joan"),
        AttemptSend(written.message, written.number, 3, "twilio"),
        RecordAccepted(written.message, 3, "twilio", "SM1"),
        RecordReceipt(written.message, 3, "twilio", "SM1", "permanent"),
    ]
    await night.running.executor.execute_together(story_so_far)
    await night.answered(written, "story-1", "another-time", "Tuesdays only, ring my daughter")
    answer = await night.ask("GET", f"/v1/messages/{written.message}")
    story = answer.json()
    assert [(step["what"], step["attempt"], step["provider"]) for step in story["history"]] == [
        ("message-planned", 0, ""),
        ("send-attempted", 1, "notify"),
        ("send-deferred", 1, "notify"),
        ("send-attempted", 2, "notify"),
        ("outcome-unknown", 2, "notify"),
        ("unknown-settled", 2, "notify"),
        ("send-attempted", 3, "twilio"),
        ("message-accepted", 3, "twilio"),
        ("message-failed", 0, ""),
        ("reply-received", 0, ""),
    ]
    assert story["history"][2]["reason"] == "Too many requests"
    assert story["history"][5]["said"] == "Joan found out at GOV.UK Notify that it was not sent (attempt 2)"
    assert (story["attempts"], story["state"], story["failure"]) == (3, "failed", "permanent")
    assert [each["answer"] for each in story["replies"]] == ["another-time"]
    assert not [told for told in (MOBILE, "900123", "Ann", "daughter", NHS_NUMBER) if told in answer.text]


class TestOnePatient:
    async def ask(self, night: Quiet, nhs_number: str) -> Any:
        answer = await night.ask("POST", "/v1/patients/messages", json={"nhs_number": nhs_number})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
        return answer.json()

    async def test_everything_is_told_with_its_words_the_oldest_first(self, night: Quiet) -> None:
        patient = "9990000026"
        first = await night.write("patient", nhs_number=patient, mobile="+447700900301")
        second = await night.write("patient", nhs_number=patient, kind="reminder-1")
        await settled(night, first, "delivered")
        await night.answered(first, "patient-1", "unclear", "Who is this?")
        await night.unmatched("patient-2", "3 for the boy", first, mobile="+447700900301")
        await night.do(RaiseCall("untold", first.about, "No mobile number"))
        found = await self.ask(night, "999 000 0026")
        assert [each["message"] for each in found["messages"]] == [first.message, second.message]
        told = found["messages"][0]
        assert (told["text"], told["telephone"], told["state"]) == (LETTER, "+447700900301", "delivered")
        assert [(each["text"], each["answer"]) for each in told["answers"]] == [("Who is this?", "unclear")]
        assert [step["what"] for step in told["history"]][-2:] == ["message-delivered", "reply-received"]
        assert [call["reason"] for call in found["calls"]] == ["No mobile number"]
        assert [(each["reply"], each["open"]) for each in found["unmatched"]] == [("patient-2", True)]
        assert "the boy" not in str(found), "it may be another's who has the same telephone"
        assert found["erased"] is False

    async def test_of_an_erased_patient_the_words_are_gone_and_it_is_said_so(
        self, night: Quiet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        patient = "9990000034"
        written = await night.write("erased", nhs_number=patient)
        await night.answered(written, "erased-1", "unclear", "Who is this?")

        async def destroyed(*_: object) -> dict[str, Any]:
            return {}

        monkeypatch.setattr(Keys, "find", destroyed)
        found = await self.ask(night, patient)
        assert found["erased"] is True
        told = found["messages"][0]
        assert (told["text"], told["telephone"], told["answers"][0]["text"]) == (None, None, None)
        assert (told["message"], told["answers"][0]["answer"]) == (written.message, "unclear")

    async def test_who_was_never_texted_has_an_empty_list(self, night: Quiet) -> None:
        assert await self.ask(night, "9990000077") == {
            "erased": False,
            "messages": [],
            "unmatched": [],
            "calls": [],
        }

    @pytest.mark.parametrize("wrong", ["", "999000001", "9990000019", "not a number", "99900000180000000000000"])
    async def test_what_is_no_nhs_number_is_refused_without_being_quoted(self, night: Quiet, wrong: str) -> None:
        answer = await night.ask("POST", "/v1/patients/messages", json={"nhs_number": wrong})
        assert answer.status_code == 422
        assert wrong == "" or wrong not in answer.text

    async def test_the_trail_says_who_looked_up_whom_without_the_number(self, night: Quiet) -> None:
        patient = "9990000042"
        written = await night.write("trail", nhs_number=patient, practice=B)
        await self.ask(night, patient)
        trail = await night.ask("GET", "/v1/accesses?count=5", practice=B)
        (noted,) = [each for each in trail.json()["accesses"] if each["route"] == "/v1/patients/messages"]
        assert (noted["resource"], noted["practice"], noted["client"]) == (written.about.patient, B, "operator")
        assert patient not in trail.text


async def test_soonest_first_is_by_the_appointment(night: Quiet) -> None:
    later = await night.write("soonest", start=TOMORROW.replace(day=25))
    sooner = await night.write("soonest")
    page = await night.get("/v1/outages/soonest/messages/list")
    assert [each["message"] for each in page["messages"]] == [sooner.message, later.message]
