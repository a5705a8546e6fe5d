"""Two providers over one ledger: only what was certainly not sent ever goes to the other."""

from pathlib import Path
from typing import Any

from services.notifications.gateways import Deferred, Lost, Outcome, Taken
from services.notifications.routing import Policy
from services.notifications.wording import Text
from tests.harness import County
from tests.notifications.gateways import UNREACHABLE, Pretended, always
from tests.notifications.outgoing import outgoing
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, NOWHERE, SENDER, sandbox_at
from tests.notifications.town import sender, until, working
from tests.serving import free_port

PATIENT = Policy(first_probe=30.0)
"""Does not look again within a test."""
FULL = Deferred("day", "The provider's limit for the day is reached", 3600.0)


async def test_what_one_provider_certainly_did_not_send_the_other_sends(county: County) -> None:
    first, second = Pretended("notify", always(UNREACHABLE)), Pretended("twilio")
    async with outgoing(county) as here:
        planned = await here.plan("moved", each=12)
        async with working(here.running, first, second, policy=PATIENT) as session:
            rows = await here.until(state="accepted", provider="twilio")
            health = session.exchange.routes.healths["notify"]
        assert (health.in_a_row >= 5, health.wait, health.why) == (True, 30, UNREACHABLE.reason)
        assert sorted(second.heard) == [f"+447700900{number}" for number in range(301, 313)]
        tried_twice = [message for message in planned if rows[message]["attempt"] > 1]
        assert len(tried_twice) >= 5
        names = await here.happened(tried_twice[0])
        assert names[-4:] == ["SendAttempted", "SendDeferred", "SendAttempted", "MessageAccepted"]


async def test_what_may_have_been_sent_never_goes_to_the_other_provider(county: County) -> None:
    """The first takes every message and answers none. It is found there, or tried there again."""

    async def lose(text: Text, reference: str) -> Outcome:
        if text.to.endswith("1"):
            first.has[reference] = f"id of {reference}"
        return Lost() if reference.endswith(".1") else Taken(f"id of {reference}")

    first, second = Pretended("notify", lose), Pretended("twilio")
    async with outgoing(county) as here:
        planned = await here.plan("moved", each=4)
        async with working(here.running, first, second):
            rows = await here.until(state="accepted", provider="notify")
        assert [rows[message]["attempt"] for message in planned] == [1, 2, 2, 2]
        assert second.heard == []


async def test_what_goes_wrong_with_one_message_ends_no_other(county: County) -> None:
    async def stumble(text: Text, reference: str) -> Outcome:
        if text.to.endswith("301"):
            raise ValueError(text.to)
        return Taken(f"id of {reference}")

    provider = Pretended(answer=stumble)
    async with outgoing(county) as here:
        bad, *good = await here.plan("moved", each=3)
        async with working(here.running, provider):

            async def others_sent() -> bool:
                rows = await here.rows()
                return {rows[message]["state"] for message in good} == {"accepted"}

            await until(others_sent)
            good += await here.plan("kept")
            await until(others_sent)
            assert (await here.rows())[bad]["state"] == "attempted"
        assert provider.heard.count("+447700900301") == 1


async def test_a_provider_that_is_full_for_the_day_is_not_asked_again_and_the_other_goes_on(county: County) -> None:
    first, second = Pretended("notify", always(FULL)), Pretended("twilio")
    async with outgoing(county, concurrency=1) as here:
        await here.plan("moved", each=6)
        async with working(here.running, first, second) as session:
            await here.until(state="accepted", provider="twilio")
            assert session.exchange.routes.healths["notify"].why == FULL.reason
        assert len(first.heard) == 1


async def test_our_own_limit_for_the_day_holds_across_sessions(county: County) -> None:
    first, second = Pretended("notify"), Pretended("twilio")
    async with outgoing(county, daily_limit=3) as here:
        await here.plan("moved", each=2)
        async with working(here.running, first, second):
            await here.until(state="accepted", provider="notify")
        await here.plan("moved", each=3)
        async with working(here.running, first, second):
            await here.until(state="accepted")
        assert (len(first.heard), len(second.heard)) == (3, 2)


async def test_with_one_provider_that_is_away_nothing_is_lost_and_little_is_tried(county: County) -> None:
    provider = Pretended(answer=always(UNREACHABLE))
    async with outgoing(county) as here:
        await here.plan("moved", each=20)
        async with working(here.running, provider) as session:

            async def left_alone() -> bool:
                return session.exchange.routes.healths["notify"].wait > 0

            await until(left_alone)
            tried = len(provider.heard)
            assert {row["state"] for row in (await here.rows()).values()} <= {"planned", "attempted"}
            provider.answer = Pretended().answer
            await here.until(state="accepted")
        assert tried <= 20 + 5


async def test_a_number_is_written_to_from_where_it_was_written_to_before(county: County) -> None:
    first, second = Pretended("notify", always(FULL)), Pretended("twilio")
    async with outgoing(county) as here:
        await here.plan("moved", mobile="+447700900500")
        async with working(here.running, first, second):
            await here.until(state="accepted")
        first.answer = second.answer
        await here.plan("kept", mobile="+447700900500")
        await here.plan("kept", mobile="+447700900501")
        async with working(here.running, first, second):
            await here.until(state="accepted")
        assert second.heard == ["+447700900500", "+447700900500"]
        assert first.heard == ["+447700900500", "+447700900501"]


async def test_notify_away_messages_go_over_twilios_wire(county: County, tmp_path: Path) -> None:
    async with sandbox_at(tmp_path, callback_url=NOWHERE) as sandbox:
        twilio: dict[str, Any] = {"twilio_url": sandbox.url, "twilio_account": ACCOUNT, "twilio_token": AUTH_TOKEN}
        away = f"http://127.0.0.1:{free_port()}"
        async with outgoing(county, gateway_url=away, **twilio, twilio_sender=SENDER, twilio_rate=1000) as here:
            await here.plan("moved", each=8)
            async with sender(here.running, PATIENT):
                await here.until(state="accepted", provider="twilio")
        figures = await sandbox.figures()
        assert (figures["providers"]["twilio"]["accepted"], figures["duplicated"]) == (8, 0)
