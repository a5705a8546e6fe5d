"""The lines to the providers: what each carries and how fast, which one a message takes, and what was heard there."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from math import inf
from random import Random

import structlog

from services.notifications.gateways import (
    Deferred,
    Gateway,
    Lost,
    Outcome,
    Provider,
    Refused,
    Taken,
    until_midnight,
)
from services.notifications.outbox import Due
from services.notifications.pacing import Allowance, Pace
from services.notifications.routing import Policy, Routes
from services.notifications.settings import NotificationsSettings
from shared.clock import Clock

SLOWED_DOWN = (0.5, 2.5)
"""A provider that asks for a slower pace waits so many times what it asked for, by chance: no two senders alike."""
DAY_IS_FULL = "As many messages as it takes a day were sent"

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Line:
    """The way to one provider."""

    gateway: Gateway
    rate: float
    pace: Pace
    today: Allowance
    heard: Counter[str] = field(default_factory=Counter)
    """How often it answered what."""

    @property
    def provider(self) -> Provider:
        return self.gateway.provider

    async def turn_by(self, deadline: float) -> bool:
        """Wait for a turn; False if there is none by then, by the event loop's time."""
        loop = asyncio.get_running_loop()
        while self.pace.next(loop.time()) <= deadline:
            await asyncio.sleep(self.pace.take(loop.time()) - loop.time())
            # Whoever had a turn when a pause began, has none any more.
            if not self.pace.is_held(loop.time()):
                return True
        return False

    async def turn(self) -> None:
        """Wait for a turn, however long that takes."""
        await self.turn_by(inf)


@dataclass(frozen=True, slots=True)
class Place:
    """A message's place on a line, among those of that day."""

    line: Line
    day: date


class Exchange:
    """All the lines. It lives as long as the process; what it forgets with that, the next one finds out again."""

    def __init__(self, lines: Sequence[Line], policy: Policy, chance: Random | None = None) -> None:
        self.lines: Mapping[Provider, Line] = {line.provider: line for line in lines}
        self.routes = Routes.to([*self.lines], policy)
        self._chance = chance or Random()
        self._clock = Clock()

    def now(self) -> float:
        """The real time, for no provider knows of a pretended one."""
        return self._clock.now().timestamp()

    def share_out(self, waiting: Sequence[Due], deadline: float) -> Sequence[tuple[Line, Sequence[Due]]]:
        """Which of them take which line, in their order. To a provider on trial goes one.

        None to a provider that has asked for a pause beyond the deadline, by the event loop's time: those that would
        wait for it would stand before all others.
        """
        held = [provider for provider, line in self.lines.items() if line.pace.is_held(deadline)]
        shared: dict[Provider, list[Due]] = {}
        for due in waiting:
            tried = [provider for provider in shared if self.routes.is_on_trial(provider)]
            provider = self.routes.choose(due.message, due.attempt + 1, due.wrote_last, self.now(), [*held, *tried])
            if provider:
                shared.setdefault(provider, []).append(due)
        return [(self.lines[provider], dues) for provider, dues in shared.items()]

    def admit(self, line: Line) -> Place | None:
        """One more message's place there, if it may go now. Whoever does not go gives it back."""
        now = self._clock.now()
        admitted = self.routes.admit(line.provider, now.timestamp())
        if admitted is None:
            return None
        if not line.today.take(now.date()):
            self.routes = self.routes.closed(line.provider, now.timestamp() + until_midnight(now), DAY_IS_FULL)
            return None
        self.routes = admitted
        return Place(line, now.date())

    def give_back(self, place: Place) -> None:
        """A message that had this place was not sent."""
        place.line.today.give_back(place.day)

    def note_sent(self, midnight: datetime, sent: Mapping[str, int]) -> None:
        """So many each provider had since then, as the tables say."""
        for line in self.lines.values():
            line.today.note(midnight.date(), sent.get(line.provider, 0))

    def sent_today(self, line: Line) -> int:
        """How many messages the provider has had today, those on their way included."""
        return line.today.used(self._clock.now().date())

    def midnight(self) -> datetime:
        """When today began, in UTC and by the real clock."""
        return datetime.combine(self._clock.now().date(), time(), UTC)

    def hear(self, line: Line, outcome: Outcome) -> None:
        """What the provider answered, or did not."""
        now, provider = self.now(), line.provider
        match outcome:
            case Taken() | Refused():
                line.heard["taken" if isinstance(outcome, Taken) else "refused"] += 1
                self.routes = self.routes.after_answer(provider)
            case Lost():
                line.heard["lost"] += 1
                self.routes = self.routes.after_trouble(provider, "Its answers get lost", now)
            case Deferred(hindrance, reason, seconds):
                line.heard[hindrance] += 1
                match hindrance:
                    case "pace":
                        self._hold(line, seconds * self._chance.uniform(*SLOWED_DOWN), reason)
                    case "day":
                        self.routes = self.routes.closed(provider, now + seconds, reason)
                        _log.warning("a provider takes no more today", provider=provider, reason=reason)
                    case "unreachable":
                        self.routes = self.routes.after_trouble(provider, reason, now)
                        self._hold(line, seconds, reason)
                    case "misconfigured":
                        self.routes = self.routes.after_trouble(provider, reason, now)
                        _log.error("a provider does not accept our requests", provider=provider, reason=reason)

    def _hold(self, line: Line, seconds: float, reason: str) -> None:
        now = asyncio.get_running_loop().time()
        if line.pace.hold(now + seconds, now):
            _log.warning("a provider holds us up", provider=line.provider, reason=reason, seconds=seconds)


def exchange_of(gateways: Sequence[Gateway], settings: NotificationsSettings, policy: Policy) -> Exchange:
    """The lines to these providers, the preferred one first."""
    return Exchange([_line(gateway, settings) for gateway in gateways], policy)


def _line(gateway: Gateway, settings: NotificationsSettings) -> Line:
    match gateway.provider:
        case "notify":
            rate, daily = settings.rate, settings.daily_limit
        case "twilio":
            rate, daily = settings.twilio_rate, settings.twilio_daily_limit
    return Line(gateway, rate, Pace(rate), Allowance(daily))
