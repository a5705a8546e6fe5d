"""Booking's change feed over HTTP: page by page as JSON, or as server-sent events."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.change_stream import Streams, stream
from services.booking.changes import Page, cursor_before, cursor_of, read_page, told_until
from services.booking.cursors import BEGINNING, Cursor, read_cursor
from services.booking.guarding import Guard, GuardDep, needs
from shared.http import RunningDep
from shared.instants import past_instant
from shared.refusals import Refusal
from shared.service import Running

NOW = "now"
LONGEST_PAGE = 1000
_EVENTS = "text/event-stream"

router = APIRouter(prefix="/v1", tags=["changes"])

_AS_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page; or, to who accepts text/event-stream, each change as an event, for ever"}
}


@router.get("/changes", dependencies=[needs("Appointment", "r")], response_model=Page, responses=_AS_EVENTS)
async def read_changes(
    request: Request,
    service: RunningDep,
    guard: GuardDep,
    practice: Annotated[str, Query(max_length=12)] = "",
    after: Annotated[str, Query(description="The cursor to go on after; `now`: from here on.")] = "",
    since: Annotated[str, Query(description="Instead of a cursor: all recorded from this instant on.")] = "",
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 500,
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """What happened at the practice, in order, after a cursor: for a system that was away, or fell behind.

    A practice's system is told of its own; an operator of every practice, or of one. A page can be empty and yet have
    more behind it: go on with its `next`. To who accepts `text/event-stream` they come as they happen, each with its
    cursor as its id, which `Last-Event-ID` goes on after.
    """
    async with service.engine.connect() as connection:
        practice = await _practice(guard, connection, practice)
        start = await _start(service, connection, last_event_id or after, "" if last_event_id else since)
        page = await read_page(service, connection, practice, start, limit)
    if _EVENTS in request.headers.get("accept", ""):
        streams, stopping = _streams(request)
        streams.require_room()
        events = stream(service, streams, practice, start, stopping)
        return StreamingResponse(events, media_type=_EVENTS, headers={"Cache-Control": "no-store"})
    return Response(msgspec.json.encode(page), media_type="application/json", headers={"Cache-Control": "no-store"})


async def _practice(guard: Guard, connection: AsyncConnection, asked: str) -> str:
    """Whose changes are meant; empty for everybody's. Raises `NotFound` if it is none that the caller may see."""
    if guard.caller.operates and not asked:
        return ""
    practice = asked or guard.caller.organisation
    guard.require_own(practice)
    await guard.require_registered(connection, practice)
    return practice


async def _start(service: Running, connection: AsyncConnection, after: str, since: str) -> Cursor:
    if after and since:
        raise Refusal("Send after or since, not both: each says where to begin", code="two-beginnings", where="since")
    if since:
        instant = past_instant(since, service.clock.now(), "since")
        return await cursor_before(connection, instant, await told_until(service, connection))
    if after == NOW:
        return await cursor_of(connection, await told_until(service, connection))
    return read_cursor(after, "after") if after else BEGINNING


def _streams(request: Request) -> tuple[Streams, Callable[[], bool]]:
    """Who listens to this service, and whether it has been told to stop."""
    state = request.app.state
    return state.streams, getattr(state, "stopping", lambda: False)
