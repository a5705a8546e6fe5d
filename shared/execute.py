"""The one write path: read the streams, fold, decide, append, project, commit, and wait for the stream's copy.

Commands that arrive together commit together. Whoever finds the desk free takes all the commands that wait, decides
them one after the other under the appending lock, and commits them in one transaction; each keeps its own answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from asyncpg.exceptions import IntegrityConstraintViolationError
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.clock import Clock
from shared.decider import Decider
from shared.events.base import Event
from shared.events.envelope import Recorded, encoded, positions_to_text, with_body
from shared.ids import derived_id, new_id
from shared.log import Appended, Head, append, lock_head, read_streams
from shared.project import Projection
from shared.refusals import Conflict, Refusal
from shared.rows import apply

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E", bound=Event)

COMMANDS_TOGETHER = 256
STATES_REMEMBERED = 8192


class Order(Struct, Generic[C], frozen=True, gc=False):
    """A command and where it comes from.

    `occurred_at` is when it happened outside, if not now (paper comes later). `followed` is how far the service had
    reacted just before the cause, for commands that are reactions.
    """

    command: C
    causation_id: str = ""
    correlation_id: str = ""
    occurred_at: datetime | None = None
    followed: str | None = None


class Copies(Protocol):
    """Whoever knows whether the stream has its copy yet."""

    def check(self) -> None:
        """Raises `Unavailable` if nothing may be appended."""
        ...

    async def reached(self, position: int, within: float) -> bool: ...


@dataclass(slots=True)
class _Ticket(Generic[C]):
    orders: Sequence[Order[C]]
    answer: "asyncio.Future[tuple[Recorded, ...]]"


@dataclass(slots=True)
class _Draft(Generic[S]):
    """What one transaction is about to append, and the states it has come to."""

    head: Head
    followed: str
    now: datetime
    states: dict[str, tuple[int, S]]
    recorded: list[Recorded] = field(default_factory=list)
    appended: list[Appended] = field(default_factory=list)

    @property
    def position(self) -> int:
        return self.head.position + len(self.recorded)

    def seal_off(self) -> None:
        """What was decided since the last call belongs together: the relay will never part it."""
        fresh = self.recorded[len(self.appended) :]
        self.appended.extend(Appended(recorded, self.position) for recorded in fresh)


class Executor(Generic[S, C, E]):
    """Executes the commands of one service against its log and tables."""

    def __init__(
        self,
        *,
        service: str,
        engine: AsyncEngine,
        decider: Decider[S, C, E],
        project: Projection,
        clock: Clock,
        copies: Copies,
        relay_wait: float,
    ) -> None:
        self._service = service
        self._engine = engine
        self._decider = decider
        self._project = project
        self._clock = clock
        self._copies = copies
        self._relay_wait = relay_wait
        self._desk = asyncio.Lock()
        self._waiting: list[_Ticket[C]] = []
        self._remembered: OrderedDict[str, tuple[int, S]] = OrderedDict()

    async def execute(self, command: C | Order[C]) -> tuple[Recorded, ...]:
        """The events this command led to, committed, and copied to the stream if the broker is up.

        Raises `Refusal` as the decider does, and `Conflict` if a guard of the database says no.
        """
        return await self.execute_together([command])

    async def execute_together(self, commands: Sequence[C | Order[C]]) -> tuple[Recorded, ...]:
        """All these commands in one transaction: if one is refused, none happened."""
        self._copies.check()
        orders = [command if isinstance(command, Order) else Order(command) for command in commands]
        ticket = _Ticket(orders, asyncio.get_running_loop().create_future())
        self._waiting.append(ticket)
        async with self._desk:
            # More than once if callers ahead of us have hung up and left their commands to be committed first.
            while not ticket.answer.done():
                # Shielded, because others wait for the same transaction: one caller's hanging up must not end it.
                await asyncio.shield(self._commit_waiting())
        recorded = await ticket.answer
        if recorded:
            await self._copies.reached(recorded[-1].position, self._relay_wait)
        return recorded

    async def append_within(
        self, connection: AsyncConnection, head: Head, orders: Sequence[Order[C]]
    ) -> "tuple[tuple[Recorded, ...], Callable[[], None]]":
        """Decide and append in a transaction that holds the appending lock already.

        Returns the events, and what to call once the transaction has committed.
        """
        draft = await self._draft(connection, head, orders)
        for order in orders:
            self._decide(draft, order)
            draft.seal_off()
        await self._write(connection, draft)
        return tuple(draft.recorded), lambda: self._remember(draft.states)

    async def _commit_waiting(self) -> None:
        tickets, self._waiting = self._waiting[:COMMANDS_TOGETHER], self._waiting[COMMANDS_TOGETHER:]
        try:
            await self._commit(tickets)
        except IntegrityConstraintViolationError as violation:
            if len(tickets) == 1:
                _settle(tickets[0], _as_conflict(violation))
                return
            # A guard said no to one of them; alone, each gets the answer that is its own.
            for ticket in tickets:
                await self._commit_alone(ticket)
        except BaseException as error:
            for ticket in tickets:
                _settle(ticket, error)

    async def _commit_alone(self, ticket: _Ticket[C]) -> None:
        try:
            await self._commit([ticket])
        except IntegrityConstraintViolationError as violation:
            _settle(ticket, _as_conflict(violation))
        except BaseException as error:
            _settle(ticket, error)

    async def _commit(self, tickets: Sequence[_Ticket[C]]) -> None:
        answers: list[tuple[_Ticket[C], tuple[Recorded, ...] | Refusal]] = []
        async with self._engine.begin() as connection:
            head = await lock_head(connection)
            draft = await self._draft(connection, head, [order for ticket in tickets for order in ticket.orders])
            for ticket in tickets:
                answers.append((ticket, self._try(draft, ticket.orders)))
            await self._write(connection, draft)
        self._remember(draft.states)
        for ticket, answer in answers:
            _settle(ticket, answer)

    def _try(self, draft: _Draft[S], orders: Sequence[Order[C]]) -> tuple[Recorded, ...] | Refusal:
        length, states, decided = len(draft.recorded), dict(draft.states), 0
        try:
            for order in orders:
                self._decide(draft, order)
                decided += 1
        except Refusal as refusal:
            del draft.recorded[length:]
            draft.states = states
            refusal.command = decided
            return refusal
        draft.seal_off()
        return tuple(draft.recorded[length:])

    async def _draft(self, connection: AsyncConnection, head: Head, orders: Sequence[Order[C]]) -> _Draft[S]:
        streams = {stream for order in orders for stream in self._decider.touches(order.command)}
        states = {stream: self._remembered.get(stream, (0, self._decider.initial)) for stream in streams}
        for recorded in await read_streams(connection, {stream: version for stream, (version, _) in states.items()}):
            states[recorded.stream] = (
                recorded.version,
                self._decider.evolve(states[recorded.stream][1], recorded.event),
            )
        return _Draft(head, positions_to_text(head.followed), self._clock.now(), states)

    def _decide(self, draft: _Draft[S], order: Order[C]) -> None:
        touched = {stream: draft.states[stream][1] for stream in self._decider.touches(order.command)}
        for event in self._decider.decide(touched, order.command):
            version, state = draft.states[event.stream]
            draft.recorded.append(self._record(draft, order, event, version + 1))
            draft.states[event.stream] = (version + 1, self._decider.evolve(state, event))

    def _record(self, draft: _Draft[S], order: Order[C], event: E, version: int) -> Recorded:
        data = encoded(event)
        return with_body(
            Recorded(
                position=draft.position + 1,
                version=version,
                id=_event_id(order, event, data),
                service=self._service,
                stream=event.stream,
                practice=event.at_practice,
                recorded_at=draft.now,
                occurred_at=order.occurred_at or draft.now,
                causation_id=order.causation_id,
                correlation_id=order.correlation_id or order.causation_id,
                followed=draft.followed if order.followed is None else order.followed,
                event=event,
            ),
            data,
        )

    async def _write(self, connection: AsyncConnection, draft: _Draft[S]) -> None:
        await append(connection, draft.appended)
        await apply(connection, (change for recorded in draft.recorded for change in self._project(recorded)))

    def _remember(self, states: Mapping[str, tuple[int, S]]) -> None:
        for stream, known in states.items():
            self._remembered[stream] = known
            self._remembered.move_to_end(stream)
        while len(self._remembered) > STATES_REMEMBERED:
            self._remembered.popitem(last=False)


def _event_id(order: Order[C], event: Event, data: bytes) -> str:
    """An effect's id comes from its cause and its content, so that the same effect twice is noticed."""
    if not order.causation_id:
        return new_id()
    return derived_id(order.causation_id, event.stream, type(event).__name__, data.decode())


def _settle(ticket: _Ticket[C], answer: tuple[Recorded, ...] | BaseException) -> None:
    with suppress(asyncio.InvalidStateError):
        if isinstance(answer, BaseException):
            ticket.answer.set_exception(answer)
        else:
            ticket.answer.set_result(answer)


def _as_conflict(violation: IntegrityConstraintViolationError) -> Conflict:
    """The guard's name is safe to show; its detail would quote the row."""
    guard = getattr(violation, "constraint_name", None) or "a guard of the database"
    return Conflict(f"Refused by {guard}: somebody else was faster", code="lost-race", where=str(guard))
