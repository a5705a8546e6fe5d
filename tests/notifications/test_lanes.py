"""What goes before what, and what waits while the rest goes."""

from datetime import UTC, datetime, timedelta

from services.notifications.commands import AttemptSend, SettleUnknown
from services.notifications.gateways import Deferred, Lost, Outcome, Refused, Taken, Unknowable
from services.notifications.lanes import FEWEST
from services.notifications.outbox import read_due
from services.notifications.tables import calls, suppressed_numbers
from services.notifications.wording import Text
from tests.harness import County
from tests.notifications.diary import NOW
from tests.notifications.gateways import Pretended, always, take, take_and_lose
from tests.notifications.outgoing import TOMORROW, Outgoing, outgoing
from tests.notifications.town import until, working

EVENING = datetime(2024, 7, 22, 18, 30, tzinfo=UTC)
"""Half past seven in London."""


async def due(here: Outgoing, *lanes: int, limit: int = 100) -> list[str]:
    async with here.running.engine.connect() as connection:
        return [each.message for each in await read_due(connection, lanes, limit)]


async def test_answers_go_before_news_and_news_before_reminders_and_in_each_the_soonest_appointment(
    county: County,
) -> None:
    async with outgoing(county) as here:
        late = await here.plan("reminder-3", "reminder-1", "moved", "cancelled", start=TOMORROW + timedelta(days=1))
        soon = await here.plan("moved", "kept", "reminder-1")
        assert await due(here, 0, 1, 2, 3) == [soon[1], late[3], soon[0], late[2], soon[2], late[1], late[0]]
        assert await due(here, 1, 3) == [soon[0], late[2], late[0]]
        assert await due(here, 0, 1, 2, 3, limit=3) == [soon[1], late[3], soon[0]]


async def test_a_confirmation_goes_before_the_notices_that_wait(county: County) -> None:
    """At most a second's worth are under way before it, however many wait."""

    async def confirm_something(text: Text, reference: str) -> Outcome:
        if len(provider.heard) == 10:
            await here.plan("kept", mobile="+447700900999")
        return Taken(reference)

    provider = Pretended(answer=confirm_something)
    async with outgoing(county, rate=20, concurrency=4) as here:
        await here.plan("moved", each=3 * FEWEST)
        async with working(here.running, provider):
            await until(lambda: _has(provider, "+447700900999"))
        assert provider.heard.index("+447700900999") <= 10 + 20 + 1
        assert len(provider.heard) < 3 * FEWEST


async def test_what_may_arrive_at_any_hour_is_not_held_up_by_what_may_not(county: County) -> None:
    async with outgoing(county, now=EVENING + timedelta(hours=1)) as here:
        moved, reminder, kept = await here.plan("moved", "reminder-3", "kept")
        async with working(here.running, Pretended()):

            async def sent() -> bool:
                return bool((await here.rows())[kept]["state"] == "accepted")

            await until(sent)
        rows = await here.rows()
        assert (rows[moved]["state"], rows[reminder]["state"]) == ("planned", "planned")


async def test_a_telephone_that_has_had_enough_for_an_hour_waits_and_holds_up_nobody(county: County) -> None:
    async with outgoing(county, hourly_to_one=2) as here:
        shared = await here.plan("moved", "moved", "moved", mobile="+447700900500", start=NOW + timedelta(hours=5))
        others = await here.plan("moved", each=20)
        provider = Pretended()
        async with working(here.running, provider) as sender:

            async def sent() -> bool:
                rows = await here.rows()
                return all(rows[message]["state"] == "accepted" for message in [*shared[:2], *others])

            await until(sent)
            assert len(sender.hourly.full(here.running.clock.now())) == 1
        assert (await here.rows())[shared[2]]["state"] == "planned"
        # Another session, or process, finds in the tables what went out.
        async with working(here.running, provider) as sender:
            await here.plan("moved")
            await until(lambda: _has(provider, "+447700900324"))
        assert provider.heard.count("+447700900500") == 2


async def test_after_the_hour_it_has_the_rest(county: County) -> None:
    async with outgoing(county, hourly_to_one=1) as here:
        await here.plan("moved", "moved", mobile="+447700900500")
        async with working(here.running, Pretended()):

            async def one_sent() -> bool:
                return "accepted" in {row["state"] for row in (await here.rows()).values()}

            await until(one_sent)
    async with outgoing(county, now=NOW + timedelta(minutes=61), hourly_to_one=1) as here:
        here.planned = 2
        async with working(here.running, Pretended()):
            await here.until(state="accepted")


async def test_what_surely_never_reached_a_telephone_is_none_of_its_hour(county: County) -> None:
    async with outgoing(county, hourly_to_one=1, looks=1) as here:
        (message,) = await here.plan("moved")

        async def lose_the_first(text: Text, reference: str) -> Outcome:
            return Lost() if reference == f"{message}.1" else Taken(reference)

        async with working(here.running, Pretended(answer=lose_the_first)):
            rows = await here.until(state="accepted")
        assert rows[message]["attempt"] == 2


async def test_nor_is_it_when_another_session_finds_it_out(county: County) -> None:
    async with outgoing(county, hourly_to_one=1, looks=1) as here:
        (message,) = await here.plan("moved")
        number = here.running.keys.pseudonym("number", here.booked[0].mobile)
        await here.running.executor.execute(AttemptSend(message, number, 1, "notify"))
        async with working(here.running, Pretended()):
            rows = await here.until(state="accepted")
        assert rows[message]["attempt"] == 2


async def test_who_opted_out_at_the_provider_is_not_texted_again_and_called_about_a_move(county: County) -> None:
    async with outgoing(county) as here:
        await here.plan("moved", "moved", mobile="+447700900500")
        provider = Pretended(answer=always(Refused("The number has opted out", opted_out=True)))
        async with working(here.running, provider):
            await here.until(state="failed", failure="refused")
        async with here.running.engine.connect() as connection:
            assert len((await connection.execute(suppressed_numbers.select())).all()) == 1
            assert len((await connection.execute(calls.select())).all()) == len(provider.heard)


async def test_what_is_parked_is_not_looked_up_for_ever_and_is_sent_once_a_person_says_it_was_not(
    county: County,
) -> None:
    async with outgoing(county, attempts=1, looks=2) as here:
        (message,) = await here.plan("moved")
        provider = Pretended(answer=always(Lost()))
        async with working(here.running, provider) as sender:

            async def parked() -> bool:
                return sender.parked == {message: 1}

            await until(parked)
            looks = provider.looks[f"{message}.1"]
            (other,) = await here.plan("kept")
            provider.answer = take

            async def other_sent() -> bool:
                return bool((await here.rows())[other]["state"] == "accepted")

            await until(other_sent)
            assert provider.looks[f"{message}.1"] == looks
            await here.running.executor.execute(SettleUnknown(message, "not-sent", "Ann"))
            rows = await here.until(state="accepted")

            async def parked_no_more() -> bool:
                return sender.parked == {}

            await until(parked_no_more)
        assert rows[message]["attempt"] == 2


async def test_what_cannot_be_looked_up_is_parked_at_once_and_never_sent_again(county: County) -> None:
    class Forgetful(Pretended):
        async def look_up(self, trace: object) -> Unknowable:
            return Unknowable()

    async with outgoing(county) as here:
        (message,) = await here.plan("moved")
        provider = Forgetful()
        provider.answer = lambda text, reference: take_and_lose(provider, reference)
        async with working(here.running, provider) as sender:

            async def parked() -> bool:
                return sender.parked == {message: 1}

            await until(parked)
        assert provider.heard == ["+447700900301"]
        assert (await here.rows())[message]["state"] == "unknown"


async def test_what_was_certainly_not_sent_is_planned_again_and_tried_again(county: County) -> None:
    async def slow_down(text: Text, reference: str) -> Outcome:
        return Deferred("pace", "Slower", 0.02) if len(provider.heard) < 3 else Taken(reference)

    provider = Pretended(answer=slow_down)
    async with outgoing(county) as here:
        (message,) = await here.plan("moved")
        async with working(here.running, provider):
            rows = await here.until(state="accepted")
        assert rows[message]["attempt"] == 3
        assert await here.happened(message) == ["MessagePlanned", *["SendAttempted", "SendDeferred"] * 2, *TAKEN]


TAKEN = ["SendAttempted", "MessageAccepted"]


async def _has(provider: Pretended, mobile: str) -> bool:
    return mobile in provider.heard
