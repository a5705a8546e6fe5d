"""Looking back at an outage: what was known of it at an instant, and its part of an appointment's story."""

from datetime import datetime, timedelta
from typing import Any, get_args

import httpx
import pytest

from services.rebooking.case_history import tell
from services.rebooking.case_steps import steps_of
from services.rebooking.looking_back import OutageThen, declared_then, outage_then, outcomes_then
from services.rebooking.telling import words
from shared.events.base import Event
from shared.events.envelope import Recorded
from shared.events.rebooking import (
    AppointmentReconciled,
    CallNeeded,
    FollowUpSet,
    MoveConfirmed,
    OfferKept,
    OutageDeclared,
    OutageEnded,
    Outcome,
    RebookingEvent,
)
from shared.refusals import NotFound
from tests.harness import County
from tests.house.examples import examples
from tests.rebooking.neighbours import surgery
from tests.rebooking.test_recovery import PAPER, friday, wednesday

FRIDAY = datetime.fromisoformat("2024-07-19T09:00:00+01:00")
SATURDAY = FRIDAY + timedelta(days=1)


@pytest.mark.parametrize("event", get_args(RebookingEvent))
def test_every_event_is_told_in_words(event: Any) -> None:
    for example in examples(event):
        assert words(example, {"some text"}, {"some text": "Harbour Surgery"})
        assert "sealed" not in words(example, {"some text"}, {})


def test_a_plan_that_says_nothing_of_an_appointment_is_not_told_of_it() -> None:
    proposed = next(event for event in get_args(RebookingEvent) if event.__name__ == "PlanProposed")
    assert words(next(examples(proposed)), {"another"}, {}) == ""


def reconciled(appointment: str, outcome: Outcome = "displaced") -> AppointmentReconciled:
    return AppointmentReconciled(
        outage="o", practice="A1", appointment=appointment, patient="p", outcome=outcome, evidence="paper"
    )


MOVED = MoveConfirmed(
    outage="o", practice="A1", move="m", appointment="lost", patient="p", to_appointment="n", to_start=SATURDAY
)


def log() -> list[Recorded]:
    """An outage, an hour between one event and the next; two were seen on the Friday, and written down after."""
    told: list[tuple[Event, datetime | None]] = [
        (OutageDeclared(outage="o", name="Friday", practices=("A1",), started_at=FRIDAY), None),
        (OutageEnded(outage="o", practices=("A1",), ended_at=FRIDAY + timedelta(hours=1)), None),
        (FollowUpSet(outage="o", automatic=True), None),
        (reconciled("seen", "attended"), FRIDAY),
        (reconciled("lost"), None),
        (CallNeeded(outage="o", practice="A1", appointment="lost", patient="p", reason="No mobile"), None),
        (
            MoveConfirmed(
                outage="o",
                practice="A1",
                move="m",
                appointment="lost",
                patient="p",
                to_appointment="n",
                to_start=SATURDAY,
            ),
            None,
        ),
        (OfferKept(outage="o", practice="A1", move="m", appointment="lost", patient="p"), None),
    ]
    return [_recorded(place, event, occurred_at) for place, (event, occurred_at) in enumerate(told)]


def _recorded(place: int, event: Event, occurred_at: datetime | None) -> Recorded:
    at = hour(place)
    return Recorded(
        position=place + 1,
        version=1,
        id=str(place),
        service="rebooking",
        stream=event.stream,
        practice=event.at_practice,
        recorded_at=at,
        occurred_at=occurred_at or at,
        event=event,
    )


def hour(place: int) -> datetime:
    return FRIDAY + timedelta(hours=place)


def then(at: datetime) -> OutageThen:
    events = log()
    history = tell(step for recorded in events for step in steps_of(recorded))
    outcomes = outcomes_then((each for each in events if isinstance(each.event, AppointmentReconciled)), at)
    return outage_then(declared_then((each for each in events if each.stream == "outage/o"), at), history, outcomes, at)


def test_an_outage_is_as_it_was_at_each_instant() -> None:
    first, ended, lost, call, end = (then(hour(place)) for place in (0, 2, 4, 5, 7))
    assert (first.ended_at, first.automatic, first.displaced) == (None, False, 0)
    assert (ended.ended_at, ended.automatic) == (FRIDAY + timedelta(hours=1), True)
    assert (lost.displaced, lost.states["displaced"], lost.states["to_call"]) == (1, 1, 0)
    assert (call.displaced, call.states["displaced"], call.states["to_call"]) == (1, 0, 1)
    assert end.displaced == sum(end.states.values()) == 1


def test_it_says_what_had_happened_and_was_written_down_later() -> None:
    before, after = then(hour(2)), then(hour(3))
    assert (before.reconciled, before.recorded_later) == ({}, {"attended": 1})
    assert (after.reconciled, after.recorded_later) == ({"attended": 1}, {})


def test_before_it_was_declared_there_was_none() -> None:
    with pytest.raises(NotFound, match=r"There was no such outage at .*: it was declared at "):
        then(FRIDAY - timedelta(minutes=1))


async def test_a_story_is_that_of_the_lost_appointment_and_of_the_one_it_was_moved_to(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *friday(clinic), wednesday("free", "free too", "free three"))
        outage = await clinic.declared()
        await clinic.paper(outage, *PAPER)
        plan = (await clinic.post(f"/{outage}/plan")).json()
        before = clinic.rebooking.clock.now().isoformat()
        await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
        stories = [(await clinic.http.get(f"/v1/appointments/{id}/story")).json() for id in ("urgent", "seen", "none")]
        moved_to = stories[0]["appointments"][-1]
        the_new_ones = (await clinic.http.get(f"/v1/appointments/{moved_to}/story")).json()
        then = await clinic.get(f"/{outage}/at?{httpx.QueryParams({'at': before})}")
        now, progress = await clinic.get(f"/{outage}/at"), await clinic.get(f"/{outage}/progress")
        wrong = [
            await clinic.http.get(f"/v1/outages/{outage}/at", params={"at": at}) for at in ("2099-01-01", "2020-01-01")
        ]
        unknown = await clinic.http.get("/v1/outages/none/at")
    assert the_new_ones == stories[0]
    told = [each["words"] for each in stories[0]["events"]]
    assert told[0].startswith("the outage “The lost Friday” since Fri 19 July 2024, 7:00am was declared")
    assert told[-5].startswith("in “The lost Friday”: lost, to be given another time")
    assert [words.split(" on ")[0].split(" to ")[0] for words in told[-4:]] == [
        "a plan has a place",
        "the plan was approved by Ann",
        "booking is asked",
        "the move",
    ]
    assert "the patient had been seen" in stories[1]["events"][-1]["words"]
    assert stories[2] == {"appointments": [], "events": []}
    assert (then["states"]["planned"], then["states"]["moved"]) == (progress["moved"], 0)
    assert now["states"]["moved"] + now["states"]["to_call"] == progress["moved"]
    assert (now["displaced"], now["reconciled"]["attended"]) == (progress["displaced"], progress["seen_on_paper"])
    assert [answer.status_code for answer in (*wrong, unknown)] == [422, 404, 404]
