"""The load: so many keep-alive connections, each sending one request after another, at once or at a steady pace.

`python -m benchmarks.load` is a process of its own. It reads a `Plan` from standard input and writes an `Outcome` to
standard output, both as MessagePack. It speaks HTTP by hand, so that the client takes little of the two cores.
"""

import asyncio
import gc
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)")
_LOCATION = re.compile(rb"\r\nlocation: *([^\r\n]+)", re.IGNORECASE)
_PATIENCE = 30.0
"""Seconds for the last answers to come in."""
NO_ANSWER = 0
"""Counted as a status: the connection was lost before the answer had come."""


class Plan(Struct, frozen=True, kw_only=True):
    """What to send, and for how long, in seconds. `again`: start over when the requests run out, as reads may.

    Each connection sends its next request as soon as it has the answer to the last; with `every`, so many seconds after
    the last was due. What is answered late then counts from when it was due, not from when it could be sent.
    """

    port: int
    connections: int
    warm_up: float
    seconds: float
    requests: list[bytes]
    again: bool = False
    every: float = 0.0


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of it.

    `statuses` and `locations` are of every request that was sent, the warm-up's too; `latencies` (nanoseconds) of those
    answered within the measured `seconds`. `cpu` is what the client itself used in that time, in seconds.
    """

    statuses: dict[int, int]
    locations: list[str]
    latencies: list[int]
    seconds: float
    cpu: float


class _Run:
    """The clock and the books of one run."""

    def __init__(self, plan: Plan) -> None:
        self._requests: Iterator[bytes] = cycle(plan.requests) if plan.again else iter(plan.requests)
        self._measured_from = time.perf_counter_ns() + int(plan.warm_up * 1e9)
        self._until = self._measured_from + int(plan.seconds * 1e9)
        self._cpu_before = self._cpu_after = 0.0
        self._open = plan.connections
        self._statuses: Counter[int] = Counter()
        self._locations: list[str] = []
        self._latencies: list[int] = []
        self.over = asyncio.Event()

    def next(self) -> bytes | None:
        """What to send next, or None once the time is over, or all has been sent."""
        now = time.perf_counter_ns()
        request = next(self._requests, None) if now < self._until else None
        if request is None:
            self._until = min(self._until, now)
            self._cpu_after = self._cpu_after or time.process_time()
        return request

    def note(self, status: int, location: str, due: int) -> None:
        """An answer has come to what was due to be sent at that instant."""
        now = time.perf_counter_ns()
        self._statuses[status] += 1
        if location:
            self._locations.append(location)
        if self._measured_from <= now <= self._until:
            self._cpu_before = self._cpu_before or time.process_time()
            self._latencies.append(now - due)

    def lost(self) -> None:
        """A connection has ended with its request unanswered."""
        self._statuses[NO_ANSWER] += 1

    def close(self) -> None:
        """A connection has ended."""
        self._open -= 1
        if not self._open:
            self.over.set()

    def outcome(self) -> Outcome:
        return Outcome(
            statuses=dict(self._statuses),
            locations=self._locations,
            latencies=self._latencies,
            seconds=max(0, self._until - self._measured_from) / 1e9,
            cpu=self._cpu_after - self._cpu_before,
        )


class _Client(asyncio.Protocol):
    """One connection, with one request under way at a time."""

    def __init__(self, run: _Run, every: float, first: float) -> None:
        self._run = run
        self._every = int(every * 1e9)
        self._first = int(first * 1e9)
        self._received = b""
        self._due = 0
        self._waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._due = time.perf_counter_ns() + self._first
        self._send_when_due()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._received[:head_end]
        length = _LENGTH.search(head.lower())
        if length is None:
            raise ValueError("an answer without a Content-Length")
        if len(self._received) < head_end + 4 + int(length[1]):
            return
        location = _LOCATION.search(head)
        self._received, self._waits = b"", False
        self._run.note(int(head[9:12]), location[1].decode() if location else "", self._due)
        self._due = self._due + self._every if self._every else time.perf_counter_ns()
        self._send_when_due()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waits:
            self._run.lost()
        self._run.close()

    def _send_when_due(self) -> None:
        early = self._due - time.perf_counter_ns()
        if early > 0:
            asyncio.get_running_loop().call_later(early / 1e9, self._send)
        else:
            self._send()

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self._transport.close()
            return
        self._waits = True
        self._transport.write(request)


async def run(plan: Plan) -> Outcome:
    """Carry the plan out. Raises `OSError` if nobody listens, `TimeoutError` if an answer does not come."""
    books = _Run(plan)
    loop = asyncio.get_running_loop()
    for number in range(plan.connections):
        first = plan.every * number / plan.connections
        await loop.create_connection(partial(_Client, books, plan.every, first), "127.0.0.1", plan.port)
    async with asyncio.timeout(plan.warm_up + plan.seconds + _PATIENCE):
        await books.over.wait()
    return books.outcome()


def main() -> None:
    """Read the plan, carry it out, and write down what came of it."""
    plan = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Plan)
    # The requests are many, and nothing here makes garbage in circles.
    gc.disable()
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(run(plan))))


if __name__ == "__main__":
    main()
