"""The recovery, as an operator would go about it: declare, reconcile the paper, plan, approve, and watch it through."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from services.operator.county_diary import LOST_DAY, Diary
from services.operator.demo_services import Place, at_rest, watch

WENT_DOWN = f"{LOST_DAY}T08:30:00+01:00"
CAME_BACK = "2024-07-21T22:00:00+01:00"
OPERATOR = "county support desk"

_SEEN, _CANCELLED = 0.10, 0.02
_LOOK_AT_BACKLOG_EVERY = 1.0
"""Seconds: it is counted from the log, and drawn by the minute."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What practices typed in from the sheets of the day: so many seen, so many called off."""

    text: str
    seen: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from asking for a plan until it was there; from its approval until all moves, and all messages, were."""

    plan: float
    move: float
    messages_planned: float


def paper(diaries: Sequence[Diary], seed: int) -> Paper:
    """About a tenth of the lost day's appointments as seen, two in a hundred as cancelled, in order of the diary."""
    rng = Random(f"paper {seed}")
    rows = [(diary.practice, booking.start, booking.nhs_number) for diary in diaries for booking in diary.lost_day]
    seen, cancelled = round(len(rows) * _SEEN), round(len(rows) * _CANCELLED)
    outcomes = ["attended"] * seen + ["cancelled"] * cancelled + [""] * (len(rows) - seen - cancelled)
    rng.shuffle(outcomes)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("practice", "start", "nhs_number", "outcome"))
    writer.writerows((*row, outcome) for row, outcome in zip(rows, outcomes, strict=True) if outcome)
    return Paper(text.getvalue(), seen, cancelled)


async def declare(place: Place) -> str:
    """The outage of all practices, known from the Friday morning; returns its id."""
    with place.screen.stage("Declare the outage"):
        declared = await place.post(
            "rebooking",
            "/v1/outages",
            {"name": "Friday 19 July 2024", "practices": "all", "started_at": WENT_DOWN, "declared_by": OPERATOR},
        )
        outage = str(declared["outage"])
        await place.post("rebooking", f"/v1/outages/{outage}/end", {"ended_at": CAME_BACK})
    return outage


async def reconcile(place: Place, outage: str, sheets: Paper) -> None:
    """The paper is typed in; all others are displaced, but for same-day demand."""
    with place.screen.stage("Reconcile with the paper"):
        await place.post("rebooking", f"/v1/outages/{outage}/reconciliation", sheets.text, rest="displaced")
    place.screen.says(
        "Same-day demand (booked on the Friday for the Friday) is triage: a clinician looks at who still needs to be "
        "seen. It is never moved to another day by the plan."
    )


async def recover(place: Place, outage: str) -> Recovery:
    """Plan, approve, and wait until every move is answered, and every message planned, taken and delivered."""
    with place.screen.stage("Plan") as planning:
        plan = await place.post("rebooking", f"/v1/outages/{outage}/plan")
    _show_plan(place, plan)
    with place.screen.stage("Move", of=plan["placed"]) as moving:
        approval = {"hash": plan["hash"], "approved_by": OPERATOR, "automatic": True}
        await place.post("rebooking", f"/v1/outages/{outage}/approval", approval)
        await watch(moving, "Moves", lambda: _moves(place, outage, plan["placed"]))
    with place.screen.stage("Plan the messages") as telling:
        moved = (await place.get("booking", "/v1/status"))["position"]
        await watch(telling, "Messages planned", lambda: _followed(place, moved))
    with place.screen.stage("Send the messages") as sending:
        await watch(sending, "Messages delivered", lambda: _delivered(place, outage))
    return Recovery(planning.seconds, moving.seconds, moving.seconds + telling.seconds)


async def settle(place: Place, outage: str) -> None:
    """Wait until whoever asked for another time has been offered one, and told, or is on a call list; and until every
    answer has been answered."""
    await at_rest(place)
    with place.screen.stage("Make fresh offers") as offering:
        await watch(offering, "Fresh offers", lambda: _settled(place, outage), every=_LOOK_AT_BACKLOG_EVERY)
    with place.screen.stage("Confirm the answers") as confirming:
        await watch(confirming, "Answers confirmed", lambda: _confirmed(place, outage))
    await at_rest(place)


def _show_plan(place: Place, plan: dict[str, Any]) -> None:
    days = ", ".join(f"{day[8:]}.{day[5:7]}. {number:,}" for day, number in plan["by_day"].items())
    place.screen.says(
        f"Plan {plan['hash'][:12]}: {plan['placed']:,} find a place, {plan['unplaced']:,} do not. By day: {days}."
    )


async def _moves(place: Place, outage: str, planned: int) -> tuple[int, int]:
    counted = await place.get("rebooking", f"/v1/outages/{outage}/progress")
    return counted["moved"] + counted["refused"], planned


async def _settled(place: Place, outage: str) -> tuple[int, int]:
    """Of everybody displaced, those about whom the next word is not ours."""
    counted = (await place.get("rebooking", f"/v1/outages/{outage}/backlog"))["now"]
    return counted["everybody"] - counted["planned"] - counted["moved"], counted["everybody"]


async def _confirmed(place: Place, outage: str) -> tuple[int, int]:
    """Of all that patients were to be sent, notices and confirmations, what has come to an end."""
    kinds = (await place.get("notifications", f"/v1/outages/{outage}/messages"))["by_kind"].values()
    return sum(kind["delivered"] + kind["failed"] for kind in kinds), sum(kind["planned"] for kind in kinds)


async def _followed(place: Place, position: int) -> tuple[int, int]:
    """What has been planned once notifications has come to this position of booking's log is all there is to plan."""
    followed = (await place.get("notifications", "/v1/status"))["followed"]
    return min(followed.get("booking", 0), position), position


async def _delivered(place: Place, outage: str) -> tuple[int, int]:
    counted = await place.get("notifications", f"/v1/outages/{outage}/messages")
    return counted["delivered"] + counted["failed"], counted["planned"]
