"""What one more session would do is what planning again with it shows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from services.rebooking.capacity import MarginalValue, marginal_value
from services.rebooking.eligibility import FreeSlot, WaitingPatient
from services.rebooking.rules import ExtraSession, Hub, Rules
from tests.rebooking.planning_people import NOW, TUESDAY, patient, slot

RULES = Rules(leave_free_percent=0, extra_session=ExtraSession(slots=2, minutes=10))


def values(
    waiting: Sequence[WaitingPatient],
    free: Sequence[FreeSlot] = (),
    rules: Rules = RULES,
    days: int = 1,
    now: datetime = NOW,
) -> list[MarginalValue]:
    return marginal_value(rules, waiting, free, days, now)


def test_who_would_find_a_place_is_counted_by_class() -> None:
    (value,) = values([patient("one", priority=1), patient("two"), patient("three")])
    assert (value.practice, value.day, value.role) == ("A1", date(2024, 7, 23), "GP")
    assert (value.more_placed, value.more_by_class) == (2, {"priority 1": 1, "no priority": 1})
    assert value.longest_wait_days_after == 4.0


def test_who_has_a_place_already_waits_less() -> None:
    (value,) = values([patient()], [slot("late", TUESDAY + timedelta(days=3))])
    assert (value.more_placed, value.days_saved) == (0, 3.0)
    assert (value.longest_wait_days_before, value.longest_wait_days_after) == (7.0, 4.0)


def test_the_session_is_for_the_role_that_is_waited_for_most() -> None:
    nurses = [patient(f"nurse {number}", clinician_role="Nurse") for number in range(2)]
    assert [value.role for value in values([*nurses, patient("gp")])] == ["Nurse"]


def test_days_are_working_days_from_the_first_on_which_it_could_begin() -> None:
    """From the Thursday noon before the late August bank holiday, with a day's notice: Tuesday is the first day."""
    thursday = datetime(2024, 8, 22, 11, 0, tzinfo=UTC)
    days = [value.day for value in values([patient()], days=2, now=thursday)]
    assert days == [date(2024, 8, 27), date(2024, 8, 28)]


def test_a_hubs_plan_is_made_again_as_a_whole() -> None:
    shared = RULES.model_copy(update={"hubs": (Hub(name="Coast", practices=("A1", "B2")),)})
    found = values([patient("a"), patient("b", practice="B2")], rules=shared)
    assert [(value.practice, value.more_placed) for value in found] == [("A1", 2), ("B2", 2)]


def test_nobody_waiting_needs_no_session() -> None:
    assert values([patient(status="cancelled")]) == []
