"""Folds followed events and reacts to them, in a transaction that holds the appending lock."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events.base import Event
from shared.events.envelope import Recorded
from shared.events.parking import OF_EACH_ITSELF
from shared.execute import Executor, Order
from shared.log import Head
from shared.project import Change, Projection
from shared.rows import apply


class Reaction(Struct, frozen=True, gc=False):
    """A command that an event leads to. `occurred_at` is when its effect happened outside, if not now."""

    command: Any
    cause: Recorded
    occurred_at: datetime | None = None


React = Callable[[AsyncConnection, Sequence[Recorded]], Awaitable[Sequence[Reaction]]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of some events: those reacted to, the events that led to, and what to call after the commit."""

    wanted: Sequence[Recorded]
    recorded: Sequence[Recorded]
    remember: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Taking:
    """How one service takes the events of others, and of itself where it reacts to them."""

    executor: Executor[Any, Any, Any]
    follows: Mapping[str, Projection]
    wants: frozenset[type[Event]]
    react: React

    async def take(
        self,
        connection: AsyncConnection,
        head: Head,
        events: Sequence[Recorded],
        before: Mapping[str, str],
        more: Sequence[Order[Any]] = (),
        earlier: Sequence[Order[Any]] = (),
    ) -> Taken:
        """All these events, then `more`. `before` says, for each that is wanted, how far was reacted before it.

        What `earlier` leads to is appended first.
        """
        await apply(connection, self._changes(events))
        wanted = [recorded for recorded in events if type(recorded.event) in self.wants]
        reactions = await self.react(connection, wanted) if wanted else ()
        orders = [_order(reaction, before[reaction.cause.id]) for reaction in _as_they_came(reactions, wanted)]
        recorded, remember = await self.executor.append_within(connection, head, [*earlier, *orders, *more])
        return Taken(wanted, recorded, remember)

    def _changes(self, events: Sequence[Recorded]) -> Iterator[Change]:
        for recorded in events:
            if recorded.service in self.follows and type(recorded.event) not in OF_EACH_ITSELF:
                yield from self.follows[recorded.service](recorded)


def _as_they_came(reactions: Sequence[Reaction], causes: Sequence[Recorded]) -> Sequence[Reaction]:
    """In the order of their causes: a restore trusts that the newest event had followed furthest."""
    places = {cause.id: place for place, cause in enumerate(causes)}
    return sorted(reactions, key=lambda reaction: places[reaction.cause.id])


def _order(reaction: Reaction, before: str) -> Order[Any]:
    cause = reaction.cause
    return Order(
        reaction.command,
        causation_id=cause.id,
        correlation_id=cause.correlation_id or cause.id,
        occurred_at=reaction.occurred_at,
        followed=before,
    )
