"""The people and slots that the tests of planning speak of, and a plan made of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from services.rebooking.eligibility import FreeSlot, WaitingPatient
from services.rebooking.planning import Plan, make_plan
from services.rebooking.rules import Rules

NOW = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
LOST = datetime(2024, 7, 19, 8, 0, tzinfo=UTC)
TUESDAY = datetime(2024, 7, 23, 8, 0, tzinfo=UTC)
ALL_FREE = Rules(leave_free_percent=0)


def patient(name: str = "lost", **details: Any) -> WaitingPatient:
    usual = WaitingPatient(name, "patient", "A1", "friday", LOST, 10, 0, "booked", "in-person", "Dr Ames", "GP")
    return replace(usual, **details)


def slot(name: str = "free", start: datetime = TUESDAY, **details: Any) -> FreeSlot:
    return replace(FreeSlot(name, "tuesday", "A1", start, 10, "in-person", "Dr Ames", "GP"), **details)


def plan(
    waiting: Sequence[WaitingPatient], free: Sequence[FreeSlot], rules: Rules = ALL_FREE, read_position: int = 7
) -> Plan:
    return make_plan(rules, "outage", waiting, free, read_position=read_position, now=NOW)


def placed(made: Plan) -> dict[str, str]:
    return {each.appointment: each.to_slot for part in made.parts for each in part.placements}


def reasons(made: Plan) -> dict[str, str]:
    return {each.appointment: each.reason for part in made.parts for each in part.unplaced}
