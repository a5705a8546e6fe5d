"""The desk of the texts: one page for a browser, without any data in it, and what that page asks first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.tables import messages, practices
from shared.http import CallerDep, RunningDep
from shared.pages import Ports, desk, ports
from shared.scopes import MAY_READ

PAGE = desk(
    Path(__file__).parent / "desk",
    "A page for the browser: replies to read and, for operators, unknown outcomes, campaigns, and one patient's texts.",
)

router = APIRouter(tags=["desk"])
PAGE.serve(router)


@dataclass(frozen=True, slots=True)
class Texted:
    """An outage about which patients were texted, and since when."""

    outage: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks, and what concerns them: to an operator every practice and campaign, to a practice its own name.

    `ports` are those of the desks, this one's own too.
    """

    operator: bool
    practices: Mapping[str, str]
    outages: Sequence[Texted]
    ports: Ports


@router.get("/v1/desk", dependencies=[MAY_READ])
async def open_desk(service: RunningDep, caller: CallerDep) -> Desk:
    """The practices, by code and name, and the outages that patients were texted about, the newest first."""
    desks = ports(service.settings)
    async with service.engine.connect() as connection:
        named = await connection.execute(select(practices.c.ods_code, practices.c.name).order_by(practices.c.ods_code))
        names = {row.ods_code: row.name for row in named}
        if caller.operates:
            return Desk(True, names, await _texted(connection), desks)
    return Desk(False, {code: name for code, name in names.items() if code == caller.organisation}, [], desks)


async def _texted(connection: AsyncConnection) -> Sequence[Texted]:
    """One look into the index for each outage, however many messages it has."""
    found: list[Texted] = []
    last = ""
    while last is not None:
        last = await connection.scalar(select(func.min(messages.c.outage)).where(messages.c.outage > last))
        since = await connection.scalar(select(messages.c.planned_at).where(messages.c.outage == last).limit(1))
        if last is not None and since is not None:
            found.append(Texted(last, since))
    return sorted(found, key=lambda each: each.since, reverse=True)
