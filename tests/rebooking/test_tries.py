"""When a plan that placed nobody, or placed them in vain, is made again."""

from datetime import UTC, date, datetime, timedelta

from services.rebooking.tries import Seen, Tries
from services.rebooking.under_way import UnderWay

NOW, PAUSE = datetime(2024, 7, 22, 8, tzinfo=UTC), timedelta(seconds=5)
SEEN = Seen(seeking=1, freed=7, day=date(2024, 7, 22))
HERE = ("outage", "A1")


def test_what_placed_nobody_is_tried_again_only_when_something_has_changed() -> None:
    tries = Tries(PAUSE)
    assert tries.deserving({HERE: SEEN}, NOW) == {HERE: SEEN}
    tries.note(HERE, SEEN, NOW, placed=False)
    assert tries.deserving({HERE: SEEN}, NOW + timedelta(days=300)) == {}
    for changed in (Seen(2, 7, SEEN.day), Seen(1, 8, SEEN.day), Seen(1, 7, date(2024, 7, 23))):
        assert tries.deserving({HERE: changed}, NOW) == {HERE: changed}


def test_who_is_placed_in_vain_time_and_again_is_tried_less_and_less() -> None:
    tries, now, waited = Tries(PAUSE), NOW, []
    for _ in range(12):
        tries.note(HERE, SEEN, now, placed=True)
        begun = now
        while not tries.deserving({HERE: SEEN}, now):
            now += PAUSE
        waited.append((now - begun) // PAUSE)
    assert waited == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]


def test_what_the_newest_plan_was_made_of_is_not_tried_unless_it_has_been_tried_before() -> None:
    tries = Tries(PAUSE)
    tries.assume(HERE, SEEN)
    assert tries.deserving({HERE: SEEN}, NOW) == {}
    tries = Tries(PAUSE)
    tries.note(HERE, SEEN, NOW, placed=True)
    tries.assume(HERE, SEEN)
    assert tries.deserving({HERE: SEEN}, NOW + PAUSE) == {HERE: SEEN}


def test_where_nobody_seeks_a_place_any_more_all_is_forgotten() -> None:
    tries = Tries(PAUSE)
    tries.note(HERE, SEEN, NOW, placed=False)
    assert tries.deserving({}, NOW) == {}
    assert tries.deserving({HERE: SEEN}, NOW) == {HERE: SEEN}


def test_a_follow_up_waits_for_what_is_under_way_and_unless_automatic_for_the_one_before_it() -> None:
    elsewhere, another = ("outage", "B2"), ("another", "A1")
    under_way = UnderWay(requested={HERE}, proposed={elsewhere: True, another: False})
    blocked = {at: [under_way.blocks(at, automatic=yes) for yes in (False, True)] for at in (HERE, elsewhere, another)}
    assert blocked == {HERE: [True, True], elsewhere: [True, False], another: [True, True]}
    assert under_way.blocks(("outage", "C3"), automatic=False)
    assert not under_way.blocks(("outage", "C3"), automatic=True)
    assert not under_way.blocks(("another", "C3"), automatic=False)
