"""Requests of operators about how a recovery goes and went: the backlog, its burn-down and the closing report."""

import asyncio
import csv
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from io import StringIO
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.burn_down import BurnDown, Counts, DayAtPractice, Point, burn_down
from services.rebooking.case_reading import Followed, Histories
from services.rebooking.report import closing_report
from services.rebooking.report_facts import Report
from services.rebooking.report_page import page_of, picture_of
from services.rebooking.report_reading import what_is_known
from shared.http import OperatorOnly, RunningDep
from shared.refusals import NotFound
from shared.service import Running

router = APIRouter(prefix="/v1/outages", tags=["reports"], dependencies=[OperatorOnly])

_ALWAYS_NEW = {"Cache-Control": "no-store"}
_NOTHING_FROM_OUTSIDE = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _histories(request: Request) -> Histories:
    histories: Histories = request.app.state.histories
    return histories


HistoriesDep = Annotated[Histories, Depends(_histories)]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Where everybody stands who was displaced, at all practices or one, day by day; and closer together in `points`.

    `position` is how far the log has been counted, `as_of` when the last thing in it happened; `closed_at` since when
    nothing has been open.
    """

    outage: str
    name: str
    practice: str | None
    position: int
    as_of: datetime | None
    closed_at: datetime | None
    now: Counts
    days: Sequence[DayAtPractice]
    points: Sequence[Point]


@router.get("/{outage}/backlog")
async def show_backlog(
    outage: str, service: RunningDep, histories: HistoriesDep, practice: str | None = None
) -> Backlog:
    """The backlog by day, practice and state; the states add up to everybody who was ever displaced."""
    followed = await _follow(service, histories, outage)
    _require_part(followed, practice)
    backlog = await _burn_down(service, followed, practice or "")
    return Backlog(
        outage=outage,
        name=followed.outage.name,
        practice=practice,
        position=followed.position,
        as_of=backlog.as_of,
        closed_at=backlog.closed_at,
        now=backlog.now,
        days=backlog.days,
        points=backlog.points,
    )


@router.get("/{outage}/backlog.csv", response_class=Response)
async def export_backlog(outage: str, service: RunningDep, histories: HistoriesDep) -> Response:
    """The same as CSV, a line for each day and practice."""
    _, backlog = await _backlog(service, histories, outage)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("day", "practice", *(field.name for field in fields(Counts))))
    writer.writerows((each.day, each.practice, *astuple(each.counts)) for each in backlog.days)
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=_ALWAYS_NEW)


@router.get("/{outage}/burndown.svg", response_class=Response)
async def draw_svg(outage: str, service: RunningDep, histories: HistoriesDep) -> Response:
    """The burn-down of the backlog as a chart that prints sharp at any size."""
    followed, backlog = await _backlog(service, histories, outage)
    picture = await asyncio.to_thread(picture_of, followed.outage.name, backlog, "svg")
    return Response(picture, media_type="image/svg+xml", headers=_ALWAYS_NEW)


@router.get("/{outage}/burndown.png", response_class=Response)
async def draw_png(outage: str, service: RunningDep, histories: HistoriesDep) -> Response:
    """The same chart in dots, for a letter or a slide."""
    followed, backlog = await _backlog(service, histories, outage)
    picture = await asyncio.to_thread(picture_of, followed.outage.name, backlog, "png")
    return Response(picture, media_type="image/png", headers=_ALWAYS_NEW)


@router.get("/{outage}/report")
async def show_report(outage: str, service: RunningDep, histories: HistoriesDep) -> Report:
    """The closing report: what became of everybody, how fast, by practice and by week, and that it adds up."""
    report, _ = await _report(service, histories, outage)
    return report


@router.get("/{outage}/report.html", response_class=HTMLResponse)
async def print_report(outage: str, service: RunningDep, histories: HistoriesDep) -> HTMLResponse:
    """The same to be read and printed, with the chart in it."""
    report, backlog = await _report(service, histories, outage)
    page = await asyncio.to_thread(page_of, report, backlog)
    return HTMLResponse(page, headers={**_ALWAYS_NEW, "Content-Security-Policy": _NOTHING_FROM_OUTSIDE})


async def _follow(service: Running, histories: Histories, outage: str) -> Followed:
    async with _one_moment(service) as connection:
        return await histories.follow(connection, outage)


@asynccontextmanager
async def _one_moment(service: Running) -> AsyncIterator[AsyncConnection]:
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _require_part(followed: Followed, practice: str | None) -> None:
    if practice is not None and practice not in followed.outage.practices:
        raise NotFound("This practice is not part of the outage", code="unknown-practice", where="practice")


async def _backlog(service: Running, histories: Histories, outage: str) -> tuple[Followed, BurnDown]:
    followed = await _follow(service, histories, outage)
    return followed, await _burn_down(service, followed)


async def _burn_down(service: Running, followed: Followed, practice: str = "") -> BurnDown:
    # In a thread, as all that takes longer here, so that health, following and other requests go on meanwhile.
    began, now = followed.outage.declared_at, service.clock.now()
    return await asyncio.to_thread(burn_down, followed.history, began, now, practice)


async def _report(service: Running, histories: Histories, outage: str) -> tuple[Report, BurnDown]:
    async with _one_moment(service) as connection:
        followed = await histories.follow(connection, outage)
        known = await what_is_known(connection, followed.outage, service.clock.now())
    backlog = await _burn_down(service, followed)
    return await asyncio.to_thread(closing_report, followed, backlog, known), backlog
