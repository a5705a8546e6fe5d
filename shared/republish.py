"""Makes a lost stream again from the databases: the same bytes, each service's in its order, causes before effects.

Whatever the stream holds already must be what the databases hold; publishing goes on from there, so an interrupted
republishing is taken up again. At last each database is told where in the new stream it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

from shared.anchor import Place, anchor, followed_by
from shared.database import Driver
from shared.difference import missing_in_database
from shared.key_copies import key_message, publish_keys
from shared.merge import Merge, refusal_of
from shared.rebuilding import Progress, Tally
from shared.refusals import Conflict, Refusal
from shared.relay import AT_ONCE, subject_of
from shared.stream import Message, PublishRefused, publish
from shared.walking import Walk, info_of, stored_between, walks_through
from shared.wire import Client

EVERYTHING = "daybook.>"


@dataclass(frozen=True, slots=True)
class Republished:
    """What it came to: how many events the stream had already, how many were added, and each service's own."""

    found: int
    added: int
    keys: int
    positions: Mapping[str, int]
    seconds: float


async def republish(client: Client, logs: Mapping[str, Driver], *, tell: Progress) -> Republished:
    """Publish what the stream lacks. The caller has made the streams, and holds all relays still.

    Raises `Refusal`, before anything is published, if the stream holds what the databases do not, or a database is
    older than what the others have followed of it.
    """
    walks = await walks_through(logs)
    places = {service: Place(await followed_by(log)) for service, log in logs.items()}
    _refuse_older(walks, places)
    await _refuse_without_end(walks)
    info = await info_of(client)
    work = _Work(client, Merge(walks), places, Tally(sum(walk.until for walk in walks.values()), tell))
    await work.go_along(info.state.last_seq)
    keys = sum([await _copy_keys(client, service, log) for service, log in logs.items()])
    await work.publish_the_rest()
    for service, log in logs.items():
        await anchor(service, log, str(info.created), places[service], work.merge.done[service])
    found = info.state.last_seq
    return Republished(found, work.stored - found, keys, dict(work.merge.done), work.tally.seconds)


@dataclass(slots=True)
class _Work:
    """How far the merged log has been taken, and how far the stream holds it."""

    client: Client
    merge: Merge
    places: Mapping[str, Place]
    tally: Tally
    taken: int = 0
    stored: int = 0
    batch: list[Message] = field(default_factory=list)
    whole: int = 0
    """How many of the batch end with the end of a command."""

    async def go_along(self, last: int) -> None:
        """What the stream holds already, which must be what the databases hold."""
        if not last:
            return
        async for batch in stored_between(self.client, 1, last):
            for stored in batch:
                walk = self.merge.walks.get(stored.subject.split(".")[1])
                if walk is None or walk.row is None or stored.sequence != self.taken + 1:
                    raise _other_stream(self.taken + 1)
                if (stored.subject, stored.body) != (subject_of(walk.service, walk.row), walk.row["body"]):
                    raise _other_stream(stored.sequence)
                await self._take(walk, walk.row)
            self.tally.add(len(batch))
        if self.taken != last:
            raise _other_stream(self.taken + 1)
        self.stored = last

    async def publish_the_rest(self) -> None:
        while (come := self.merge.next()) is not None:
            walk, row = come
            self.batch.append(Message(subject_of(walk.service, row), row["id"], row["body"]))
            self.whole = len(self.batch) if row["position"] == row["command_end"] else self.whole
            await self._take(walk, row)
            if len(self.batch) == AT_ONCE:
                await self._publish(self.whole or AT_ONCE)
        await self._publish(len(self.batch))

    async def _take(self, walk: Walk, row: asyncpg.Record) -> None:
        self.taken += 1
        for place in self.places.values():
            place.pass_by(walk.service, row["position"], self.taken, row["id"])
        await self.merge.take(walk, row)

    async def _publish(self, count: int) -> None:
        """The first so many of the batch."""
        if not count:
            return
        messages, self.batch, self.whole = self.batch[:count], self.batch[count:], 0
        try:
            await publish(self.client, messages, guard=EVERYTHING, expected=self.stored)
        except PublishRefused as refused:
            raise Conflict(
                f"the stream did not take the events after sequence {self.stored}, because somebody else writes to it "
                f"({refused}): stop the services, and republish again",
                code="stream-in-use",
            ) from None
        self.stored += count
        self.tally.add(count)


async def _copy_keys(client: Client, service: str, log: Driver) -> int:
    """All keys that the service has made; those that are there already stay. Returns how many it has."""
    count, last = 0, ""
    while rows := await log.fetch(_KEYS, last, AT_ONCE):
        subjects = [row["subject"] for row in rows]
        await publish_keys(
            client, [key_message(f"daybook-keys.{service}.{row['subject']}", row["wrapped"]) for row in rows]
        )
        # These and no others: booking goes on, and makes keys that sort before the last of them.
        await log.execute("UPDATE data_keys SET copied = true WHERE copied IS FALSE AND subject = ANY($1)", subjects)
        last, count = subjects[-1], count + len(rows)
    return count


def _refuse_older(walks: Mapping[str, Walk], places: Mapping[str, Place]) -> None:
    """Whoever has followed an event has proved that it was recorded."""
    for follower, place in places.items():
        for service, position in place.followed.items():
            if position > walks[service].until:
                raise Refusal(
                    f"{follower} has followed {service} up to event {position}, but the database of {service} ends at "
                    f"{walks[service].until}: it is new, or an older copy. Nothing was published. Bring back a newer "
                    f"copy of that database; or, from a file of `daybook log export`, import the log into an empty "
                    f"stream and make {service} again with `daybook log restore {service}`",
                    code="older-database",
                    where=service,
                )


async def _refuse_without_end(walks: Mapping[str, Walk]) -> None:
    for service, walk in walks.items():
        reached = await walk.connection.fetchval("SELECT max(position) FROM events") or 0
        if reached < walk.until:
            raise refusal_of(missing_in_database(service, reached + 1, None))


def _other_stream(sequence: int) -> Conflict:
    return Conflict(
        f"the stream is not empty, and at sequence {sequence} it is not what the databases hold: nothing was "
        "published. `daybook log verify` says what differs; if it is the stream that is wrong, take the broker's "
        "store away, start the broker, and republish into an empty stream",
        code="other-stream",
        where=f"sequence {sequence}",
    )


_KEYS = "SELECT subject, wrapped FROM data_keys WHERE subject > $1 ORDER BY subject LIMIT $2"
