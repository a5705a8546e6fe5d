"""A seed stands for one schedule, and successive seeds leave no kind of fault out."""

from collections import Counter

from tests.chaos.schedule import kind_of, kinds, schedule_of


def test_a_seed_is_the_same_schedule_every_time_and_another_seed_another() -> None:
    assert str(schedule_of(7, 45, 5)) == str(schedule_of(7, 45, 5)) != str(schedule_of(8, 45, 5))


def test_four_seeds_in_a_row_leave_no_kind_of_fault_out() -> None:
    done = Counter(kind_of(each.fault) for seed in (4, 5, 6, 7) for each in schedule_of(seed, 45, 5).faults)
    assert done.keys() == set(kinds())


def test_faults_come_in_order_and_within_the_time() -> None:
    times = [planned.at for planned in schedule_of(1, 30, 4).faults]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] < 30
