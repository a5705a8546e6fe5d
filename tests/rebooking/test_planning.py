"""A plan obeys the rules, gives a reason to everyone it leaves out, and is bound by its hash."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.rebooking.eligibility import FreeSlot, WaitingPatient, window
from services.rebooking.planning import make_plan
from services.rebooking.rules import Rules
from shared.clock import london_date
from shared.events.booking import Channel
from tests.rebooking.planning_people import ALL_FREE, LOST, NOW, TUESDAY, patient, placed, plan, reasons, slot


class TestWhoGetsWhat:
    def test_a_patient_gets_a_slot_that_fits(self) -> None:
        assert placed(plan([patient()], [slot()])) == {"lost": "free"}

    def test_each_practice_has_its_own_slots(self) -> None:
        made = plan([patient("here"), patient("there", practice="B2")], [slot(practice="B2")])
        assert placed(made) == {"there": "free"}
        assert [part.practice for part in made.parts] == ["A1", "B2"]

    def test_a_higher_priority_comes_first_and_none_given_comes_last(self) -> None:
        people = [patient("none"), patient("low", priority=9), patient("high", priority=1)]
        two = [slot("first"), slot("second", TUESDAY + timedelta(days=3))]
        assert placed(plan(people, two)) == {"high": "first", "low": "second"}

    @pytest.mark.parametrize(
        ("booked", "offered", "suits"),
        [
            ("in-person", "in-person", True),
            ("in-person", "telephone", False),
            ("telephone", "video", True),
            ("telephone", "in-person", False),
            ("video", "telephone", True),
            ("home", "in-person", False),
        ],
    )
    def test_channels_stand_in_for_each_other_as_the_rules_say(
        self, booked: Channel, offered: Channel, suits: bool
    ) -> None:
        assert bool(placed(plan([patient(channel=booked)], [slot(channel=offered)]))) is suits

    def test_another_role_stands_in_only_if_the_rules_say_so(self) -> None:
        nurse = [slot(clinician_role="Nurse")]
        assert placed(plan([patient()], nurse)) == {}
        stand_in = Rules(leave_free_percent=0, roles={"GP": frozenset({"Nurse"})})
        assert placed(plan([patient()], nurse, stand_in)) == {"lost": "free"}

    def test_the_same_clinician_is_preferred_among_slots_that_are_as_good(self) -> None:
        free = [slot("stranger", clinician="Dr Bell"), slot("familiar")]
        assert placed(plan([patient()], free)) == {"lost": "familiar"}

    def test_a_wait_over_the_end_of_summer_time_is_measured_in_real_hours(self) -> None:
        """From 25 October 10:00 BST to 28 October 09:30 GMT is an hour longer than the clocks on the wall say."""
        lost = datetime(2024, 10, 25, 9, 0, tzinfo=UTC)
        soon, late = datetime(2024, 10, 28, 9, 30, tzinfo=UTC), datetime(2024, 10, 28, 10, 0, tzinfo=UTC)
        made = make_plan(
            ALL_FREE,
            "outage",
            [patient(start=lost)],
            [slot("late", late), slot("soon", soon)],
            read_position=7,
            now=datetime(2024, 10, 26, tzinfo=UTC),
        )
        assert placed(made) == {"lost": "soon"}


class TestWhyNot:
    def test_no_slot_at_all(self) -> None:
        reason = "The practice has no free slot from Tue 23 Jul 08:00 until Mon 19 Aug 08:00"
        assert reasons(plan([patient()], [])) == {"lost": reason}

    @pytest.mark.parametrize(
        ("details", "reason"),
        [
            ({"clinician_role": "Nurse"}, "None of the free slots that fit otherwise (1) is with a GP"),
            (
                {"channel": "video"},
                "None of the free slots that fit otherwise (1) suits a patient booked for in-person",
            ),
            ({"minutes": 5}, "None of the free slots that fit otherwise (1) is 10 minutes long"),
        ],
    )
    def test_the_rule_that_left_nothing(self, details: dict[str, Any], reason: str) -> None:
        assert reasons(plan([patient()], [slot(**details)])) == {"lost": reason}

    def test_what_fits_is_kept_free(self) -> None:
        reason = "All slots that fit (1) belong to the share of each day that stays free"
        assert reasons(plan([patient()], [slot()], Rules())) == {"lost": reason}

    def test_others_had_a_better_claim(self) -> None:
        made = plan([patient("low"), patient("high", priority=1)], [slot()])
        reason = "All slots that fit and may be used (1) went to patients of the same or a higher priority"
        assert reasons(made) == {"low": reason}

    def test_an_appointment_that_no_longer_stands_needs_no_slot(self) -> None:
        made = plan([patient(status="cancelled")], [slot()])
        assert placed(made) == {}
        assert reasons(made) == {"lost": "The appointment no longer stands: it is cancelled"}


class TestTheHash:
    people = (patient("one"), patient("two", priority=2))
    free = (slot("a"), slot("b", TUESDAY + timedelta(minutes=10)))

    def test_the_same_diary_gives_the_same_plan_in_whatever_order_it_is_read(self) -> None:
        again = plan(self.people[::-1], self.free[::-1])
        assert again == plan(self.people, self.free)

    def test_another_diary_or_another_moment_of_the_log_gives_another(self) -> None:
        first = plan(self.people, self.free)
        hashes = {
            first.hash,
            plan(self.people, self.free, read_position=8).hash,
            plan(self.people[:1], self.free).hash,
            plan(self.people, self.free[1:]).hash,
        }
        assert len(hashes) == 4

    def test_a_part_changes_its_hash_with_its_own_practice_only(self) -> None:
        elsewhere = patient("there", practice="B2")
        first, second = plan([*self.people, elsewhere], self.free), plan(self.people, self.free)
        assert first.parts[0].hash == second.parts[0].hash
        assert first.hash != second.hash

    def test_a_plan_expires(self) -> None:
        assert plan(self.people, self.free, Rules(lifetime_minutes=30)).expires_at == NOW + timedelta(minutes=30)


@st.composite
def diaries(draw: st.DrawFn) -> tuple[list[WaitingPatient], list[FreeSlot]]:
    channels = st.sampled_from(["in-person", "telephone", "video", "home"])
    roles = st.sampled_from(["GP", "Nurse"])
    minutes = st.sampled_from([5, 10, 15, 20])
    people = [
        patient(
            f"lost {number}",
            start=LOST + timedelta(minutes=10 * draw(st.integers(0, 40))),
            minutes=draw(minutes),
            priority=draw(st.integers(0, 9)),
            channel=draw(channels),
            clinician_role=draw(roles),
        )
        for number in range(draw(st.integers(1, 12)))
    ]
    free = [
        slot(
            f"free {number}",
            start=TUESDAY + timedelta(days=draw(st.integers(0, 2)), minutes=10 * draw(st.integers(0, 40))),
            minutes=draw(minutes),
            channel=draw(channels),
            clinician_role=draw(roles),
        )
        for number in range(draw(st.integers(0, 20)))
    ]
    return people, free


@settings(max_examples=150, deadline=None)
@given(diaries(), st.integers(0, 100))
def test_whatever_the_diary_every_rule_is_obeyed(diary: tuple[list[WaitingPatient], list[FreeSlot]], left: int) -> None:
    people, free = diary
    rules = Rules(leave_free_percent=left)
    made = plan(people, free, rules)
    patients, slots = {each.appointment: each for each in people}, {each.slot: each for each in free}
    pairs = {patients[lost]: slots[taken] for lost, taken in placed(made).items()}
    assert placed(made).keys() | reasons(made).keys() == patients.keys()
    assert placed(made).keys() & reasons(made).keys() == set()
    assert len({taken.slot for taken in pairs.values()}) == len(pairs)
    for person, taken in pairs.items():
        assert taken.minutes >= person.minutes
        assert taken.channel in rules.channels[person.channel]
        assert taken.clinician_role == person.clinician_role
        assert window(rules, NOW, ()).earliest <= taken.start
    offered = Counter(london_date(each.start) for each in free)
    used = Counter(london_date(taken.start) for taken in pairs.values())
    assert all(100 * (offered[day] - used[day]) >= left * offered[day] for day in offered)
