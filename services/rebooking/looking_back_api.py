"""Rebooking's API of the past: an outage as it was at an instant, and an appointment's story. For operators."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.case_history import History
from services.rebooking.looking_back import OutageThen, declared_then, outage_then, outcomes_then
from services.rebooking.report_api import HistoriesDep
from services.rebooking.story import read_story
from services.rebooking.views import Outage
from shared.database import driver
from shared.events.base import COUNTY, event_type
from shared.events.envelope import Recorded, decode
from shared.events.rebooking import AppointmentReconciled
from shared.http import OperatorOnly, RunningDep
from shared.instants import past_instant
from shared.log import read_streams
from shared.story import Story

router = APIRouter(prefix="/v1", tags=["looking back"], dependencies=[OperatorOnly])


@router.get("/outages/{outage}/at")
async def look_at_outage(
    outage: str,
    service: RunningDep,
    histories: HistoriesDep,
    at: Annotated[str, Query(description="ISO 8601; without offset, London's. Left out: now.")] = "",
) -> OutageThen:
    """The outage as the log had it at an instant: what had been said of it, and how many stood where."""
    instant = past_instant(at, service.clock.now(), "at")
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        followed = await histories.follow(connection, outage)
        said = await read_streams(connection, {f"outage/{outage}": 0})
        bodies = await _reconciled(connection, followed.outage)
    # In a thread, so that health, following and other requests go on meanwhile.
    return await asyncio.to_thread(_then, said, bodies, followed.history, instant)


@router.get("/appointments/{appointment}/story")
async def tell_story(appointment: str, service: RunningDep, request: Request) -> Story:
    """What rebooking's log says of the appointment, be it a lost one or one it was moved to, in words."""
    async with service.engine.connect() as connection:
        story = await read_story(connection, appointment)
    request.state.practice = next((each.practice for each in story.events if each.practice != COUNTY), "")
    return story


def _then(said: Sequence[Recorded], bodies: Sequence[bytes], history: History, at: datetime) -> OutageThen:
    outcomes = outcomes_then((decode(body) for body in bodies), at)
    return outage_then(declared_then(said, at), history, outcomes, at)


async def _reconciled(connection: AsyncConnection, outage: Outage) -> Sequence[bytes]:
    """The events that say what became of each of its appointments, in order."""
    streams = [f"recovery/{outage.outage}/{practice}" for practice in outage.practices]
    found = await (await driver(connection)).fetch(_RECONCILED, streams, event_type(AppointmentReconciled))
    return [row["body"] for row in found]


_RECONCILED = "SELECT body FROM events WHERE stream = ANY ($1::text[]) AND type = $2 ORDER BY position"
