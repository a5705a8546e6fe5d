"""`daybook events`: the log as it stands in the stream, without what is sealed in it."""

import asyncio
import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
import typer

from services.operator.broker import broker_of
from services.operator.event_reading import Entry, Point, Question, read
from services.operator.naming import thing_id
from services.operator.screen import err
from services.operator.settings import SERVICES, operator_settings
from shared.clock import in_london, parse_instant, written
from shared.events.base import COUNTY
from shared.events.envelope import EVENTS
from shared.events.upcasting import RETIRED, Retired
from shared.refusals import Refusal
from shared.stream import STREAM


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
    subject = f"daybook.{_service(service)}.{_practice(practice)}.{known_name(type_) if type_ else '*'}"
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


def known_name(text: str, retired: Mapping[str, Retired] = RETIRED) -> str:
    """The event's name as its subject has it, however its type was written. Raises `Refusal` for one that never was.

    What was stored under a retired type stands in the log for ever, so that can be asked for, too.
    """
    types, name = {*EVENTS, *retired}, event_name_of(text)
    names = {event_name_of(kind) for kind in types}
    if any(f".{kind}".endswith(f".{text}") for kind in types) or ("." not in text and name in names):
        return name
    alike = difflib.get_close_matches(name, names, 3) or sorted(each for each in names if name in each)
    raise Refusal(
        f"--type: there is no event “{text}”; there is {', '.join(alike or sorted(names))}",
        code="bad-type",
        where="--type",
    )


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
