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
from services.operator.naming import thing_id
from services.operator.screen import err
from services.operator.settings import SERVICES, operator_settings
from shared.clock import in_london, parse_instant, written
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


def events(
    practice: Annotated[str, typer.Option(help="Only this practice (ODS code).")] = "",
    type_: Annotated[str, typer.Option("--type", help="Only this type: AppointmentMoved, appointment-moved.")] = "",
    service: Annotated[str, typer.Option(help="Only this service's.")] = "",
    stream: Annotated[str, typer.Option(help="Only of this stream: session/…, recovery/…/G82002.")] = "",
    appointment: Annotated[str, typer.Option(help="Only those that name this appointment.")] = "",
    start: Annotated[str, typer.Option("--from", help="A sequence of the stream, or a time.")] = "",
    until: Annotated[str, typer.Option(help="A sequence of the stream, or a time; then it stops.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more, until interrupted.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Print the events of all services in the order of the stream."""
    subject = f"daybook.{_service(service)}.{_practice(practice)}.{_name(type_)}"
    begins, ends = _point(start, "--from"), _point(until, "--until")
    require_range(begins, ends)
    naming = f'"{thing_id(appointment, "an appointment")}"' if appointment else ""
    asyncio.run(_print(Question(subject, begins, ends, follow, stream, naming), json))


async def _print(question: Question, as_json: bool) -> None:
    found = False
    async with broker_of(operator_settings()) as client:
        jetstream = client.jetstream()
        if not question.follow:
            require_begun(question.start, (await jetstream.stream_info(STREAM)).state.last_seq)
        async for entry in read(jetstream, question):
            found = True
            typer.echo(as_json_line(entry) if as_json else as_line(entry))
    if not found:
        err().print("No event is like that.")


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
            if question.wants(entry, message.data):
                yield entry


def _consumer(question: Question) -> ConsumerConfig:
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True)
    if isinstance(question.start, int):
        return config.evolve(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=max(question.start, 1))
    return config


def require_range(start: Point, until: Point) -> None:
    """Raises `Refusal` for a range that no event can lie in, or that ends before the stream begins."""
    if isinstance(until, int) and until < 1:
        raise Refusal(
            "--until: the stream begins with 1, so nothing lies before that", code="empty-range", where="--until"
        )
    match start, until:
        case (int(), int()) | (datetime(), datetime()) if start > until:  # type: ignore[operator]
            raise Refusal(
                f"--until: {_written(until)} comes before --from {_written(start)}: to ask for what lies between them, "
                "swap the two",
                code="reversed-range",
                where="--until",
            )


def require_begun(start: Point, last: int) -> None:
    """Raises `Refusal` if the range begins after the end of the stream, where nothing can be without waiting for it."""
    if isinstance(start, int) and start > last:
        raise Refusal(
            f"--from: the stream ends with {last}, so there is nothing from {start} on yet; --follow waits for it",
            code="empty-range",
            where="--from",
        )


def _written(point: Point) -> str:
    return written(point) if isinstance(point, datetime) else str(point)


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


def _service(text: str) -> str:
    if text and text not in SERVICES:
        raise Refusal(
            f"--service: there is no service “{text}”, only {', '.join(SERVICES)}",
            code="bad-service",
            where="--service",
        )
    return text or "*"


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
