"""Events that cannot be folded: found among the others, and parked with all that follow them in their stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from traceback import extract_tb
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import parked
from shared.events.envelope import Recorded, UnreadableEvent
from shared.execute import Order
from shared.log import Head
from shared.parking import Key, ParkEvent, key_of
from shared.relay import PASSING, Halted
from shared.seal import MasterKeyChanged
from shared.taking import Taken, Taking

MOST_STREAMS = 50
"""If more than so many wait, the fault is not in the events: the service halts, as for any other fault."""

SEARCH_AGAIN_AFTER = 30.0
"""Seconds for which, after so many, nobody looks for the events at fault again: all that is booked waits meanwhile."""

_OF_ROWS = ("22", "23")
"""Of SQLSTATE: what is wrong with data, and what the tables refuse. Another event's rows may be right."""

_BEHIND = "an earlier event of its stream waits"


class TooManyWait(Halted):
    """Events of more streams could not be folded than can be due to the events."""


def is_poison(fault: Exception) -> bool:
    """Whether this may be due to one event: the engines are well, and the log is whole."""
    if isinstance(fault, (Halted, UnreadableEvent, MasterKeyChanged)):
        return False
    return _state(fault)[:2] in _OF_ROWS or not isinstance(fault, PASSING)


def reason_of(fault: Exception) -> str:
    """Why it could not be folded, without a word of the event's own: the fault's text might quote a patient."""
    cause = getattr(fault, "orig", None) or fault
    guard = getattr(cause, "constraint_name", None)
    code = getattr(fault, "code", None) if not _state(fault) else None
    more = f": {guard or code}" if isinstance(guard or code, str) else ""
    return f"{type(cause).__name__}{more}"


def place_of(fault: Exception) -> str:
    """Where in the code it arose."""
    frames = extract_tb(fault.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


async def parked_keys(connection: AsyncConnection) -> set[Key]:
    """The streams of which events wait."""
    found = await connection.execute(select(parked.c.source, parked.c.stream).where(parked.c.skipped_by == ""))
    return {(row.source, row.stream) for row in found}


async def attempt(
    connection: AsyncConnection,
    taking: Taking,
    head: Head,
    events: Sequence[Recorded],
    before: Mapping[str, str],
    more: Sequence[Order[Any]] = (),
    earlier: Sequence[Order[Any]] = (),
) -> Taken | Exception:
    """Take them all, or, where that is poison, none: then what is wrong. Raises what will pass by itself."""
    try:
        async with connection.begin_nested():
            return await taking.take(connection, head, events, before, more, earlier)
    except Exception as fault:
        if not is_poison(fault):
            raise
        return fault


@dataclass(slots=True)
class Apart:
    """Takes events half by half, in order, until only those are left that cannot be taken, and parks these.

    Whatever is recorded of them is recorded in their order, too. With `search` off, nothing is halved.
    """

    at: str
    connection: AsyncConnection
    taking: Taking
    head: Head
    keys: set[Key]
    before: Mapping[str, str]
    sequences: Mapping[str, int]
    search: bool = True
    taken: list[Taken] = field(default_factory=list)
    _to_park: list[Order[Any]] = field(default_factory=list)
    """In order; appended together with what comes of the next event that is taken."""

    async def take(self, events: Sequence[Recorded]) -> None:
        """All of them. Raises `TooManyWait` if too many streams come to wait."""
        await self._take(events)
        if self._to_park:
            self._went_well(await self.taking.take(self.connection, self.head, (), {}, self._to_park))

    def came_of(self) -> tuple[Sequence[Recorded], Sequence[Recorded]]:
        """The events that were reacted to, and what they led to."""
        causes = [cause for taken in self.taken for cause in taken.wanted]
        ids = {cause.id for cause in causes}
        return causes, [each for taken in self.taken for each in taken.recorded if each.causation_id in ids]

    async def _take(self, events: Sequence[Recorded]) -> None:
        # Run by run: by the time one begins, it is known which streams wait.
        for waits, run in groupby(events, lambda recorded: key_of(recorded) in self.keys):
            if waits:
                for recorded in run:
                    self._park(recorded, _BEHIND)
            else:
                await self._take_free(list(run))

    async def _take_free(self, events: Sequence[Recorded]) -> None:
        outcome = await attempt(self.connection, self.taking, self.head, events, self.before, earlier=self._to_park)
        if isinstance(outcome, Taken):
            self._went_well(outcome)
        elif not self.search:
            raise _too_many(reason_of(outcome))
        elif len(events) == 1:
            self._park(events[0], reason_of(outcome))
        else:
            await self._take(events[: len(events) // 2])
            await self._take(events[len(events) // 2 :])

    def _park(self, recorded: Recorded, reason: str) -> None:
        self.keys.add(key_of(recorded))
        if len(self.keys) > MOST_STREAMS:
            raise _too_many(reason)
        order = Order(
            ParkEvent(self.at, recorded, self.sequences[recorded.id], reason),
            causation_id=recorded.id,
            correlation_id=recorded.correlation_id or recorded.id,
            followed=self.before[recorded.id],
        )
        self._to_park.append(order)

    def _went_well(self, taken: Taken) -> None:
        self.head = Head(self.head.position + len(taken.recorded), self.head.followed)
        self.taken.append(taken)
        self._to_park.clear()


def _too_many(reason: str) -> TooManyWait:
    return TooManyWait(
        f"events of more than {MOST_STREAMS} streams could not be folded, the last for {reason}: the fault is "
        "hardly in the events. `daybook parked list` names those that wait"
    )


def _state(fault: Exception) -> str:
    return str(getattr(getattr(fault, "orig", None) or fault, "sqlstate", None) or "")
