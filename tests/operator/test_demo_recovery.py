"""The paper of the lost day: who was seen, who called off, and nobody twice."""

import csv
import io
from collections import Counter

from services.operator.county import diaries, made_up_practices
from services.operator.demo_recovery import paper

COUNTY = list(diaries(made_up_practices(5, seed=1), 1_000, seed=1))


def test_a_tenth_were_seen_and_two_in_a_hundred_called_off() -> None:
    sheets = paper(COUNTY, seed=1)
    outcomes = Counter(row["outcome"] for row in csv.DictReader(io.StringIO(sheets.text)))
    assert outcomes == {"attended": 100, "cancelled": 20}
    assert (sheets.seen, sheets.cancelled) == (100, 20)


def test_every_line_names_an_appointment_of_the_lost_day_and_none_is_there_twice() -> None:
    lost = {(diary.practice, *booking) for diary in COUNTY for booking in diary.lost_day}
    rows = [
        (row["practice"], row["start"], row["nhs_number"]) for row in csv.DictReader(io.StringIO(paper(COUNTY, 1).text))
    ]
    assert set(rows) <= lost
    assert len(set(rows)) == len(rows)


def test_the_same_seed_gives_the_same_paper() -> None:
    assert paper(COUNTY, seed=1) == paper(COUNTY, seed=1)
    assert paper(COUNTY, seed=1) != paper(COUNTY, seed=2)


def test_the_smallest_day_has_paper_too() -> None:
    assert paper(list(diaries(made_up_practices(1, seed=1), 1, seed=1)), seed=1).seen == 0
