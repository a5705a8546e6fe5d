"""How the sending stands: what waits in which lane, which providers are open, and why one is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.notifications.gateways import Provider
from services.notifications.hours import HOURS, opens
from services.notifications.lanes import LANE, LANES
from services.notifications.lines import Exchange, Line
from services.notifications.outbox import Waiting, read_unknowns, read_waiting
from services.notifications.sending import Window
from shared.http import OperatorOnly, RunningDep
from shared.service import Running

router = APIRouter(tags=["notifications"], dependencies=[OperatorOnly])


@dataclass(frozen=True, slots=True)
class ProviderView:
    """`points`: of a hundred messages to numbers that were never written to, how many go here. `limit`: a day's."""

    provider: Provider
    points: int
    state: Literal["open", "closed"]
    closed_until: datetime | None
    why: str
    sent_today: int
    limit: int


@dataclass(frozen=True, slots=True)
class LaneView:
    """`opens_at`: when its hours begin, if they have not. `oldest`: when the first of those that wait was planned."""

    lane: str
    waiting: int
    oldest: datetime | None
    opens_at: datetime | None


@dataclass(frozen=True, slots=True)
class SendingView:
    """`unknown`: messages that may have been sent or not. `parked`: those of them that only a person can settle."""

    sends: bool
    providers: Sequence[ProviderView]
    lanes: Sequence[LaneView]
    unknown: int
    parked: int
    full_numbers: int


@router.get("/v1/sending")
async def sending(request: Request, service: RunningDep) -> SendingView:
    """What waits in which lane, and which providers are open. Only the process that sends knows of the providers."""
    return await _look(request.app.state.window, service)


async def _look(window: Window, service: Running) -> SendingView:
    sender, now = window.sender, service.clock.now()
    async with service.engine.connect() as connection:
        waiting, unknown = await read_waiting(connection), await read_unknowns(connection)
    return SendingView(
        sends=service.relay.agreed.is_set(),
        providers=list(_providers(sender.exchange)) if sender else [],
        lanes=[_lane(lane, name, waiting.get(lane, Waiting(0, None)), now) for lane, name in LANES.items()],
        unknown=unknown,
        parked=len(sender.parked) if sender else 0,
        full_numbers=len(sender.hourly.full(now)) if sender else 0,
    )


def _providers(exchange: Exchange) -> Iterator[ProviderView]:
    routes, now = exchange.routes, exchange.now()
    for number, (provider, line) in enumerate(exchange.lines.items()):
        opens_at = routes.healths[provider].opens_at(now)
        points = routes.points_at(now) if len(exchange.lines) > 1 else 100
        yield ProviderView(
            provider=provider,
            points=points if number == 0 else 100 - points,
            state="open" if opens_at <= now else "closed",
            closed_until=datetime.fromtimestamp(opens_at, UTC) if opens_at > now else None,
            why=routes.healths[provider].why,
            sent_today=exchange.sent_today(line),
            limit=line.today.limit,
        )


def _lane(lane: int, name: str, waiting: Waiting, now: datetime) -> LaneView:
    opening = min(opens(kind, now) for kind in HOURS if LANE[kind] == lane)
    return LaneView(name, waiting.count, waiting.since, opening if opening > now else None)


async def add_figures(window: Window, service: Running, registry: CollectorRegistry) -> None:
    """The same for Prometheus."""
    view = await _look(window, service)
    waiting = Gauge("daybook_messages_waiting", "Messages that are still to be sent", ["lane"], registry=registry)
    age = Gauge("daybook_messages_waiting_seconds", "How long the oldest has waited", ["lane"], registry=registry)
    for lane in view.lanes:
        waiting.labels(lane.lane).set(lane.waiting)
        since = (service.clock.now() - lane.oldest).total_seconds() if lane.oldest else 0
        age.labels(lane.lane).set(since)
    Gauge("daybook_messages_unknown", "Messages that may have been sent or not", registry=registry).set(view.unknown)
    Gauge("daybook_messages_parked", "Those only a person can settle", registry=registry).set(view.parked)
    opened = Gauge("daybook_provider_open", "Whether messages may go there", ["provider"], registry=registry)
    points = Gauge("daybook_provider_points", "Of a hundred messages, those there", ["provider"], registry=registry)
    today = Gauge("daybook_provider_sent_today", "Messages on this day in UTC", ["provider"], registry=registry)
    for each in view.providers:
        opened.labels(each.provider).set(each.state == "open")
        points.labels(each.provider).set(each.points)
        today.labels(each.provider).set(each.sent_today)
    answers = Counter("daybook_provider_answers", "What they answered", ["provider", "answer"], registry=registry)
    for line in _lines(window):
        for answer, times in line.heard.items():
            answers.labels(line.provider, answer).inc(times)


def _lines(window: Window) -> Sequence[Line]:
    return list(window.sender.exchange.lines.values()) if window.sender else []
