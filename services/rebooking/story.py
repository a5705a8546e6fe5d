"""The story of an appointment as rebooking's log has it: the outage that took it, and its way to a new time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.tables import moves, outages, recoveries
from services.rebooking.telling import words
from services.rebooking.views import practice_names
from shared.events.envelope import Recorded
from shared.events.rebooking import CancellationRequested, OutageEvent, PlanApproved, PlanExpired, PlanProposed
from shared.log import read_streams
from shared.story import Story, Told, told


class CaseOf(NamedTuple):
    """A lost appointment in one recovery."""

    outage: str
    practice: str
    appointment: str


async def read_story(connection: AsyncConnection, appointment: str) -> Story:
    """The story of the appointment, be it a lost one or one it was moved to; empty if no recovery knows it."""
    # PostgreSQL would not even look for a NUL character.
    asked = appointment.replace("\0", " ")
    cases = await _cases(connection, asked)
    related = [asked, *await _moved_to(connection, cases)]
    ids = list(dict.fromkeys([*(case.appointment for case in cases), *related]))
    streams = [f"cancellation/{id}" for id in ids]
    for case in cases:
        streams += [f"outage/{case.outage}", f"recovery/{case.outage}/{case.practice}"]
    events = await read_streams(connection, dict.fromkeys(streams, 0))
    named = await connection.execute(select(outages.c.outage, outages.c.name))
    names = {**await practice_names(connection), **dict(named.all())}
    return Story(ids if events else [], list(_tell(events, cases, names)))


def _tell(events: Sequence[Recorded], cases: Sequence[CaseOf], names: Mapping[str, str]) -> Iterator[Told]:
    plans: set[str] = set()
    lost = {case.appointment for case in cases}
    for recorded in events:
        event = recorded.event
        said = words(event, lost, names)
        if isinstance(event, PlanProposed) and said:
            plans.add(event.part)
        if said and _is_about(event, lost, plans):
            yield told(recorded, said)


def _is_about(event: object, lost: set[str], plans: set[str]) -> bool:
    match event:
        case OutageEvent() | CancellationRequested() | PlanProposed():
            return True
        case PlanApproved(part=part) | PlanExpired(part=part):
            return part in plans
        case _:
            return getattr(event, "appointment", "") in lost


async def _cases(connection: AsyncConnection, appointment: str) -> list[CaseOf]:
    known = select(recoveries.c.outage, recoveries.c.practice, recoveries.c.appointment).where(
        or_(recoveries.c.appointment == appointment, recoveries.c.standing == appointment)
    )
    moved = select(moves.c.outage, moves.c.practice, moves.c.appointment).where(
        or_(moves.c.to_appointment == appointment, moves.c.standing == appointment)
    )
    found = await connection.execute(known.union(moved))
    return sorted(CaseOf(*row) for row in found)


async def _moved_to(connection: AsyncConnection, cases: Sequence[CaseOf]) -> list[str]:
    found: list[str] = []
    for case in cases:
        asked = select(moves.c.to_appointment).where(
            moves.c.outage == case.outage, moves.c.appointment == case.appointment, moves.c.to_appointment != ""
        )
        found += (await connection.execute(asked.order_by(moves.c.requested_at))).scalars()
    return found
