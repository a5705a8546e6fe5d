"""`daybook events`: the log as it stands in the stream, without what is sealed in it."""

import asyncio
import difflib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
import nats.errors
import typer
from msgspec import Struct
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from services.operator.broker import broker_of
from services.operator.settings import operator_settings
from shared.clock import in_london, parse_instant
from shared.events.base import COUNTY, event_name
from shared.events.envelope import EVENTS
from shared.refusals import Refusal
from shared.stream import STREAM

_TOGETHER = 500


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
    """Which events."""

    subject: str
    start: Point
    until: Point
    follow: bool

    def wants(self, entry: Entry) -> bool:
        """Whether the entry lies between the two points, both included."""
        after = self.start is None or _order(entry, self.start) >= 0
        return after and (self.until is None or _order(entry, self.until) <= 0)

    def ends_with(self, entry: Entry) -> bool:
        """Whether nothing wanted can follow. By instants that is sure only of what follows at some distance."""
        past = self.until is not None and _order(entry, self.until) > 0
        return past and (self.follow or isinstance(self.until, int))


def events(
    practice: Annotated[str, typer.Option(help="Only this practice (ODS code).")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this type: AppointmentMoved, appointment-moved.")] = "",
    start: Annotated[str, typer.Option("--from", help="A sequence of the stream, or a time.")] = "",
    until: Annotated[str, typer.Option(help="A sequence of the stream, or a time; then it stops.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more, until interrupted.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Print the events of all services in the order of the stream."""
    subject = f"daybook.*.{_practice(practice)}.{_name(type_)}"
    asyncio.run(_print(Question(subject, _point(start, "--from"), _point(until, "--until"), follow), json))


async def _print(question: Question, as_json: bool) -> None:
    async with broker_of(operator_settings()) as client:
        async for entry in read(client.jetstream(), question):
            typer.echo(as_json_line(entry) if as_json else as_line(entry))


async def read(jetstream: JetStreamContext, question: Question) -> AsyncGenerator[Entry, None]:
    """The events asked for; without `follow` no more than there were at the start."""
    subscription = await jetstream.pull_subscribe(question.subject, stream=STREAM, config=_consumer(question))
    waiting = (await subscription.consumer_info()).num_pending or 0
    while waiting or question.follow:
        try:
            messages = await subscription.fetch(_TOGETHER, timeout=1)
        except nats.errors.TimeoutError:
            continue
        for message in messages:
            waiting = message.metadata.num_pending
            entry = Entry(message.metadata.sequence.stream, msgspec.json.decode(message.data, type=Heading))
            if question.ends_with(entry):
                return
            if question.wants(entry):
                yield entry


def _consumer(question: Question) -> ConsumerConfig:
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True)
    if isinstance(question.start, int):
        return config.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(question.start, 1))
    return config


def _order(entry: Entry, point: int | datetime) -> int:
    """Before the point (-1), at it (0) or after it (1). An instant is compared with when the event was recorded."""
    match point:
        case int():
            return (entry.sequence > point) - (entry.sequence < point)
        case datetime():
            return (entry.heading.time > point) - (entry.heading.time < point)


def _practice(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]*", text):
        raise Refusal(
            f"--practice: “{text}” is not an ODS code such as G82002", code="bad-practice", where="--practice"
        )
    return (text.upper() if text.lower() != COUNTY else COUNTY) or "*"


def _name(text: str) -> str:
    """The event's name as its subject has it, however the type was written."""
    if not text:
        return "*"
    names = {event_name(event) for event in EVENTS.values()}
    name = event_name_of(text)
    if name not in names:
        near = difflib.get_close_matches(name, names, 3) or sorted(names)
        raise Refusal(
            f"--type: there is no event “{text}”; there is {', '.join(near)}", code="bad-type", where="--type"
        )
    return name


def event_name_of(text: str) -> str:
    """`AppointmentMoved` and `uk.daybook.booking.appointment-moved.v1` are both `appointment-moved`."""
    last = re.sub(r"\.v\d+$", "", text).rpartition(".")[2]
    return re.sub(r"(?<!^)(?=[A-Z])", "-", last).lower()


def _point(text: str, option: str) -> Point:
    if not text or text.isdecimal():
        return int(text) if text else None
    try:
        return parse_instant(text)
    except Refusal as refusal:
        raise Refusal(f"{option}: {refusal.message}, nor a sequence", code="bad-point", where=option) from None


def as_json_line(entry: Entry) -> str:
    return msgspec.json.encode({"sequence": entry.sequence, **msgspec.to_builtins(entry.heading)}).decode()


def as_line(entry: Entry) -> str:
    heading = entry.heading
    when = in_london(heading.time).strftime("%Y-%m-%d %H:%M:%S")
    place = f"{heading.source.rpartition('/')[2]}/{heading.position}"
    name = heading.type.split(".")[-2]
    return f"{entry.sequence:>8}  {when}  {place:<22} {heading.practice:<7} {name:<24} {heading.subject}"
