"""Who can be seen when: class by class, as each patient can, and otherwise than what they declined."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rebooking.matching import IMPOSSIBLE, Demand, Flags, Numbers, assign
from services.rebooking.needed import soonest
from services.rebooking.rules import PriorityClass, Rules
from shared.events.rebooking import Constraints
from tests.rebooking.planning_people import ALL_FREE, TUESDAY, patient, placed, plan, reasons, slot

WEDNESDAY, THURSDAY, FRIDAY = (TUESDAY + timedelta(days=days) for days in (1, 2, 3))
AFTERNOON = timedelta(hours=5)
"""From nine o'clock in London to two."""


def classes(**urgent: Any) -> Rules:
    return Rules(
        leave_free_percent=0,
        classes=(
            PriorityClass(name="urgent", priorities=(1,), **urgent),
            PriorityClass(name="the rest", priorities=(2, 3, 4, 5, 6, 7, 8, 9, 0)),
        ),
    )


class TestClasses:
    def test_nobody_is_given_a_day_after_the_longest_wait_of_their_class(self) -> None:
        rules, people = classes(longest_wait_days=4), [patient("urgent", priority=1), patient("other")]
        assert placed(plan(people[:1], [slot()], rules)) == {"urgent": "free"}
        late = plan(people, [slot("late", WEDNESDAY)], rules)
        assert placed(late) == {"other": "late"}
        reason = "None of the free slots that fit otherwise (1) is within 4 days, the longest wait for urgent"
        assert reasons(late) == {"urgent": reason}

    def test_a_class_can_have_a_notice_of_its_own(self) -> None:
        soon = slot("soon", datetime(2024, 7, 22, 12, 0, tzinfo=UTC))
        rules = classes(minimum_notice_hours=5)
        assert placed(plan([patient("urgent", priority=1)], [soon], rules)) == {"urgent": "soon"}
        (reason,) = reasons(plan([patient("other")], [soon], rules)).values()
        assert reason.startswith("The practice has no free slot from Tue 23 Jul 08:00")


FREE = (
    slot("tue am", TUESDAY),
    slot("wed pm", WEDNESDAY + AFTERNOON, clinician="Dr Bell"),
    slot("thu am", THURSDAY, channel="video"),
    slot("fri pm", FRIDAY + AFTERNOON),
)
ANY_CHANNEL = Rules(
    leave_free_percent=0,
    channels={each: frozenset({"in-person", "video"}) for each in ("in-person", "telephone", "video", "home")},
)


class TestConstraints:
    @pytest.mark.parametrize(
        ("said", "given"),
        [
            ({}, "tue am"),
            ({"not_before": date(2024, 7, 24)}, "wed pm"),
            ({"weekdays": (4, 5)}, "thu am"),
            ({"half_of_day": "afternoon"}, "wed pm"),
            ({"channels": ("video",)}, "thu am"),
            ({"clinician": "Dr Bell"}, "wed pm"),
            ({"half_of_day": "afternoon", "weekdays": (5,)}, "fri pm"),
            ({"not_before": date(2024, 7, 24), "not_after": date(2024, 7, 25), "half_of_day": "morning"}, "thu am"),
        ],
    )
    def test_the_patient_is_seen_as_they_can_be(self, said: dict[str, Any], given: str) -> None:
        people = [patient("lost", constraints=Constraints(**said))]
        assert placed(plan(people, FREE, ANY_CHANNEL)) == {"lost": given}

    @pytest.mark.parametrize(
        ("said", "reason"),
        [
            ({"not_before": date(2024, 7, 29)}, "(4) is on Mon 29 Jul or later, as the patient needs"),
            ({"not_after": date(2024, 7, 22)}, "(4) is on Mon 22 Jul or sooner, as the patient needs"),
            ({"weekdays": (1, 6)}, "(4) is on a Monday or Saturday, as the patient needs"),
            (
                {"not_after": date(2024, 7, 23), "half_of_day": "afternoon"},
                "(1) is in the afternoon, as the patient needs",
            ),
            ({"channels": ("home",)}, "(4) is home, as the patient needs"),
            ({"clinician": "Dr Carr"}, "(4) is with Dr Carr, as the patient needs"),
        ],
    )
    def test_what_cannot_be_says_which_need_left_nothing(self, said: dict[str, Any], reason: str) -> None:
        people = [patient("lost", constraints=Constraints(**said))]
        assert reasons(plan(people, FREE, ANY_CHANNEL)) == {
            "lost": f"None of the free slots that fit otherwise {reason}"
        }

    def test_one_patients_needs_bind_no_other(self) -> None:
        people = [patient("bound", constraints=Constraints(clinician="Dr Bell")), patient("free")]
        assert placed(plan(people, FREE, ANY_CHANNEL)) == {"bound": "wed pm", "free": "tue am"}


class TestFreshOffers:
    asking = patient("lost", standing="new", session="tuesday", declined=(TUESDAY,))

    def test_a_fresh_offer_is_on_another_day_and_in_the_other_half_of_it(self) -> None:
        free = [
            slot("same day", TUESDAY + AFTERNOON),
            slot("same half", WEDNESDAY),
            slot("fresh", THURSDAY + AFTERNOON),
        ]
        made = plan([self.asking], free)
        assert placed(made) == {"lost": "fresh"}
        assert (made.parts[0].placements[0].standing, made.parts[0].placements[0].from_session) == ("new", "tuesday")

    def test_its_day_differs_from_all_that_were_declined_and_its_half_from_the_last(self) -> None:
        twice = patient("lost", standing="new", declined=(TUESDAY, WEDNESDAY + AFTERNOON))
        free = [slot("first day", TUESDAY), slot("last half", THURSDAY + AFTERNOON), slot("fresh", FRIDAY)]
        assert placed(plan([twice], free)) == {"lost": "fresh"}

    def test_a_decline_costs_no_priority(self) -> None:
        """Whoever asks again comes before whoever lost their time later."""
        later = patient("later", start=self.asking.start + timedelta(hours=1))
        one = [slot("one", WEDNESDAY + AFTERNOON)]
        assert placed(plan([later, self.asking], one, ALL_FREE)).keys() <= {"later", "lost"}
        urgent = patient("lost", standing="new", declined=(TUESDAY,), priority=1)
        assert placed(plan([later, urgent], one)) == {"lost": "one"}

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            (TUESDAY + AFTERNOON, "is on another day than the times that the patient declined"),
            (WEDNESDAY, "is in the afternoon, unlike the time that the patient declined last"),
        ],
    )
    def test_without_one_the_reason_says_so_and_the_new_time_stands(self, start: datetime, words: str) -> None:
        made = plan([self.asking], [slot("free", start)])
        assert reasons(made) == {"lost": f"None of the free slots that fit otherwise (1) {words}"}
        assert made.parts[0].unplaced[0].standing == "new"


class TestTheShareThatStaysFree:
    rules = Rules(leave_free_percent=10)

    def test_what_the_recovery_gave_away_already_counts_so_that_planning_again_does_not_eat_it_up(self) -> None:
        last = [slot(f"free {n}", TUESDAY + timedelta(minutes=10 * n), given=18) for n in range(2)]
        assert placed(plan([patient()], last, self.rules)) == {}
        more = [slot(f"free {n}", TUESDAY + timedelta(minutes=10 * n), given=17) for n in range(3)]
        assert placed(plan([patient()], more, self.rules)) == {"lost": "free 0"}


@st.composite
def eligibilities(draw: st.DrawFn) -> tuple[Flags, Numbers, Numbers]:
    patients, slots = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    starts = sorted(draw(st.lists(st.integers(0, 4), min_size=slots, max_size=slots)))
    row = st.lists(st.booleans(), min_size=slots, max_size=slots)
    suits = draw(st.lists(row, min_size=patients, max_size=patients))
    ranks = draw(st.lists(st.integers(0, 2), min_size=patients, max_size=patients))
    return np.array(suits, np.bool_), np.array(ranks, np.int64), np.array(starts, np.int64)


@settings(max_examples=200, deadline=None)
@given(eligibilities())
def test_slots_that_are_left_aside_would_not_have_made_the_plan_better(
    eligibility: tuple[Flags, Numbers, Numbers],
) -> None:
    suits, ranks, starts = eligibility

    def worth(usable: Flags) -> list[tuple[int, int, int]]:
        waits = np.where(usable, starts, IMPOSSIBLE).astype(np.int64)
        chosen = assign(Demand(ranks, waits, np.zeros_like(waits)))
        of = [[int(waits[row, chosen[row]]) for row in np.flatnonzero((ranks == r) & (chosen >= 0))] for r in range(3)]
        return [(len(each), max(each, default=0), sum(each)) for each in of]

    assert worth(soonest(suits, ranks, starts)) == worth(suits)
