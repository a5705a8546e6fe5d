"""A provider that asks for a pause, and what is of unknown outcome meanwhile, on a clock that does as it is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.notifications.gateways import Finding, Provider, Trace, Unreachable
from services.notifications.lines import Exchange, Line, Place
from services.notifications.outbox import Due
from services.notifications.pacing import Allowance, Hourly, Pace
from services.notifications.points import onwards
from services.notifications.routing import Policy
from services.notifications.settling import Settling
from tests.notifications.gateways import Pretended
from tests.waiting import DEADLINE

NOON = datetime(2024, 7, 22, 11, 0, tzinfo=UTC)
LATE = datetime(2024, 7, 22, 21, 0, tzinfo=UTC)
MORNING = datetime(2024, 7, 23, 9, 0, tzinfo=UTC)
DUE = Due("message", "moved", "number", "patient", "appointment", "", MORNING, 1, 1, "notify", NOON)


def line(provider: Provider = "notify", rate: float = 1000.0) -> Line:
    return Line(Pretended(provider), rate, Pace(rate), Allowance(0))


async def test_a_pause_that_begins_before_the_turn_and_outlasts_the_deadline_is_not_waited_for() -> None:
    loop, slow = asyncio.get_running_loop(), line(rate=20)
    begun = loop.time()
    assert await slow.turn_by(begun + 1)
    loop.call_later(0.01, slow.pace.hold, begun + 60, begun)
    async with asyncio.timeout(DEADLINE):
        while await slow.turn_by(begun + 1):
            pass


async def test_where_a_provider_asks_for_a_long_pause_the_other_takes_what_waits() -> None:
    loop, first, second = asyncio.get_running_loop(), line(), line("twilio")
    exchange, now = Exchange([first, second], Policy()), loop.time()
    first.pace.hold(now + 0.5, now)
    assert exchange.share_out([DUE], now + 1) == [(first, [DUE])]
    first.pace.hold(now + 300, now)
    assert exchange.share_out([DUE], now + 1) == [(second, [DUE])]
    second.pace.hold(now + 300, now)
    assert exchange.share_out([DUE], now + 1) == []


@dataclass
class Told:
    """A clock that reads these one after the other, the last for ever."""

    reads: list[datetime]
    offset: timedelta = timedelta()

    def now(self) -> datetime:
        return self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]


@dataclass
class Attempts:
    """What would be tried again."""

    places: list[Place] = field(default_factory=list)

    async def attempt(self, due: Due, text: None, place: Place) -> None:
        self.places.append(place)


def settling(lines: Sequence[Line], clock: Told, attempts: Attempts) -> Settling:
    async def no_texts(waiting: Sequence[Due]) -> dict[str, Any]:
        return {}

    session: Any = SimpleNamespace(
        running=SimpleNamespace(clock=clock),
        settings=SimpleNamespace(concurrency=1, attempts=3, looks=2, look_every=0.0, settle=0.0),
        exchange=Exchange(lines, Policy()),
        hourly=Hourly(9),
        passing=onwards,
        open=no_texts,
    )
    handing_over: Any = attempts
    return Settling(session, handing_over)


async def test_what_comes_to_its_turn_at_night_waits_for_the_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notifications.settling.LOOK_AGAIN", 0)
    only, attempts = line(), Attempts()
    clock = Told([NOON, NOON, NOON, LATE, MORNING, MORNING])
    assert await settling([only], clock, attempts).settle(DUE) is None
    assert clock.reads == [MORNING], "read until the morning has come"
    assert [place.line for place in attempts.places] == [only]
    assert only.today.used(attempts.places[0].day) == 1


@pytest.mark.parametrize(("age", "again"), [(47, 1), (49, 0)])
async def test_that_a_provider_has_nothing_is_believed_for_two_days(age: int, again: int) -> None:
    attempts = Attempts()
    left = await settling([line()], Told([NOON]), attempts).settle(
        replace(DUE, attempted_at=NOON - timedelta(hours=age))
    )
    assert (left is None, len(attempts.places)) == (bool(again), again)


@dataclass
class Asked(Pretended):
    """Remembers from when on it was asked. It cannot say anything of those in `away`."""

    when: list[datetime] = field(default_factory=list)
    away: frozenset[str] = frozenset()

    async def look_up(self, trace: Trace) -> Finding:
        self.when.append(trace.attempted_at)
        return Unreachable() if trace.reference in self.away else await Pretended.look_up(self, trace)


class Hanging(Pretended):
    """Takes every question, and answers none."""

    async def look_up(self, trace: Trace) -> Finding:
        self.looks[trace.reference] += 1
        return await asyncio.Future[Finding]()


async def test_who_cannot_be_asked_about_one_message_holds_up_no_question_about_another() -> None:
    """One question at a time to each provider: the one hangs; the other cannot say for the first message."""
    hanging, away = Hanging(), Asked("twilio", away=frozenset({"first.1"}))
    lines = [Line(gateway, 1000.0, Pace(1000.0), Allowance(0)) for gateway in (hanging, away)]
    attempts = Attempts()
    asking = settling(lines, Told([NOON]), attempts)
    first, second = (replace(DUE, message=name, provider="twilio") for name in ("first", "second"))
    waiting = [asyncio.create_task(asking.settle(due)) for due in (DUE, first)]
    async with asyncio.timeout(DEADLINE):
        assert await asking.settle(second) is None
    assert [len(attempts.places), *(task.done() for task in waiting)] == [1, False, False]
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


@pytest.mark.parametrize(("ahead", "earlier"), [(3, 3), (-3, 0), (0, 0)])
async def test_a_provider_is_asked_from_the_attempt_on_by_the_clock_that_is_behind(ahead: int, earlier: int) -> None:
    """Its own is the real one, unless it is a sandbox that pretends as we do."""
    gateway, attempts = Asked(), Attempts()
    there = Line(gateway, 1000.0, Pace(1000.0), Allowance(0))
    await settling([there], Told([NOON], timedelta(days=ahead)), attempts).settle(DUE)
    assert set(gateway.when) == {NOON - timedelta(days=earlier)}
