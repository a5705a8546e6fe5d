"""After the load: whether every booking that was acknowledged is there, once, and nothing else is."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.load import Outcome
from benchmarks.stand import App, Stand, connected
from services.operator.asking import ask
from services.operator.broker import broker_of
from shared.stream import STREAM, last_of

_PATIENCE = 20.0
_APPOINTMENT = re.compile(r"/Appointment/([^/]+)")


async def check_peer(peer: App, outcomes: Sequence[Outcome]) -> list[str]:
    """What is wrong with the peer's bookings."""
    async with connected(peer) as connection:
        ids = await connection.fetch("SELECT id::text FROM appointment WHERE status = 'booked'")
        slots = await connection.fetchval("SELECT count(*) FROM slot WHERE appointment_id IS NOT NULL")
    return _differences(peer, outcomes, [row["id"] for row in ids], slots)


async def check_daybook(stand: Stand, outcomes: Sequence[Outcome]) -> list[str]:
    """What is wrong with Daybook's: in its tables, in its log, and in the stream's copy of that."""
    app = stand.daybook
    async with connected(app) as connection:
        ids = await connection.fetch("SELECT appointment FROM appointments WHERE status = 'booked'")
        slots = await connection.fetchval("SELECT count(DISTINCT slot) FROM occupancy")
        events = await connection.fetchval("SELECT count(*) FROM events WHERE type LIKE '%.appointment-booked.v1'")
    faults = _differences(app, outcomes, [row["appointment"] for row in ids], slots)
    if events != len(ids):
        faults.append(f"Daybook's log has {events:,} bookings, its tables {len(ids):,}")
    return faults + await _not_relayed(stand)


def _differences(app: App, outcomes: Iterable[Outcome], stored: Sequence[str], slots: int) -> list[str]:
    faults = []
    acknowledged: list[str] = []
    for outcome in outcomes:
        acknowledged += [found[1] for location in outcome.locations if (found := _APPOINTMENT.search(location))]
        others = {status: count for status, count in outcome.statuses.items() if status != 201}
        if others:
            faults.append(f"{app.name} answered other than 201 (status: how often; 0 is no answer): {others}")
    if len(acknowledged) != len(set(acknowledged)):
        faults.append(f"{app.name} acknowledged one appointment twice")
    if lost := len(set(acknowledged) - set(stored)):
        faults.append(f"{app.name} acknowledged {lost:,} bookings that it has not")
    if more := len(set(stored) - set(acknowledged)):
        faults.append(f"{app.name} has {more:,} bookings that it acknowledged to nobody")
    if slots != len(stored):
        faults.append(f"{app.name} has {len(stored):,} bookings of {slots:,} slots")
    return faults


async def _not_relayed(stand: Stand) -> list[str]:
    """What the stream lacks, once the relay has had time to finish."""
    async with asyncio.timeout(_PATIENCE):
        status = await _status(stand)
        while status["relayed"] < status["position"]:
            await asyncio.sleep(0.1)
            status = await _status(stand)
    async with broker_of(stand.settings) as client:
        held = (await client.jetstream().stream_info(STREAM)).state.messages
        last = await last_of(client, "daybook.booking.>")
    if (held, last.seq if last else 0) != (status["position"], status["position"]):
        return [f"Daybook's log has {status['position']:,} events, the stream {held:,}"]
    return []


async def _status(stand: Stand) -> dict[str, Any]:
    answer: dict[str, Any] = await asyncio.to_thread(ask, stand.settings, "booking", "GET", "/v1/status")
    return answer
