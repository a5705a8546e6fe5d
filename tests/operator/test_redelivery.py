"""Redelivery: a practice's system gets just what it missed, once and in order, however often it is broken off."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from services.booking.app import BLUEPRINT, Settings, create
from services.booking.cursors import cursor_at
from services.operator.redelivery import carry_on, order_of
from services.operator.redelivery_state import Progress, opened_run
from services.operator.settings import OperatorSettings, operator_settings
from services.operator.webhooks import Backoff, Webhook, secret_of, signed, webhook_url
from shared.log import head_position
from shared.refusals import Conflict, Refusal, Unavailable
from shared.service import Running
from tests.booking.paper import CSV, PRACTICES, diary_file, row
from tests.booking.surgery import NOON
from tests.harness import County
from tests.issuer import bearer
from tests.operator.receiver import SECRET, Receiver, receiving
from tests.serving import served

FAST = 1000
QUICK = Backoff(tries=4, first=0.01, longest=0.05)


@dataclass(frozen=True, slots=True)
class Office:
    """An operator beside a county whose practice A1 has had three changes, and B2 two."""

    settings: OperatorSettings
    missed: Sequence[dict[str, Any]]

    async def redeliver(
        self,
        to: Receiver,
        stop: Event | None = None,
        *,
        practice: str = "A1",
        start: str = "2024-07-19T00:00",
        until: str = "",
    ) -> Progress:
        """As the command does, without its screen."""
        asked = order_of(practice, start, until, to.url)
        stop = stop or Event()
        webhook = Webhook(asked.url, secret_of({"DAYBOOK_WEBHOOK_SECRET": SECRET}), stop, QUICK)
        with opened_run(self.settings.home.root, asked, again=False) as run:
            try:
                await asyncio.to_thread(carry_on, self.settings, run, webhook.deliver, stop, FAST)
            finally:
                webhook.close()
            return run.progress


@asynccontextmanager
async def office(county: County, home: Path) -> AsyncIterator[Office]:
    county.clock_at(NOON)
    app = create(await county.settings(BLUEPRINT, Settings))
    headers = bearer(county.operator_token())
    async with served(app) as url, httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        await http.post("/v1/practices", content=PRACTICES, headers=CSV)
        for rows in ([row()], [row(start="2024-07-22T09:10")], [row(practice="B2")]):
            await http.post("/v1/diary", content=diary_file(*rows), headers=CSV)
        await _relayed(app.state.running)
        given = {"DAYBOOK_HOME": str(home), "OPERATOR_BOOKING_URL": url, "DAYBOOK_TOKEN": county.operator_token()}
        missed = (await http.get("/v1/changes", params={"practice": "A1"})).json()["changes"]
        yield Office(operator_settings(given), missed)


async def _relayed(booking: Running) -> None:
    """Wait until all that was recorded may be told."""
    async with booking.engine.connect() as connection:
        assert await booking.relay.reached(await head_position(connection), 10)


async def test_a_range_is_delivered_once_in_order_signed_and_marked_as_a_replay(county: County, tmp_path: Path) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            done = await there.redeliver(system)
            repeated = await there.redeliver(system)
            from_cursor = await there.redeliver(system, start=there.missed[-2]["cursor"])
    assert done == repeated == Progress(3, there.missed[-1]["cursor"], done=True)
    assert system.taken == [{**each, "replay": True} for each in (*there.missed, there.missed[-1])]
    assert system.marked == {"true"}
    assert from_cursor.delivered == 1


async def test_broken_off_and_given_again_it_delivers_exactly_what_is_missing(county: County, tmp_path: Path) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            stop = Event()

            def break_off(number: int) -> int:
                if number == 2:
                    stop.set()
                return 200

            system.answer = break_off
            broken_off = await there.redeliver(system, stop)
            gone_on = await there.redeliver(system)
    assert (broken_off.delivered, broken_off.done) == (2, False)
    assert (gone_on.delivered, gone_on.done) == (3, True)
    assert system.ids == [each["id"] for each in there.missed]


async def test_killed_before_it_wrote_down_what_was_taken_it_sends_that_again_under_the_same_id(
    county: County, tmp_path: Path
) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            order = order_of("A1", "2024-07-19T00:00", "", system.url)
            webhook = Webhook(order.url, secret_of({"DAYBOOK_WEBHOOK_SECRET": SECRET}), Event(), QUICK)

            def killed_after_the_second(event_id: str, body: bytes) -> bool:
                webhook.deliver(event_id, body)
                if len(system.ids) == 2:
                    raise RuntimeError("killed")
                return True

            with opened_run(tmp_path, order, again=False) as run, pytest.raises(RuntimeError, match="killed"):
                await asyncio.to_thread(carry_on, there.settings, run, killed_after_the_second, Event(), FAST)
            webhook.close()
            done = await there.redeliver(system)
    first, second, third = (each["id"] for each in there.missed)
    assert system.ids == [first, second, second, third]
    assert system.distinct == [first, second, third]
    assert done == Progress(3, there.missed[-1]["cursor"], done=True)


async def test_a_log_that_is_another_since_is_not_delivered_from_the_middle(county: County, tmp_path: Path) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            order = order_of("A1", "2024-07-19T00:00", "", system.url)
            for position in (1, 9_999):
                with opened_run(tmp_path, order, again=True) as run:
                    run.delivered(str(cursor_at(position, "an event of the log as it was")))
                with pytest.raises(Conflict, match="--again delivers the whole of the range anew"):
                    await there.redeliver(system)
            with pytest.raises(Conflict, match="--from: this log ends before the cursor"):
                await there.redeliver(system, start=str(cursor_at(9_999, "an event of another")))
    assert system.ids == []


async def test_what_could_not_be_taken_is_sent_again_under_the_same_id(county: County, tmp_path: Path) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            system.answer = lambda number: {1: 503, 3: 429}.get(number, 200)
            done = await there.redeliver(system)
    assert done.done
    first, second, third = (each["id"] for each in there.missed)
    assert system.ids == [first, first, second, second, third]
    assert system.distinct == [first, second, third]


async def test_who_will_not_or_cannot_for_too_long_is_left_and_gone_on_with_later(
    county: County, tmp_path: Path
) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            system.answer = lambda number: 200 if number == 1 else 410
            with pytest.raises(Refusal, match=r"answered 410 .* which no waiting mends") as refused:
                await there.redeliver(system)
            system.answer = lambda _: 500
            with pytest.raises(Unavailable, match=r"did not take event .* in 4 tries \(it answered 500\)"):
                await there.redeliver(system)
            system.answer = lambda _: 200
            done = await there.redeliver(system)
    assert not isinstance(refused.value, Unavailable)
    assert done.delivered == 3
    assert system.distinct == [each["id"] for each in there.missed]
    assert len(system.taken) == 3


async def test_a_range_that_is_empty_or_a_practice_that_is_unknown_is_refused(county: County, tmp_path: Path) -> None:
    with receiving() as system:
        async with office(county, tmp_path) as there:
            asked: dict[str, dict[str, Any]] = {
                "Nothing happened at A1 after": {"until": "2024-07-19T00:01"},
                "No such practice": {"practice": "Z9"},
                "still to come": {"start": "2099-01-01T00:00"},
                "of another log": {"start": "AAAAAAAAAAEAAAAAAAAA"},
            }
            for words, order in asked.items():
                with pytest.raises(Refusal, match=words):
                    await there.redeliver(system, **order)
    assert system.ids == []


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("A1", "2024-07-20T00:00", "2024-07-19T00:00", "https://x.example"), "is not after"),
        (("A1", "2024-07-20T00:00", "2024-07-20T00:00", "https://x.example"), "is not after"),
        (("A1", "Friday", "", "https://x.example"), "nor a cursor of the change feed"),
        (("A 1", "2024-07-20T00:00", "", "https://x.example"), "is not an ODS code"),
        (("A1", "2024-07-20T00:00", "", "ftp://x.example"), "is not an address"),
        (("A1", "2024-07-20T00:00", "", "https://me:pass@x.example"), "is not an address"),
        (("A1", "2024-07-20T00:00", "", "http://x.example/hook"), "only https"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_what_was_wrong(
    asked: tuple[str, str, str, str], words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        order_of(*asked)


def test_this_machine_may_be_written_to_in_the_clear() -> None:
    assert webhook_url("http://127.0.0.1:9/hook") == "http://127.0.0.1:9/hook"


@pytest.mark.parametrize("given", [{}, {"DAYBOOK_WEBHOOK_SECRET": "whsec_c2hvcnQ="}, {"DAYBOOK_WEBHOOK_SECRET": "é"}])
def test_a_secret_that_would_not_keep_is_none(given: dict[str, str]) -> None:
    with pytest.raises(Refusal, match="openssl rand -base64 32"):
        secret_of(given)


def test_the_secret_can_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert secret_of({"DAYBOOK_WEBHOOK_SECRET_FILE": str(tmp_path / "secret")}).startswith(b"a secret of both")
    with pytest.raises(Refusal, match="No secret can be read"):
        secret_of({"DAYBOOK_WEBHOOK_SECRET_FILE": str(tmp_path / "none")})


def test_a_signature_is_that_of_the_standards_own_example() -> None:
    headers = signed(
        base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_cannot_carry_on_the_same_redelivery(tmp_path: Path) -> None:
    order = order_of("A1", "2024-07-19T00:00", "", "http://localhost/hook")
    with (
        opened_run(tmp_path, order, again=False),
        pytest.raises(Conflict, match="going on already"),
        opened_run(tmp_path, order, again=False),
    ):
        pass
