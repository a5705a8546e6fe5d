"""Compares both copies of the log, event by event and key by key, and names the first difference.

Nothing is held still: the stream's end is taken first, so whatever it holds must be in a database already. What a
database has beyond the stream is no difference while nothing says that it had been copied.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from msgspec import Struct
from nats.js.api import StreamState

from shared.anchor import followed_by
from shared.database import Driver
from shared.difference import (
    Difference,
    Proof,
    cut_off,
    difference_of,
    missing_in_database,
    missing_sequence,
    of_nobody,
    row_fault,
    version_fault,
)
from shared.mark import read_mark
from shared.reading import Stored
from shared.rebuilding import Progress, Tally
from shared.verify_keys import compare_keys
from shared.walking import Walk, head_of, info_of, stored_between, walks_through
from shared.wire import Client

_VERSIONS_TOGETHER = 10_000


class Reach(Struct, frozen=True, kw_only=True):
    """How far one service's log reaches in each copy. `digest` is the chain over those that are equal."""

    equal: int
    database: int
    stream: int
    digest: str
    keys: int


class Verified(Struct, frozen=True, kw_only=True):
    """What the comparison came to. `sequence` is how far the stream was read."""

    equal: bool
    events: int
    sequence: int
    services: Mapping[str, Reach]
    difference: Difference | None
    seconds: float


async def verify(client: Client, logs: Mapping[str, Driver], *, tell: Progress) -> Verified:
    """Compare the stream with the logs. Raises `Refusal` if there is no stream, or a database has no log."""
    for service, log in logs.items():
        await head_of(service, log)
    proofs = await _proofs(logs)
    info = await info_of(client)
    tally = Tally(info.state.last_seq, tell)
    copies = {service: _Copy(walk) for service, walk in (await walks_through(logs)).items()}
    difference = await _Comparison(client, info.state, copies, tally).first_difference(proofs)
    keys = dict.fromkeys(logs, 0)
    if difference is None:
        for service, log in logs.items():
            keys[service], difference = await compare_keys(client, service, log)
            if difference is not None:
                break
    reaches = {service: copy.reach(keys[service]) for service, copy in copies.items()}
    return Verified(
        equal=difference is None,
        events=sum(reach.equal for reach in reaches.values()),
        sequence=info.state.last_seq,
        services=reaches,
        difference=difference,
        seconds=tally.seconds,
    )


async def _proofs(logs: Mapping[str, Driver]) -> Sequence[Proof]:
    """What was in the stream once, as its own relay and those who follow it know."""
    copied = [Proof(service, (await read_mark(log)).position, "") for service, log in logs.items()]
    followed = [
        Proof(service, position, follower)
        for follower, log in logs.items()
        for service, position in (await followed_by(log)).items()
    ]
    return [*copied, *followed]


class _Copy:
    """One service's log, as far as both copies of it have been found equal."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.equal = 0
        self.in_stream = 0
        self._digest = b""

    async def agree(self, body: bytes) -> None:
        self._digest = sha256(self._digest + body).digest()
        self.equal += 1
        await self.walk.step()

    def reach(self, keys: int) -> Reach:
        digest = self._digest.hex()
        return Reach(equal=self.equal, database=self.walk.until, stream=self.in_stream, digest=digest, keys=keys)


class _Comparison:
    """The stream is gone along; each of its events must be the next of one of the logs."""

    def __init__(self, client: Client, state: StreamState, copies: Mapping[str, _Copy], tally: Tally) -> None:
        self._client = client
        self._state = state
        self._copies = copies
        self._tally = tally
        self._due = 1
        self._hole = 0
        """The first sequence that was missing, until it is known whose event stood there."""

    async def first_difference(self, proofs: Sequence[Proof]) -> Difference | None:
        if self._state.messages and (found := await self._along_the_stream()):
            return found
        reached = {service: copy.equal for service, copy in self._copies.items()}
        for proof in proofs:
            if reached[proof.service] < proof.position:
                return cut_off(proof, reached[proof.service], self._hole)
        if self._hole or self._due <= self._state.last_seq:
            return missing_sequence(self._hole or self._due)
        for service, copy in self._copies.items():
            if found := await _beyond_the_stream(service, copy):
                return found
        return None

    async def _along_the_stream(self) -> Difference | None:
        async for batch in stored_between(self._client, 1, self._state.last_seq):
            for stored in batch:
                if found := await self._compare(stored):
                    return found
            self._tally.add(len(batch))
        return None

    async def _compare(self, stored: Stored) -> Difference | None:
        if stored.sequence != self._due and not self._hole:
            self._hole = self._due
        self._due = stored.sequence + 1
        service = stored.subject.split(".")[1]
        copy = self._copies.get(service)
        if copy is None:
            return of_nobody(service, stored)
        copy.in_stream += 1
        row = copy.walk.row
        if row is None or row["position"] != copy.equal + 1:
            return missing_in_database(service, copy.equal + 1, stored)
        fault = difference_of(service, row, stored, self._hole)
        if fault is None:
            await copy.agree(stored.body)
        return fault


async def _beyond_the_stream(service: str, copy: _Copy) -> Difference | None:
    """What only the database has must at least be a log: without a gap, and each row of one piece."""
    position = copy.equal
    while (row := copy.walk.row) is not None:
        position += 1
        if row["position"] != position:
            return missing_in_database(service, position, None)
        if fault := row_fault(service, row):
            return fault
        await copy.walk.step()
    if position < copy.walk.until:
        return missing_in_database(service, position + 1, None)
    return await _wrong_version(service, copy.walk)


async def _wrong_version(service: str, walk: Walk) -> Difference | None:
    """Of each event, the version before it in its stream must have come before it. Page by page: to sort the whole log
    by its streams would take as much disk as the log."""
    for last in range(0, walk.until, _VERSIONS_TOGETHER):
        wrong = await walk.connection.fetchrow(_WRONG_VERSION, last, min(last + _VERSIONS_TOGETHER, walk.until))
        if wrong is not None:
            return version_fault(service, wrong)
    return None


_WRONG_VERSION = """
    SELECT position, stream, version,
           (SELECT coalesce(max(version), 0) FROM events AS earlier
            WHERE earlier.stream = due.stream AND earlier.position < due.position) AS before
    FROM events AS due
    WHERE position > $1 AND position <= $2 AND version <> 1 AND NOT EXISTS (
        SELECT FROM events AS earlier
        WHERE earlier.stream = due.stream AND earlier.version = due.version - 1 AND earlier.position < due.position)
    ORDER BY position LIMIT 1
"""
