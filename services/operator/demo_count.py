"""Counting the lost day after the fact, out of the services' logs: each figure from the service that owns it."""

import asyncio
from typing import Any

import asyncpg
from msgspec import Struct

from services.operator import demo_queries as sql
from services.operator.county_diary import LOST_DAY
from services.operator.demo_report import Replies
from services.operator.demo_services import Place


class Booked(Struct, frozen=True):
    """What booking's log says."""

    practices: int
    appointments: int
    moves: int
    textable_moves: int
    cancelled_by_patients: int
    double_booked: int
    ring_fenced_used: int


class Recovered(Struct, frozen=True):
    """What rebooking's log says. `moves` is more than `moved`: whoever gets a fresh offer is moved again."""

    seen_on_paper: int
    cancelled: int
    triage: int
    displaced: int
    planned: int
    moved: int
    moves: int
    unplaced: int
    answers: Replies
    another_time_to_call: int


class Told(Struct, frozen=True):
    """What notifications' log says. `doubled`: notices planned, or accepted, more than once for one move."""

    planned: int
    accepted: int
    doubled: int
    confirmations_planned: int
    confirmations: int
    replies: Replies


class Counted(Struct, frozen=True):
    """What everybody says. `at_gateway`: messages it accepted; `texted_twice`: of how many it accepted two attempts."""

    booked: Booked
    recovered: Recovered
    told: Told
    at_gateway: int
    texted_twice: int


async def count(place: Place, outage: str) -> Counted:
    """Ask everybody, now that all is done."""
    async with (
        place.database("booking") as booking,
        place.database("rebooking") as rebooking,
        place.database("notifications") as notifications,
    ):
        with place.screen.stage("Count what became of it"):
            booked, recovered, told = await asyncio.gather(
                count_booked(booking), count_recovered(rebooking, outage), count_told(notifications)
            )
        gateway = await place.get("sandbox", "/sandbox/figures")
    return Counted(booked, recovered, told, gateway["accepted"], gateway["duplicated"])


async def count_booked(connection: "asyncpg.Connection[Any]") -> Booked:
    """From booking's log."""
    moves, textable = await _row(connection, sql.MOVED)
    return Booked(
        practices=await _number(connection, sql.PRACTICES),
        appointments=await _number(connection, sql.APPOINTMENTS, LOST_DAY),
        moves=moves,
        textable_moves=textable,
        cancelled_by_patients=await _number(connection, sql.CANCELLED_BY_PATIENTS),
        double_booked=await _number(connection, sql.DOUBLE_BOOKED),
        ring_fenced_used=await _number(connection, sql.RING_FENCED),
    )


async def count_recovered(connection: "asyncpg.Connection[Any]", outage: str) -> Recovered:
    """From rebooking's log, of one outage."""
    outcomes = {row["outcome"]: int(row["count"]) for row in await connection.fetch(sql.OUTCOMES, outage)}
    planned, unplaced = await _row(connection, sql.PLANNED, outage)
    moved, moves, refused = await _row(connection, sql.CONFIRMED, outage)
    kept, another_time, cancel = await _row(connection, sql.OFFERS, outage)
    return Recovered(
        seen_on_paper=outcomes.get("attended", 0) + outcomes.get("missed", 0),
        cancelled=outcomes.get("cancelled", 0),
        triage=outcomes.get("triage", 0),
        displaced=outcomes.get("displaced", 0),
        planned=planned,
        moved=moved,
        moves=moves,
        unplaced=unplaced + refused,
        answers=Replies(kept, another_time, cancel),
        another_time_to_call=await _number(connection, sql.TO_CALL, outage),
    )


async def count_told(connection: "asyncpg.Connection[Any]") -> Told:
    """From notifications' log."""
    planned, changes = await _row(connection, sql.NOTICES_PLANNED)
    accepted, messages = await _row(connection, sql.NOTICES_ACCEPTED)
    confirmations_planned, confirmations = await _row(connection, sql.CONFIRMATIONS)
    answers = {row["answer"]: int(row["count"]) for row in await connection.fetch(sql.ANSWERS)}
    return Told(
        planned=planned,
        accepted=messages,
        doubled=planned - changes + accepted - messages,
        confirmations_planned=confirmations_planned,
        confirmations=confirmations,
        replies=Replies(answers.get("keep", 0), answers.get("another-time", 0), answers.get("cancel", 0)),
    )


async def _row(connection: "asyncpg.Connection[Any]", query: str, *values: object) -> tuple[int, ...]:
    (row,) = await connection.fetch(query, *values)
    return tuple(int(number) for number in row)


async def _number(connection: "asyncpg.Connection[Any]", query: str, *values: object) -> int:
    return int(await connection.fetchval(query, *values))
