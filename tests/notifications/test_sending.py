"""Every message goes out at most once, and none is forgotten, wherever the sender dies."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.notifications.app import BLUEPRINT, Settings
from services.notifications.campaigns import read_campaign
from services.notifications.commands import SuppressNumber
from services.notifications.gateways import Outcome, Taken
from services.notifications.views import read_story
from services.notifications.wording import Text
from shared.broker import connect
from shared.events.envelope import decode
from shared.service import Running
from shared.stream import last_of
from tests.harness import County
from tests.notifications.diary import NOW, OUTAGE, Diary
from tests.notifications.gateways import Pretended
from tests.notifications.sandbox import sandbox_at
from tests.notifications.town import QUICK, sender, silent_town, states, town, until, until_all, working
from tests.serving import free_port


async def test_every_moved_patient_is_told_once(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.diary.move(*range(1, 41))
        await until_all(here.running, 40, "delivered")

        figures = await here.sandbox.figures()
        assert (figures["accepted"], figures["distinct_references"], figures["duplicated"]) == (40, 40, 0)
        campaign = await here.get(f"/v1/outages/{OUTAGE}/messages")
        assert {name: campaign[name] for name in ("planned", "attempted", "accepted", "delivered", "unknown")} == {
            "planned": 40,
            "attempted": 40,
            "accepted": 40,
            "delivered": 40,
            "unknown": 0,
        }
        assert {message["body"].partition(",")[0] for message in await here.sandbox.messages()} == {
            f"Sam{number}" for number in range(1, 41)
        }


async def test_an_answer_that_was_lost_is_looked_up_and_adopted(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(drop_answer=3, receipts="off")
        await here.diary.move(1, 2, 3)
        await until_all(here.running, 3, "delivered")
        assert (await here.sandbox.figures())["accepted"] == 3


async def test_what_the_provider_surely_does_not_have_is_tried_again(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(fail=2)
        (moved, *_) = await here.diary.move(1, 2, 3)
        await until_all(here.running, 3, "delivered")
        assert (await here.sandbox.figures())["duplicated"] == 0
        story = await here.get(f"/v1/messages/{moved.message}")
        assert story["state"] == "delivered"


async def test_what_fails_again_and_again_is_left_to_a_person(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path, attempts=2) as here:
        await here.sandbox.turn(fail=-1)
        (moved,) = await here.diary.move(1)
        await until_all(here.running, 1, "unknown")

        async def second_attempt_unknown() -> bool:
            return [(row["message"], row["attempts"]) for row in await here.get("/v1/unknown")] == [(moved.message, 2)]

        await until(second_attempt_unknown)
        assert (await here.sandbox.figures())["accepted"] == 0


async def test_a_refusal_ends_a_message_and_holds_up_no_other(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.sandbox.turn(refuse=1)
        await here.diary.move(1, 2, 3)

        async def settled() -> bool:
            return sorted((await states(here.running)).values()) == ["delivered", "delivered", "failed"]

        await until(settled)


async def test_while_the_provider_is_away_messages_wait(county: County, tmp_path: Path) -> None:
    county.clock_at(NOW)
    port = free_port()
    settings = {**QUICK, "gateway_url": f"http://127.0.0.1:{port}"}
    async with county.service(BLUEPRINT, Settings, **settings) as running:
        diary = Diary(county, running)
        await diary.register()
        await diary.move(1, 2)
        async with sender(running):
            await until_all(running, 2, "attempted", "planned")
            async with sandbox_at(tmp_path, callback_url=f"http://127.0.0.1:{free_port()}", port=port) as sandbox:
                await until_all(running, 2, "accepted")
                assert (await sandbox.figures())["accepted"] == 2


async def test_a_text_that_is_no_longer_true_is_not_sent(county: County, tmp_path: Path) -> None:
    async with silent_town(county, tmp_path) as (running, diary, sandbox):
        cancelled, displaced, silenced, moved_on, good = await diary.move(1, 2, 3, 4, 5)
        (begun,) = await diary.move(6, start=NOW + timedelta(milliseconds=1))
        await county.caught_up()
        await diary.cancel(cancelled)
        await diary.displace(displaced)
        newer = await diary.move_on(moved_on)
        await county.caught_up()
        number = running.keys.pseudonym("number", silenced.mobile)
        await running.executor.execute(SuppressNumber(number, "STOP", ()))
        unsent = (cancelled, displaced, silenced, moved_on, begun)
        expected = dict.fromkeys((moved.message for moved in unsent), "failed")
        expected |= dict.fromkeys((newer.message, good.message), "accepted")
        async with sender(running):
            await until(lambda: _are(running, expected))
        assert {message["phone"] for message in await sandbox.messages()} == {good.mobile, newer.mobile}
        async with running.engine.connect() as connection:
            stories = [await read_story(connection, moved.message) for moved in unsent]
            campaign = await read_campaign(connection, OUTAGE)
        failures = [story.failure for story in stories if story]
        assert failures == ["outdated", "outdated", "refused", "outdated", "refused"]
        assert (campaign.planned, campaign.failed, campaign.outdated) == (7, 5, 3)


async def test_a_text_that_ceases_to_be_true_while_it_waits_its_turn_is_not_sent(
    county: County, tmp_path: Path
) -> None:
    """Both texts are read from the outbox together; while the first is at the gateway, the second is overtaken."""

    async def overtake(text: Text, reference: str) -> Outcome:
        if len(gateway.heard) == 1:
            (other,) = (moved for moved in both if moved.mobile != text.to)
            await diary.move_on(other)
            await county.caught_up()
        return Taken(reference)

    async with silent_town(county, tmp_path, concurrency=1, gateway_timeout=60, settle=61) as (running, diary, _):
        gateway, both = Pretended(answer=overtake), await diary.move(1, 2)
        await county.caught_up()
        async with working(running, gateway):
            await until_all(running, 3, "accepted", "failed")
        assert sorted(gateway.heard) == ["+447700900101", "+447700900102"]
        assert sorted((await states(running)).values()) == ["accepted", "accepted", "failed"]


async def test_a_notice_waits_for_the_morning(county: County, tmp_path: Path) -> None:
    eight = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
    async with silent_town(county, tmp_path, now=eight - timedelta(seconds=1)) as (running, diary, _):
        (moved,) = await diary.move(1)
        async with sender(running):
            await until_all(running, 1, "accepted")
        async with running.engine.connect() as connection:
            story = await read_story(connection, moved.message)
        assert story is not None
        assert story.attempted_at is not None
        assert story.attempted_at >= eight


async def test_the_stream_has_an_attempt_before_the_gateway_hears_of_it(county: County, tmp_path: Path) -> None:
    seen: list[bool] = []

    async def watch(text: Text, reference: str) -> Outcome:
        client = await connect(county.servers.nats.url("operator"), "operator")
        last = await last_of(client, "daybook.notifications.*.send-attempted")
        await client.close()
        seen.append(last is not None and decode(last.data or b"").event.reference == reference)
        return Taken(reference)

    async with silent_town(county, tmp_path, concurrency=1) as (running, diary, _):
        await diary.move(1, 2, 3)
        async with working(running, Pretended(answer=watch)):
            await until_all(running, 3, "accepted")
        assert seen == [True, True, True]


async def test_the_sandbox_may_be_killed_and_comes_back_knowing_what_it_took(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.diary.move(1, 2)
        await until_all(here.running, 2, "delivered")
        again = sandbox_at(tmp_path, callback_url=f"http://127.0.0.1:{free_port()}")
        async with again as sandbox:
            assert await sandbox.figures() == await here.sandbox.figures()


async def _are(running: Running, expected: dict[str, str]) -> bool:
    return await states(running) == expected
