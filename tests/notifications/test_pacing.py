"""How fast messages go out: evenly, in the order of their lanes, and never too many."""

from collections import deque
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from heapq import heapify, heappop, heappush
from random import Random

import pytest

from services.notifications.lanes import LANE, together
from services.notifications.pacing import Allowance, Hourly, Pace
from services.notifications.sandbox.limit import Bucket
from shared.events.notifications import MessageKind

NOON = datetime(2024, 7, 22, 12, 0, tzinfo=UTC)
TODAY, TOMORROW = date(2024, 7, 22), date(2024, 7, 23)


def test_turns_come_evenly_without_a_burst_however_long_nobody_asked() -> None:
    pace = Pace(50)
    made_up_for = 1 + 50 // 4
    turns = [pace.take(100.0) for _ in range(made_up_for + 3)]
    assert turns[:made_up_for] == [100.0] * made_up_for
    assert turns[made_up_for:] == pytest.approx([100.01, 100.03, 100.05])
    assert sum(pace.take(200.0) < 201 for _ in range(200)) <= 50 + made_up_for


def test_who_comes_late_to_each_turn_still_gets_them_all() -> None:
    pace, now = Pace(50), 100.0
    for turn in range(500):
        now = max(now, pace.take(now)) + (0.1 if turn % 10 == 0 else 0.001)
    assert now - 100 == pytest.approx(500 / 50, rel=0.03)


def test_a_pause_holds_everybody_up_those_with_a_turn_as_well() -> None:
    pace = Pace(50)
    turn = pace.take(100.0)
    assert pace.hold(103.0, now=100.0)
    assert not pace.hold(102.0, now=100.5), "there is one already"
    assert pace.is_held(turn)
    assert pace.take(100.5) == 103.0
    assert not pace.is_held(103.0)


def test_a_day_has_so_many_messages_and_the_next_as_many_again() -> None:
    today = Allowance(2)
    today.note(TODAY, 1)
    assert [today.take(TODAY) for _ in range(2)] == [True, False]
    today.give_back(TODAY)
    assert [today.take(TODAY) for _ in range(2)] == [True, False]
    assert [today.take(TOMORROW) for _ in range(3)] == [True, True, False]


def test_what_was_let_in_before_midnight_and_not_sent_is_not_taken_off_the_next_day() -> None:
    today = Allowance(2)
    assert [today.take(day) for day in (TODAY, TOMORROW)] == [True, True]
    today.give_back(TODAY)
    assert today.used(TOMORROW) == 1


def test_zero_a_day_is_any_number() -> None:
    assert all(Allowance(0).take(TODAY) for _ in range(10))


def test_a_telephone_has_so_many_messages_within_any_hour() -> None:
    hourly = Hourly(2)
    hourly.note([(NOON - timedelta(minutes=59), "a")])
    assert hourly.take("a", NOON)
    assert not hourly.take("a", NOON)
    assert hourly.take("b", NOON)
    assert hourly.full(NOON) == ["a"]
    assert hourly.full(NOON + timedelta(minutes=1)) == []
    assert hourly.take("a", NOON + timedelta(minutes=1))


def test_what_was_not_sent_after_all_does_not_count() -> None:
    hourly = Hourly(2)
    for _ in range(5):
        assert hourly.take("a", NOON)
        hourly.give_back("a")
    assert [hourly.take("a", NOON) for _ in range(3)] == [True, True, False]


def test_what_is_given_back_after_its_hour_makes_no_room_for_more() -> None:
    hourly = Hourly(1)
    assert hourly.take("a", NOON)
    later = NOON + timedelta(minutes=61)
    assert hourly.full(later) == []
    hourly.give_back("a")
    assert [hourly.take("a", later) for _ in range(2)] == [True, False]


Waiting = tuple[int, float, int]
"""In the order of the outbox: lane, appointment, number of the message."""


def _planned() -> list[Waiting]:
    rng = Random(7)
    numbers: Mapping[MessageKind, int] = {"moved": 30_000, "reminder-1": 2_000, "reminder-3": 2_000}
    kinds = [kind for kind, many in numbers.items() for _ in range(many)]
    return [(LANE[kind], rng.random(), number) for number, kind in enumerate(kinds)]


def test_34000_messages_pass_notifys_limit_without_a_refusal_lane_by_lane_and_answers_wait_for_a_second() -> None:
    """In virtual time, over the bucket that the sandbox counts with: 1,000 at once, and 3,000 a minute."""
    rate = 45.0
    pace, bucket, now, at_once = Pace(rate), Bucket.full(3000, 0), 0.0, together(rate)
    waiting, sent, delays = _planned(), list[Waiting](), list[float]()
    heapify(waiting)
    chance = Random(8)
    answers = deque(sorted(chance.uniform(0, 700) for _ in range(300)))
    came: dict[int, float] = {}
    while waiting:
        while answers and answers[0] <= now:
            came[-len(answers)] = answers[0]
            heappush(waiting, (LANE["kept"], 0.0, -len(answers)))
            answers.popleft()
        for message in [heappop(waiting) for _ in range(min(at_once, len(waiting)))]:
            now = pace.take(now)
            left = bucket.take(int(now * 10**9))
            assert left is not None, f"429 after {len(sent)} messages"
            bucket = left
            sent.append(message)
            if message[2] in came:
                delays.append(now - came[message[2]])

    news = [message for message in sent if message[0] > LANE["kept"]]
    assert news == sorted(_planned())
    assert len({number for _, _, number in sent}) == len(sent) == 34_000 + len(delays)
    assert len(delays) == 300
    assert max(delays) <= 2 * at_once / rate
    assert now == pytest.approx(len(sent) / rate, rel=0.01)


def test_faster_than_the_limit_is_refused_once_the_burst_is_used_up() -> None:
    """Or the test above would show nothing."""
    pace, bucket, now = Pace(60.0), Bucket.full(3000, 0), 0.0
    for taken in range(34_000):
        now = pace.take(now)
        left = bucket.take(int(now * 10**9))
        if left is None:
            assert taken > 1_000
            return
        bucket = left
    raise AssertionError("nothing was refused")
