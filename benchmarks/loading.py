"""Fills both apps with the same county: Daybook through its API, the peer with COPY."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.county import MINUTES, County, Session, diary_files
from benchmarks.peers.models import Base
from benchmarks.stand import App, Stand, connected
from services.operator.asking import ask
from services.operator.county import practices_csv
from services.operator.imports import CSV


async def fill(stand: Stand, county: County) -> None:
    """Every practice, session and slot into both."""
    await _fill_peer(stand.peer, county)
    await asyncio.to_thread(_fill_daybook, stand, county)
    await stand.tidy()


def _fill_daybook(stand: Stand, county: County) -> None:
    ask(stand.settings, "booking", "POST", "/v1/practices", content=practices_csv(county.practices), headers=CSV)
    for diary in diary_files(county):
        ask(stand.settings, "booking", "POST", "/v1/diary", content=diary.encode(), headers=CSV)
    for practice in county.practices:
        ask(stand.settings, "booking", "PUT", f"/v1/practices/{practice.ods_code}/opening", json={})


async def _fill_peer(peer: App, county: County) -> None:
    engine = create_async_engine(peer.database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    async with connected(peer) as connection:
        for table, rows in _rows(county).items():
            await connection.copy_records_to_table(
                table, columns=list(rows[0]), records=[tuple(r.values()) for r in rows]
            )


def _rows(county: County) -> dict[str, Sequence[dict[str, Any]]]:
    """In an order that foreign keys allow."""
    return {
        "practice": [
            {"code": practice.ods_code, "name": practice.name, "frozen": False, "open": True}
            for practice in county.practices
        ],
        "session": [_session(session) for session in county.sessions],
        "slot": [
            {
                "id": UUID(slot),
                "session_id": UUID(session.id),
                "practice_code": session.practice,
                "start": start,
                "end": start + timedelta(minutes=MINUTES),
                "channel": "in-person",
                "service_type": "GP consultation",
                "kept_for": "anyone",
                "withdrawn": False,
            }
            for session, slot, start in county.slots()
        ],
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": UUID(session.id),
        "practice_code": session.practice,
        "name": session.name,
        "clinician": session.clinician,
        "clinician_role": "GP",
        "location": "Room 1",
        "start": session.start,
        "end": session.end,
    }
