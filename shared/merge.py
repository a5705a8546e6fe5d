"""The order in which several logs become one: each by position, causes before effects, otherwise as recorded.

An event says how far its service had followed the others before its cause (`followed`), so it comes after all that; and
its cause is the very next event of one of them. What one command recorded stays together.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import asyncpg

from shared.difference import Difference, missing_in_database, row_fault
from shared.events.envelope import Envelope, envelope_of, positions_from_text
from shared.refusals import Refusal
from shared.walking import Walk

_followed = lru_cache(maxsize=1024)(positions_from_text)


class Merge:
    """The logs being merged. `done` is how far each has been taken."""

    def __init__(self, walks: Mapping[str, Walk]) -> None:
        self.walks = walks
        self.done = dict.fromkeys(walks, 0)
        self._unfinished: Walk | None = None
        self._opened: dict[str, tuple[int, Envelope]] = {}

    def next(self) -> tuple[Walk, asyncpg.Record] | None:
        """Whose event comes next, and the event; None when all have been taken. Raises `Refusal` if none can be."""
        if self._unfinished is not None and self._unfinished.row is not None:
            self._envelope(self._unfinished, self._unfinished.row)
            return self._unfinished, self._unfinished.row
        left = [(walk, walk.row) for walk in self.walks.values() if walk.row is not None]
        ready = [(walk, row) for walk, row in left if not self._must_wait(self._envelope(walk, row))]
        if left and not ready:
            raise _stuck(*left[0])
        return min(ready, key=_recorded, default=None)

    async def take(self, walk: Walk, row: asyncpg.Record) -> None:
        """Its event has come; a command that has begun is ended before anything else comes."""
        self.done[walk.service] = row["position"]
        self._unfinished = walk if row["position"] < row["command_end"] else None
        await walk.step()

    def _must_wait(self, envelope: Envelope) -> bool:
        if any(self.done.get(service, 0) < position for service, position in _followed(envelope.followed).items()):
            return True
        return bool(envelope.causationid) and any(
            walk.row is not None and walk.row["id"] == envelope.causationid for walk in self.walks.values()
        )

    def _envelope(self, walk: Walk, row: asyncpg.Record) -> Envelope:
        """The event's outside, looked at once. Raises `Refusal` if it is broken, or not the next one."""
        position, envelope = self._opened.get(walk.service, (0, None))
        if envelope is not None and position == row["position"]:
            return envelope
        if row["position"] != self.done[walk.service] + 1:
            raise refusal_of(missing_in_database(walk.service, self.done[walk.service] + 1, None))
        if fault := row_fault(walk.service, row):
            raise refusal_of(fault)
        envelope = envelope_of(row["body"])
        self._opened[walk.service] = row["position"], envelope
        return envelope


def refusal_of(difference: Difference) -> Refusal:
    """Of a log that is not whole no copy is made."""
    return Refusal(f"{difference.what}: no copy is made of it", code="broken-log", where=difference.service)


def _recorded(candidate: tuple[Walk, asyncpg.Record]) -> tuple[datetime, str]:
    walk, row = candidate
    return row["recorded_at"], walk.service


def _stuck(walk: Walk, row: asyncpg.Record) -> Refusal:
    followed = envelope_of(row["body"]).followed
    return Refusal(
        f"event {row['position']} of {walk.service} was recorded after {followed or 'its cause'}, which the other "
        "databases do not hold: one of them is an older copy, or has been altered. Nothing can be put in its place",
        code="older-database",
        where=walk.service,
    )
