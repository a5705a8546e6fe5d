"""Which provider a message goes to: the preferred one, and gradually the other as the first has trouble.

A message's provider follows from its id and attempt against the preferred one's points, a hundred at rest. A provider
that fails again and again is left alone, but for one message now and then that finds out whether it is back.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from zlib import crc32

from services.notifications.gateways import Provider

ALL = 100


@dataclass(frozen=True, slots=True)
class Policy:
    """When trouble moves points and when it closes a provider. Times are in seconds."""

    window: float = 60.0
    troubles: int = 3
    """So many within the window take a step away."""
    step: int = 10
    step_every: float = 10.0
    """At most one step in such a time."""
    return_every: float = 300.0
    """A step comes back after such a time without another away."""
    breaks_after: int = 5
    """Troubles in a row."""
    first_probe: float = 1.0
    probe_every: float = 30.0
    """After each vain probe it takes twice as long to the next, until it takes so long."""


@dataclass(frozen=True, slots=True)
class Health:
    """How it is with one provider. `wait`: how long between two probes, if it is left alone."""

    troubles: tuple[float, ...] = ()
    in_a_row: int = 0
    wait: float = 0.0
    probe_at: float = 0.0
    probing: bool = False
    closed_until: float = 0.0
    why: str = ""

    def opens_at(self, now: float) -> float:
        """From when on it may be sent to."""
        return max(now, self.closed_until, self.probe_at if self.wait else 0.0)


@dataclass(frozen=True, slots=True)
class Routes:
    """The providers, the preferred one first. `points` are that one's when they changed last."""

    healths: Mapping[Provider, Health]
    policy: Policy = field(default_factory=Policy)
    points: int = ALL
    changed_at: float = 0.0

    @classmethod
    def to(cls, providers: Sequence[Provider], policy: Policy) -> Self:
        return cls({provider: Health() for provider in providers}, policy)

    @property
    def preferred(self) -> Provider:
        return next(iter(self.healths))

    def points_at(self, now: float) -> int:
        """The preferred provider's, with the steps that have come back since."""
        returned = int((now - self.changed_at) // self.policy.return_every)
        return min(ALL, self.points + returned * self.policy.step)

    def is_open(self, provider: Provider, now: float) -> bool:
        return self.healths[provider].opens_at(now) <= now

    def is_on_trial(self, provider: Provider) -> bool:
        """Whether no more than one message may go there at a time."""
        return self.healths[provider].wait > 0

    def choose(
        self, message: str, attempt: int, wrote_last: str, now: float, without: Collection[Provider] = ()
    ) -> Provider | None:
        """Where this attempt goes. A patient answers the number that wrote last, so that one writes again."""
        opened = [each for each in self.healths if self.is_open(each, now) and each not in without]
        for provider in opened:
            if provider == wrote_last:
                return provider
        drawn = crc32(f"{message}.{attempt}".encode()) % ALL
        by_points = sorted(opened, key=lambda provider: (provider == self.preferred) != (drawn < self.points_at(now)))
        return next(iter(by_points), None)

    def admit(self, provider: Provider, now: float) -> "Routes | None":
        """The routes once one message is on its way there, or None if it may not go."""
        if not self.is_open(provider, now):
            return None
        health = self.healths[provider]
        return self._with(provider, replace(health, probing=True, probe_at=now + health.wait)) if health.wait else self

    def after_answer(self, provider: Provider) -> "Routes":
        """The provider answered as it should."""
        health = self.healths[provider]
        if not (health.in_a_row or health.wait):
            return self
        return self._with(provider, replace(health, in_a_row=0, wait=0.0, probing=False, why=""))

    def after_trouble(self, provider: Provider, why: str, now: float) -> "Routes":
        """The provider could not be reached, lost its answer, or does not accept our requests at all."""
        policy, health = self.policy, self.healths[provider]
        recent = tuple(at for at in (*health.troubles, now) if now - at < policy.window)[-policy.troubles :]
        health = replace(health, troubles=recent, in_a_row=health.in_a_row + 1, why=why)
        # Those that were on their way when it was closed say nothing new.
        if health.in_a_row >= policy.breaks_after and (health.probing or not health.wait):
            wait = min(policy.probe_every, max(policy.first_probe, health.wait * 2))
            health = replace(health, wait=wait, probe_at=now + wait, probing=False)
        return self._with(provider, health)._stepped(provider, now)

    def closed(self, provider: Provider, until: float, why: str) -> "Routes":
        """It takes nothing until then."""
        return self._with(provider, replace(self.healths[provider], closed_until=until, why=why))

    def _stepped(self, provider: Provider, now: float) -> "Routes":
        too_soon = now - self.changed_at < self.policy.step_every
        if len(self.healths) < 2 or len(self.healths[provider].troubles) < self.policy.troubles or too_soon:
            return self
        step = -self.policy.step if provider == self.preferred else self.policy.step
        return replace(self, points=min(ALL, max(0, self.points_at(now) + step)), changed_at=now)

    def _with(self, provider: Provider, health: Health) -> "Routes":
        return replace(self, healths={**self.healths, provider: health})
