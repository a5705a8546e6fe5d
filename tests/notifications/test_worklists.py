"""What the rules leave to people: outcomes nobody knows, and texts that no rule explains."""

from collections.abc import AsyncIterator, Collection
from typing import Any

import pytest
import pytest_asyncio

from services.notifications.commands import RecordUnknown
from services.notifications.replies import code_of
from shared.seal import DataKey, Keys
from tests.harness import County, Servers
from tests.notifications.quiet import LETTER, MOBILE, A, B, Quiet, Written, quiet

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(servers: Servers) -> AsyncIterator[Quiet]:
    """One night for all; each test uses a telephone and patients of its own."""
    await servers.fresh_streams()
    async with quiet(County(servers)) as night:
        yield night


async def lost(night: Quiet, provider: str = "notify") -> Written:
    """A message of which the provider's answer was lost."""
    written = await night.tried(await night.write("lost"), provider=provider)
    await night.do(RecordUnknown(written.message, 1))
    return written


async def waiting(night: Quiet, reply: str, path: str = "/v1/replies", **who: Any) -> Any:
    """This reply as the worklist has it, or None."""
    found = {each["reply"]: each for each in await night.get(path, **who)}
    return found.get(reply)


class TestUnknownOutcomes:
    async def settle(self, night: Quiet, message: str, verdict: str, by: str = "Joan") -> Any:
        path = f"/v1/messages/{message}/outcome"
        return await night.ask("POST", path, json={"verdict": verdict, "by": by})

    async def test_are_listed_with_what_to_look_for_at_which_provider(self, night: Quiet) -> None:
        written = await lost(night, "twilio")
        (found,) = [each for each in await night.get("/v1/unknown") if each["message"] == written.message]
        assert (found["provider"], found["reference"], found["attempts"]) == ("twilio", f"{written.message}.1", 1)
        assert (found["telephone"], found["since"]) == (MOBILE, found["attempted_at"])

    @pytest.mark.parametrize(("verdict", "state"), [("sent", "accepted"), ("not-sent", "planned")])
    async def test_are_settled_by_whoever_found_out(self, night: Quiet, verdict: str, state: str) -> None:
        written = await lost(night)
        story = (await self.settle(night, written.message, verdict)).json()
        assert (story["state"], story["history"][-1]["what"]) == (state, "unknown-settled")
        assert written.message not in [each["message"] for each in await night.get("/v1/unknown")]

    async def test_that_are_known_cannot_be_settled(self, night: Quiet) -> None:
        written = await lost(night)
        await self.settle(night, written.message, "sent")
        answer = await self.settle(night, written.message, "not-sent")
        assert (answer.status_code, answer.json()["code"]) == (409, "not-unknown")
        assert (await self.settle(night, "none", "sent")).status_code == 404

    @pytest.mark.parametrize(
        ("verdict", "by"), [("perhaps", "Joan"), ("sent", " "), ("sent", "J\0"), ("sent", "J" * 201)]
    )
    async def test_need_a_verdict_and_a_name(self, night: Quiet, verdict: str, by: str) -> None:
        answer = await self.settle(night, "none", verdict, by)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


class TestRepliesToRead:
    async def test_come_with_all_that_is_needed_to_place_them(self, night: Quiet) -> None:
        phone = "+447700900201"
        first = await night.write("context", mobile=phone)
        second = await night.write("context", mobile=phone, nhs_number="9990000026", practice=B)
        await night.answered(first, "context-1", "keep", "1")
        await night.unmatched("context-2", "3 for the boy", first, second, mobile=phone)
        found = await waiting(night, "context-2")
        assert (found["text"], found["message"], found["minutes"]) == ("3 for the boy", "", 0)
        mine, theirs = found["candidates"]
        assert {
            name: mine[name] for name in ("message", "kind", "practice", "practice_name", "first_name", "code")
        } == {
            "message": first.message,
            "kind": "moved",
            "practice": A,
            "practice_name": "Harbour Surgery",
            "first_name": "Ann",
            "code": code_of(first.message),
        }
        assert (mine["when"], mine["status"], mine["state"]) == ("Tuesday 23 July 2024 at 10am", "booked", "planned")
        assert (mine["text"], mine["answered"]) == (LETTER, "keep")
        assert (theirs["practice"], theirs["answered"], theirs["answered_at"]) == (B, None, None)

    async def test_that_answer_one_message_are_read_beside_it(self, night: Quiet) -> None:
        written = await night.write("unclear", mobile="+447700900202")
        await night.answered(written, "unclear-1", "unclear", "1 but not before noon")
        found = await waiting(night, "unclear-1")
        assert (found["text"], found["message"], found["answer"]) == (
            "1 but not before noon",
            written.message,
            "unclear",
        )
        assert [each["message"] for each in found["candidates"]] == [written.message]
        assert found["candidates"][0]["answered"] is None, "this one is no answer that came before"

    async def test_are_a_practices_own_only_if_they_can_concern_no_other(self, night: Quiet) -> None:
        phone = "+447700900203"
        own = await night.write("own", mobile=phone)
        others = await night.write("own", mobile=phone, practice=B)
        await night.unmatched("own-1", "who", own, mobile=phone)
        await night.unmatched("own-2", "who", own, others, mobile=phone)
        await night.unmatched("own-3", "who", mobile="+447700900299")
        path = f"/v1/practices/{A}/replies"
        assert await waiting(night, "own-1", path, practice=A)
        for other in ("own-2", "own-3"):
            assert not await waiting(night, other, path, practice=A)
            assert await waiting(night, other)
            resolution = {"answer": "nothing", "by": "Joan"}
            answer = await night.ask("POST", f"{path}/{other}/resolution", practice=A, json=resolution)
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown-reply")

    @pytest.mark.parametrize(("scope", "status"), [("system/Appointment.s", 200), ("system/Slot.rs", 403)])
    async def test_need_the_scope_of_whoever_reads_appointments(self, night: Quiet, scope: str, status: int) -> None:
        path = f"/v1/practices/{A}/replies"
        assert (await night.ask("GET", path, practice=A, scope=scope)).status_code == status
        assert (await night.ask("GET", path, practice=B)).json()["code"] == "unknown-practice"
        write = await night.ask("POST", f"{path}/none/resolution", practice=A, scope=scope, json={"by": "Joan"})
        assert (write.status_code, write.json()["code"]) == (403, "missing-scope")

    async def test_are_off_the_list_once_somebody_has_said_what_they_mean(self, night: Quiet) -> None:
        phone = "+447700900204"
        one, other = [await night.write("resolved", mobile=phone) for _ in range(2)]
        await night.unmatched("resolved-1", "the second one is fine", one, other, mobile=phone)
        path = f"/v1/practices/{A}/replies/resolved-1/resolution"
        said = {"message": other.message, "answer": "keep", "by": "Joan"}
        answer = await night.ask("POST", path, practice=A, json=said)
        assert (answer.status_code, answer.json()["resolved_by"]) == (200, "Joan"), answer.text
        assert await waiting(night, "resolved-1") is None
        story = await night.get(f"/v1/messages/{other.message}")
        assert [(each["answer"], each["read_by"]) for each in story["replies"]] == [("keep", "Joan")]
        again = await night.ask("POST", path, practice=A, json=said)
        assert again.status_code == 409

    async def test_may_be_read_without_anything_to_do(self, night: Quiet) -> None:
        await night.unmatched("nothing-1", "who is this", mobile="+447700900205")
        answer = await night.ask("POST", "/v1/replies/nothing-1/resolution", json={"by": "Joan"})
        assert (answer.status_code, answer.json()["answer"]) == (200, "nothing"), answer.text
        assert await waiting(night, "nothing-1") is None

    @pytest.mark.parametrize(
        ("said", "where"),
        [
            ({"answer": "keep", "by": "Joan"}, "message"),
            ({"answer": "shrug", "by": "Joan"}, "body.answer"),
            ({"answer": "nothing"}, "body.by"),
            ({"answer": "nothing", "by": "Joan", "note": "hm"}, "body.note"),
        ],
    )
    async def test_are_not_resolved_by_what_makes_no_sense(
        self, night: Quiet, said: dict[str, str], where: str
    ) -> None:
        answer = await night.ask("POST", "/v1/replies/none/resolution", json=said)
        assert (answer.status_code, answer.json()["where"]) == (422, where)

    @pytest.mark.parametrize("anew", [False, True], ids=["erased", "and entered again"])
    async def test_have_no_words_once_the_patient_is_erased(
        self, night: Quiet, monkeypatch: pytest.MonkeyPatch, anew: bool
    ) -> None:
        written = await night.write("erased", mobile="+447700900206")
        await night.answered(written, f"erased-{anew}", "unclear", "Who is this?")
        parted = await lost(night)

        async def destroyed(_: object, subjects: Collection[str]) -> dict[str, DataKey]:
            return {each: DataKey(each, bytes(32)) for each in subjects} if anew else {}

        monkeypatch.setattr(Keys, "find", destroyed)
        found = await waiting(night, f"erased-{anew}")
        (candidate,) = found["candidates"]
        assert (found["text"], candidate["first_name"], candidate["text"]) == (None, None, None)
        (unknown,) = [each for each in await night.get("/v1/unknown") if each["message"] == parted.message]
        assert unknown["telephone"] is None

    async def test_that_were_read_are_in_the_trail_of_the_practices_concerned(self, night: Quiet) -> None:
        written = await night.write("trail", mobile="+447700900207", practice=B)
        await night.answered(written, "trail-1", "unclear", "Hello")
        await night.get("/v1/replies")
        trail = (await night.ask("GET", "/v1/accesses?count=9", practice=B)).json()
        assert ("/v1/replies", "operator") in [(each["route"], each["client"]) for each in trail["accesses"]]
