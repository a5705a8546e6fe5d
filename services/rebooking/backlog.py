"""How far a recovery has come: its figures, who still waits and why, and whom to telephone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.call_list import NEEDED, RECOVERED
from services.rebooking.tables import (
    appointments,
    call_attempts,
    calls,
    messages,
    moves,
    placements,
    plans,
    recoveries,
    unplaced,
)
from services.rebooking.views import Outage, unaccounted

_CALLED = calls.join(recoveries, RECOVERED)

MOVED = ("moved", "kept", "declined", "unanswered")
"""The states of a displaced appointment that has been moved."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The patients whom the new time does not suit, by what they wish instead."""

    another_time: int
    cancel: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an outage's recovery has come.

    `appointments` are all that were reconciled = seen_on_paper + cancelled + elsewhere + triage + rescheduled +
    displaced, and displaced = moved + unplaced. `planned`, `requested`, `refused` and `moved` say how far the displaced
    have come; `told` have been sent a text that the provider took; `kept`, `declined` and `unanswered` are what became
    of the moved. `calls` are still to be made, `call_attempts` have been. `unaccounted` are appointments of the outage
    of which nothing is known yet. Whoever waits and is given another time otherwise counts as `rescheduled` from then
    on.
    """

    appointments: int
    seen_on_paper: int
    cancelled: int
    elsewhere: int
    triage: int
    rescheduled: int
    displaced: int
    planned: int
    requested: int
    refused: int
    moved: int
    unplaced: int
    told: int
    kept: int
    declined: Declined
    unanswered: int
    calls: int
    call_attempts: int
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
    asked = {
        "told": _told(outage.outage),
        "calls": select(func.count()).select_from(_CALLED).where(calls.c.outage == outage.outage, NEEDED),
        "call_attempts": select(func.count()).where(call_attempts.c.outage == outage.outage),
    }
    counted = {name: await connection.scalar(question) or 0 for name, question in asked.items()}
    return _progress({**found, **counted, "unaccounted": await unaccounted(connection, outage, now)})


def _counts(outage: str) -> Select[*tuple[Any, ...]]:
    outcome, state, wish = recoveries.c.outcome, recoveries.c.state, recoveries.c.wish
    displaced = outcome == "displaced"
    asked = select(moves.c.appointment).where(moves.c.outage == outage).scalar_subquery()
    placed = select(placements.c.appointment).where(placements.c.outage == outage).scalar_subquery()
    conditions: dict[str, ColumnElement[bool]] = {
        "seen_on_paper": outcome.in_(("attended", "missed")),
        "cancelled": outcome == "cancelled",
        "elsewhere": outcome == "elsewhere",
        "triage": outcome == "triage",
        "rescheduled": outcome == "rescheduled",
        "displaced": displaced,
        "planned": and_(displaced, recoveries.c.appointment.in_(placed)),
        "requested": and_(displaced, recoveries.c.appointment.in_(asked)),
        "refused": state == "refused",
        "moved": state.in_(MOVED),
        "kept": state == "kept",
        "unanswered": state == "unanswered",
        "another_time": and_(state == "declined", wish == "another-time"),
        "cancel": and_(state == "declined", wish == "cancel"),
    }
    counts = (func.count().filter(condition).label(name) for name, condition in conditions.items())
    return select(func.count().label("appointments"), *counts).where(recoveries.c.outage == outage)


def _told(outage: str) -> Select[*tuple[Any, ...]]:
    """How many have had a text about any time that they were moved to."""
    return (
        select(func.count(moves.c.appointment.distinct()))
        .join(messages, and_(messages.c.outage == moves.c.outage, messages.c.appointment == moves.c.to_appointment))
        .where(moves.c.outage == outage, moves.c.state == "confirmed", messages.c.told_at.is_not(None))
    )


def _progress(counted: dict[str, int]) -> Progress:
    return Progress(
        declined=Declined(counted.pop("another_time"), counted.pop("cancel")),
        unplaced=counted["displaced"] - counted["moved"],
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
        (plans.c.state == "expired", "Had a place in a plan that ran out before it was approved"),
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
        .outerjoin(
            placements,
            and_(
                placements.c.outage == recoveries.c.outage,
                placements.c.appointment == recoveries.c.appointment,
                recoveries.c.state == "planned",
            ),
        )
        .outerjoin(
            plans,
            and_(
                plans.c.outage == placements.c.outage,
                plans.c.practice == placements.c.practice,
                plans.c.plan == placements.c.plan,
            ),
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


async def to_call(connection: AsyncConnection, outage: str) -> list[Call]:
    """Everyone who is to be telephoned, practice by practice, whoever has waited longest first."""
    listed = [calls.c[name] for name in ("practice", "appointment", "patient", "reason", "needed_at", "state")]
    found = await connection.execute(
        select(*listed)
        .select_from(_CALLED)
        .where(calls.c.outage == outage, NEEDED)
        .order_by(calls.c.practice, calls.c.needed_at, calls.c.appointment)
    )
    return [Call(**row) for row in found.mappings()]
