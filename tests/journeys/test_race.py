"""A plan is approved while others book its slots: nothing is double-booked, and whoever loses a place is seen to."""

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from services.operator.bearer import PracticeBearer
from shared.events.booking import AppointmentMoved
from shared.events.rebooking import MoveConfirmed, PlanProposed
from shared.refusals import Refusal
from tests.journeys.clients import book, free_slots, system_of
from tests.journeys.recovery import District, Recovery, fill, log_of, plan, require_nobody_booked_twice
from tests.journeys.running import Daybook, until
from tests.waiting import DEADLINE

CLIENTS, EACH = 20, 3
"""Each client wants so many slots before the plan is approved, and as many while it is."""

Wanted = tuple[dict[str, Any], PracticeBearer]
"""A slot, and the system that asks for it."""


@dataclass(frozen=True, slots=True)
class Rush:
    """Clients who want the slots that the plan wants, too: at first at some practices, and then at all."""

    daybook: Daybook
    wanted: Mapping[str, Sequence[Wanted]]
    everywhere: Event = field(default_factory=Event)
    booked: list[str] = field(default_factory=list)

    def client(self, number: int) -> None:
        draw = random.Random(number)
        _, *some = self.wanted
        self._book(draw.sample([each for practice in some for each in self.wanted[practice]], EACH))
        assert self.everywhere.wait(DEADLINE)
        self._book(draw.sample([each for slots in self.wanted.values() for each in slots], EACH))

    def _book(self, wanted: Sequence[Wanted]) -> None:
        for slot, system in wanted:
            with suppress(Refusal):
                self.booked.append(book(self.daybook, slot, system))


def test_whoever_loses_a_place_to_the_rush_is_planned_for_again_and_placed_or_listed(
    daybook: Daybook, district: District
) -> None:
    fill(daybook, district)
    rush = Rush(daybook, {practice: _earliest(daybook, practice) for practice in district.codes})
    recovery = plan(daybook, district)

    with ThreadPoolExecutor(CLIENTS) as clients:
        coming = [clients.submit(rush.client, number) for number in range(CLIENTS)]
        until("the rush is on", lambda: len(rush.booked) >= CLIENTS)
        rush.everywhere.set()
        _approve_what_holds(daybook, recovery)
        for client in coming:
            client.result()

    until("everybody is placed or listed", lambda: _is_settled(daybook, recovery))
    assert daybook.ask("booking", "GET", "/v1/figures")["double_booked"] == 0
    _require_sums(daybook, recovery)
    _require_all_seen_to(daybook, recovery)


def _approve_what_holds(daybook: Daybook, recovery: Recovery) -> None:
    """As an operator does: if the rush has been to every practice already, no part holds, and a new plan is made."""
    path, plan = f"/v1/outages/{recovery.outage}", recovery.plan
    while True:
        body = {"hash": plan, "approved_by": "a person", "automatic": True}
        try:
            daybook.ask("rebooking", "POST", f"{path}/approval", json=body)
        except Refusal as refusal:
            if refusal.code != "stale-plan":
                raise
            plan = daybook.ask("rebooking", "POST", f"{path}/plan")["hash"]
        else:
            return


def _earliest(daybook: Daybook, practice: str) -> list[Wanted]:
    """The slots that a plan wants first."""
    system = system_of(daybook, practice)
    return [(slot, system) for slot in free_slots(daybook, practice, system, "2024-07-23", "2024-07-25")]


def _is_settled(daybook: Daybook, recovery: Recovery) -> bool:
    """Nobody's move is under way, and whoever has none is listed by the newest plan with a reason."""
    daybook.at_rest()
    path = f"/v1/outages/{recovery.outage}"
    left = daybook.ask("rebooking", "GET", f"{path}/unplaced")
    assert all(each["reason"] for each in left)
    return {each["state"] for each in left} <= {"displaced"}


def _require_sums(daybook: Daybook, recovery: Recovery) -> None:
    progress = daybook.ask("rebooking", "GET", f"/v1/outages/{recovery.outage}/progress")
    outcomes = ("seen_on_paper", "cancelled", "elsewhere", "triage", "rescheduled", "displaced")
    assert progress["appointments"] == sum(progress[outcome] for outcome in outcomes)
    assert progress["displaced"] == progress["moved"] + progress["unplaced"]
    assert (progress["requested"] - progress["moved"], progress["refused"]) == (0, 0)


def _require_all_seen_to(daybook: Daybook, recovery: Recovery) -> None:
    """Whoever had a place in the first plan was moved, once, or is listed; and some had lost that place."""
    events = [recorded.event for recorded in log_of(daybook.settings)]
    require_nobody_booked_twice(events)
    ours = [event for event in events if getattr(event, "outage", "") == recovery.outage]
    first = {
        each.appointment: each.to_slot
        for event in ours
        if isinstance(event, PlanProposed) and event.plan == recovery.plan
        for each in event.placements
    }
    moved = {event.appointment: event.to_slots[0] for event in ours if isinstance(event, AppointmentMoved)}
    confirmed = [event.appointment for event in ours if isinstance(event, MoveConfirmed)]
    left = daybook.ask("rebooking", "GET", f"/v1/outages/{recovery.outage}/unplaced")
    assert sorted(confirmed) == sorted(moved)
    assert set(first) <= {*moved, *(each["appointment"] for each in left)}
    assert [lost for lost, slot in first.items() if moved.get(lost) != slot], "nobody lost a place"
