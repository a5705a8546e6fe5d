"""Practices that share their capacity are planned together, and each keeps its own part of the plan."""

from datetime import timedelta

from services.rebooking.rules import Hub, Rules
from tests.rebooking.planning_people import TUESDAY, patient, placed, plan, reasons, slot

TOGETHER = Rules(leave_free_percent=0, hubs=(Hub(name="Coast", practices=("A1", "B2")),))
WITH_A_DIARY = Rules(leave_free_percent=0, hubs=(Hub(name="Coast", practices=("A1", "B2"), shared_by=("HUB",)),))


def test_a_patient_may_be_seen_at_another_practice_of_the_hub_and_the_placement_says_where() -> None:
    made = plan([patient("here")], [slot("there", practice="B2")], TOGETHER)
    (part,) = made.parts
    assert part.practice == "A1"
    assert [(each.to_slot, each.to_practice) for each in part.placements] == [("there", "B2")]


def test_the_own_practice_is_preferred_when_all_else_is_equal() -> None:
    people = [patient("a"), patient("b", practice="B2")]
    free = [slot("at b", practice="B2"), slot("at a", clinician="Dr Bell")]
    made = plan(people, free, TOGETHER)
    assert placed(made) == {"a": "at a", "b": "at b"}
    assert {each.to_practice for part in made.parts for each in part.placements} == {""}


def test_a_higher_class_of_one_member_comes_before_a_lower_one_of_another() -> None:
    people = [patient("low at b", practice="B2"), patient("high at a", priority=1)]
    made = plan(people, [slot("only", practice="B2")], TOGETHER)
    assert placed(made) == {"high at a": "only"}
    assert [part.practice for part in made.parts] == ["A1", "B2"]


def test_a_hub_with_a_diary_of_its_own_shares_only_that() -> None:
    people = [patient("a"), patient("b", practice="B2"), patient("at the hub", practice="HUB")]
    free = [slot("a's", practice="A1"), slot("hub's", TUESDAY + timedelta(days=1), practice="HUB")]
    made = plan(people, free, WITH_A_DIARY)
    assert placed(made)["a"] == "a's"
    assert sorted(placed(made).values()) == ["a's", "hub's"]
    alone = plan(people[2:], free[:1], WITH_A_DIARY)
    assert reasons(alone)["at the hub"].startswith("The practice has no free slot from")


def test_who_finds_nothing_in_the_whole_hub_is_told_so() -> None:
    (reason,) = reasons(plan([patient()], [], TOGETHER)).values()
    assert reason.startswith("The practice and its hub have no free slot from")


def test_a_share_of_each_members_day_stays_free() -> None:
    half = TOGETHER.model_copy(update={"leave_free_percent": 50})
    people = [patient(name) for name in ("one", "two", "three", "four")]
    free = [slot(f"{at} {n}", TUESDAY + timedelta(minutes=n), practice=at) for at in ("A1", "B2") for n in (0, 10)]
    assert sorted(placed(plan(people, free, half)).values()) == ["A1 0", "B2 0"]


def test_practices_in_no_hub_share_nothing() -> None:
    assert placed(plan([patient("c", practice="C3")], [slot("at b", practice="B2")], TOGETHER)) == {}
