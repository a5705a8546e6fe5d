"""How far a recovery has come: its figures, who still waits and why, and whom to telephone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.tables import appointments, calls, moves, placements, recoveries, unplaced
from services.rebooking.views import Outage, recovery_of, taken_by

_CALLED = calls.join(
    recoveries, and_(recoveries.c.outage == calls.c.outage, recoveries.c.appointment == calls.c.appointment)
)

MOVED = ("moved", "kept", "declined")
"""The states of a displaced appointment that has been moved."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The patients whom the new time does not suit, by what they wish instead."""

    another_time: int
    cancel: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an outage's recovery has come.

    `appointments` are all that were reconciled = seen_on_paper + cancelled + triage + rescheduled + displaced, and
    displaced = moved + unplaced. `planned`, `requested`, `refused` and `moved` say how far the displaced have come;
    `kept` and `declined` are answers of the moved. `unaccounted` are appointments of the outage of which nothing is
    known yet. Whoever waits and is given another time otherwise counts as `rescheduled` from then on.
    """

    appointments: int
    seen_on_paper: int
    cancelled: int
    triage: int
    rescheduled: int
    displaced: int
    planned: int
    requested: int
    refused: int
    moved: int
    unplaced: int
    kept: int
    declined: Declined
    calls: int
    unaccounted: int


@dataclass(frozen=True, slots=True)
class LeftWaiting:
    """A displaced appointment without a confirmed move, and why."""

    practice: str
    appointment: str
    patient: str
    start: datetime
    priority: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Call:
    """A patient to telephone, and why."""

    practice: str
    appointment: str
    patient: str
    reason: str
    needed_at: datetime
    state: str


async def progress(connection: AsyncConnection, outage: Outage, now: datetime) -> Progress:
    """Every figure counted from the tables at this moment."""
    found = (await connection.execute(_counts(outage.outage))).mappings().one()
    called = select(func.count()).select_from(_CALLED).where(_to_call(outage.outage))
    unaccounted = (
        select(func.count())
        .select_from(appointments.outerjoin(recoveries, recovery_of(outage.outage)))
        .where(taken_by(outage, now), recoveries.c.outcome.is_(None))
    )
    return _progress(
        found,
        calls=await connection.scalar(called) or 0,
        unaccounted=await connection.scalar(unaccounted) or 0,
    )


def _counts(outage: str) -> Select[*tuple[Any, ...]]:
    outcome, state, wish = recoveries.c.outcome, recoveries.c.state, recoveries.c.wish
    displaced = outcome == "displaced"
    asked = select(moves.c.appointment).where(moves.c.outage == outage).scalar_subquery()
    placed = select(placements.c.appointment).where(placements.c.outage == outage).scalar_subquery()
    conditions: dict[str, ColumnElement[bool]] = {
        "seen_on_paper": outcome.in_(("attended", "missed")),
        "cancelled": outcome == "cancelled",
        "triage": outcome == "triage",
        "rescheduled": outcome == "rescheduled",
        "displaced": displaced,
        "planned": and_(displaced, recoveries.c.appointment.in_(placed)),
        "requested": and_(displaced, recoveries.c.appointment.in_(asked)),
        "refused": state == "refused",
        "moved": state.in_(MOVED),
        "kept": state == "kept",
        "another_time": and_(state == "declined", wish == "another-time"),
        "cancel": and_(state == "declined", wish == "cancel"),
    }
    counts = (func.count().filter(condition).label(name) for name, condition in conditions.items())
    return select(func.count().label("appointments"), *counts).where(recoveries.c.outage == outage)


def _progress(found: RowMapping, *, calls: int, unaccounted: int) -> Progress:
    counted = dict(found)
    return Progress(
        declined=Declined(counted.pop("another_time"), counted.pop("cancel")),
        unplaced=counted["displaced"] - counted["moved"],
        calls=calls,
        unaccounted=unaccounted,
        **counted,
    )


async def left_waiting(connection: AsyncConnection, outage: str) -> list[LeftWaiting]:
    """Every displaced appointment without a confirmed move, those with the highest claim first."""
    refused = await connection.execute(
        select(moves.c.appointment, moves.c.reason)
        .where(moves.c.outage == outage, moves.c.state == "refused")
        .order_by(moves.c.requested_at)
    )
    reasons = {row.appointment: row.reason for row in refused}
    found = await connection.execute(_left_waiting(outage))
    return [
        LeftWaiting(**{**row, "reason": reasons.get(row["appointment"], row["reason"])})
        if row["state"] == "refused"
        else LeftWaiting(**row)
        for row in found.mappings()
    ]


def _left_waiting(outage: str) -> Select[*tuple[Any, ...]]:
    reason = case(
        (recoveries.c.state == "planned", "Has a place in the plan, which has not been approved"),
        (recoveries.c.state == "requested", "Is being moved"),
        (unplaced.c.reason.is_not(None), unplaced.c.reason),
        else_="No plan has been made since this became known",
    )
    return (
        select(
            recoveries.c.practice,
            recoveries.c.appointment,
            recoveries.c.patient,
            appointments.c.start,
            appointments.c.priority,
            recoveries.c.state,
            reason.label("reason"),
        )
        .join(appointments, appointments.c.appointment == recoveries.c.appointment)
        .outerjoin(
            unplaced,
            and_(unplaced.c.outage == recoveries.c.outage, unplaced.c.appointment == recoveries.c.appointment),
        )
        .where(
            recoveries.c.outage == outage,
            recoveries.c.outcome == "displaced",
            recoveries.c.state.not_in(MOVED),
        )
        .order_by(
            recoveries.c.practice,
            func.nullif(appointments.c.priority, 0).nulls_last(),
            appointments.c.start,
            recoveries.c.appointment,
        )
    )


def _to_call(outage: str) -> ColumnElement[bool]:
    """Which of `_CALLED` are to be telephoned: whoever left the recovery after all needs no call from it."""
    return and_(calls.c.outage == outage, calls.c.state == "needed", recoveries.c.outcome == "displaced")


async def to_call(connection: AsyncConnection, outage: str) -> list[Call]:
    """Everyone who is to be telephoned, practice by practice, whoever has waited longest first."""
    listed = [calls.c[name] for name in ("practice", "appointment", "patient", "reason", "needed_at", "state")]
    found = await connection.execute(
        select(*listed)
        .select_from(_CALLED)
        .where(_to_call(outage))
        .order_by(calls.c.practice, calls.c.needed_at, calls.c.appointment)
    )
    return [Call(**row) for row in found.mappings()]
