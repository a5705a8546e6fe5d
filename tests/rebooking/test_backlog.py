"""The backlog: in which state each displaced appointment is at every moment, and that the states add up."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rebooking.burn_down import BurnDown, Counts, burn_down
from services.rebooking.case_history import History, tell
from services.rebooking.case_states import OPEN, STATES
from services.rebooking.case_steps import Step, What, steps_of, told
from services.rebooking.chart import draw
from shared.events.envelope import Recorded
from shared.events.rebooking import (
    AppointmentReconciled,
    CallMade,
    CallNeeded,
    Constraints,
    ConstraintsNoted,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OfferUnanswered,
    Placement,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
    Unplaced,
)

MONDAY = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
"""Eight o'clock in London, when the outage was declared."""

CASE: dict[str, Any] = {"outage": "outage", "practice": "A1", "appointment": "lost", "patient": "patient"}
PLAN: dict[str, Any] = {"outage": "outage", "practice": "A1", "plan": "plan", "part": "part"}

DISPLACED = AppointmentReconciled(**CASE, outcome="displaced", evidence="rule")
SEEN = AppointmentReconciled(**CASE, outcome="attended", evidence="paper")
PLACED = PlanProposed(
    **PLAN,
    read_position=7,
    expires_at=MONDAY + timedelta(hours=4),
    placements=(
        Placement(
            appointment="lost",
            patient="patient",
            from_session="friday",
            to_session="tuesday",
            to_slot="slot",
            to_start=MONDAY + timedelta(days=1),
            minutes=10,
            priority=0,
        ),
    ),
    unplaced=(),
)
NO_PLACE = PlanProposed(
    **PLAN,
    read_position=8,
    expires_at=MONDAY + timedelta(hours=4),
    placements=(),
    unplaced=(Unplaced(appointment="lost", patient="patient", priority=0, reason="Nothing is free"),),
)
APPROVED = PlanApproved(**PLAN, approved_by="Ann")
EXPIRED = PlanExpired(**PLAN, reason="Nobody approved it")
REQUESTED = MoveRequested(
    **CASE, move="move", from_session="friday", to_session="tuesday", to_slot="slot", to_start=MONDAY
)
REFUSED = MoveRefused(**CASE, move="move", reason="The slot has been taken")
MOVED = MoveConfirmed(**CASE, move="move", to_appointment="new", to_start=MONDAY + timedelta(days=1))
MOVED_AGAIN = MoveConfirmed(**CASE, move="again", to_appointment="newer", to_start=MONDAY + timedelta(days=2))
KEPT = OfferKept(**CASE, move="move")
ANOTHER_TIME = OfferDeclined(**CASE, move="move", wish="another-time")
CANCELLED = OfferDeclined(**CASE, move="move", wish="cancel")
UNANSWERED = OfferUnanswered(**CASE, move="move")
TO_CALL = CallNeeded(**CASE, reason="No mobile number to text")
NOBODY_IN = CallMade(**CASE, outcome="no-answer", made_by="Bea")
SPOKEN = CallMade(**CASE, outcome="keeps", made_by="Bea")
TOLD = told("A1", "new", MONDAY + timedelta(hours=9))

ON_THE_WAY = (DISPLACED, PLACED, APPROVED, REQUESTED, MOVED)


def recorded(event: RebookingEvent, at: datetime) -> Recorded:
    return Recorded(
        position=1,
        version=1,
        id="id",
        service="rebooking",
        stream="stream",
        practice="A1",
        recorded_at=at,
        occurred_at=at,
        event=event,
    )


def told_by(*events: RebookingEvent | Step, apart: timedelta = timedelta(hours=1)) -> History:
    """The events an hour apart, from when the outage was declared; a text at its own time."""
    hours = count()
    return tell(
        step
        for event in events
        for step in ([event] if isinstance(event, Step) else steps_of(recorded(event, MONDAY + next(hours) * apart)))
    )


def state(*events: RebookingEvent | Step) -> str | None:
    return told_by(*events).cases["lost"].state


def counts(**some: int) -> Counts:
    none: dict[str, int] = dict.fromkeys(STATES, 0)
    return Counts(**(none | some), everybody=sum(some.values()))


class TestTheStateOfACase:
    @pytest.mark.parametrize(
        ("events", "expected"),
        [
            ((SEEN,), None),
            ((DISPLACED,), "displaced"),
            ((DISPLACED, PLACED), "planned"),
            ((DISPLACED, PLACED, APPROVED), "planned"),
            ((DISPLACED, PLACED, APPROVED, REQUESTED), "planned"),
            ((*ON_THE_WAY,), "moved"),
            ((*ON_THE_WAY, TOLD), "told"),
            ((*ON_THE_WAY, TOLD, KEPT), "confirmed"),
            ((*ON_THE_WAY, TOLD, CANCELLED), "done"),
            ((*ON_THE_WAY, TOLD, UNANSWERED), "done"),
            ((*ON_THE_WAY, TO_CALL), "to_call"),
            ((*ON_THE_WAY, TO_CALL, KEPT, SPOKEN), "confirmed"),
        ],
    )
    def test_goes_from_displaced_to_done(self, events: Sequence[RebookingEvent | Step], expected: str | None) -> None:
        assert state(*events) == expected

    def test_is_displaced_again_once_the_plan_has_expired_or_has_no_place_any_more(self) -> None:
        assert state(DISPLACED, PLACED, EXPIRED) == "displaced"
        assert state(DISPLACED, PLACED, NO_PLACE) == "displaced"
        assert state(DISPLACED, PLACED, EXPIRED, PLACED) == "planned"

    def test_is_displaced_again_once_what_was_noted_takes_the_place_in_the_plan(self) -> None:
        assert state(DISPLACED, PLACED, ConstraintsNoted(**CASE, constraints=Constraints())) == "displaced"

    def test_is_displaced_again_once_booking_has_refused(self) -> None:
        assert state(DISPLACED, PLACED, APPROVED, REQUESTED, REFUSED) == "displaced"

    def test_who_asks_for_another_time_has_one_and_the_next_word_is_ours(self) -> None:
        declined = (*ON_THE_WAY, TOLD, ANOTHER_TIME)
        assert state(*declined) == "moved"
        assert state(*declined, PLACED, REQUESTED) == "moved"
        assert state(*declined, PLACED, REQUESTED, REFUSED) == "moved"

    def test_a_fresh_offer_has_to_be_told_of_anew(self) -> None:
        offered = (*ON_THE_WAY, TOLD, ANOTHER_TIME, MOVED_AGAIN)
        assert state(*offered) == "moved"
        assert state(*offered, told("A1", "newer", MONDAY + timedelta(hours=20))) == "told"

    def test_a_text_may_be_taken_before_the_move_is_heard_of(self) -> None:
        assert state(*ON_THE_WAY, told("A1", "new", MONDAY + timedelta(hours=1))) == "told"

    def test_a_late_answer_still_counts(self) -> None:
        assert state(*ON_THE_WAY, TOLD, UNANSWERED, KEPT) == "confirmed"

    def test_a_call_that_reached_nobody_is_still_to_be_made(self) -> None:
        history = told_by(*ON_THE_WAY, TO_CALL, NOBODY_IN, NOBODY_IN)
        case = history.cases["lost"]
        assert (case.state, case.calls, case.attempts, case.unreached) == ("to_call", 1, 2, True)
        assert [each.by for each in history.unreached] == [1]

    def test_who_was_seen_after_all_is_done_even_with_a_call_open(self) -> None:
        assert state(DISPLACED, TO_CALL, SEEN) == "done"

    def test_closes_when_nothing_is_open_and_opens_again(self) -> None:
        closed = told_by(*ON_THE_WAY, KEPT)
        assert closed.closed_at == MONDAY + timedelta(hours=5)
        assert told_by(*ON_THE_WAY, KEPT, ANOTHER_TIME).closed_at is None

    def test_the_order_of_the_log_holds_where_a_clock_was_put_back(self) -> None:
        assert told_by(*ON_THE_WAY, KEPT, apart=timedelta(hours=-1)).cases["lost"].state == "confirmed"


class TestTheBurnDown:
    def test_has_a_row_for_each_day_and_practice_until_now(self) -> None:
        history = told_by(DISPLACED, PLACED, MOVED, apart=timedelta(days=1))
        backlog = burn_down(history, MONDAY - timedelta(days=1), MONDAY + timedelta(days=3))
        assert [(each.day, each.practice, each.counts) for each in backlog.days] == [
            (date(2024, 7, 22), "A1", counts(displaced=1)),
            (date(2024, 7, 23), "A1", counts(planned=1)),
            (date(2024, 7, 24), "A1", counts(moved=1)),
            (date(2024, 7, 25), "A1", counts(moved=1)),
        ]
        assert (backlog.now, backlog.open) == (counts(moved=1), 1)

    def test_a_day_ends_at_midnight_in_london(self) -> None:
        late = MONDAY.replace(hour=23, minute=30)
        history = tell(steps_of(recorded(DISPLACED, late)))
        [tuesday] = burn_down(history, late, late).days
        assert tuesday.day == date(2024, 7, 23)

    def test_ends_with_the_last_thing_that_happened_once_it_is_closed(self) -> None:
        closed = told_by(*ON_THE_WAY, KEPT)
        then, later = (burn_down(closed, MONDAY, MONDAY + timedelta(days=days)) for days in (1, 30))
        assert then == later
        assert [each.day for each in then.days] == [date(2024, 7, 22)]

    def test_has_points_close_together_while_it_is_short(self) -> None:
        history = told_by(*ON_THE_WAY, apart=timedelta(seconds=20))
        backlog = burn_down(history, MONDAY, MONDAY + timedelta(minutes=2))
        assert [point.at - MONDAY for point in backlog.points] == [timedelta(seconds=10 * n) for n in range(13)]
        assert [sum(getattr(point.counts, each) for each in OPEN) for point in backlog.points] == [0] + [1] * 12
        assert backlog.points[-1].counts == backlog.now
        weeks = burn_down(history, MONDAY, MONDAY + timedelta(days=60))
        assert len(weeks.points) == 61

    def test_of_one_practice_says_nothing_of_others(self) -> None:
        elsewhere = burn_down(told_by(*ON_THE_WAY), MONDAY, MONDAY, "B2")
        assert (elsewhere.days, elsewhere.points, elsewhere.now) == ([], [], counts())

    def test_of_nobody_is_empty(self) -> None:
        backlog = burn_down(tell(()), MONDAY, MONDAY)
        assert (backlog.days, backlog.points, backlog.now) == ([], [], counts())


APPOINTMENTS = ("one", "two", "three", "four")
NAMES = {"reconciled": ("displaced", "attended", "cancelled"), "declined": ("another-time", "cancel")}
CALLED = ("keeps", "settled", "no-answer", "wrong-number")


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """Any step of any case, whether or not it can follow what has been."""
    what: What = draw(st.sampled_from(get_args(What)))
    at = MONDAY + draw(st.integers(0, 100)) * timedelta(hours=1)
    appointment = draw(st.sampled_from(APPOINTMENTS))
    practice = "A1" if appointment in APPOINTMENTS[:2] else "B2"
    match what:
        case "told":
            return told(practice, f"new {appointment}", at)
        case "proposed" | "approved" | "expired":
            return Step(at, what, practice)
        case "moved":
            return Step(at, what, practice, appointment, f"new {appointment}", at)
        case "call-made":
            return Step(at, what, practice, appointment, draw(st.sampled_from(CALLED)))
        case _:
            return Step(at, what, practice, appointment, draw(st.sampled_from(NAMES.get(what, ("",)))))


@given(st.lists(steps(), max_size=60))
def test_whatever_happens_the_states_add_up_every_day_at_every_practice(happened: list[Step]) -> None:
    history = tell(happened)
    backlog = burn_down(history, MONDAY, MONDAY + timedelta(days=5))
    ever = [case for case in history.cases.values() if case.displaced_at]
    assert backlog.now.everybody == len(ever)
    assert Counter(case.state for case in ever) == Counter(
        {each: getattr(backlog.now, each) for each in STATES if getattr(backlog.now, each)}
    )
    for counted in (*(each.counts for each in backlog.days), *(point.counts for point in backlog.points)):
        those = [getattr(counted, each) for each in STATES]
        assert min(those) >= 0
        assert sum(those) == counted.everybody
    assert_parts_make_the_whole(history, backlog)


def assert_parts_make_the_whole(history: History, backlog: BurnDown) -> None:
    parts = [burn_down(history, MONDAY, MONDAY + timedelta(days=5), practice).now for practice in ("A1", "B2")]
    for each in (*STATES, "everybody"):
        assert sum(getattr(part, each) for part in parts) == getattr(backlog.now, each)


@given(st.lists(steps(), max_size=40))
def test_texts_may_be_read_in_any_order(happened: list[Step]) -> None:
    texts = [step for step in happened if step.what == "told"]
    rest = [step for step in happened if step.what != "told"]
    assert tell([*texts, *rest]).changes == tell([*rest, *reversed(texts)]).changes


class TestTheChart:
    def test_is_the_same_picture_for_the_same_log(self) -> None:
        backlog = burn_down(told_by(*ON_THE_WAY, TOLD, KEPT), MONDAY, MONDAY)
        first, again = (draw("Friday 19 July", backlog, "svg") for _ in range(2))
        assert first == again
        assert b"<dc:date>" not in first
        assert draw("Friday 19 July", backlog, "png") == draw("Friday 19 July", backlog, "png")

    @pytest.mark.parametrize("days", [0, 1, 3, 40, 400])
    def test_can_be_drawn_whatever_the_time_it_takes(self, days: int) -> None:
        backlog = burn_down(told_by(*ON_THE_WAY), MONDAY, MONDAY + timedelta(days=days))
        assert draw("A session withdrawn " * 20, backlog, "svg").startswith(b"<?xml")

    def test_of_nobody_says_so(self) -> None:
        assert draw("Nothing", burn_down(tell(()), MONDAY, MONDAY), "png").startswith(b"\x89PNG")
