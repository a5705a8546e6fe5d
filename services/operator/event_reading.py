"""The stream as an operator reads it: the outside of each event, in order, until there is no more or for ever."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

import msgspec
import nats.errors
from msgspec import Struct
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext
from nats.js.errors import APIError

from shared.refusals import Unavailable
from shared.stream import STREAM

_TOGETHER, _TRIES = 500, 30


class Heading(Struct, frozen=True):
    """What is on the outside of an event."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    position: int
    version: int
    practice: str
    occurredat: datetime
    causationid: str = ""
    correlationid: str = ""


class Entry(Struct, frozen=True):
    """An event's heading and its place in the stream."""

    sequence: int
    heading: Heading


Point = int | datetime | None
"""A place in the stream: a sequence, an instant, or wherever it begins or ends."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which events: of this subject; if they are named, of this stream of a service, and that name this id."""

    subject: str
    start: Point
    until: Point
    follow: bool
    stream: str = ""
    naming: str = ""

    def wants(self, entry: Entry, body: bytes) -> bool:
        """Whether the entry lies between the two points, both included, in the stream and about what is named."""
        after = self.start is None or _order(entry, self.start) >= 0
        within = after and (self.until is None or _order(entry, self.until) <= 0)
        return within and self.stream in ("", entry.heading.subject) and self.naming.encode() in body

    def ends_with(self, entry: Entry) -> bool:
        """Whether nothing wanted can follow. By instants that is sure only of what follows at some distance."""
        past = self.until is not None and _order(entry, self.until) > 0
        return past and (self.follow or isinstance(self.until, int))


async def read(jetstream: JetStreamContext, question: Question) -> AsyncGenerator[Entry, None]:
    """The events asked for; without `follow` no more than there were at the start."""
    begin = max(question.start, 1) if isinstance(question.start, int) else 1
    subscription = await _subscribed(jetstream, question.subject, begin)
    waiting = (await subscription.consumer_info()).num_pending or 0
    while waiting or question.follow:
        try:
            messages = await subscription.fetch(_TOGETHER, timeout=1)
        except nats.errors.TimeoutError:
            continue
        except APIError:
            # Who has asked for nothing for some seconds, as behind `less`, the broker forgets, and all by a restart.
            subscription = await _again(jetstream, question.subject, begin)
            continue
        for message in messages:
            waiting, begin = message.metadata.num_pending, message.metadata.sequence.stream + 1
            entry = Entry(message.metadata.sequence.stream, msgspec.json.decode(message.data, type=Heading))
            if question.ends_with(entry):
                return
            if question.wants(entry, message.data):
                yield entry


async def _subscribed(jetstream: JetStreamContext, subject: str, begin: int) -> JetStreamContext.PullSubscription:
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True)
    if begin > 1:
        config = config.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=begin)
    return await jetstream.pull_subscribe(subject, stream=STREAM, config=config)


async def _again(jetstream: JetStreamContext, subject: str, begin: int) -> JetStreamContext.PullSubscription:
    """The same once more, as soon as the broker is ready for it. Raises `Unavailable` if that takes too long."""
    for _ in range(_TRIES):
        try:
            return await _subscribed(jetstream, subject, begin)
        except (APIError, nats.errors.TimeoutError):
            await asyncio.sleep(1)
    raise Unavailable(
        f"the broker is there, but gives out no events since {begin - 1}; `daybook status` says more",
        code="broker-down",
    )


def _order(entry: Entry, point: int | datetime) -> int:
    """Before the point (-1), at it (0) or after it (1). An instant is compared with when the event was recorded."""
    match point:
        case int():
            return (entry.sequence > point) - (entry.sequence < point)
        case datetime():
            return (entry.heading.time > point) - (entry.heading.time < point)
