"""The desk: one page for a browser, without any data in it, and what that page asks first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import APIRouter

from services.rebooking import views
from shared.http import CallerDep, RunningDep
from shared.pages import Ports, desk, ports
from shared.scopes import MAY_READ

PAGE = desk(
    Path(__file__).parent / "desk",
    "A page for the browser: the paper sheet to fill in, the call list, and, for operators, plan and backlog.",
)

router = APIRouter(tags=["desk"])
PAGE.serve(router)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks, and what concerns them: to an operator every practice and outage, to a practice its own.

    `ports` are those of the desks, this one's own too.
    """

    operator: bool
    practices: Mapping[str, str]
    outages: list[views.Outage]
    ports: Ports


@router.get("/v1/desk", dependencies=[MAY_READ])
async def open_desk(service: RunningDep, caller: CallerDep) -> Desk:
    """The practices, by code and name, and the outages that concern whoever asks."""
    own, desks = caller.organisation, ports(service.settings)
    async with service.engine.connect() as connection:
        names = await views.practice_names(connection)
        if caller.operates:
            return Desk(True, names, await views.all_outages(connection), desks)
        outages = await views.all_outages(connection, own) if own in names else []
    known = {practice: name for practice, name in names.items() if practice == own}
    return Desk(False, known, [replace(outage, practices=[own]) for outage in outages], desks)
