"""`daybook story`: what happened to one appointment, from all services, in one order and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.text import Text

from services.operator.asking import ask
from services.operator.naming import thing_id
from services.operator.screen import AsJson, err, out, plain, right, show_json
from services.operator.settings import SERVICES, OperatorSettings, operator_settings
from shared.refusals import NotFound, Unavailable
from shared.story import day_and_time

MOST = 200
"""Appointments, one moved to the next: nobody is moved as often."""
_APART = timedelta(minutes=1)
"""What was recorded later than this after it happened was written down afterwards."""

Event = Mapping[str, Any]


@dataclass(slots=True)
class Gathered:
    """What the services told: of which appointments, which events, and who did not answer."""

    appointments: list[str]
    events: dict[str, Event] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def story(
    appointment: Annotated[str, typer.Argument(help="The appointment, or one that it was moved from or to.")],
    json: AsJson = False,
) -> None:
    """What happened to one appointment, in order and in words. Exit code 1 if a service could not be asked."""
    gathered = gather(operator_settings(), thing_id(appointment, "an appointment"))
    events = in_order(list(gathered.events.values()))
    if json:
        show_json({"appointments": gathered.appointments, "missing": gathered.missing, "events": events})
    else:
        _print(events)
        for why in gathered.missing.values():
            err().print(f"What this one knows is missing above: {why}", soft_wrap=True, markup=False)
    if gathered.missing:
        raise typer.Exit(1)


def gather(settings: OperatorSettings, appointment: str) -> Gathered:
    """Ask each service about it, and about each appointment that any of them connects with it.

    Raises `NotFound` if nobody knows of it, `Unavailable` if nobody who answers does.
    """
    gathered = Gathered([appointment])
    for known in gathered.appointments:  # it grows while it is gone through
        for service in SERVICES:
            if service not in gathered.missing:
                _ask(settings, service, known, gathered)
        if len(gathered.appointments) > MOST:
            break
    if gathered.events:
        return gathered
    if gathered.missing:
        raise Unavailable("; ".join(gathered.missing.values()), code="service-down")
    raise NotFound(f"no service knows of an appointment “{appointment}”", code="unknown-appointment")


def _ask(settings: OperatorSettings, service: str, appointment: str, gathered: Gathered) -> None:
    try:
        found = ask(settings, service, "GET", f"/v1/appointments/{appointment}/story")
    except Unavailable as down:
        gathered.missing[service] = down.message
        return
    gathered.events |= {event["id"]: event for event in found["events"]}
    gathered.appointments += [each for each in found["appointments"] if each not in gathered.appointments]


def in_order(events: Sequence[Event]) -> Sequence[Event]:
    """By time, but each service's in its own order, and nothing before what it came of."""
    queues = {service: [each for each in events if each["service"] == service] for service in SERVICES}
    for queue in queues.values():
        queue.sort(key=lambda each: int(each["position"]), reverse=True)
    waiting = {event["id"] for event in events}
    ordered: list[Event] = []
    while heads := [queue[-1] for queue in queues.values() if queue]:
        ready = [head for head in heads if head["causation"] not in waiting]
        first = min(ready or heads, key=lambda each: datetime.fromisoformat(each["at"]))
        queues[first["service"]].pop()
        waiting.discard(first["id"])
        ordered.append(first)
    return ordered


def _print(events: Sequence[Event]) -> None:
    table = plain("", "")
    table.show_header = False
    for event in events:
        at, happened = (datetime.fromisoformat(event[name]) for name in ("at", "occurred_at"))
        earlier = f" (happened {day_and_time(happened)})" if at - happened >= _APART else ""
        table.add_row(right(day_and_time(at)), Text(f"{event['words']}{earlier}", overflow="fold"))
    out().print(table)
