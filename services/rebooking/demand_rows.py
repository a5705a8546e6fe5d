"""The questions that ask who waits, which slots are free, and which of them are spoken for."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from services.rebooking.eligibility import Window
from services.rebooking.rules import Rules
from services.rebooking.tables import (
    appointments,
    calls,
    constraints,
    moves,
    placements,
    plans,
    recoveries,
    sessions,
    slots,
)

WAITS = and_(recoveries.c.outcome == "displaced", recoveries.c.state.in_(("displaced", "planned", "refused")))
"""Displaced, and booking has not been asked for a place, or has said no."""

ASKS_AGAIN = and_(
    recoveries.c.outcome == "displaced", recoveries.c.state == "declined", recoveries.c.wish == "another-time"
)
"""Has a new time, and has asked for another."""

PROMISED = select(moves.c.to_slot).where(moves.c.state == "requested")
"""The slots that booking has been asked for, by whatever recovery, and has not given or refused."""


def waiting(outage: str, rules: Rules, now: datetime, practices: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Who has no place, and who has one that does not suit and is to be offered another."""
    these = [recoveries.c.practice.in_(practices)] if practices else []
    standing = case((recoveries.c.state == "declined", recoveries.c.standing), else_="")
    gives_way, declined = appointments.alias("gives_way"), _declined(outage)
    return (
        select(
            recoveries.c.appointment,
            recoveries.c.patient,
            recoveries.c.practice,
            gives_way.c.session,
            appointments.c.start,
            appointments.c.minutes,
            appointments.c.priority,
            gives_way.c.status,
            slots.c.channel,
            sessions.c.clinician,
            sessions.c.clinician_role,
            standing.label("standing"),
            declined.c.starts.label("declined"),
            constraints.c.constraints,
            appointments.c.textable,
        )
        .join(appointments, appointments.c.appointment == recoveries.c.appointment)
        .join(sessions, sessions.c.session == appointments.c.session)
        .join(slots, slots.c.slot == appointments.c.slot)
        .join(gives_way, gives_way.c.appointment == func.coalesce(func.nullif(standing, ""), recoveries.c.appointment))
        .outerjoin(declined, declined.c.appointment == recoveries.c.appointment)
        .outerjoin(
            constraints,
            and_(constraints.c.outage == recoveries.c.outage, constraints.c.appointment == recoveries.c.appointment),
        )
        .where(
            recoveries.c.outage == outage,
            *these,
            or_(WAITS, _wants_another(outage, gives_way.c.start > now, declined.c.number <= rules.fresh_offers)),
        )
    )


def _declined(outage: str) -> Any:
    """The times that were offered and did not suit, by lost appointment, in order."""
    return (
        select(
            moves.c.appointment,
            func.array_agg(aggregate_order_by(moves.c.to_start, moves.c.requested_at)).label("starts"),
            func.count().label("number"),
        )
        .where(moves.c.outage == outage, moves.c.answer == "another-time")
        .group_by(moves.c.appointment)
        .subquery("declined")
    )


def _wants_another(outage: str, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Asked for another time, and neither is booking just being asked for one nor is a person to call."""
    requested = select(moves.c.appointment).where(moves.c.outage == outage, moves.c.state == "requested")
    to_call = select(calls.c.appointment).where(calls.c.outage == outage, calls.c.state == "needed")
    return and_(
        ASKS_AGAIN,
        recoveries.c.appointment.not_in(requested),
        recoveries.c.appointment.not_in(to_call),
        *conditions,
    )


def free(
    practices: Sequence[str], rules: Rules, within: Window, spoken_for: Sequence[Select[str]]
) -> Select[*tuple[Any, ...]]:
    return (
        select(
            slots.c.slot,
            slots.c.session,
            slots.c.practice,
            slots.c.start,
            slots.c.minutes,
            slots.c.channel,
            sessions.c.clinician,
            sessions.c.clinician_role,
        )
        .join(sessions, sessions.c.session == slots.c.session)
        .where(
            slots.c.practice.in_(practices),
            slots.c.start >= within.earliest,
            slots.c.start < within.latest,
            slots.c.appointment.is_(None),
            slots.c.withdrawn.is_(False),
            slots.c.kept_for.not_in(sorted(rules.never_used)),
            slots.c.slot.not_in(PROMISED),
            *(slots.c.slot.not_in(taken) for taken in spoken_for),
        )
    )


def spoken_for(outage: str, now: datetime, practices: Collection[str]) -> list[Select[str]]:
    """Where only some practices are planned, the slots that a plan of the others, who may share them, will take."""
    if not practices:
        return []
    still = or_(
        and_(plans.c.state == "proposed", plans.c.expires_at > now),
        and_(plans.c.state == "approved", recoveries.c.state == "planned"),
    )
    return [
        select(placements.c.to_slot)
        .join(
            plans,
            and_(
                plans.c.outage == placements.c.outage,
                plans.c.practice == placements.c.practice,
                plans.c.plan == placements.c.plan,
            ),
        )
        .join(
            recoveries,
            and_(recoveries.c.outage == placements.c.outage, recoveries.c.appointment == placements.c.appointment),
        )
        .where(placements.c.outage == outage, placements.c.practice.not_in(practices), still)
    ]


def given(outage: str) -> Select[str, date, int]:
    """How many slots of which practice and London day the moves of this recovery have, or are about to have."""
    practice = func.coalesce(func.nullif(moves.c.to_practice, ""), moves.c.practice)
    day = func.date(func.timezone("Europe/London", moves.c.to_start))
    return (
        select(practice, day, func.count())
        .join(slots, slots.c.slot == moves.c.to_slot)
        .where(
            moves.c.outage == outage,
            or_(moves.c.state == "requested", and_(moves.c.state == "confirmed", slots.c.appointment.is_not(None))),
        )
        .group_by(practice, day)
    )
