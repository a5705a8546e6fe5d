"""What nobody says what became of: asked about in time, and a case for the telephone if that brings nothing."""

from datetime import datetime, timedelta

import pytest

from services.notifications.commands import AttemptSend, RecordAccepted
from services.notifications.gateways import Absent, Finding, Unreachable
from services.notifications.outbox import Patience, read_unheard
from services.notifications.settings import own_settings
from services.notifications.silence import ask_round
from tests.harness import County
from tests.notifications.diary import NOW
from tests.notifications.gateways import Pretended
from tests.notifications.outgoing import Outgoing, outgoing

PATIENCE = Patience(after=timedelta(hours=73), before=timedelta(hours=24), at_least=timedelta(hours=4))


async def taken(here: Outgoing, *starts: datetime, provider: str = "notify") -> list[str]:
    """Messages that this provider took at `NOW`, by appointments at these times."""
    messages = [message for start in starts for message in await here.plan("moved", start=start)]
    rows = await here.rows()
    for message in messages:
        await here.running.executor.execute(AttemptSend(message, rows[message]["number"], 1, provider))
        await here.running.executor.execute(RecordAccepted(message, 1, provider, f"id of {message}"))
    return messages


async def test_silence_is_noticed_a_day_before_the_appointment_but_not_within_four_hours_of_sending(
    county: County,
) -> None:
    async with outgoing(county) as here:
        hours = {name: NOW + timedelta(hours=ahead) for name, ahead in {"soon": 10, "near": 30, "far": 200}.items()}
        soon, near, far = await taken(here, *hours.values())

        async def unheard(after: float) -> set[str]:
            async with here.running.engine.connect() as connection:
                now = NOW + timedelta(hours=after)
                return {each.message for each in await read_unheard(connection, PATIENCE, now, "notify", 100)}

        # A few seconds pass between NOW and the acceptance.
        assert await unheard(4) == set()
        assert await unheard(4.1) == {soon}
        assert await unheard(5.9) == {soon}
        assert await unheard(6.1) == {soon, near}
        assert await unheard(10) == {near}, "its appointment has begun: nobody need be told"
        assert await unheard(72.9) == set()
        assert await unheard(73.1) == {far}
        assert await unheard(201) == set()


@pytest.mark.parametrize(
    ("says", "state", "failure"),
    [("delivered", "delivered", ""), ("permanent", "failed", "permanent"), (None, "silent", "")],
)
async def test_the_provider_is_asked_before_a_message_counts_as_silent(
    county: County, says: str | None, state: str, failure: str
) -> None:
    async with outgoing(county) as here:
        (message,) = await taken(here, NOW + timedelta(days=2))
        settings = own_settings(here.running.settings)
        provider = Pretended(says=says)  # type: ignore[arg-type]
        assert await ask_round(here.running, settings, [provider]) == 0, "it is not time yet"
        hasty = settings.model_copy(update={"silent_after": 0.001})
        assert await ask_round(here.running, hasty, [provider]) == 1
        assert await ask_round(here.running, hasty, [provider]) == 0, "once"
        assert provider.asked == [f"id of {message}"]
        row = (await here.rows())[message]
        assert (row["state"], row["failure"]) == (state, failure)


async def test_who_cannot_be_asked_now_is_asked_again_and_starves_nobody_and_who_knows_nothing_is_silent(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notifications.silence.TOGETHER", 1)

    class Away(Pretended):
        finding: Finding = Unreachable()

        async def ask(self, provider_id: str) -> Finding:
            return self.finding

    async with outgoing(county, silent_after=0.001) as here:
        (message,) = await taken(here, NOW + timedelta(days=2))
        settings, provider = own_settings(here.running.settings), Away()
        (other,) = await taken(here, NOW + timedelta(days=2), provider="twilio")
        assert await ask_round(here.running, settings, [provider, Pretended("twilio", says="delivered")]) == 1
        rows = await here.rows()
        assert (rows[message]["state"], rows[other]["state"]) == ("accepted", "delivered")
        provider.finding = Absent()
        assert await ask_round(here.running, settings, [provider]) == 1
        assert (await here.rows())[message]["state"] == "silent"
